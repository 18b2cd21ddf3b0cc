//! The runtimes of a release, as each of its hosts gets them: those of the lock for the host's
//! platform, and those that the host brings, in the version that this machine has.

use std::collections::BTreeMap;

use super::context::Context;
use crate::model::runtime::{Platform, RuntimeSource};
use crate::model::{Failure, HostRuntime, Release};
use crate::runtime;

/// The runtimes of a release by platform, as hosts call theirs (`x86_64-linux`).
#[derive(Debug, Clone, Default)]
pub struct Runtimes(BTreeMap<String, (Platform, Vec<HostRuntime>)>);

impl Runtimes {
    /// What `[runtimes]` asks for, answered for each of `platforms`.
    ///
    /// # Errors
    /// `Project` when the lock is missing or stale or has no build for a platform, or this machine
    /// has not what the hosts shall bring; `Refused` for a platform that nothing is built for.
    pub async fn locked<'a>(
        context: &Context,
        platforms: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, Failure> {
        let mut found = Self::default();
        if context.project.runtimes.is_empty() {
            return Ok(found);
        }
        for name in platforms {
            if found.0.contains_key(name) {
                continue;
            }
            let platform = platform(name)?;
            let runtimes = runtime::locked(&context.project, platform)?;
            let mut runtimes = runtime::for_hosts(&context.project, runtimes);
            for runtime in &mut runtimes {
                if runtime.source == RuntimeSource::Host {
                    runtime.version = runtime::installed(runtime, &context.caller).await?;
                }
            }
            found.0.insert(name.to_owned(), (platform, runtimes));
        }
        Ok(found)
    }

    /// Those of `release` as a host of the platform `theirs` has it, for each of `platforms`. For
    /// another platform than theirs the lock must have the same versions.
    ///
    /// # Errors
    /// Refused, when it has not; as [`Self::locked`].
    pub fn of_release(
        context: &Context,
        release: &Release,
        theirs: &str,
        platforms: &[&str],
    ) -> Result<Self, Failure> {
        let mut found = Self::default();
        if release.runtimes.is_empty() {
            return Ok(found);
        }
        for name in platforms {
            let platform = platform(name)?;
            let runtimes = match *name == theirs {
                true => release.runtimes.clone(),
                false => elsewhere(runtime::locked(&context.project, platform)?, release, name)?,
            };
            found.0.insert((*name).to_owned(), (platform, runtimes));
        }
        Ok(found)
    }

    /// Those of a host with this platform.
    #[must_use]
    pub fn of(&self, platform: &str) -> &[HostRuntime] {
        self.0
            .get(platform)
            .map_or(&[], |(_, runtimes)| runtimes.as_slice())
    }

    /// What that platform is called in a lock.
    #[must_use]
    pub fn platform(&self, platform: &str) -> Option<Platform> {
        self.0.get(platform).map(|(platform, _)| *platform)
    }
}

/// The runtimes of `release` on the platform `name`, of which the lock has `locked`.
fn elsewhere(
    locked: Vec<HostRuntime>,
    release: &Release,
    name: &str,
) -> Result<Vec<HostRuntime>, Failure> {
    let of_release = |theirs: &HostRuntime| {
        if theirs.source == RuntimeSource::Host {
            return Ok(theirs.clone());
        }
        let mut locked = locked.iter();
        let same = locked
            .find(|ours| (&ours.name, &ours.version) == (&theirs.name, &theirs.version))
            .cloned();
        same.ok_or_else(|| {
            Failure::refused(format!(
                "{} runs on {} {}, but ship.lock has no build of that version for {name}",
                release.id, theirs.name, theirs.version
            ))
            .hint("check out the project as it was at that deploy, or make a new deploy")
        })
    };
    release.runtimes.iter().map(of_release).collect()
}

/// The platform of a host, by what uname(2) says there.
fn platform(name: &str) -> Result<Platform, Failure> {
    let known = name
        .replace("arm64-", "aarch64-")
        .replace("-darwin", "-macos");
    known.parse().map_err(|_| {
        Failure::refused(format!("there are no builds of runtimes for {name}"))
            .hint("`source = \"host\"` under [runtimes] takes what is installed on the hosts")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_known_by_what_hosts_call_them() {
        assert_eq!(platform("x86_64-linux"), Ok(Platform::X86_64Linux));
        assert_eq!(platform("aarch64-linux"), Ok(Platform::Aarch64Linux));
        assert_eq!(platform("arm64-darwin"), Ok(Platform::Aarch64Macos));
        let failure = platform("riscv64-linux").unwrap_err();
        assert!(
            failure.message().ends_with("for riscv64-linux"),
            "{failure}"
        );
    }
}
