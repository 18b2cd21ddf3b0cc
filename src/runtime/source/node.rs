//! Node.js, from nodejs.org.
//!
//! A mirror holds:
//!
//! ```text
//! index.json                        nodejs.org's, or `[{"version": "v20.11.1"}]`
//! v20.11.1/SHASUMS256.txt
//! v20.11.1/node-v20.11.1-linux-x64.tar.gz
//! ```

use serde::Deserialize;

use super::{Build, Layout, Offer, Proof, Source, needs};
use crate::model::runtime::{ArchiveFormat, Platform};
use crate::model::version::Version;

/// Node.js.
pub(super) static NODE: Source = Source {
    name: "node",
    title: "Node.js",
    programs: &[],
    packages: None,
    index: "https://nodejs.org/dist/index.json",
    places: &[("https://nodejs.org/dist/", "")],
    lists: None,
    offers,
    marks,
    layout,
};

/// One of `index.json`.
#[derive(Deserialize)]
struct Release {
    version: String,
    /// A list that somebody wrote for a mirror may leave it out: the checksums decide then.
    #[serde(default)]
    files: Vec<String>,
    /// The name of the line, or `false`.
    #[serde(default)]
    lts: Option<Lts>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Lts {
    Line(String),
    Is(bool),
}

fn offers(_: &str, list: &str) -> Result<Vec<Offer>, String> {
    let releases: Vec<Release> = serde_json::from_str(list).map_err(|e| e.to_string())?;
    Ok(releases.into_iter().filter_map(offer).collect())
}

fn offer(release: Release) -> Option<Offer> {
    let version = Version::parse(release.version.strip_prefix('v')?)?;
    let builds = Platform::ALL
        .into_iter()
        .filter(|platform| {
            let files = &release.files;
            files.is_empty() || files.iter().any(|file| file == listed(*platform))
        })
        .map(|platform| build(&version, platform))
        .collect();
    Some(Offer {
        lts: match release.lts {
            Some(Lts::Line(name)) => Some(name),
            Some(Lts::Is(is)) => is.then(String::new),
            None => None,
        },
        version,
        builds,
    })
}

fn build(version: &Version, platform: Platform) -> Build {
    let folder = format!("https://nodejs.org/dist/v{version}");
    Build {
        platform,
        url: format!("{folder}/{}", archive(version, platform)),
        proof: Proof::List(format!("{folder}/SHASUMS256.txt")),
    }
}

fn archive(version: &Version, platform: Platform) -> String {
    let target = match platform {
        Platform::Aarch64Linux => "linux-arm64",
        Platform::Aarch64Macos => "darwin-arm64",
        Platform::X86_64Linux => "linux-x64",
        Platform::X86_64Macos => "darwin-x64",
    };
    format!("node-v{version}-{target}.tar.gz")
}

/// What `files` of the index calls it.
fn listed(platform: Platform) -> &'static str {
    match platform {
        Platform::Aarch64Linux => "linux-arm64",
        Platform::Aarch64Macos => "osx-arm64-tar",
        Platform::X86_64Linux => "linux-x64",
        Platform::X86_64Macos => "osx-x64-tar",
    }
}

fn marks(version: &Version, platform: Platform) -> Vec<String> {
    vec![format!("/v{version}/{}", archive(version, platform))]
}

fn layout(version: &Version, _: Platform) -> Layout {
    let cxx = [
        ("libgcc_s.so.1", "libgcc-s1"),
        ("libstdc++.so.6", "libstdc++6"),
    ];
    Layout {
        // BUILDING.md of each line, "Platform list".
        needs: match version.number(0) {
            0..=17 => needs((2, 17), &cxx),
            _ => needs((2, 28), &cxx),
        },
        ..Layout::of(ArchiveFormat::TarGz, 1, "bin")
    }
}
