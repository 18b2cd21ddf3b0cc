//! The demo app that `ship try` deploys: it says which version it is, and breaks on demand.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hyper::http::request::Parts;
use hyper::{Response, StatusCode};

use super::site::body::{self, Body};
use super::site::server;

/// The longest greeting that is read, bytes.
const MAX_GREETING: u64 = 4 << 10;

/// Serves the release in the working directory until SIGTERM or SIGINT: `GET /` answers
/// `hello from <the first line of app.txt>`, `GET /healthz` answers 200, or 500 where there is a
/// file `broken`.
///
/// # Errors
/// When there is no `app.txt`, or the port is taken or not allowed.
pub fn serve(port: u16) -> io::Result<()> {
    let app = App::open(Path::new("."))?;
    server::run(
        port,
        "the demo app",
        Arc::new(move |request| app.answer(request)),
    )
}

#[derive(Debug)]
struct App {
    greeting: String,
    broken: PathBuf,
}

impl App {
    fn open(release: &Path) -> io::Result<Self> {
        let file = std::fs::File::open(release.join("app.txt"))
            .map_err(|error| io::Error::new(error.kind(), format!("app.txt: {error}")))?;
        let mut line = Vec::new();
        BufReader::new(file.take(MAX_GREETING)).read_until(b'\n', &mut line)?;
        let greeting = String::from_utf8_lossy(&line).trim().to_owned();
        Ok(Self {
            greeting,
            broken: release.join("broken"),
        })
    }

    fn answer(&self, request: &Parts) -> Response<Body> {
        match request.uri.path() {
            "/" => body::text(StatusCode::OK, format!("hello from {}\n", self.greeting)),
            "/healthz" if self.broken.exists() => {
                server::log(format_args!(
                    "cannot reach the database (broken on purpose)"
                ));
                body::text(StatusCode::INTERNAL_SERVER_ERROR, "broken on purpose")
            }
            "/healthz" => body::text(StatusCode::OK, "ok"),
            _ => body::text(StatusCode::NOT_FOUND, "not found\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::site::tests::Running;

    #[test]
    fn it_greets_with_its_version_and_breaks_on_demand() {
        let release = tempfile::tempdir().unwrap();
        std::fs::write(release.path().join("app.txt"), "shop, version 2\nmore\n").unwrap();
        let app = App::open(release.path()).unwrap();
        let app = Running::start(Arc::new(move |request| app.answer(request)));
        assert_eq!(app.get("/").body(), "hello from shop, version 2\n");
        assert_eq!(
            (app.get("/healthz").status, app.get("/healthz").body()),
            (200, "ok".to_owned())
        );
        assert_eq!(app.get("/nothing").status, 404);
        std::fs::write(release.path().join("broken"), "").unwrap();
        let broken = app.get("/healthz");
        assert_eq!(
            (broken.status, broken.body()),
            (500, "broken on purpose".to_owned())
        );
        assert_eq!(app.get("/").status, 200);
    }

    #[test]
    fn without_its_text_it_does_not_start() {
        let empty = tempfile::tempdir().unwrap();
        let error = App::open(empty.path()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "app.txt: No such file or directory (os error 2)"
        );
    }
}
