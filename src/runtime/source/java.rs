//! Java: Eclipse Temurin's JDK, from Adoptium's API, whose lists have the checksums.
//!
//! A mirror holds:
//!
//! ```text
//! info/available_releases           what the API answers; which feature releases there are
//! assets/feature_releases/21/ga     what the API answers for each of them
//! temurin21-binaries/releases/download/jdk-21.0.2%2B13/OpenJDK21U-jdk_x64_linux_hotspot_21.0.2_13.tar.gz
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Build, Layout, Offer, Proof, Source, needs};
use crate::model::runtime::{ArchiveFormat, Platform, Sha256};
use crate::model::version::{Request, Version};

/// Eclipse Temurin.
pub(super) static JAVA: Source = Source {
    name: "java",
    title: "Java (Temurin)",
    programs: &[],
    packages: None,
    index: "https://api.adoptium.net/v3/info/available_releases",
    places: &[
        ("https://api.adoptium.net/v3/", ""),
        ("https://github.com/adoptium/", ""),
    ],
    lists: Some(lists),
    offers,
    marks,
    layout,
};

/// Newest first. The API gives at most so many at once; they reach back for years.
const QUERY: &str = "heap_size=normal&image_type=jdk&jvm_impl=hotspot&page=0&page_size=20&project=jdk&sort_order=DESC&vendor=eclipse";

#[derive(Deserialize)]
struct Available {
    available_releases: Vec<u64>,
    available_lts_releases: Vec<u64>,
}

#[derive(Deserialize)]
struct Release {
    binaries: Vec<Binary>,
    version_data: VersionData,
}

#[derive(Deserialize)]
struct VersionData {
    major: u64,
    minor: u64,
    security: u64,
    #[serde(default)]
    patch: Option<u64>,
    build: u64,
}

#[derive(Deserialize)]
struct Binary {
    architecture: String,
    os: String,
    image_type: String,
    package: Package,
}

#[derive(Deserialize)]
struct Package {
    link: String,
    #[serde(default)]
    checksum: String,
    #[serde(default)]
    size: u64,
}

fn available(index: &str) -> Result<Available, String> {
    serde_json::from_str(index).map_err(|e| e.to_string())
}

/// The feature releases that may answer: all of them take too long to read.
fn lists(index: &str, wanted: &Request) -> Result<Vec<String>, String> {
    let available = available(index)?;
    let address = |major: &u64| {
        format!("https://api.adoptium.net/v3/assets/feature_releases/{major}/ga?{QUERY}")
    };
    let features = wanted.features(&available.available_releases);
    let long_term = &available.available_lts_releases;
    let features: Vec<u64> = match wanted.is_lts() {
        true => long_term.iter().max().copied().into_iter().collect(),
        false => features,
    };
    Ok(features.iter().map(address).collect())
}

fn offers(index: &str, list: &str) -> Result<Vec<Offer>, String> {
    let long_term = available(index)?.available_lts_releases;
    let releases: Vec<Release> = serde_json::from_str(list).map_err(|e| e.to_string())?;
    let offers = releases.into_iter().filter_map(|release| {
        let data = &release.version_data;
        let version = version(data)?;
        let lts = long_term.contains(&data.major).then(String::new);
        let builds = Platform::ALL
            .into_iter()
            .filter_map(|platform| build(&release.binaries, platform))
            .collect();
        Some(Offer {
            version,
            lts,
            builds,
        })
    });
    Ok(offers.collect())
}

/// `21.0.2+13`, `17.0.8.1+1`.
fn version(data: &VersionData) -> Option<Version> {
    let VersionData {
        major,
        minor,
        security,
        patch,
        build,
    } = data;
    let patch = patch.filter(|patch| *patch > 0);
    let patch = patch.map_or_else(String::new, |patch| format!(".{patch}"));
    Version::parse(&format!("{major}.{minor}.{security}{patch}+{build}"))
}

fn build(binaries: &[Binary], platform: Platform) -> Option<Build> {
    let (architecture, os) = names(platform);
    let binary = binaries.iter().find(|binary| {
        binary.architecture == architecture && binary.os == os && binary.image_type == "jdk"
    })?;
    let package = &binary.package;
    package.link.strip_suffix(".tar.gz")?;
    let sum: Sha256 = package.checksum.parse().ok()?;
    Some(Build {
        platform,
        url: package.link.clone(),
        proof: Proof::Here(sum, package.size),
    })
}

fn names(platform: Platform) -> (&'static str, &'static str) {
    match platform {
        Platform::Aarch64Linux => ("aarch64", "linux"),
        Platform::Aarch64Macos => ("aarch64", "mac"),
        Platform::X86_64Linux => ("x64", "linux"),
        Platform::X86_64Macos => ("x64", "mac"),
    }
}

/// `OpenJDK21U-jdk_x64_linux_hotspot_21.0.2_13.tar.gz`, and of Java 8
/// `OpenJDK8U-jdk_x64_linux_hotspot_8u402b06.tar.gz`.
fn marks(version: &Version, platform: Platform) -> Vec<String> {
    let (architecture, os) = names(platform);
    let text = version.as_str();
    let (numbers, build) = text.split_once('+').unwrap_or((text, ""));
    let number = match version.number(0) {
        8 => format!("8u{}b{build:0>2}", version.number(2)),
        // `22+36` is 22.0.0.
        _ if version.numbers()[1..].iter().all(|n| *n == 0) => {
            format!("{}_{build}", version.number(0))
        }
        _ => format!("{numbers}_{build}"),
    };
    vec![format!("-jdk_{architecture}_{os}_hotspot_{number}.tar.gz")]
}

fn layout(_: &Version, platform: Platform) -> Layout {
    let (home, bin) = match platform.is_linux() {
        true => ("", "bin"),
        false => ("Contents/Home", "Contents/Home/bin"),
    };
    Layout {
        env: BTreeMap::from([("JAVA_HOME".to_owned(), home.to_owned())]),
        needs: needs((2, 17), &[]),
        ..Layout::of(ArchiveFormat::TarGz, 1, bin)
    }
}
