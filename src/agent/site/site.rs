//! A site: its folder, and what its own files and the manifest say about it.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::compress::Compressor;
use super::folder::{Folder, Page};
use super::path::Target;
use super::server;
use crate::model::site::{FILES, HEADERS, Headers, MAX_FILE, Problem, REDIRECTS, Redirects};

/// A folder and its rules, as read once: the files of a release do not change.
#[derive(Debug)]
pub struct Site {
    /// What is served.
    pub folder: Folder,
    /// The page that answers where nothing else does.
    pub fallback: Option<PathBuf>,
    /// `_redirects`.
    pub redirects: Redirects,
    /// `_headers`.
    pub headers: Headers,
    /// Compresses text for visitors who take it so.
    pub compressor: Compressor,
}

impl Site {
    /// The site in `folder`, relative to the working directory. Lines of its files that ship does not
    /// follow are logged, and the others hold.
    ///
    /// # Errors
    /// As [`Folder::open`]; also when `fallback` is not a page of the folder.
    pub fn open(folder: &Path, fallback: Option<&Path>) -> io::Result<Self> {
        let name = folder.display();
        let folder = Folder::open(folder)?;
        if let Some(page) = fallback.filter(|page| folder.page(page).is_none()) {
            let page = page.display();
            let why = format!("cannot serve {name}: its fallback, {page}, is not there");
            return Err(io::Error::new(io::ErrorKind::NotFound, why));
        }
        let (redirects, problems) = Redirects::parse(&text(&folder, REDIRECTS));
        say(REDIRECTS, &problems);
        let (headers, problems) = Headers::parse(&text(&folder, HEADERS));
        say(HEADERS, &problems);
        Ok(Self {
            folder,
            fallback: fallback.map(Path::to_owned),
            redirects,
            headers,
            compressor: Compressor::default(),
        })
    }

    /// The page that says that there is nothing, if the folder has one.
    #[must_use]
    pub fn not_found(&self) -> Option<Page> {
        self.folder.page(Path::new("404.html"))
    }

    /// Whether a visitor asks for the rules themselves.
    #[must_use]
    pub fn is_own(target: &Target) -> bool {
        FILES.iter().any(|name| target.path == Path::new(name))
    }
}

/// The text of one of the site's own files; nothing where there is none.
fn text(folder: &Folder, name: &str) -> String {
    let mut bytes = Vec::new();
    if let Some(page) = folder.page(Path::new(name)) {
        let read = page.file.take(MAX_FILE as u64).read_to_end(&mut bytes);
        if let Err(error) = read {
            server::log(format_args!("cannot read {name}: {error}"));
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn say(name: &str, problems: &[Problem]) {
    for Problem { line, why } in problems.iter().take(20) {
        server::log(format_args!("{name}:{line} is not followed: {why}"));
    }
}
