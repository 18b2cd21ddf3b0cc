//! Reading from publishers and mirrors: `https://`, `http://` and `file://`.
//!
//! The client, with its certificates and name servers, is made when the first `http` address is
//! asked for: a command whose runtimes are all here pays nothing for it.

use std::io::SeekFrom;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, RANGE};
use reqwest::{Client, Method, Response, StatusCode, Url};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::registries::{Located, Registries};
use super::source::{ACCEPT, file_url};
use super::trouble::{self, Trouble};
use crate::model::{Failure, FailureKind};
use crate::transport::resolve::addresses;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(15);
/// How long nothing may come.
const SILENCE: Duration = Duration::from_secs(30);
/// The longest index of a package's files that is read, bytes.
const LONGEST_INDEX: u64 = 32 << 20;
/// Redirects that are followed.
const MAX_REDIRECTS: usize = 10;
/// How often something is asked for before it counts as not to be had.
pub(super) const ATTEMPTS: u32 = 3;

/// Reads from addresses. Proxies are those of `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and
/// `NO_PROXY`; certificates those of the system, or of `SSL_CERT_FILE` and `SSL_CERT_DIR`.
#[derive(Debug)]
pub struct Http {
    client: OnceLock<Client>,
    registries: Registries,
    attempts: u32,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            client: OnceLock::new(),
            registries: Registries::default(),
            attempts: ATTEMPTS,
        }
    }
}

impl Http {
    /// Nothing is read or connected to yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives up after the first attempt: for whoever can go on without an answer.
    #[must_use]
    pub fn impatient() -> Self {
        Self {
            attempts: 1,
            ..Self::default()
        }
    }

    /// Reads addresses of registries, too: at those in `registries`.
    #[must_use]
    pub fn at(self, registries: Registries) -> Self {
        Self { registries, ..self }
    }

    /// The `http`, `https` or `file` address of what tables and locks call `address`.
    async fn locate(&self, address: &str) -> Result<String, Failure> {
        let (index, file) = match self.registries.locate(address).await? {
            Located::At(address) => return Ok(address),
            Located::In { index, file } => (index, file),
        };
        let list = Box::pin(self.document(&index, LONGEST_INDEX)).await?;
        let found = file_url(&String::from_utf8_lossy(&list), &file)
            .and_then(|url| Url::parse(&index).ok()?.join(&url).ok());
        found.map(String::from).ok_or_else(|| {
            let message = format!("{} does not tell of {file}", shown(&index));
            Failure::refused(message).hint(trouble::MIRROR)
        })
    }

    /// The address of the index of Python packages that this machine uses, without a slash at its end.
    ///
    /// # Errors
    /// As [`Registries::locate`].
    pub(super) async fn python_index(&self) -> Result<String, Failure> {
        self.registries.python().await
    }

    /// What is at `address`, `max` bytes at most: a list of versions, of checksums.
    ///
    /// # Errors
    /// [`FailureKind::Unreachable`] when nobody answers, after three attempts;
    /// [`FailureKind::Refused`] when what is there is not what was asked for (nothing, a page, more
    /// than `max`). Both name the address.
    pub async fn document(&self, address: &str, max: u64) -> Result<Vec<u8>, Failure> {
        attempt(self.attempts, async || {
            let mut body = self.open(address, 0).await?;
            let mut document = Vec::new();
            while body
                .next(&mut |bytes| {
                    document.extend_from_slice(bytes);
                    let length = u64::try_from(document.len()).unwrap_or(u64::MAX);
                    if length <= max {
                        return Ok(());
                    }
                    let message = format!("{} is longer than {max} bytes", shown(address));
                    Err(Failure::refused(message).hint(trouble::MIRROR))
                })
                .await?
            {}
            if is_html(&document) {
                return Err(trouble::page(address).into());
            }
            Ok(document)
        })
        .await
    }

