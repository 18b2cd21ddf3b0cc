//! The binaries that are sent to hosts: this program itself, or one built for another machine.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::digests;
use crate::model::{Digest, Failure, FailureKind};

/// A binary for a host, named by its digest.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Of the binary, uncompressed.
    pub digest: Digest,
    path: PathBuf,
    /// Where its digest is remembered.
    remembered: Option<PathBuf>,
}

/// `x86_64-linux`: machine and system as `uname(1)` says them, lower-case.
#[must_use]
pub fn platform(system: &str, machine: &str) -> String {
    let machine = match machine {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        other => other,
    };
    format!("{machine}-{}", system.to_lowercase())
}

/// The platform of this program.
#[must_use]
pub fn own_platform() -> String {
    platform(std::env::consts::OS, std::env::consts::ARCH)
}

/// The agent for hosts of `platform`. Its digest is remembered in the folder `cache`.
///
/// # Errors
/// When this program is built for another platform and the agents folder has none for it; the
/// message names the target and the folder.
pub fn for_platform(platform: &str, cache: Option<&Path>) -> Result<Agent, Failure> {
    if platform == own_platform() {
        static OWN: OnceLock<Agent> = OnceLock::new();
        if let Some(agent) = OWN.get() {
            return Ok(agent.clone());
        }
        let agent = Agent::read(&std::env::current_exe()?, cache)?;
        return Ok(OWN.get_or_init(|| agent).clone());
    }
    let folder = folder();
    let path = folder.join(format!("ship-{platform}"));
    if !path.is_file() {
        return Err(Failure::new(
            FailureKind::Unreachable,
            format!("the host is {platform}, and there is no agent for it"),
        )
        .detail(format!("looked for {}", path.display()))
        .hint(format!(
            "build ship for {} and put it there (the folder is $SHIP_AGENT_DIR)",
            triple(platform)
        )));
    }
    Agent::read(&path, cache)
}

fn triple(platform: &str) -> String {
    match platform.split_once('-') {
        Some((machine, "linux")) => format!("{machine}-unknown-linux-gnu"),
        _ => platform.to_owned(),
    }
}

/// Where agents for other platforms lie: `$SHIP_AGENT_DIR`, else `ship/agents` in the data
/// directory.
fn folder() -> PathBuf {
    std::env::var_os("SHIP_AGENT_DIR")
        .map(PathBuf::from)
        .unwrap_or_else(|| crate::agent::host::data_dir().join("ship/agents"))
}

impl Agent {
    fn read(path: &Path, cache: Option<&Path>) -> Result<Self, Failure> {
        let remembered = cache.map(|cache| digests::entry(cache, path));
        let digest = digests::of(path, remembered.as_deref())
            .map_err(|error| Failure::unexpected(format!("{}: {error}", path.display())))?;
        Ok(Self {
            digest,
            path: path.to_owned(),
            remembered,
        })
    }

    /// The binary under gzip (what every host can unpack), compressed once per run; quickly, as a
    /// connection waits for it.
    ///
    /// # Errors
    /// When the binary cannot be read, or is no longer the one that `digest` names: a host must
    /// never have it under that name.
    pub fn compressed(&self) -> Result<Arc<Vec<u8>>, Failure> {
        static LAST: std::sync::Mutex<Option<(Digest, Arc<Vec<u8>>)>> = std::sync::Mutex::new(None);
        let mut last = LAST
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((digest, bytes)) = last.as_ref()
            && *digest == self.digest
        {
            return Ok(Arc::clone(bytes));
        }
        let binary = fs::read(&self.path)?;
        if Digest::of(&binary) != self.digest {
            if let Some(entry) = &self.remembered {
                let _ = fs::remove_file(entry);
            }
            let what = format!("{} was replaced just now", self.path.display());
            return Err(Failure::unexpected(what).hint("try again"));
        }
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(3));
        encoder.write_all(&binary)?;
        let bytes = Arc::new(encoder.finish()?);
        *last = Some((self.digest, Arc::clone(&bytes)));
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uname_and_rust_say_the_same_platform() {
        assert_eq!(platform("Linux", "x86_64"), "x86_64-linux");
        assert_eq!(platform("Linux", "arm64"), "aarch64-linux");
        assert_eq!(platform("Darwin", "arm64"), "aarch64-darwin");
    }

    #[test]
    fn a_binary_is_never_sent_under_the_name_of_another() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "old").unwrap();
        let agent = Agent::read(file.path(), None).unwrap();
        fs::write(file.path(), "new").unwrap();
        let failure = agent.compressed().unwrap_err();
        assert!(failure.message().contains("was replaced"), "{failure:?}");
    }
}
