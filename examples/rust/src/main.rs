//! A web app of the standard library alone.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs, process, thread};

fn main() {
    let port = env::var("PORT")
        .ok()
        .and_then(|port| port.parse().ok())
        .unwrap_or(8080u16);
    // Read once: an old process keeps telling its old version.
    let version = fs::read_to_string("VERSION").expect("the file VERSION");
    let app = Arc::new(App::new(version.trim()));
    let listener = TcpListener::bind(("0.0.0.0", port)).expect("a free port");
    stop_on_sigterm(&listener);
    println!("listening on port {port}: {}", app.facts);
    let mut open = Vec::new();
    // Ends when the signal closes the listener; what is being answered is answered.
    while let Ok((stream, _)) = listener.accept() {
        let app = Arc::clone(&app);
        open.retain(|thread: &thread::JoinHandle<()>| !thread.is_finished());
        open.push(thread::spawn(move || serve(&app, stream)));
    }
    for thread in open {
        let _ = thread.join();
    }
}

struct App {
    version: String,
    facts: String,
}

impl App {
    fn new(version: &str) -> Self {
        let uid = fs::metadata("/proc/self").map_or(0, |meta| meta.uid());
        let pid = process::id();
        let facts = format!(
            r#"{{"ok": true, "app": "hello-rust", "version": "{version}", "uid": {uid}, "pid": {pid}}}"#
        );
        Self {
            version: version.to_owned(),
            facts,
        }
    }

    /// Status, type and body.
    fn answer(&self, path: &str) -> (&'static str, &'static str, String) {
        match path {
            "/" => (
                "200 OK",
                "text/plain",
                format!("hello from rust {}\n", self.version),
            ),
            "/healthz" => ("200 OK", "application/json", format!("{}\n", self.facts)),
            _ => ("404 Not Found", "text/plain", "not found\n".to_owned()),
        }
    }
}

fn serve(app: &App, mut stream: TcpStream) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    for line in lines {
        if line.is_empty() {
            break;
        }
    }
    let path = first.split(' ').nth(1).unwrap_or_default();
    let (status, kind, body) = app.answer(path);
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len(),
    );
}

static LISTENER: AtomicI32 = AtomicI32::new(-1);

// Both are async-signal-safe (signal-safety(7)), and in the C library that std links already.
extern "C" {
    fn signal(number: i32, handler: extern "C" fn(i32)) -> usize;
    fn shutdown(socket: i32, how: i32) -> i32;
}

extern "C" fn on_sigterm(_: i32) {
    // SAFETY: a system call on a number.
    unsafe { shutdown(LISTENER.load(Ordering::SeqCst), 2) };
}

fn stop_on_sigterm(listener: &TcpListener) {
    const SIGTERM: i32 = 15;
    LISTENER.store(listener.as_raw_fd(), Ordering::SeqCst);
    // SAFETY: the handler only makes a system call.
    unsafe { signal(SIGTERM, on_sigterm) };
}

#[cfg(test)]
mod tests {
    use super::App;

    #[test]
    fn answers_its_pages() {
        let app = App::new("v7");
        assert_eq!(app.answer("/").2, "hello from rust v7\n");
        assert!(app.answer("/healthz").2.contains(r#""version": "v7""#));
        assert!(app.answer("/nothing").0.starts_with("404"));
    }
}