    /// How long the archive at `address` is, bytes; of its content, only the beginning is looked
    /// at, and that only where a HEAD does not tell.
    ///
    /// # Errors
    /// As [`document`](Self::document), and [`FailureKind::Refused`] when the server does not say,
    /// or says that there is nothing in it.
    pub async fn size(&self, address: &str) -> Result<u64, Failure> {
        let address = &self.locate(address).await?;
        attempt(self.attempts, async || {
            if let Some(url) = http_url(address)?
                && let Some(length) = self.length_by_head(&url).await
            {
                return Ok(length);
            }
            let refuse = |why: &str| {
                let message = format!("{} {why}", shown(address));
                Trouble::from(Failure::refused(message).hint(trouble::MIRROR))
            };
            let mut body = self.open(address, 0).await?;
            let length = body
                .length
                .ok_or_else(|| refuse("does not say how long it is"))?;
            if length == 0 {
                return Err(refuse("is empty"));
            }
            body.next(&mut |bytes| match is_html(bytes) {
                true => Err(trouble::page(address)),
                false => Ok(()),
            })
            .await?;
            Ok(length)
        })
        .await
    }

    /// What a HEAD says of the length of an archive. `None` when it says nothing that can be true:
    /// there are servers that know no HEAD, give no length, or answer with a page for people.
    async fn length_by_head(&self, url: &Url) -> Option<u64> {
        let response = self.ask(Method::HEAD, url, 0).await.ok()?;
        let headers = response.headers();
        let is_page = headers
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        if is_page || !response.status().is_success() {
            return None;
        }
        number(headers, CONTENT_LENGTH.as_str()).filter(|length| *length > 0)
    }

    /// Opens what is at `address`, from byte `from` on where the server can do that.
    pub(super) async fn open(&self, address: &str, from: u64) -> Result<Body, Trouble> {
        let address = &*self.locate(address).await?;
        let Some(url) = http_url(address)? else {
            return open_file(address, from).await;
        };
        let mut response = self.ask(Method::GET, &url, from).await?;
        if response.status() == StatusCode::RANGE_NOT_SATISFIABLE && from > 0 {
            response = self.ask(Method::GET, &url, 0).await?;
        }
        let status = response.status();
        if !status.is_success() {
            return Err(trouble::status(address, status));
        }
        let begin = match status {
            StatusCode::PARTIAL_CONTENT => begin_of_range(response.headers()),
            _ => Some(0),
        };
        let Some(begin) = begin.filter(|begin| *begin == 0 || *begin == from) else {
            let message = format!("{} sent another range than was asked for", shown(address));
            return Err(Failure::refused(message).hint(trouble::MIRROR).into());
        };
        Ok(Body {
            from: begin,
            length: number(response.headers(), CONTENT_LENGTH.as_str()),
            address: address.to_owned(),
            source: Source::Http(response),
        })
    }

    async fn ask(&self, method: Method, url: &Url, from: u64) -> Result<Response, Trouble> {
        let mut request = self.client()?.request(method, url.clone());
        request = request.header(reqwest::header::ACCEPT, ACCEPT);
        if from > 0 {
            request = request.header(RANGE, format!("bytes={from}-"));
        }
        let answer = request.send().await;
        answer.map_err(|error| trouble::unanswered(url.as_str(), &error))
    }

    fn client(&self) -> Result<&Client, Failure> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        // Whoever was first has installed the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = || {
            Client::builder()
                .user_agent(concat!("ship/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(CONNECT)
                .read_timeout(SILENCE)
                .redirect(reqwest::redirect::Policy::custom(follow))
                .dns_resolver(System)
        };
        // A system without certificates can still read from a mirror over plain http.
        let client = builder()
            .build()
            .or_else(|_| builder().tls_certs_only([]).build())
            .map_err(|error| {
                Failure::unexpected(format!(
                    "nothing can be downloaded: {}",
                    trouble::root(&error)
                ))
            })?;
        Ok(self.client.get_or_init(|| client))
    }
}

