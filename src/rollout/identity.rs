//! When two releases are the same, so that what is live already is not deployed again.

use std::collections::BTreeMap;

use crate::model::runtime::RuntimeSource;
use crate::model::{Digest, HostRuntime, Secret, ServiceSpec};

/// The digest over everything that makes a release what it is on a host.
#[must_use]
pub fn identity(
    artifact: Digest,
    services: &[ServiceSpec],
    env: &BTreeMap<String, Secret>,
    runtimes: &[HostRuntime],
    shared: &[String],
    secrets: &[String],
) -> Digest {
    let runtimes: BTreeMap<&str, String> = runtimes
        .iter()
        .map(|runtime| (runtime.name.as_str(), exactly(runtime)))
        .collect();
    // JSON of maps and lists in a fixed order is canonical enough: both sides are this build.
    let mut text =
        serde_json::to_vec(&(artifact, services, env, runtimes, shared)).unwrap_or_default();
    // A host learns from a release what to mask: a variable that becomes a secret makes another one.
    if !secrets.is_empty() {
        text.extend(serde_json::to_vec(secrets).unwrap_or_default());
    }
    Digest::of(&text)
}

/// The version, and the archive that it comes from: builds of one version differ.
fn exactly(runtime: &HostRuntime) -> String {
    match &runtime.source {
        RuntimeSource::Host => format!("{} host", runtime.version),
        RuntimeSource::Archive(archive) => format!("{} {}", runtime.version, archive.sha256),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_runtime_is_another_release() {
        let with = |version: &str| {
            let php = HostRuntime {
                name: "php".to_owned(),
                version: version.to_owned(),
                source: RuntimeSource::Host,
            };
            identity(Digest::of(b"a"), &[], &BTreeMap::new(), &[php], &[], &[])
        };
        assert_eq!(with("8.3.6"), with("8.3.6"));
        assert_ne!(with("8.3.6"), with("8.3.7"));
        let without = identity(Digest::of(b"a"), &[], &BTreeMap::new(), &[], &[], &[]);
        assert_ne!(with("8.3.6"), without);
    }

    #[test]
    fn a_changed_secret_is_another_release() {
        let with = |value: &str, secrets: &[String]| {
            let env = BTreeMap::from([("KEY".to_owned(), Secret::new(value))]);
            identity(Digest::of(b"a"), &[], &env, &[], &[], secrets)
        };
        assert_eq!(with("1", &[]), with("1", &[]));
        assert_ne!(with("1", &[]), with("2", &[]));
        assert_ne!(with("1", &[]), with("1", &["KEY".to_owned()]));
    }
}
