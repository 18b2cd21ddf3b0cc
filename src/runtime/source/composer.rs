//! Composer, from getcomposer.org: one file, which PHP runs.
//!
//! A mirror holds:
//!
//! ```text
//! versions.json                     getcomposer.org's `versions`
//! download/2.8.4/composer.phar
//! download/2.8.4/composer.phar.sha256sum
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;

use super::managers::{LAUNCHERS, launcher};
use super::{Build, Layout, Offer, Proof, Source};
use crate::model::runtime::{ArchiveFormat, PROGRAM, Platform};
use crate::model::version::Version;

const DOWNLOADS: &str = "https://getcomposer.org/download/";

/// Composer.
pub(super) static COMPOSER: Source = Source {
    name: "composer",
    title: "Composer",
    programs: &["composer"],
    packages: None,
    index: "https://getcomposer.org/versions",
    places: &[
        ("https://getcomposer.org/versions", "versions.json"),
        (DOWNLOADS, "download/"),
    ],
    lists: None,
    offers,
    marks: |version, _| vec![archive(version)],
    layout: |_, _| Layout {
        launchers: [(
            format!("{LAUNCHERS}/composer"),
            launcher("php", "composer", PROGRAM),
        )]
        .into(),
        ..Layout::of(ArchiveFormat::Program, 0, LAUNCHERS)
    },
};

#[derive(Deserialize)]
struct Listed {
    version: String,
}

/// The newest version of each channel: `stable`, `preview`, `2.2`, `1`.
fn offers(_: &str, list: &str) -> Result<Vec<Offer>, String> {
    let channels: BTreeMap<String, Vec<Listed>> =
        serde_json::from_str(list).map_err(|error| error.to_string())?;
    let versions = channels.into_values().flatten();
    Ok(versions
        .filter_map(|listed| Version::parse(&listed.version))
        .map(|version| Offer {
            builds: Platform::ALL
                .map(|platform| build(&version, platform))
                .into(),
            version,
            lts: None,
        })
        .collect())
}

fn build(version: &Version, platform: Platform) -> Build {
    Build {
        platform,
        url: archive(version),
        proof: Proof::List(format!("{}.sha256sum", archive(version))),
    }
}

fn archive(version: &Version) -> String {
    format!("{DOWNLOADS}{version}/composer.phar")
}
