//! The registries of npm and of Python: what they say of a package. Their addresses are found by
//! [`Registries`](crate::runtime::Registries).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Build, Offer, Proof};
use crate::model::runtime::Platform;
use crate::model::version::Version;

/// An address at the registry of npm.
macro_rules! npm {
    ($rest:literal) => {
        concat!("npm:", $rest)
    };
}

/// An address at the index of Python packages.
macro_rules! pypi {
    ($rest:literal) => {
        concat!("pypi:simple/", $rest)
    };
}

/// The address of a file of a Python package.
macro_rules! pypi_file {
    ($rest:literal) => {
        concat!("pypi:packages/", $rest)
    };
}

pub(super) use {npm, pypi, pypi_file};

/// What to ask a server for; the short forms of what registries tell of a package, else anything
/// (npm's "Package metadata", PEP 691).
pub(in crate::runtime) const ACCEPT: &str = "application/vnd.npm.install-v1+json, \
    application/vnd.pypi.simple.v1+json, */*;q=0.1";

/// What npm's registry tells of a package.
#[derive(Deserialize)]
struct NpmPackage {
    name: String,
    versions: BTreeMap<String, NpmVersion>,
}

#[derive(Deserialize)]
struct NpmVersion {
    dist: NpmDist,
}

/// Where a version of a package is.
#[derive(Deserialize)]
struct NpmDist {
    #[serde(default)]
    integrity: Option<String>,
}

/// The integrity in what npm's registry tells of one version.
pub(in crate::runtime) fn integrity(document: &str) -> Option<String> {
    let version: NpmVersion = serde_json::from_str(document).ok()?;
    version.dist.integrity
}

/// The versions of an npm package. `package_of` says which package has the archive for a platform:
/// the one in `list`, which tells its integrity, or another that has the same versions. Versions for
/// which it names none are left out.
pub(super) fn npm_offers(
    list: &str,
    package_of: impl Fn(&str, &Version, Platform) -> Option<&'static str>,
) -> Result<Vec<Offer>, String> {
    let found: NpmPackage = serde_json::from_str(list).map_err(|error| error.to_string())?;
    let offers = found.versions.iter().filter_map(|(version, about)| {
        let version = Version::parse(version)?;
        let integrity = about.dist.integrity.as_ref()?;
        let builds = Platform::ALL.into_iter().filter_map(|platform| {
            let package = package_of(&found.name, &version, platform)?;
            let proof = match package == found.name {
                true => Proof::Integrity(integrity.clone()),
                false => {
                    let of = package.replace('/', "%2f");
                    Proof::Document(format!("{}{of}/{version}", npm!("")))
                }
            };
            Some(Build {
                platform,
                url: npm_archive(package, &version),
                proof,
            })
        });
        Some(Offer {
            builds: builds.collect(),
            version,
            lts: None,
        })
    });
    Ok(offers.collect())
}

/// The address of the archive of an npm package.
pub(super) fn npm_archive(package: &str, version: &Version) -> String {
    let name = package.rsplit('/').next().unwrap_or(package);
    format!("{}{package}/-/{name}-{version}.tgz", npm!(""))
}

/// What the index of Python packages tells of one (PEP 691, PEP 700).
#[derive(Deserialize)]
struct PythonPackage {
    name: String,
    files: Vec<PythonFile>,
}

#[derive(Deserialize)]
struct PythonFile {
    filename: String,
    url: String,
    hashes: BTreeMap<String, String>,
    #[serde(default)]
    size: u64,
    /// `false`, or why not to use it.
    #[serde(default)]
    yanked: Option<serde_json::Value>,
}

/// The wheels of a Python package, by version: one for each platform, of several the one for the
/// oldest systems.
pub(super) fn wheels(list: &str) -> Result<BTreeMap<Version, Vec<Build>>, String> {
    let found: PythonPackage = serde_json::from_str(list).map_err(|error| error.to_string())?;
    let mut files = found.files;
    files.sort_by(|a, b| a.filename.cmp(&b.filename));
    let mut all: BTreeMap<Version, Vec<Build>> = BTreeMap::new();
    for file in files {
        let yanked = file.yanked.is_some_and(|yanked| yanked != false);
        let name = file.filename.strip_suffix(".whl").filter(|_| !yanked);
        let version = name.and_then(|name| Version::parse(name.split('-').nth(1)?));
        let sum = file.hashes.get("sha256").and_then(|sum| sum.parse().ok());
        let (Some(version), Some(sum)) = (version, sum) else {
            continue;
        };
        for platform in Platform::ALL {
            if fits(&file.filename, platform) {
                let build = Build {
                    platform,
                    url: format!("{}{}/{}", pypi_file!(""), found.name, file.filename),
                    proof: Proof::Here(sum, file.size),
                };
                let of_version = all.entry(version.clone()).or_default();
                if of_version.iter().all(|build| build.platform != platform) {
                    of_version.push(build);
                }
            }
        }
    }
    Ok(all)
}

/// Where the index of Python packages says that the file `name` is: an address, or a path from that
/// of the index (PEP 503).
pub(in crate::runtime) fn file_url(list: &str, name: &str) -> Option<String> {
    let found: PythonPackage = serde_json::from_str(list).ok()?;
    let mut files = found.files.into_iter();
    let file = files.find(|file| file.filename == name)?;
    Some(file.url)
}

/// What the name of a wheel for `platform` has in it: the system, and the machine.
pub(super) fn tags(platform: Platform) -> (&'static str, &'static str) {
    match platform {
        Platform::Aarch64Linux => ("-manylinux", "_aarch64"),
        Platform::Aarch64Macos => ("-macosx", "_arm64"),
        Platform::X86_64Linux => ("-manylinux", "_x86_64"),
        Platform::X86_64Macos => ("-macosx", "_x86_64"),
    }
}

/// Whether a wheel of this name runs on `platform` (the tags of PEP 425 and PEP 600).
fn fits(name: &str, platform: Platform) -> bool {
    let (system, machine) = tags(platform);
    let Some((_, tags)) = name.split_once(system) else {
        return name.ends_with("-none-any.whl");
    };
    let tags = tags.trim_end_matches(".whl");
    tags.split('.').any(|tag| tag.ends_with(machine))
}
