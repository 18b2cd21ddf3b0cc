//! One request, one response.

use std::io;

use hyper::header::{CACHE_CONTROL, HeaderName, HeaderValue, LOCATION, SET_COOKIE, VARY};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};

use super::body::{self, Body};
use super::folder::Found;
use super::navigation::is_navigation;
use super::path::{Refused, Target};
use super::send::{page, set};
use super::server;
use super::site::Site;
use crate::model::site::{Answer, Captures, Redirect};

/// The response of a site to a `GET` or `HEAD`; reads the file system.
#[must_use]
pub fn answer(site: &Site, request: &Parts) -> Response<Body> {
    let answered = match Target::parse(request.uri.path()) {
        Err(Refused::Malformed) => Ok(body::text(StatusCode::BAD_REQUEST, "not a path\n")),
        Err(Refused::Hidden) => missing(site, request),
        Ok(target) => to_target(site, request, &target).map(|mut response| {
            own_headers(site, &target, &mut response);
            response
        }),
    };
    answered.unwrap_or_else(|error| {
        server::log(format_args!("cannot read {}: {error}", request.uri.path()));
        body::text(StatusCode::INTERNAL_SERVER_ERROR, "cannot read this file\n")
    })
}

/// In this order: a rule with `!`, a file, another rule, the fallback, the page for what is missing.
fn to_target(site: &Site, request: &Parts, target: &Target) -> io::Result<Response<Body>> {
    if Site::is_own(target) {
        return missing(site, request);
    }
    let names = target.names();
    let rule = || site.redirects.find(names.as_deref()?);
    if site.redirects.any_forced()
        && let Some((rule, captures)) = rule().filter(|(rule, _)| rule.force)
    {
        return follow(site, request, rule, &captures);
    }
    match site.folder.find(target)? {
        Found::Page(found) => return page(site, found, StatusCode::OK, request),
        Found::Moved(_) => {
            let location = with_query(target.other_slash(), request.uri.query());
            return Ok(moved(StatusCode::MOVED_PERMANENTLY, &location));
        }
        Found::Nothing => {}
    }
    if let Some((rule, captures)) = rule() {
        return follow(site, request, rule, &captures);
    }
    let fallback = site.fallback.as_ref();
    let fallback = fallback.filter(|_| is_navigation(target, &request.headers));
    match fallback.and_then(|name| site.folder.page(name)) {
        Some(found) => page(site, found, StatusCode::OK, request),
        None => missing(site, request),
    }
}

/// Answers as a rule of `_redirects` says.
fn follow(
    site: &Site,
    request: &Parts,
    rule: &Redirect,
    captures: &Captures<'_>,
) -> io::Result<Response<Body>> {
    let location = rule.location(captures, request.uri.query());
    let status = |number| StatusCode::from_u16(number).map_err(io::Error::other);
    let code = match rule.answer {
        Answer::Elsewhere(code) => return Ok(moved(status(code)?, &location)),
        Answer::Page(code) => status(code)?,
    };
    let path = location.split(['?', '#']).next().unwrap_or_default();
    let Ok(target) = Target::parse(path) else {
        return missing(site, request);
    };
    match site.folder.find(&target)? {
        Found::Page(found) | Found::Moved(found) => page(site, found, code, request),
        Found::Nothing => missing(site, request),
    }
}

/// To another place. Not to be kept: the next release may have a file here.
fn moved(status: StatusCode, location: &str) -> Response<Body> {
    let mut response = body::text(status, format!("see {location}\n"));
    set(&mut response, LOCATION, location);
    response
}

fn with_query(mut location: String, query: Option<&str>) -> String {
    if let Some(query) = query {
        location.push('?');
        location.push_str(query);
    }
    location
}

fn missing(site: &Site, request: &Parts) -> io::Result<Response<Body>> {
    match site.not_found() {
        None => Ok(body::text(StatusCode::NOT_FOUND, "not found\n")),
        Some(found) => page(site, found, StatusCode::NOT_FOUND, request),
    }
}

/// Puts what `_headers` says into a response. A redirect is left as it is; what is missing must not be
/// kept for as long as the file would be.
fn own_headers(site: &Site, target: &Target, response: &mut Response<Body>) {
    let status = response.status();
    let Some(names) = target.names() else { return };
    if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
        return;
    }
    for (name, value) in site.headers.of(&names) {
        let Ok(name) = HeaderName::try_from(name) else {
            continue;
        };
        if name == CACHE_CONTROL && (status.is_client_error() || status.is_server_error()) {
            continue;
        }
        let value = value.map(|value| HeaderValue::from_str(&value));
        let headers = response.headers_mut();
        match value {
            Some(Ok(value)) if name == VARY || name == SET_COOKIE => {
                headers.append(name, value);
            }
            Some(Ok(value)) => {
                headers.insert(name, value);
            }
            Some(Err(_)) => {}
            None => {
                headers.remove(name);
            }
        }
    }
}
