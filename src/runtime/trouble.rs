//! What goes wrong between an address and the cache, in words.

use std::error::Error;
use std::io;
use std::path::Path;

use reqwest::StatusCode;

use super::http::{NOT_HAD, shown};
use crate::model::{Failure, FailureKind};

/// What to do about a source that does not have what it should.
pub(super) const MIRROR: &str = "is the mirror the right one? `mirror` under [runtimes] and \
                                 SHIP_<NAME>_MIRROR (such as SHIP_NODE_MIRROR) name another";

/// What to do about a source that does not answer.
const WAY_OUT: &str = "HTTPS_PROXY, HTTP_PROXY and NO_PROXY are honoured; without a way to the \
                       internet, name a mirror: `mirror` under [runtimes], or SHIP_<NAME>_MIRROR";

/// A failure, and whether another attempt may go better.
#[derive(Debug)]
pub(super) struct Trouble {
    pub failure: Failure,
    pub again: bool,
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            again: false,
        }
    }
}

/// No answer, or one that broke off.
pub(super) fn unanswered(address: &str, error: &reqwest::Error) -> Trouble {
    let why = if error.is_timeout() {
        "no answer in time".to_owned()
    } else {
        root(error)
    };
    let message = format!("cannot read {}: {why}", shown(address));
    if error.is_redirect() || error.is_builder() {
        return Failure::refused(message).hint(MIRROR).into();
    }
    let failure = Failure::new(NOT_HAD, message);
    if is_about_certificate(error) {
        return failure
            .hint("SSL_CERT_FILE names further certificates to trust, such as the company's own")
            .into();
    }
    Trouble {
        failure: failure.hint(WAY_OUT),
        again: true,
    }
}

/// An answer that is not the thing.
pub(super) fn status(address: &str, status: StatusCode) -> Trouble {
    let (address, number) = (shown(address), status.as_u16());
    let words = status.canonical_reason().unwrap_or("no known status");
    let answers = format!("{address} answers {number} ({words})");
    if status.is_server_error() || matches!(number, 408 | 425 | 429) {
        return Trouble {
            failure: Failure::new(NOT_HAD, answers).hint("try again later, or name a mirror"),
            again: true,
        };
    }
    match number {
        404 | 410 => Failure::refused(format!("there is nothing at {address} ({number})"))
            .hint(MIRROR)
            .into(),
        401 | 403 | 407 => Failure::new(NOT_HAD, answers)
            .hint("a mirror or a proxy takes a name and a password in its address")
            .into(),
        _ => Failure::refused(answers).hint(MIRROR).into(),
    }
}

/// A page for people where an archive or a list is expected.
pub(super) fn page(address: &str) -> Failure {
    Failure::refused(format!(
        "{} answers with an HTML page instead of what was asked for",
        shown(address)
    ))
    .detail("a proxy, a login page or a wrong mirror answers like that")
    .hint(MIRROR)
}

/// A `file://` address that cannot be read.
pub(super) fn file(address: &str, error: &io::Error) -> Trouble {
    Failure::refused(format!("cannot read {}: {error}", shown(address)))
        .hint(MIRROR)
        .into()
}

/// Something that is no address.
pub(super) fn no_address(address: &str) -> Failure {
    Failure::refused(format!(
        "{} is not an http://, https:// or file:/// address",
        shown(address)
    ))
    .hint(MIRROR)
}

/// What to do about an archive that is not what the lock says; `what` is `node 20.11.1`. A plain
/// `ship pin` keeps what answers.
pub(super) fn ask_again(what: &str) -> String {
    let name = what.split(' ').next().unwrap_or(what);
    format!("`ship pin --upgrade {name}` asks the publisher again")
}

/// The cache of this user cannot be used.
pub(super) fn cache(doing: &str, path: &Path, error: &io::Error) -> Failure {
    let message = format!("cannot {doing} {}: {error}", path.display());
    let hint = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "make room, or name a cache folder on another disk: XDG_CACHE_HOME"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "runtimes are kept in the cache folder; name one that can be written: XDG_CACHE_HOME"
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "a file is where the cache folder should be: remove it, or set XDG_CACHE_HOME"
        }
        _ => "the cache folder is $XDG_CACHE_HOME/ship, else ~/.cache/ship",
    };
    Failure::new(FailureKind::Refused, message).hint(hint)
}

/// Whether the other end's certificate is not trusted. The TLS library's error is wrapped in an
/// [`io::Error`] on its way.
fn is_about_certificate(error: &(dyn Error + 'static)) -> bool {
    let in_io = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    let in_io = in_io.map(|inner| inner as &(dyn Error + 'static));
    [Some(error), in_io]
        .into_iter()
        .flatten()
        .filter_map(|error| error.downcast_ref::<rustls::Error>())
        .any(|error| matches!(error, rustls::Error::InvalidCertificate(_)))
        || in_io
            .or_else(|| error.source())
            .is_some_and(is_about_certificate)
}

/// The last cause of an error: the one that says something.
pub(super) fn root(error: &dyn Error) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}