/// Asks the system for addresses.
struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::task::spawn_blocking(move || addresses(name.as_str())).await??;
            // The port is that of the address that is asked for.
            let found = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(found) as Addrs)
        })
    }
}

/// Something that is being read.
#[derive(Debug)]
pub(super) struct Body {
    /// The first byte that comes.
    pub from: u64,
    /// How many come, when that was said.
    pub length: Option<u64>,
    address: String,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Http(Response),
    File(tokio::fs::File, Vec<u8>),
}

impl Body {
    /// Hands the next bytes to `take`; `false` at the end.
    pub(super) async fn next(
        &mut self,
        take: &mut (dyn FnMut(&[u8]) -> Result<(), Failure> + Send),
    ) -> Result<bool, Trouble> {
        match &mut self.source {
            Source::Http(response) => {
                let bytes = response.chunk().await;
                match bytes.map_err(|error| trouble::unanswered(&self.address, &error))? {
                    Some(bytes) => take(&bytes)?,
                    None => return Ok(false),
                }
            }
            Source::File(file, buffer) => {
                let length = file.read(buffer).await;
                match length.map_err(|error| trouble::file(&self.address, &error))? {
                    0 => return Ok(false),
                    length => take(&buffer[..length])?,
                }
            }
        }
        Ok(true)
    }
}

async fn open_file(address: &str, from: u64) -> Result<Body, Trouble> {
    let trouble = |error: std::io::Error| trouble::file(address, &error);
    let path = Url::parse(address)
        .ok()
        .and_then(|url| url.to_file_path().ok())
        .ok_or_else(|| trouble::no_address(address))?;
    let mut file = tokio::fs::File::open(&path).await.map_err(trouble)?;
    let about = file.metadata().await.map_err(trouble)?;
    if !about.is_file() {
        let message = format!("{} is not a file", path.display());
        return Err(Failure::refused(message).into());
    }
    let from = if from > about.len() { 0 } else { from };
    file.seek(SeekFrom::Start(from)).await.map_err(trouble)?;
    Ok(Body {
        from,
        length: Some(about.len() - from),
        address: address.to_owned(),
        source: Source::File(file, vec![0; 128 * 1024]),
    })
}

/// The address for the client; `None` when it is a `file://` one.
fn http_url(address: &str) -> Result<Option<Url>, Failure> {
    let url = Url::parse(address).map_err(|_| trouble::no_address(address))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(Some(url)),
        "file" => Ok(None),
        _ => Err(trouble::no_address(address)),
    }
}

fn follow(attempt: reqwest::redirect::Attempt<'_>) -> reqwest::redirect::Action {
    match may_follow(attempt.previous(), attempt.url()) {
        Ok(()) => attempt.follow(),
        Err(why) => attempt.error(why),
    }
}

/// Redirects are followed, but not for ever, and not out of TLS. `before` is never empty.
fn may_follow(before: &[Url], next: &Url) -> Result<(), String> {
    if before.len() > MAX_REDIRECTS {
        return Err(format!("it redirects more than {MAX_REDIRECTS} times"));
    }
    let was_https = before.last().is_some_and(|url| url.scheme() == "https");
    let is = next.scheme();
    if (was_https && is != "https") || !matches!(is, "http" | "https") {
        let to = shown(next.as_str());
        return Err(format!(
            "it redirects to {to}, and {is} is not followed there"
        ));
    }
    Ok(())
}

/// Tries again, after a while, what may go better then.
async fn attempt<T>(most: u32, act: impl AsyncFn() -> Result<T, Trouble>) -> Result<T, Failure> {
    let mut attempts = 1;
    loop {
        match act().await {
            Ok(value) => return Ok(value),
            Err(trouble) if trouble.again && attempts < most => {
                pause(attempts).await;
                attempts += 1;
            }
            Err(trouble) => return Err(trouble.failure),
        }
    }
}

