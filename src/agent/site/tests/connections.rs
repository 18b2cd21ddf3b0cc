//! How connections begin, stall and end.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv6Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::super::server::Server;
use super::client::{Response, connect};
use super::{LIMITS, Site, write};

/// Reads up to the end of a header.
fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

#[test]
fn one_connection_carries_many_requests() {
    let site = Site::of(&[("public/a.txt", "a")]);
    let mut stream = connect(site.server.port);
    for _ in 0..3 {
        stream
            .write_all(b"GET /a.txt HTTP/1.1\r\nhost: a\r\n\r\n")
            .unwrap();
        assert!(head(&mut stream).starts_with("HTTP/1.1 200 OK\r\n"));
        let mut body = [0];
        stream.read_exact(&mut body).unwrap();
        assert_eq!(&body, b"a");
    }
}

#[test]
fn requests_that_come_at_once_are_answered_in_order() {
    let site = Site::of(&[("public/a.txt", "a"), ("public/b.txt", "b")]);
    let mut stream = connect(site.server.port);
    let requests = "GET /a.txt HTTP/1.1\r\nhost: a\r\n\r\n\
                    GET /b.txt HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    stream.write_all(requests.as_bytes()).unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).unwrap();
    let bodies: Vec<&str> = answers
        .split("HTTP/1.1 200 OK\r\n")
        .filter_map(|answer| answer.split_once("\r\n\r\n"))
        .map(|(_, body)| body)
        .collect();
    assert_eq!(bodies, ["a", "b"]);
}

#[test]
fn what_is_no_request_is_refused_and_the_next_visitor_served() {
    let site = Site::of(&[("public/a.txt", "a")]);
    let long = format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "a".repeat(60_000));
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00"[..],
        b"GET\r\n\r\n",
        b"GET /%zz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        b"GET /a.txt HTTP/9.9\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        long.as_bytes(),
    ] {
        let mut stream = connect(site.server.port);
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let line = answer
            .split(|byte| *byte == b'\r')
            .next()
            .unwrap_or_default();
        let line = String::from_utf8_lossy(line).into_owned();
        assert!(!line.contains(" 200 ") && !line.contains(" 500 "), "{line}");
        assert_eq!(site.seen("/a.txt"), (200, "a".to_owned()));
    }
}

#[test]
fn it_answers_over_ipv6_where_there_is_any() {
    let site = Site::of(&[("public/a.txt", "a")]);
    let connected = TcpStream::connect((Ipv6Addr::LOCALHOST, site.server.port));
    let there_is = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
    assert_eq!(connected.is_ok(), there_is);
    if let Ok(mut stream) = connected {
        stream.write_all(b"GET /a.txt HTTP/1.0\r\n\r\n").unwrap();
        assert_eq!(Response::read(&mut stream).body(), "a");
    }
    assert_eq!(site.seen("/a.txt"), (200, "a".to_owned()));
}

#[test]
fn a_taken_port_is_named() {
    let taken = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let error = runtime.block_on(async { Server::bind(port).unwrap_err() });
    assert_eq!(
        error.to_string(),
        format!("cannot listen on port {port}: Address already in use (os error 98)")
    );
}

#[test]
fn a_header_that_trickles_in_is_cut_off() {
    let site = Site::of(&[]);
    for requests_before in [0, 1] {
        let mut stream = connect(site.server.port);
        for _ in 0..requests_before {
            stream
                .write_all(b"HEAD / HTTP/1.1\r\nhost: a\r\n\r\n")
                .unwrap();
            assert!(head(&mut stream).starts_with("HTTP/1.1 404 "));
        }
        let began = Instant::now();
        // Each byte comes soon after the last: it is the whole header that is too slow.
        let trickle = std::iter::from_fn(|| {
            std::thread::sleep(LIMITS.header / 10);
            stream.write_all(b"a").ok()
        });
        let sent = trickle.take(200).count();
        assert!(sent < 200, "after {requests_before} requests");
        assert!(began.elapsed() >= LIMITS.header);
    }
}

