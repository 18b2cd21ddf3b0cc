//! Go, from go.dev. The list of versions has the checksums.
//!
//! A mirror holds:
//!
//! ```text
//! index.json                        what https://go.dev/dl/?mode=json&include=all answers
//! go1.22.1.linux-amd64.tar.gz
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Build, Layout, Offer, Proof, Source};
use crate::model::runtime::{ArchiveFormat, Platform, Sha256};
use crate::model::version::Version;

/// Go.
pub(super) static GO: Source = Source {
    name: "go",
    title: "Go",
    programs: &[],
    packages: None,
    index: "https://go.dev/dl/?mode=json&include=all",
    places: &[
        ("https://go.dev/dl/?mode=json&include=all", "index.json"),
        ("https://go.dev/dl/", ""),
    ],
    lists: None,
    offers,
    marks,
    layout,
};

#[derive(Deserialize)]
struct Release {
    version: String,
    files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    filename: String,
    #[serde(default)]
    sha256: String,
    #[serde(default)]
    size: u64,
}

fn offers(_: &str, list: &str) -> Result<Vec<Offer>, String> {
    let releases: Vec<Release> = serde_json::from_str(list).map_err(|e| e.to_string())?;
    Ok(releases.into_iter().filter_map(offer).collect())
}

fn offer(release: Release) -> Option<Offer> {
    let version = Version::parse(release.version.strip_prefix("go")?)?;
    let builds = Platform::ALL
        .into_iter()
        .filter_map(|platform| {
            let name = archive(&version, platform);
            let file = release.files.iter().find(|file| file.filename == name)?;
            // Old releases are listed without a SHA-256.
            let sum: Sha256 = file.sha256.parse().ok()?;
            Some(Build {
                platform,
                url: format!("https://go.dev/dl/{name}"),
                proof: Proof::Here(sum, file.size),
            })
        })
        .collect();
    Some(Offer {
        version,
        lts: None,
        builds,
    })
}

fn archive(version: &Version, platform: Platform) -> String {
    let target = match platform {
        Platform::Aarch64Linux => "linux-arm64",
        Platform::Aarch64Macos => "darwin-arm64",
        Platform::X86_64Linux => "linux-amd64",
        Platform::X86_64Macos => "darwin-amd64",
    };
    format!("go{version}.{target}.tar.gz")
}

fn marks(version: &Version, platform: Platform) -> Vec<String> {
    vec![format!("/{}", archive(version, platform))]
}

fn layout(_: &Version, _: Platform) -> Layout {
    Layout {
        // The program finds it by its own place, but what the variable says counts for more, and a
        // developer may have set it to another Go's.
        env: BTreeMap::from([("GOROOT".to_owned(), String::new())]),
        // Without it, a newer `go` line in a go.mod makes it download another (Go Toolchains, "Go
        // toolchain selection").
        settings: BTreeMap::from([("GOTOOLCHAIN".to_owned(), "local".to_owned())]),
        // Its programs are linked without libc.
        ..Layout::of(ArchiveFormat::TarGz, 1, "bin")
    }
}
