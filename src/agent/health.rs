//! Asks a service whether it serves, on the host itself.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::as_app::Commands;
use super::command::{Output, Program, What, describe};
use super::page;
use crate::model::{Failure, Probe, Status};

/// One answer to a health question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Whether it was a good one.
    pub ok: bool,
    /// What was seen, in a few words: `200`, `connection refused`, `500 Internal Server Error`.
    pub seen: String,
    /// The last lines that a health command wrote, or the first ones of a page that was no good
    /// answer.
    pub said: Vec<String>,
}

/// How much of a health command's output is kept, bytes: its end.
const MOST_SAID: usize = 4 << 10;

/// How many lines of it, or of a page, are told.
const LINES_SAID: usize = 10;

/// How much of a page that is no good answer is read, bytes, and how long that may take.
const MOST_PAGE: usize = 64 << 10;
const PAGE: Duration = Duration::from_millis(500);

/// How long the output of a health command that was killed may still come.
const CLOSING: Duration = Duration::from_millis(200);

impl Answer {
    fn good(seen: impl Into<String>) -> Self {
        Self {
            ok: true,
            seen: seen.into(),
            said: Vec::new(),
        }
    }

    fn bad(seen: impl Into<String>) -> Self {
        Self {
            ok: false,
            seen: seen.into(),
            said: Vec::new(),
        }
    }
}

/// Where and with what a command probe runs.
#[derive(Clone, Copy)]
pub struct CommandContext<'a> {
    /// What runs it.
    pub commands: &'a Commands,
    /// The release's folder.
    pub dir: &'a Path,
    /// Finds its environment. Only a command needs one, and the name service is asked for it.
    pub env: &'a dyn Fn() -> Result<BTreeMap<String, String>, Failure>,
}

/// Asks questions; holds the little runtime that HTTP needs.
#[derive(Debug)]
pub struct Prober {
    runtime: tokio::runtime::Runtime,
}

/// The largest body that is read for a text to find, bytes.
const MAX_BODY: usize = 4 << 20;

impl Prober {
    /// A prober.
    ///
    /// # Errors
    /// When the runtime cannot be made (file descriptors).
    pub fn new() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(Self { runtime })
    }

    /// Asks once; the answer comes within `timeout`.
    #[must_use]
    pub fn ask(&self, probe: &Probe, timeout: Duration, context: CommandContext<'_>) -> Answer {
        match probe {
            Probe::Http {
                path,
                port,
                status,
                body,
                headers,
            } => self.runtime.block_on(async {
                let asked = http(path, *port, status, body.as_deref(), headers, timeout);
                tokio::time::timeout(timeout, asked)
                    .await
                    .unwrap_or_else(|_| Answer::bad(format!("no answer within {}", secs(timeout))))
            }),
            Probe::Tcp { port } => self.runtime.block_on(async {
                match tokio::time::timeout(timeout, connect(*port)).await {
                    Ok(Ok(_)) => Answer::good("accepts connections"),
                    Ok(Err(error)) => Answer::bad(plain(&error)),
                    Err(_) => Answer::bad(format!("no answer within {}", secs(timeout))),
                }
            }),
            Probe::Command { run } => command(run, timeout, context),
        }
    }
}

/// Connects to this host, over IPv4, else IPv6.
async fn connect(port: u16) -> io::Result<TcpStream> {
    let v4 = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    let v6 = SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), port);
    match TcpStream::connect(v4).await {
        Ok(stream) => Ok(stream),
        Err(error) => TcpStream::connect(v6).await.map_err(|_| error),
    }
}

