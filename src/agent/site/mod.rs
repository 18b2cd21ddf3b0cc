//! The site of a release: a folder of static files over HTTP/1.1, for `static = "public"`.
//!
//! One request goes through the files in this order: [`server`] takes the connection, [`path`]
//! reads the target, [`answer`] decides between the files of the [`folder`], the rules of the
//! [`site`] and its fallback, [`send`] chooses the coding ([`coding`], [`compress`]) and how much is
//! needed ([`condition`]), [`body`] streams. The folder is never left.

mod answer;
pub(super) mod body;
mod caching;
mod coding;
mod compress;
mod condition;
mod folder;
mod kind;
mod navigation;
mod path;
mod send;
pub(super) mod server;
#[expect(clippy::module_inception, reason = "the noun of the module")]
mod site;
#[cfg(test)]
pub(super) mod tests;
mod timed;

use std::io;
use std::path::Path;
use std::sync::Arc;

use site::Site;

/// Serves `folder`, relative to the working directory, over HTTP/1.1 on all addresses of this
/// host, until SIGTERM or SIGINT; requests under way then have 10 s to end.
///
/// The working directory is the release's real folder, so that a process keeps its release when
/// `current` moves. Files are those of the folder when asked, except hidden ones (RFC 8615's
/// `.well-known` is not hidden) and what a symbolic link leads out to. `fallback`, a page of the
/// folder, answers where nothing else does.
///
/// # Errors
/// When the folder or the fallback is not there, the folder is `ship`'s own, or the port is taken or
/// not allowed.
pub fn serve(folder: &Path, fallback: Option<&Path>, port: u16) -> io::Result<()> {
    let site = Site::open(folder, fallback)?;
    let name = folder.display().to_string();
    server::run(
        port,
        &name,
        Arc::new(move |request| answer::answer(&site, request)),
    )
}
