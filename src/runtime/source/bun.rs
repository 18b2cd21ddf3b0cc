//! Bun, from its releases on GitHub.
//!
//! A mirror holds:
//!
//! ```text
//! tags.json                         what GitHub's API answers for the tags that begin with `bun-v`
//! bun-v1.1.38/SHASUMS256.txt
//! bun-v1.1.38/bun-linux-x64.zip
//! ```

use serde::Deserialize;

use super::{Build, Layout, Offer, Proof, Source, needs};
use crate::model::runtime::{ArchiveFormat, Platform};
use crate::model::version::Version;

const RELEASES: &str = "https://github.com/oven-sh/bun/releases/download/";

/// All tags of releases in one answer.
const TAGS: &str = "https://api.github.com/repos/oven-sh/bun/git/matching-refs/tags/bun-v";

/// Bun.
pub(super) static BUN: Source = Source {
    name: "bun",
    title: "Bun",
    programs: &[],
    packages: None,
    index: TAGS,
    places: &[(TAGS, "tags.json"), (RELEASES, "")],
    lists: None,
    offers,
    marks,
    layout,
};

#[derive(Deserialize)]
struct Tag {
    #[serde(rename = "ref")]
    name: String,
}

fn offers(_: &str, list: &str) -> Result<Vec<Offer>, String> {
    let tags: Vec<Tag> = serde_json::from_str(list).map_err(|e| e.to_string())?;
    Ok(tags.iter().filter_map(offer).collect())
}

fn offer(tag: &Tag) -> Option<Offer> {
    let version = Version::parse(tag.name.strip_prefix("refs/tags/bun-v")?)?;
    let builds = Platform::ALL
        .into_iter()
        .map(|platform| Build {
            platform,
            url: format!("{RELEASES}{}", archive(&version, platform)),
            proof: Proof::List(format!("{RELEASES}bun-v{version}/SHASUMS256.txt")),
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
        Platform::Aarch64Linux => "linux-aarch64",
        Platform::Aarch64Macos => "darwin-aarch64",
        Platform::X86_64Linux => "linux-x64",
        Platform::X86_64Macos => "darwin-x64",
    };
    format!("bun-v{version}/bun-{target}.zip")
}

fn marks(version: &Version, platform: Platform) -> Vec<String> {
    vec![format!("/{}", archive(version, platform))]
}

fn layout(_: &Version, _: Platform) -> Layout {
    Layout {
        needs: needs((2, 25), &[]),
        // `bun-linux-x64/bun`
        ..Layout::of(ArchiveFormat::Zip, 1, "")
    }
}
