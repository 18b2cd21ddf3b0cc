//! Deno, from its releases on GitHub; each archive has its checksum beside it.
//!
//! A mirror holds:
//!
//! ```text
//! versions.json                     what https://deno.com/versions.json answers
//! v2.1.4/deno-x86_64-unknown-linux-gnu.zip
//! v2.1.4/deno-x86_64-unknown-linux-gnu.zip.sha256sum
//! ```

use serde::Deserialize;

use super::{Build, Layout, Offer, Proof, Source, needs};
use crate::model::runtime::{ArchiveFormat, Platform};
use crate::model::version::Version;

const RELEASES: &str = "https://github.com/denoland/deno/releases/download/";

/// The first version with a build for 64-bit ARM on Linux.
const FIRST_AARCH64_LINUX: [u64; 2] = [1, 41];

/// Deno.
pub(super) static DENO: Source = Source {
    name: "deno",
    title: "Deno",
    programs: &[],
    packages: None,
    index: "https://deno.com/versions.json",
    places: &[("https://deno.com/", ""), (RELEASES, "")],
    lists: None,
    offers,
    marks,
    layout,
};

#[derive(Deserialize)]
struct Versions {
    cli: Vec<String>,
}

fn offers(_: &str, list: &str) -> Result<Vec<Offer>, String> {
    let versions: Versions = serde_json::from_str(list).map_err(|e| e.to_string())?;
    let versions = versions.cli.iter();
    Ok(versions
        .filter_map(|version| Version::parse(version.strip_prefix('v')?))
        .map(offer)
        .collect())
}

fn offer(version: Version) -> Offer {
    let builds = Platform::ALL
        .into_iter()
        .filter(|platform| {
            *platform != Platform::Aarch64Linux || version.numbers() >= &FIRST_AARCH64_LINUX[..]
        })
        .map(|platform| {
            let url = format!("{RELEASES}{}", archive(&version, platform));
            Build {
                platform,
                proof: Proof::List(format!("{url}.sha256sum")),
                url,
            }
        })
        .collect();
    Offer {
        version,
        lts: None,
        builds,
    }
}

fn archive(version: &Version, platform: Platform) -> String {
    let target = match platform {
        Platform::Aarch64Linux => "aarch64-unknown-linux-gnu",
        Platform::Aarch64Macos => "aarch64-apple-darwin",
        Platform::X86_64Linux => "x86_64-unknown-linux-gnu",
        Platform::X86_64Macos => "x86_64-apple-darwin",
    };
    format!("v{version}/deno-{target}.zip")
}

fn marks(version: &Version, platform: Platform) -> Vec<String> {
    vec![format!("/{}", archive(version, platform))]
}

fn layout(_: &Version, _: Platform) -> Layout {
    Layout {
        needs: needs((2, 27), &[("libgcc_s.so.1", "libgcc-s1")]),
        // The program alone.
        ..Layout::of(ArchiveFormat::Zip, 0, "")
    }
}