#[test]
fn a_connection_without_requests_is_closed() {
    let site = Site::of(&[("public/a.txt", "a")]);
    let mut stream = connect(site.server.port);
    let began = Instant::now();
    stream
        .write_all(b"GET /a.txt HTTP/1.1\r\nhost: a\r\n\r\n")
        .unwrap();
    // To its end: the connection's.
    assert_eq!(Response::read(&mut stream).body(), "a");
    assert!(began.elapsed() >= LIMITS.idle);
}

#[test]
fn a_visitor_who_does_not_read_is_given_up() {
    let site = Site::of(&[]);
    write(site.release.path(), "public/large.bin", &vec![7; 64 << 20]);
    let mut stream = connect(site.server.port);
    stream
        .write_all(b"GET /large.bin HTTP/1.1\r\nhost: a\r\n\r\n")
        .unwrap();
    assert!(head(&mut stream).starts_with("HTTP/1.1 200 OK\r\n"));
    std::thread::sleep(LIMITS.idle * 6);
    let mut rest = Vec::new();
    let read = stream.read_to_end(&mut rest);
    assert!(read.is_err() || rest.len() < 64 << 20, "{}", rest.len());
}

#[test]
fn a_header_that_is_too_large_is_refused() {
    let site = Site::of(&[]);
    let mut stream = connect(site.server.port);
    let header = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(1 << 20));
    // It answers and hangs up before it has read all, which can cost the visitor the answer.
    let _ = stream.write_all(header.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431 "));
    assert_eq!(site.get("/").status, 404, "and goes on");
}

#[test]
fn what_is_under_way_ends_before_the_server_does() {
    let mut site = Site::of(&[]);
    let bytes = vec![7; 32 << 20];
    write(site.release.path(), "public/large.bin", &bytes);
    let mut idle = connect(site.server.port);
    let mut busy = connect(site.server.port);
    busy.write_all(b"GET /large.bin HTTP/1.1\r\nhost: a\r\n\r\n")
        .unwrap();
    assert!(head(&mut busy).starts_with("HTTP/1.1 200 OK\r\n"));
    site.server.stop();
    let mut nothing = Vec::new();
    assert_eq!(
        idle.read_to_end(&mut nothing).unwrap(),
        0,
        "an idle connection is closed"
    );
    // A child that another test is starting has the listener until its exec.
    let deadline = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(("127.0.0.1", site.server.port)).is_ok() {
        assert!(Instant::now() < deadline, "no new connections");
    }
    let mut rest = Vec::new();
    busy.read_to_end(&mut rest).unwrap();
    assert!(rest == bytes);
    site.server.ended();
}

const CHILD: &str = "SHIP_TEST_SERVES";

/// Not a test: the process that the next test runs and ends.
#[test]
#[ignore = "run by another test, as a process of its own"]
fn serve_public_in_the_working_directory() {
    if std::env::var_os(CHILD).is_some() {
        super::super::serve(Path::new("public"), None, 0).unwrap();
    }
}

#[test]
fn as_a_process_it_says_what_it_serves_and_ends_by_sigterm() {
    let release = tempfile::tempdir().unwrap();
    write(release.path(), "public/index.html", b"hello");
    let name = "agent::site::tests::connections::serve_public_in_the_working_directory";
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture"])
        .env(CHILD, "1")
        .current_dir(release.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(process.stderr.take().unwrap());
    let mut line = String::new();
    log.read_line(&mut line).unwrap();
    let port = line
        .trim_end()
        .strip_prefix("serving public on port ")
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(super::client::ask(port, "GET", "/", "").body(), "hello");
    kill_process(Pid::from_child(&process), Signal::TERM).unwrap();
    assert!(process.wait().unwrap().success());
    let mut rest = String::new();
    log.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
}
