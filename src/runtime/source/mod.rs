//! Where each runtime comes from, how it is verified and what it needs: one file per runtime, one
//! table in it. To add one: its file, a line in [`SOURCES`], and its grammar in
//! `model/version/grammar.rs`; a test keeps the two lists equal.
//!
//! **A mirror** is an address (`http://`, `https://` or `file://`) below which the publisher's
//! documents lie as plain files: no queries, no redirects needed. [`Source::places`] says under
//! which name; the head of each file shows the whole layout. A lock always names the publisher's
//! address, so that it is the same with and without a mirror; [`Source::address`] maps it.

mod bun;
mod composer;
mod deno;
mod go;
mod java;
mod managers;
mod node;
mod python;
mod registry;
mod sums;
#[cfg(test)]
mod tests;
mod tools;
mod uv;

use std::collections::BTreeMap;

use crate::model::runtime::{ArchiveFormat, Platform, RuntimeNeeds, Sha256};
use crate::model::version::{Grammar, Request, Version};

pub(super) use managers::LAUNCHERS;
pub(super) use registry::{ACCEPT, file_url, integrity};
pub use sums::{checksum, file_name};

/// A runtime that ship brings.
#[derive(Debug)]
pub struct Source {
    /// As in `[runtimes]`: `node`.
    pub name: &'static str,
    /// As people say it: `Node.js`.
    pub title: &'static str,
    /// Of a package manager, the programs that it brings; a runtime has none here.
    pub programs: &'static [&'static str],
    /// Of a tool that is a Python package: what is installed with it. Its archives are uv's.
    pub packages: Option<&'static [&'static str]>,
    /// Where the publisher lists the versions.
    pub index: &'static str,
    /// Publishers' addresses, and the name below a mirror of what begins so; the first that fits
    /// counts. A query is dropped at a mirror.
    pub places: &'static [(&'static str, &'static str)],
    /// Lists that the index leads to, where it does not tell the versions itself; their addresses.
    pub lists: Option<Lists>,
    /// The versions in a list (the index, unless there are [`lists`](Self::lists)); `Err` says what
    /// is wrong with the document.
    pub offers: fn(index: &str, list: &str) -> Result<Vec<Offer>, String>,
    /// What the address of an archive of this version for this platform holds: a lock whose address
    /// does not was edited by hand.
    pub marks: fn(&Version, Platform) -> Vec<String>,
    /// What is in an archive.
    pub layout: fn(&Version, Platform) -> Layout,
}

/// The index → the addresses of the lists that may hold an answer; `Err` says what is wrong with
/// the document.
pub type Lists = fn(index: &str, wanted: &Request) -> Result<Vec<String>, String>;

/// A version that a publisher has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Which.
    pub version: Version,
    /// The name of its long-term support line, `iron`; empty when the line has no name. `None` when
    /// it has no long-term support.
    pub lts: Option<String>,
    /// Its archives.
    pub builds: Vec<Build>,
}

/// An archive that a publisher has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// What it runs on.
    pub platform: Platform,
    /// The publisher's address of it.
    pub url: String,
    /// Where its checksum is.
    pub proof: Proof,
}

/// Where a publisher tells the checksum of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// In the list of versions, with the size in bytes; 0 when the list does not tell it.
    Here(Sha256, u64),
    /// In a document of its own, as sha256sum(1) writes it; see [`checksum`].
    List(String),
    /// In the list of versions, as a Subresource Integrity: `sha512-…`.
    Integrity(String),
    /// The same, in a document of the version.
    Document(String),
}

/// What is in an archive, and what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// How it is packed.
    pub format: ArchiveFormat,
    /// How many leading components of each path in it are dropped.
    pub strip: u32,
    /// Folders for `PATH`, below the unpacked archive; `""` is its root.
    pub bin: Vec<String>,
    /// Variables that name a folder below the unpacked archive.
    pub env: BTreeMap<String, String>,
    /// Variables that keep it from running another version of itself.
    pub settings: BTreeMap<String, String>,
    /// Files to put beside it where it is unpacked for builds, with their texts: what keeps one
    /// project's build from changing it for all.
    pub guards: BTreeMap<String, String>,
    /// Scripts that start what is in the archive: paths below it, and their texts.
    pub launchers: BTreeMap<String, String>,
    /// What a Linux host must have for it.
    pub needs: RuntimeNeeds,
}

impl Layout {
    /// An archive whose programs are in the folder `bin`, and that wants nothing else.
    fn of(format: ArchiveFormat, strip: u32, bin: &str) -> Self {
        Self {
            format,
            strip,
            bin: vec![bin.to_owned()],
            env: BTreeMap::new(),
            settings: BTreeMap::new(),
            guards: BTreeMap::new(),
            launchers: BTreeMap::new(),
            needs: RuntimeNeeds::default(),
        }
    }
}

/// All of them, by name.
pub static SOURCES: &[&Source] = &[
    &bun::BUN,
    &composer::COMPOSER,
    &deno::DENO,
    &go::GO,
    &java::JAVA,
    &node::NODE,
    &managers::NPM,
    &tools::PDM,
    &tools::PIPENV,
    &managers::PNPM,
    &tools::POETRY,
    &python::PYTHON,
    &uv::UV,
    &managers::YARN,
];

/// The runtime called `name`, when ship brings it.
#[must_use]
pub fn source(name: &str) -> Option<&'static Source> {
    SOURCES.iter().copied().find(|source| source.name == name)
}

impl Source {
    /// Whether only builds need it, unless a command of a service or a hook starts it.
    #[must_use]
    pub fn is_manager(&self) -> bool {
        !self.programs.is_empty()
    }

    /// How its versions are asked for.
    #[must_use]
    pub fn grammar(&self) -> Grammar {
        Grammar::of(self.name)
    }

    /// The address to read for the publisher's `url`: below `mirror`, when there is one.
    #[must_use]
    pub fn address(&self, url: &str, mirror: Option<&str>) -> String {
        let place = self
            .places
            .iter()
            .find_map(|(publisher, name)| Some((name, url.strip_prefix(publisher)?)));
        match (mirror, place) {
            (Some(mirror), Some((name, rest))) => {
                let rest = rest.split('?').next().unwrap_or_default();
                format!("{}/{name}{rest}", mirror.trim_end_matches('/'))
            }
            _ => url.to_owned(),
        }
    }

    /// The environment variable that names a mirror: `SHIP_NODE_MIRROR`.
    #[must_use]
    pub fn mirror_variable(&self) -> String {
        format!("SHIP_{}_MIRROR", self.name.to_ascii_uppercase())
    }

    /// Whether `url` can be that of this version for this platform.
    #[must_use]
    pub fn is_address_of(&self, url: &str, version: &Version, platform: Platform) -> bool {
        self.places.iter().any(|(at, _)| url.starts_with(at))
            && (self.marks)(version, platform)
                .iter()
                .all(|mark| url.contains(mark.as_str()))
    }
}

/// What a host needs for programs that are linked with this glibc and these libraries, each with
/// the Debian package that has it.
fn needs(glibc: (u32, u32), libraries: &[(&str, &str)]) -> RuntimeNeeds {
    RuntimeNeeds {
        glibc: Some(glibc),
        libraries: libraries
            .iter()
            .map(|(library, package)| ((*library).to_owned(), (*package).to_owned()))
            .collect(),
    }
}
