//! A page as a response: in which coding, all of it or a part, with what a browser needs to know.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use hyper::body::Bytes;
use hyper::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    ETAG, HeaderName, HeaderValue, LAST_MODIFIED, RANGE, VARY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};

use super::body::{self, Body};
use super::caching::cache_control;
use super::coding::Coding;
use super::condition::Needed;
use super::folder::Page;
use super::kind;
use super::site::Site;

/// What stands for a page: the file itself, a compressed twin, or what was compressed here.
struct Sent {
    kind: &'static str,
    page: Page,
    coding: Option<Coding>,
    /// What was compressed here.
    bytes: Option<Bytes>,
    size: u64,
}

/// Answers with `page` and `status`. Only a page that is there (200) has versions and parts.
///
/// # Errors
/// When the file cannot be read.
pub fn page(
    site: &Site,
    page: Page,
    status: StatusCode,
    request: &Parts,
) -> io::Result<Response<Body>> {
    let kind = kind::content_type(&page.name);
    let caching = match status {
        StatusCode::OK => cache_control(&page.name, kind),
        _ => "no-cache",
    };
    let sent = Sent::choose(site, page, kind, request);
    let mut response = if status == StatusCode::OK {
        sent.whole_or_part(request)?
    } else {
        let size = sent.size;
        let mut response = sent.content(0..size, request)?;
        *response.status_mut() = status;
        response
    };
    if !response.headers().contains_key(CACHE_CONTROL) {
        set(&mut response, CACHE_CONTROL, caching);
    }
    if kind::is_compressible(kind) {
        set(&mut response, VARY, "accept-encoding");
    }
    Ok(response)
}

impl Sent {
    /// The smallest that the visitor takes. Parts are those of the file itself: a visitor who asks
    /// for one counts its bytes.
    fn choose(site: &Site, mut page: Page, kind: &'static str, request: &Parts) -> Self {
        let is_whole = kind::is_compressible(kind) && !request.headers.contains_key(RANGE);
        let codings = match is_whole {
            true => Coding::accepted(&request.headers),
            false => Vec::new(),
        };
        let mut twins = codings.iter();
        let twin =
            twins.find_map(|coding| Some((*coding, site.folder.beside(&page, coding.end())?)));
        if let Some((coding, mut twin)) = twin {
            twin.version.modified = page.version.modified;
            twin.version = twin.version.encoded(coding.token(), false);
            return Self {
                kind,
                size: twin.size,
                page: twin,
                coding: Some(coding),
                bytes: None,
            };
        }
        let compressed = site.compressor.compressed(&mut page, &codings);
        let (coding, bytes) = compressed.unzip();
        if let Some(coding) = coding {
            page.version = page.version.encoded(coding.token(), true);
        }
        Self {
            kind,
            size: bytes.as_ref().map_or(page.size, |bytes| bytes.len() as u64),
            page,
            coding,
            bytes,
        }
    }

    fn whole_or_part(self, request: &Parts) -> io::Result<Response<Body>> {
        let version = self.page.version.clone();
        let size = self.size;
        let is_get = request.method == Method::GET;
        let mut response = match version.needed(&request.headers, size, is_get) {
            Needed::All => self.content(0..size, request)?,
            Needed::Part(range) => {
                let of = format!("bytes {}-{}/{size}", range.start, range.end - 1);
                let mut response = self.content(range, request)?;
                *response.status_mut() = StatusCode::PARTIAL_CONTENT;
                set(&mut response, CONTENT_RANGE, &of);
                response
            }
            Needed::NotModified => {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::NOT_MODIFIED;
                response
            }
            Needed::OutOfRange => {
                let mut response = body::text(StatusCode::RANGE_NOT_SATISFIABLE, "no such bytes\n");
                set(&mut response, CONTENT_RANGE, &format!("bytes */{size}"));
                return Ok(response);
            }
            Needed::OtherVersion => {
                let status = StatusCode::PRECONDITION_FAILED;
                return Ok(body::text(status, "another version\n"));
            }
        };
        set(&mut response, ETAG, &version.etag);
        if let Some(modified) = &version.modified {
            set(&mut response, LAST_MODIFIED, modified);
        }
        set(&mut response, ACCEPT_RANGES, "bytes");
        Ok(response)
    }

    /// The bytes `range`: a small piece of a file is read at once, a large one as it is sent.
    fn content(self, range: Range<u64>, request: &Parts) -> io::Result<Response<Body>> {
        let Self {
            mut page, bytes, ..
        } = self;
        let length = range.end - range.start;
        let body = match bytes {
            _ if request.method == Method::HEAD => Body::empty(),
            // What was compressed here goes whole.
            Some(bytes) => Body::Bytes(bytes),
            None => {
                page.file.seek(SeekFrom::Start(range.start))?;
                match usize::try_from(length) {
                    Ok(length) if length <= body::PIECE => {
                        let mut bytes = vec![0; length];
                        page.file.read_exact(&mut bytes)?;
                        Body::Bytes(bytes.into())
                    }
                    _ => Body::file(page.file, length),
                }
            }
        };
        let mut response = Response::new(body);
        set(&mut response, CONTENT_TYPE, self.kind);
        set(&mut response, CONTENT_LENGTH, &length.to_string());
        set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
        if let Some(coding) = self.coding {
            set(&mut response, CONTENT_ENCODING, coding.token());
        }
        Ok(response)
    }
}

/// Sets a header; a value that cannot be one is left out.
pub(super) fn set(response: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
