//! One request, one response.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use hyper::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName,
    HeaderValue, LAST_MODIFIED, LOCATION, X_CONTENT_TYPE_OPTIONS,
};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};

use super::body::{self, Body};
use super::condition::Needed;
use super::folder::{Folder, Found, Page};
use super::kind;
use super::path::{Refused, Target};
use super::server;

/// The response of a site to a `GET` or `HEAD`; reads the file system.
#[must_use]
pub fn answer(site: &Folder, request: &Parts) -> Response<Body> {
    let found = match Target::parse(request.uri.path()) {
        Err(Refused::Malformed) => return body::text(StatusCode::BAD_REQUEST, "not a path\n"),
        Err(Refused::Hidden) => Ok(Found::Nothing),
        Ok(target) => match site.find(&target) {
            Ok(Found::Folder) => return to_folder(&target, request.uri.query()),
            found => found,
        },
    };
    let answered = found.and_then(|found| match found {
        Found::Page(page) => whole_or_part(page, request),
        Found::Folder | Found::Nothing => nothing(site, request),
    });
    answered.unwrap_or_else(|error| {
        server::log(format_args!("cannot read {}: {error}", request.uri.path()));
        body::text(StatusCode::INTERNAL_SERVER_ERROR, "cannot read this file\n")
    })
}

/// To the same path with a slash. Not to be kept: the next release may have a file there.
fn to_folder(target: &Target, query: Option<&str>) -> Response<Body> {
    let mut location = target.location();
    if let Some(query) = query {
        location.push('?');
        location.push_str(query);
    }
    let mut response = body::text(StatusCode::MOVED_PERMANENTLY, format!("see {location}\n"));
    set(&mut response, LOCATION, &location);
    set(&mut response, CACHE_CONTROL, "no-cache");
    response
}

fn nothing(site: &Folder, request: &Parts) -> io::Result<Response<Body>> {
    let mut response = match site.not_found() {
        None => body::text(StatusCode::NOT_FOUND, "not found\n"),
        Some(page) => {
            let size = page.size;
            let mut response = content(page, 0..size, request)?;
            *response.status_mut() = StatusCode::NOT_FOUND;
            response
        }
    };
    set(&mut response, CACHE_CONTROL, "no-cache");
    Ok(response)
}

fn whole_or_part(page: Page, request: &Parts) -> io::Result<Response<Body>> {
    let version = page.version.clone();
    let size = page.size;
    let kind = kind::content_type(&page.name);
    let is_get = request.method == Method::GET;
    let mut response = match version.needed(&request.headers, size, is_get) {
        Needed::All => content(page, 0..size, request)?,
        Needed::Part(range) => {
            let of = format!("bytes {}-{}/{size}", range.start, range.end - 1);
            let mut response = content(page, range, request)?;
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
            return Ok(body::text(
                StatusCode::PRECONDITION_FAILED,
                "another version\n",
            ));
        }
    };
    set(&mut response, ETAG, &version.etag);
    if let Some(modified) = &version.modified {
        set(&mut response, LAST_MODIFIED, modified);
    }
    set(&mut response, CACHE_CONTROL, kind::cache_control(kind));
    set(&mut response, ACCEPT_RANGES, "bytes");
    Ok(response)
}

/// The bytes `range` of a page: a small piece is read at once, a large one as it is sent.
fn content(mut page: Page, range: Range<u64>, request: &Parts) -> io::Result<Response<Body>> {
    let length = range.end - range.start;
    let body = if request.method == Method::HEAD {
        Body::empty()
    } else {
        page.file.seek(SeekFrom::Start(range.start))?;
        match usize::try_from(length) {
            Ok(length) if length <= body::PIECE => {
                let mut bytes = vec![0; length];
                page.file.read_exact(&mut bytes)?;
                Body::Bytes(bytes.into())
            }
            _ => Body::file(page.file, length),
        }
    };
    let mut response = Response::new(body);
    set(&mut response, CONTENT_TYPE, kind::content_type(&page.name));
    set(&mut response, CONTENT_LENGTH, &length.to_string());
    set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    Ok(response)
}

/// Sets a header; a value that cannot be one is left out.
fn set(response: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
