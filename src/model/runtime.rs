//! Runtimes as every folder speaks of them: for which platform, from which archive, and what a
//! release remembers of them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A machine and its system, for which there are builds of runtimes: `x86_64-linux`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Platform {
    /// 64-bit ARM, Linux with glibc.
    Aarch64Linux,
    /// Apple silicon.
    Aarch64Macos,
    /// 64-bit x86, Linux with glibc.
    X86_64Linux,
    /// Intel Macs.
    X86_64Macos,
}

impl Platform {
    /// All of them, in the order of their names.
    pub const ALL: [Self; 4] = [
        Self::Aarch64Linux,
        Self::Aarch64Macos,
        Self::X86_64Linux,
        Self::X86_64Macos,
    ];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aarch64Linux => "aarch64-linux",
            Self::Aarch64Macos => "aarch64-macos",
            Self::X86_64Linux => "x86_64-linux",
            Self::X86_64Macos => "x86_64-macos",
        }
    }

    /// Whether its system is Linux.
    #[must_use]
    pub fn is_linux(self) -> bool {
        matches!(self, Self::Aarch64Linux | Self::X86_64Linux)
    }

    /// The platform of this program, when it is one of these.
    #[must_use]
    pub fn here() -> Option<Self> {
        format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
            .parse()
            .ok()
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Platform {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|platform| platform.as_str() == text)
            .ok_or_else(|| format!("`{text}` is no platform that runtimes are built for"))
    }
}

impl Serialize for Platform {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Platform {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// The SHA-256 of an archive (FIPS 180-4), as publishers give it: 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// From what a hasher gave.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The first 12 digits: enough for a folder's name.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({self})")
    }
}

impl FromStr for Sha256 {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is no SHA-256: 64 hexadecimal digits");
        if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(bad());
        }
        let mut bytes = [0; 32];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| bad())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| bad())?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Sha256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// What an archive is packed with; decides how it is unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArchiveFormat {
    /// `.tar.gz`
    TarGz,
    /// `.zip`
    Zip,
    /// None: it is one file, [`PROGRAM`] where it is unpacked.
    Program,
}

/// What the only file of an archive is called that is one file.
pub const PROGRAM: &str = "program";

/// A runtime of a release on one host, whole: what the host checks, unpacks and runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostRuntime {
    /// `node`.
    pub name: String,
    /// Exact: `20.11.1`.
    pub version: String,
    /// Where it comes from.
    pub source: RuntimeSource,
}

/// Who brings a runtime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuntimeSource {
    /// `source = "host"`: it is there, and is what is named here and on the build machine.
    Host,
    /// ship does, from an archive.
    Archive(RuntimeArchive),
}

/// An archive of a runtime, for one platform, and what is to be known to run what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeArchive {
    /// Of the archive.
    pub sha256: Sha256,
    /// Of the archive, bytes.
    pub size: u64,
    /// How it is packed.
    pub format: ArchiveFormat,
    /// How many leading components of each path in it are dropped.
    pub strip: u32,
    /// Folders for `PATH`, below the unpacked archive; `""` is its root.
    pub bin: Vec<String>,
    /// Variables that name a folder below the unpacked archive: `JAVA_HOME` → `""`.
    pub env: BTreeMap<String, String>,
    /// Variables that keep it from running another version of itself: `GOTOOLCHAIN` → `local`.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// Scripts that start what is in the archive: paths below it, and their texts.
    #[serde(default)]
    pub launchers: BTreeMap<String, String>,
    /// What the host must have for it.
    pub needs: RuntimeNeeds,
}

impl HostRuntime {
    /// What its folder is called: `node-20.11.1-0123456789ab`. `None` when the host brings it.
    #[must_use]
    pub fn folder(&self) -> Option<String> {
        match &self.source {
            RuntimeSource::Host => None,
            RuntimeSource::Archive(archive) => Some(format!(
                "{}-{}-{}",
                self.name,
                self.version,
                archive.sha256.short()
            )),
        }
    }
}

/// What a build of a runtime needs from the host that it runs on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RuntimeNeeds {
    /// The oldest glibc that it runs on: `(2, 28)`.
    pub glibc: Option<(u32, u32)>,
    /// Shared libraries beyond glibc, each with the Debian package that has it:
    /// `libstdc++.so.6` → `libstdc++6`.
    pub libraries: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for platform in Platform::ALL {
            assert_eq!(platform.as_str().parse(), Ok(platform));
        }
        assert!("sparc-linux".parse::<Platform>().is_err());
        let sum = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        assert_eq!(sum.parse::<Sha256>().unwrap().to_string(), sum);
        for bad in [
            "",
            "9f",
            &format!("{}é", &sum[..62]),
            &sum.replace('9', "+"),
        ] {
            assert!(bad.parse::<Sha256>().is_err(), "{bad:?} was taken");
        }
    }
}
