//! What a visitor asks of an app, and what the right answer looks like.

use crate::support::{Host, Response};
use std::net::Ipv4Addr;

/// A question.
#[derive(Debug, Clone, Copy)]
pub enum Ask {
    /// A path, and a part of the answer.
    Page(&'static str, &'static str),
    /// The first file with this ending that a page links to.
    Asset(&'static str, &'static str),
    /// A path below the page at `/`, which a browser asks for after a reload, and a part of the
    /// answer.
    Deep(&'static str, &'static str),
    /// A path, and the status that it must have.
    Status(&'static str, u16),
}

/// Something that is written, and how it is read again.
#[derive(Debug, Clone, Copy)]
pub struct Write {
    /// Where it is posted to.
    pub path: &'static str,
    /// Its media type.
    pub media: &'static str,
    pub body: &'static str,
    /// What shows it.
    pub then: Ask,
}

impl Ask {
    /// What is wrong with the answer of the app on this port.
    pub fn of(&self, host: &Host, port: u16) -> Result<(), String> {
        match *self {
            Self::Page(path, part) | Self::Deep(path, part) => {
                let answer = get(host, port, path)?;
                match answer.status == 200 && answer.body.contains(part) {
                    true => Ok(()),
                    false => Err(format!("{path} has no {part:?}: {}", shown(&answer))),
                }
            }
            Self::Asset(page, ending) => {
                let answer = get(host, port, page)?;
                let link = linked(&answer.body, ending)
                    .ok_or_else(|| format!("{page} links to no {ending}: {}", shown(&answer)))?;
                let asset = get(host, port, &link)?;
                match asset.status == 200 && !asset.body.is_empty() {
                    true => Ok(()),
                    false => Err(format!("{link}: {}", shown(&asset))),
                }
            }
            Self::Status(path, status) => {
                let answer = get(host, port, path)?;
                match answer.status == status {
                    true => Ok(()),
                    false => Err(format!("{path}: {}", shown(&answer))),
                }
            }
        }
    }
}

impl Write {
    /// Posts it; what is wrong with the answer.
    pub fn to(&self, host: &Host, port: u16) -> Result<(), String> {
        let ip: Ipv4Addr = host.addr();
        let answer = crate::support::post(ip, port, self.path, self.media, self.body)
            .map_err(|error| format!("POST {}: {error}", self.path))?;
        match answer.status < 400 {
            true => Ok(()),
            false => Err(format!("POST {}: {}", self.path, shown(&answer))),
        }
    }
}

/// A deploy is over when the app serves, so one that has to be asked twice is slow, not wrong.
fn get(host: &Host, port: u16, path: &str) -> Result<Response, String> {
    let mut last = String::new();
    for _ in 0..2 {
        match host.http_get(port, path) {
            Ok(answer) => return Ok(answer),
            Err(error) => last = format!("{path} on port {port}: {error}"),
        }
    }
    Err(last)
}

/// The path of the first link of a page that ends so; what follows `?` belongs to it.
fn linked(page: &str, ending: &str) -> Option<String> {
    page.split(['"', '\'', '(', ')', '=', '>', ' '])
        .map(|text| text.trim_end_matches('\\'))
        .find(|text| {
            let path = text.split(['?', '#']).next().unwrap_or(text);
            path.ends_with(ending) && path.len() > ending.len() && !text.contains("://")
        })
        .map(|text| {
            let text = text.trim_start_matches("./");
            match text.starts_with('/') {
                true => text.to_owned(),
                false => format!("/{text}"),
            }
        })
}

/// The beginning of an answer.
fn shown(answer: &Response) -> String {
    let start: String = answer.body.chars().take(300).collect();
    format!("{} {start:?}", answer.status)
}
