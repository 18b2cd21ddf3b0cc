//! A release: an artifact plus its config, numbered.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use super::digest::Digest;
use super::runtime::HostRuntime;
use super::service::ServiceSpec;

/// The number of a release within its environment: printed and named on disk as `v42`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReleaseId(pub u32);

impl ReleaseId {
    /// Whether it is what ship found on the host when it came: each host has its own.
    #[must_use]
    pub fn is_adopted(self) -> bool {
        self.0 == 0
    }

    /// Reads `v42` or `42`. What ship found when it came is v0.
    ///
    /// # Errors
    /// When `text` is neither.
    pub fn parse(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix('v').unwrap_or(text);
        match digits.parse::<u32>() {
            // Neither `+1` nor `01`: one way to write each.
            Ok(number) if number.to_string() == digits => Ok(Self(number)),
            _ => Err(format!(
                "`{text}` is not a release; releases are named like v42"
            )),
        }
    }
}

impl fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("v{}", self.0))
    }
}

/// How far a release got on a host. Only `Good` ones are rollback targets and counted by `keep`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReleaseState {
    /// On the host, never switched to.
    Staged,
    /// Switched to, not yet proven.
    Active,
    /// Proven.
    Good,
    /// Failed its proof.
    Bad,
}

impl ReleaseState {
    /// The word on the screen and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Staged => "staged",
            Self::Active => "active",
            Self::Good => "good",
            Self::Bad => "bad",
        }
    }
}

/// Where a release came from: what history tells later.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Origin {
    /// Who deployed: `user@machine`, or the CI's actor.
    pub who: String,
    /// Commit id, when the project is a git repository.
    pub commit: Option<String>,
    /// First line of the commit message.
    pub subject: Option<String>,
    /// Author of the commit.
    pub author: Option<String>,
    /// Whether it was made of uncommitted changes; `None` when git could not tell.
    pub dirty: Option<bool>,
    /// The CI run's address, when deployed from CI.
    pub ci: Option<String>,
    /// Whether the tests were skipped.
    pub tests_skipped: bool,
    /// Version of `ship` that deployed.
    pub ship: String,
}

/// `releases/vN/.ship/release.json`: everything that a rollback needs, without the build machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Its number.
    pub id: ReleaseId,
    /// Digest of the artifact's index.
    pub artifact: Digest,
    /// When it was staged, RFC 3339, UTC.
    pub created: String,
    /// Where it came from.
    pub origin: Origin,
    /// The services that run on this host.
    pub services: Vec<ServiceSpec>,
    /// The runtimes that it runs on, as this host has them.
    #[serde(deserialize_with = "runtimes")]
    pub runtimes: Vec<HostRuntime>,
    /// Folders and files under `shared/` that are linked into the tree.
    pub shared: Vec<String>,
    /// Names of the variables in its environment whose values are masked. `None` in releases from
    /// before this was written down: nobody knows then which of the variables are secrets.
    #[serde(default)]
    pub secrets: Option<Vec<String>>,
}

impl Release {
    /// Exact versions of its runtimes by name, as lists show them.
    #[must_use]
    pub fn versions(&self) -> BTreeMap<String, String> {
        let version = |runtime: &HostRuntime| (runtime.name.clone(), runtime.version.clone());
        self.runtimes.iter().map(version).collect()
    }
}

/// A list; releases from before there were pinned runtimes have an empty map instead.
fn runtimes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<HostRuntime>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        List(Vec<HostRuntime>),
        Map(BTreeMap<String, String>),
    }
    match Written::deserialize(deserializer)? {
        Written::List(runtimes) => Ok(runtimes),
        Written::Map(map) if map.is_empty() => Ok(Vec::new()),
        Written::Map(_) => Err(serde::de::Error::custom("runtimes without their archives")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Release, ReleaseId};
    use crate::model::runtime::{HostRuntime, RuntimeSource};

    #[test]
    fn a_release_is_written_v42() {
        assert_eq!(ReleaseId::parse("v42"), Ok(ReleaseId(42)));
        assert_eq!(ReleaseId::parse("42"), Ok(ReleaseId(42)));
        assert_eq!(ReleaseId::parse("v0"), Ok(ReleaseId(0)));
        for bad in [
            "",
            "v",
            "v00",
            "v-1",
            "v+1",
            "v01",
            "vv1",
            "4294967296",
            "v1 ",
        ] {
            assert!(ReleaseId::parse(bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn releases_from_before_runtimes_can_be_read() {
        let release = |runtimes: &str| {
            let text = format!(
                r#"{{"id": 3, "artifact": "{}", "created": "2026-01-01T00:00:00Z",
                    "origin": {{"who": "ann@laptop", "commit": null, "subject": null, "author": null,
                        "dirty": false, "ci": null, "tests_skipped": false, "ship": "0.1.0"}},
                    "services": [], "runtimes": {runtimes}, "shared": []}}"#,
                crate::model::Digest::of(b"x")
            );
            serde_json::from_str::<Release>(&text)
        };
        assert_eq!(release("{}").unwrap().runtimes, []);
        assert_eq!(release("{}").unwrap().secrets, None);
        let php = HostRuntime {
            name: "php".to_owned(),
            version: "8.3.6".to_owned(),
            source: RuntimeSource::Host,
        };
        let written = serde_json::to_string(&[&php]).unwrap();
        let read = release(&written).unwrap();
        assert_eq!(read.versions()["php"], "8.3.6");
        assert_eq!(read.runtimes, [php]);
        assert!(release(r#"{"node": "20.11.1"}"#).is_err());
    }
}
