//! CPython, as python-build-standalone builds it: the relocatable builds that uv uses. A release
//! of that project is a date and holds the newest patches of its day, so the list of versions is
//! uv's, which knows the newest build of each version ever; the checksums are the project's own.
//!
//! A mirror holds:
//!
//! ```text
//! download-metadata.json            uv's, or one that has only what is mirrored
//! 20240224/SHA256SUMS
//! 20240224/cpython-3.12.2+20240224-x86_64-unknown-linux-gnu-install_only.tar.gz
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;

use super::sums::file_name;
use super::{Build, Layout, Offer, Proof, Source, needs};
use crate::model::runtime::{ArchiveFormat, Platform};
use crate::model::version::Version;

const RELEASES: &str = "https://github.com/astral-sh/python-build-standalone/releases/download/";

/// Where the releases were before the project moved; GitHub leads on from there.
const EARLIER: &str = "https://github.com/indygreg/python-build-standalone/releases/download/";

const METADATA: &str = "https://raw.githubusercontent.com/astral-sh/uv/main/crates/uv-python/";

/// CPython.
pub(super) static PYTHON: Source = Source {
    name: "python",
    title: "Python",
    programs: &[],
    packages: None,
    index: "https://raw.githubusercontent.com/astral-sh/uv/main/crates/uv-python/download-metadata.json",
    places: &[(METADATA, ""), (RELEASES, "")],
    lists: None,
    offers,
    marks,
    layout,
};

/// One of the metadata; the rest is in the name of the archive.
#[derive(Deserialize)]
struct Download {
    url: String,
}

/// What the name of an archive says.
struct Archive {
    version: Version,
    platform: Platform,
    /// `20240224`
    release: String,
}

fn offers(_: &str, list: &str) -> Result<Vec<Offer>, String> {
    let downloads: BTreeMap<String, Download> =
        serde_json::from_str(list).map_err(|e| e.to_string())?;
    let mut offers: BTreeMap<Version, BTreeMap<Platform, (String, Build)>> = BTreeMap::new();
    for download in downloads.into_values() {
        let url = download.url.replacen(EARLIER, RELEASES, 1);
        let Some(archive) = archive(&url) else {
            continue;
        };
        let builds = offers.entry(archive.version).or_default();
        let list = format!("{RELEASES}{}/SHA256SUMS", archive.release);
        let build = Build {
            platform: archive.platform,
            url,
            proof: Proof::List(list),
        };
        let newer = builds
            .get(&archive.platform)
            .is_none_or(|(release, _)| *release < archive.release);
        if newer {
            builds.insert(archive.platform, (archive.release, build));
        }
    }
    Ok(offers
        .into_iter()
        .map(|(version, builds)| Offer {
            version,
            lts: None,
            builds: builds.into_values().map(|(_, build)| build).collect(),
        })
        .collect())
}

/// Reads `…/20240224/cpython-3.12.2+20240224-x86_64-unknown-linux-gnu-install_only.tar.gz`; `None`
/// for other builds: free-threaded, for debugging, for newer processors.
fn archive(url: &str) -> Option<Archive> {
    url.strip_prefix(RELEASES)?;
    let name = file_name(url);
    let name = name.strip_prefix("cpython-")?.strip_suffix(".tar.gz")?;
    let name = name
        .strip_suffix("-install_only")
        .or_else(|| name.strip_suffix("-install_only_stripped"))?;
    let (version, rest) = name.split_once('+')?;
    let (release, triple) = rest.split_once('-')?;
    Some(Archive {
        version: Version::parse(version)?,
        platform: Platform::ALL
            .into_iter()
            .find(|platform| target(*platform) == triple)?,
        release: release.to_owned(),
    })
}

fn target(platform: Platform) -> &'static str {
    match platform {
        Platform::Aarch64Linux => "aarch64-unknown-linux-gnu",
        Platform::Aarch64Macos => "aarch64-apple-darwin",
        Platform::X86_64Linux => "x86_64-unknown-linux-gnu",
        Platform::X86_64Macos => "x86_64-apple-darwin",
    }
}

fn marks(version: &Version, platform: Platform) -> Vec<String> {
    vec![
        format!("/cpython-{version}%2B"),
        format!("-{}-install_only", target(platform)),
    ]
}

/// What pip says instead of installing into the Python itself, which all projects share and no host
/// would have (PEP 668).
const MANAGED: &str = "\
[externally-managed]
Error=ship.lock pins this Python, and all projects share it. Install into the project:
  python3 -m pip install --target FOLDER -r requirements.txt
  or into a virtual environment: python3 -m venv .venv
";

fn layout(version: &Version, _: Platform) -> Layout {
    let (major, minor) = (version.number(0), version.number(1));
    let managed = format!("lib/python{major}.{minor}/EXTERNALLY-MANAGED");
    Layout {
        // uv would take one that it manages itself before one on PATH, or download it (uv's
        // documentation, "Python versions").
        settings: BTreeMap::from([
            ("UV_PYTHON_DOWNLOADS".to_owned(), "never".to_owned()),
            ("UV_PYTHON_PREFERENCE".to_owned(), "only-system".to_owned()),
        ]),
        guards: BTreeMap::from([(managed, MANAGED.to_owned())]),
        // "Runtime Requirements" of its documentation.
        needs: needs((2, 17), &[]),
        // `python/`
        ..Layout::of(ArchiveFormat::TarGz, 1, "bin")
    }
}