/// Waits before the next attempt: 0.5 s, 1 s, 2 s…, 4 s at most.
pub(super) async fn pause(attempts: u32) {
    let ms = 250_u64 << attempts.min(4);
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

/// Whether a text is a page for people: what captive portals, proxies and file servers answer with
/// instead of what was asked for.
pub(super) fn is_html(start: &[u8]) -> bool {
    let start = start.trim_ascii_start();
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    [&b"<!doctype html"[..], b"<html", b"<head", b"<body"]
        .iter()
        .any(|tag| {
            start
                .get(..tag.len())
                .is_some_and(|found| found.eq_ignore_ascii_case(tag))
        })
}

/// An address for the eye: without a password, and without a query, which may hold a token.
pub(super) fn shown(address: &str) -> String {
    let Ok(mut url) = Url::parse(address) else {
        return address.to_owned();
    };
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// `bytes 100-199/200` begins at 100 (RFC 9110, section 14.4).
fn begin_of_range(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    let range = text.trim().strip_prefix("bytes")?.trim_start();
    range.split('-').next()?.parse().ok()
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// The kind of a failure to get what is somewhere else.
pub(super) const NOT_HAD: FailureKind = FailureKind::Unreachable;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_told_from_lists_and_archives() {
        for page in [
            "<!DOCTYPE html>",
            "\n <html lang=en>",
            "\u{feff}<HTML>",
            "<head>",
        ] {
            assert!(is_html(page.as_bytes()), "{page}");
        }
        for other in [
            "",
            "{\"a\": \"<html>\"}",
            "<",
            "\u{1f}\u{8b}",
            "9f86d  node.tar.gz",
        ] {
            assert!(!is_html(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn passwords_and_tokens_are_not_shown() {
        assert_eq!(
            shown("https://ann:secret@mirror.example.com/node/a.tar.gz?token=x#y"),
            "https://mirror.example.com/node/a.tar.gz"
        );
        assert_eq!(shown("not an address"), "not an address");
    }

    #[test]
    fn redirects_do_not_lead_out_of_tls() {
        let follows = |from: &str, to: &str| {
            let url = |text: &str| Url::parse(text).unwrap();
            may_follow(&[url(from)], &url(to))
        };
        let (plain, tls) = ("http://a.example.com/x", "https://b.example.com/x");
        for (from, to) in [(plain, plain), (plain, tls), (tls, tls)] {
            assert_eq!(follows(from, to), Ok(()), "{from} to {to}");
        }
        assert_eq!(
            follows(tls, plain),
            Err(
                "it redirects to http://a.example.com/x, and http is not followed there".to_owned()
            )
        );
        assert!(follows(plain, "file:///etc/passwd").is_err());
        let many = vec![Url::parse(tls).unwrap(); MAX_REDIRECTS + 1];
        assert!(may_follow(&many, &many[0]).is_err());
    }

    #[tokio::test]
    async fn files_are_read_like_everything_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a list");
        std::fs::write(&path, "20.11.1\n").unwrap();
        let address = Url::from_file_path(&path).unwrap().to_string();
        let http = Http::new();
        assert_eq!(http.document(&address, 100).await.unwrap(), b"20.11.1\n");
        assert_eq!(http.size(&address).await.unwrap(), 8);
        let long = http.document(&address, 7).await.unwrap_err();
        assert!(
            long.message().ends_with("a%20list is longer than 7 bytes"),
            "{long}"
        );
        let gone = http.document(&format!("{address}x"), 7).await.unwrap_err();
        assert_eq!(gone.kind, FailureKind::Refused);
        assert!(gone.message().contains("No such file"), "{gone}");
        for wrong in ["ftp://example.com/x", "node", "http://", "file:relative"] {
            let failure = http.document(wrong, 7).await.unwrap_err();
            assert_eq!(failure.kind, FailureKind::Refused, "{wrong}: {failure}");
        }
        assert!(http.client.get().is_none(), "no client for files");
    }
}
