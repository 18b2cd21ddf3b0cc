//! When two releases are the same, so that what is live already is not deployed again.

use std::collections::BTreeMap;

use crate::model::{Digest, Secret, ServiceSpec};

/// The digest over everything that makes a release what it is on a host.
#[must_use]
pub fn identity(
    artifact: Digest,
    services: &[ServiceSpec],
    env: &BTreeMap<String, Secret>,
    runtimes: &BTreeMap<String, String>,
    shared: &[String],
) -> Digest {
    // JSON of maps and lists in a fixed order is canonical enough: both sides are this build.
    let text = serde_json::to_vec(&(artifact, services, env, runtimes, shared)).unwrap_or_default();
    Digest::of(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_secret_is_another_release() {
        let with = |value: &str| {
            let env = BTreeMap::from([("KEY".to_owned(), Secret::new(value))]);
            identity(Digest::of(b"a"), &[], &env, &BTreeMap::new(), &[])
        };
        assert_eq!(with("1"), with("1"));
        assert_ne!(with("1"), with("2"));
    }
}
