//! The site over real sockets, asked byte by byte.

mod client;
mod connections;
mod files;
mod rules;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::oneshot;

use super::answer::answer;
use super::server::{Answer, Server};
use super::site::Site as Served;
use super::timed::Limits;
use client::Response;

const LIMITS: Limits = Limits {
    header: Duration::from_millis(300),
    idle: Duration::from_millis(900),
};

/// A server in a thread of its own, on a free port; told to stop when dropped.
pub struct Running {
    pub port: u16,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    pub fn start(answer: Arc<Answer>) -> Self {
        let (tell, port) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let server = Server::bind(0).unwrap();
                tell.send(server.port).unwrap();
                let stop = async {
                    let _ = stopped.await;
                };
                server.serve(answer, LIMITS, stop).await;
            });
        });
        let port = port.recv().unwrap();
        Self {
            port,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub fn get(&self, path: &str) -> Response {
        self.ask("GET", path, "")
    }

    /// One request on a connection of its own; `headers` are lines that end with `\r\n`.
    pub fn ask(&self, method: &str, path: &str, headers: &str) -> Response {
        client::ask(self.port, method, path, headers)
    }

    /// Tells it to stop, without waiting.
    fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }

    fn ended(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A release whose folder `public` is served.
struct Site {
    release: TempDir,
    server: Running,
}

impl Site {
    fn of(files: &[(&str, &str)]) -> Self {
        Self::with(files, None)
    }

    fn with(files: &[(&str, &str)], fallback: Option<&str>) -> Self {
        let release = tempfile::tempdir().unwrap();
        fs::create_dir(release.path().join("public")).unwrap();
        for (name, text) in files {
            write(release.path(), name, text.as_bytes());
        }
        let fallback = fallback.map(Path::new);
        let site = Served::open(&release.path().join("public"), fallback).unwrap();
        let server = Running::start(Arc::new(move |request| answer(&site, request)));
        Self { release, server }
    }

    fn get(&self, path: &str) -> Response {
        self.server.get(path)
    }

    /// Status and body of `path`.
    fn seen(&self, path: &str) -> (u16, String) {
        let response = self.get(path);
        (response.status, response.body())
    }
}

fn write(release: &Path, name: &str, bytes: &[u8]) {
    let path = release.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}