async fn http(
    path: &str,
    port: u16,
    status: &[Status],
    text: Option<&str>,
    headers: &BTreeMap<String, String>,
    timeout: Duration,
) -> Answer {
    let asked = async {
        let stream = connect(port)
            .await
            .map_err(|error| Answer::bad(plain(&error)))?;
        let io = TokioIo::new(stream);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io)
            .await
            .map_err(|error| Answer::bad(error.to_string()))?;
        let driver = tokio::spawn(connection);
        let mut request = hyper::Request::get(path).header("user-agent", "ship-health-check");
        if !headers.keys().any(|key| key.eq_ignore_ascii_case("host")) {
            request = request.header("host", format!("127.0.0.1:{port}"));
        }
        for (key, value) in headers {
            request = request.header(key, value);
        }
        let request = request
            .body(Empty::<Bytes>::new())
            .map_err(|error| Answer::bad(error.to_string()))?;
        let response = sender.send_request(request).await.map_err(|error| {
            Answer::bad(match error.is_incomplete_message() || error.is_canceled() {
                true => "connection closed without an answer".to_owned(),
                false => format!("not an HTTP answer: {error}"),
            })
        })?;
        let code = response.status();
        let location = response.headers().get("location").cloned();
        let accepted = match status {
            [] => code.is_success(),
            some => some.iter().any(|status| status.has(code.as_u16())),
        };
        if !accepted {
            let to = location
                .and_then(|value| value.to_str().ok().map(|to| format!(", to {to}")))
                .unwrap_or_default();
            let kind = response.headers().get("content-type");
            let is_html = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
            let page = Limited::new(response.into_body(), MOST_PAGE).collect();
            let page = tokio::time::timeout(PAGE.min(timeout / 2), page).await;
            let page = page.ok().and_then(Result::ok);
            driver.abort();
            let said = page.map(|page| page::lines(&page.to_bytes(), is_html, LINES_SAID));
            return Err(Answer {
                said: said.unwrap_or_default(),
                ..Answer::bad(format!("answered {code}{to}"))
            });
        }
        if let Some(text) = text {
            let body = Limited::new(response.into_body(), MAX_BODY)
                .collect()
                .await
                .map_err(|error| {
                    Answer::bad(format!("answered {code}, but its body broke off: {error}"))
                })?
                .to_bytes();
            if !String::from_utf8_lossy(&body).contains(text) {
                driver.abort();
                return Err(Answer::bad(format!(
                    "answered {code}, but its body does not hold {text:?}"
                )));
            }
        }
        driver.abort();
        Ok(format!("answered {code}"))
    };
    match asked.await {
        Ok(seen) => Answer::good(seen),
        Err(answer) => answer,
    }
}

fn command(run: &str, timeout: Duration, context: CommandContext<'_>) -> Answer {
    let env = match (context.env)() {
        Ok(env) => env,
        Err(failure) => {
            return Answer::bad(format!(
                "cannot run the health command: {}",
                failure.message()
            ));
        }
    };
    let program = Program {
        dir: context.dir.to_owned(),
        what: What::Shell(run.to_owned()),
        env,
        terminal: None,
    };
    let started = match context.commands.start(&program) {
        Ok(started) => started,
        Err(why) => return Answer::bad(format!("cannot run the health command: {why}")),
    };
    drop(started.input);
    let said = Arc::new(Mutex::new(Vec::new()));
    let outputs = std::iter::once(started.output).chain(started.errors);
    let keepers: Vec<_> = outputs.map(|output| keep_end(output, &said)).collect();
    let running = Arc::clone(&started.running);
    std::thread::spawn(move || running.wait());
    let mut answer = match started.running.wait_for(timeout) {
        Some(status) if status.success() => return Answer::good("health command exited 0"),
        Some(status) => Answer::bad(format!("health command: {}", describe(status))),
        None => Answer::bad(format!("health command still runs after {}", secs(timeout))),
    };
    started.running.kill();
    let end = Instant::now() + CLOSING;
    while keepers.iter().any(|keeper| !keeper.is_finished()) && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(5));
    }
    let said = said.lock().unwrap_or_else(PoisonError::into_inner);
    let text = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let last = lines[lines.len().saturating_sub(LINES_SAID)..].iter();
    answer.said = last.map(|line| (*line).to_owned()).collect();
    answer
}

/// Keeps the end of an output.
fn keep_end(mut output: Output, said: &Arc<Mutex<Vec<u8>>>) -> std::thread::JoinHandle<()> {
    let said = Arc::clone(said);
    std::thread::spawn(move || {
        let mut bytes = vec![0; MOST_SAID];
        while let Ok(n @ 1..) = io::Read::read(&mut output, &mut bytes) {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            said.extend_from_slice(&bytes[..n]);
            let surplus = said.len().saturating_sub(MOST_SAID);
            said.drain(..surplus);
        }
    })
}

/// An I/O error as a person says it, without the OS's number.
fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset => "connection reset".to_owned(),
        io::ErrorKind::TimedOut => "connection timed out".to_owned(),
        _ => error.to_string(),
    }
}

