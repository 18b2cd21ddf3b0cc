//! The site of a release: a folder of static files over HTTP/1.1, for `static = "public"`.
//!
//! One request goes through the files in this order: [`server`] takes the connection, [`path`]
//! reads the target, [`folder`] finds the file without ever leaving the folder, [`condition`]
//! decides between all of it, a part and nothing, [`answer`] writes the response, [`body`] streams.

mod answer;
pub(super) mod body;
mod condition;
mod folder;
mod kind;
mod path;
pub(super) mod server;
#[cfg(test)]
pub(super) mod tests;
mod timed;

use std::io;
use std::path::Path;
use std::sync::Arc;

use folder::Folder;

/// Serves `folder`, relative to the working directory, over HTTP/1.1 on all addresses of this
/// host, until SIGTERM or SIGINT; requests under way then have 10 s to end.
///
/// The working directory is the release's real folder, so that a process keeps its release when
/// `current` moves. Files are those of the folder when asked, except hidden ones (RFC 8615's
/// `.well-known` is not hidden) and what a symbolic link leads out to.
///
/// # Errors
/// When the folder is not there or is `ship`'s own, or the port is taken or not allowed.
pub fn serve(folder: &Path, port: u16) -> io::Result<()> {
    let site = Folder::open(folder)?;
    let name = folder.display().to_string();
    server::run(
        port,
        &name,
        Arc::new(move |request| answer::answer(&site, request)),
    )
}