/// `2s` or `250ms`.
pub(crate) fn secs(duration: Duration) -> String {
    let ms = duration.as_millis();
    if ms < 1000 {
        return format!("{ms}ms");
    }
    if ms.is_multiple_of(1000) || ms > 20_000 {
        return format!("{}s", ms / 1000);
    }
    format!("{}.{}s", ms / 1000, ms % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    fn serve(answer: &'static str) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming().take(4) {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 1024]);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        port
    }

    /// Asks one that will answer.
    fn ask(probe: &Probe) -> Answer {
        ask_within(Duration::from_secs(20), probe)
    }

    fn ask_within(limit: Duration, probe: &Probe) -> Answer {
        let env = || Ok(std::env::vars().collect());
        let context = CommandContext {
            commands: &Commands::here(),
            dir: Path::new("/"),
            env: &env,
        };
        Prober::new().unwrap().ask(probe, limit, context)
    }

    fn get(port: u16, status: &[Status], body: Option<&str>) -> Answer {
        ask(&page(port, status, body))
    }

    fn page(port: u16, status: &[Status], body: Option<&str>) -> Probe {
        Probe::Http {
            path: "/x".into(),
            port,
            status: status.to_vec(),
            body: body.map(str::to_owned),
            headers: BTreeMap::new(),
        }
    }

    #[test]
    fn an_answer_is_judged_by_status_and_body() {
        let ok = serve("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
        assert_eq!(get(ok, &[], None), Answer::good("answered 200 OK"));
        assert!(get(ok, &[], Some("ell")).ok);
        assert_eq!(
            get(ok, &[], Some("bye")).seen,
            "answered 200 OK, but its body does not hold \"bye\""
        );
        assert!(!get(ok, &[Status::Code(204)], None).ok);
        let moved = serve("HTTP/1.1 302 Found\r\nlocation: /login\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(get(moved, &[], None).seen, "answered 302 Found, to /login");
        assert!(get(moved, &[Status::Code(302)], None).ok);
        let no_server_error = ["2xx", "3xx", "4xx"];
        let no_server_error = no_server_error
            .map(|name| Status::Class(crate::model::StatusClass::named(name).unwrap()));
        assert!(get(moved, &no_server_error, None).ok);
        let broken = serve("HTTP/1.1 500 Internal\r\ncontent-length: 0\r\n\r\n");
        assert!(!get(broken, &no_server_error, None).ok);
    }

    #[test]
    fn what_does_not_answer_is_named() {
        let closed = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        // A child that another test is starting has the listener until its exec.
        for probe in [page(closed, &[], None), Probe::Tcp { port: closed }] {
            let deadline = Instant::now() + Duration::from_secs(10);
            while ask(&probe).seen != "connection refused" {
                assert!(Instant::now() < deadline, "{}", ask(&probe).seen);
            }
        }
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = silent.local_addr().unwrap().port();
        let short = Duration::from_millis(400);
        let seen = ask_within(short, &page(port, &[], None)).seen;
        assert_eq!(seen, "no answer within 400ms");
        let garbage = serve("SSH-2.0-OpenSSH\r\n");
        assert!(
            get(garbage, &[], None)
                .seen
                .starts_with("not an HTTP answer")
        );
    }

    #[test]
    fn the_end_of_what_a_health_command_says_is_kept() {
        let run = "seq 1 100000; echo 'no database' >&2; exit 1".to_owned();
        let answer = ask(&Probe::Command { run });
        assert_eq!(answer.seen, "health command: exit code 1");
        assert_eq!(answer.said.len(), LINES_SAID);
        assert!(
            answer.said.contains(&"no database".to_owned()),
            "{answer:?}"
        );
        let run = "echo waiting for the lock; sleep 60".to_owned();
        let hung = ask_within(Duration::from_secs(2), &Probe::Command { run });
        assert_eq!(hung.said, ["waiting for the lock"]);
    }

    #[test]
    fn a_command_is_judged_by_its_exit_and_killed_at_its_end() {
        assert!(ask(&Probe::Command { run: "true".into() }).ok);
        assert_eq!(
            ask(&Probe::Command {
                run: "exit 3".into()
            })
            .seen,
            "health command: exit code 3"
        );
        assert_eq!(
            ask_within(
                Duration::from_millis(400),
                &Probe::Command {
                    run: "sleep 60".into()
                }
            )
            .seen,
            "health command still runs after 400ms"
        );
    }
}
