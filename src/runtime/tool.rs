//! Package managers that are Python packages: which packages a version of one needs, and how they
//! are installed. uv does both. It is pinned like a runtime; what it resolves at `ship pin` is
//! written to the lock with the checksums of every file, and it installs nothing else.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::cache::Cache;
use super::download::Wanted;
use super::http::Http;
use super::installed::versions_here;
use super::lock::{Archive, Pin};
use super::locked::mirror;
use super::source::Source;
use crate::artifact::Sha256Hasher;
use crate::model::event::Sink;
use crate::model::runtime::{ArchiveFormat, Platform, RuntimeArchive, RuntimeNeeds, Sha256};
use crate::model::version::Version;
use crate::model::{Failure, FailureKind};
use crate::project::RuntimeRequest;

/// The oldest Python that packages are resolved for, when nothing tells which one is used.
const PYTHON: &str = "3.10";

/// Variables of the caller that uv may read: where packages come from, and how they are reached.
const PASSED: &[&str] = &[
    "HOME",
    "PATH",
    "TMPDIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NETRC",
];

/// What uv is run with.
pub(super) struct Installer<'a> {
    /// The tool.
    pub source: &'static Source,
    /// Its entry in `[runtimes]`.
    pub request: Option<&'a RuntimeRequest>,
    /// The user's runtimes.
    pub cache: &'a Cache,
    /// The caller's environment.
    pub caller: &'a BTreeMap<OsString, OsString>,
    /// Downloads uv.
    pub http: &'a Http,
    /// Where progress goes.
    pub sink: &'a Sink,
}

impl Installer<'_> {
    /// The packages of version `version`, each as a line of a requirements file with its checksums.
    /// They hold on every platform, and for Python from `python` on.
    ///
    /// # Errors
    /// What uv says: `Unreachable` when it cannot read the index, else `Project`.
    pub(super) async fn resolve(
        &self,
        pin: &Pin,
        python: Option<&str>,
    ) -> Result<Vec<String>, Failure> {
        let uv = self.uv(pin).await?;
        let (name, version) = (self.source.name, &pin.version);
        let mut wanted = format!("{name}=={version}\n");
        for package in self.source.packages.unwrap_or_default() {
            wanted.push_str(&format!("{package}\n"));
        }
        let python = self.oldest_python(python).await;
        let folder = tempfile::tempdir().map_err(|error| failed(&error.to_string()))?;
        let input = folder.path().join("requirements.in");
        std::fs::write(&input, wanted).map_err(|error| failed(&error.to_string()))?;
        let arguments = [
            "pip",
            "compile",
            "--quiet",
            "--universal",
            "--generate-hashes",
            "--no-annotate",
            "--no-header",
            "--no-build",
            "--python-version",
            &python,
        ];
        let mut command = self.command(&uv, folder.path());
        command.args(arguments).arg(&input);
        let text = self
            .run(command, &format!("resolving {name} {version}"))
            .await?;
        Ok(lines(&text))
    }

    /// The folder of launchers of the tool, installed with `python`; made when it is not there.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve); `Refused` when the cache cannot be written.
    pub(super) async fn install(&self, pin: &Pin, python: &Path) -> Result<PathBuf, Failure> {
        let name = self.source.name;
        let what = format!("{name} {}", pin.version);
        let python = std::fs::canonicalize(python).unwrap_or_else(|_| python.to_owned());
        let key = key(pin, &python);
        let folder = format!("{name}-{}-{}", pin.version, key.short());
        let interpreter = format!("{VENV}/bin/python");
        if let Some(root) = self.cache.whole(&folder, &interpreter) {
            return Ok(root);
        }
        let uv = self.uv(pin).await?;
        let (uv, python, what, interpreter) = (&uv, &python, &what, &interpreter);
        let work = |part: PathBuf| async move {
            let requirements = part.join("requirements.txt");
            std::fs::write(&requirements, pin.packages.join("\n"))
                .map_err(|error| failed(&error.to_string()))?;
            let mut command = self.command(uv, &part);
            command
                .args([
                    "venv",
                    "--quiet",
                    "--no-project",
                    "--relocatable",
                    "--python",
                ])
                .arg(python)
                .arg(VENV);
            self.run(command, &format!("preparing {what}")).await?;
            let mut command = self.command(uv, &part);
            command.args([
                "pip",
                "install",
                "--quiet",
                "--require-hashes",
                "--no-deps",
                "--no-build",
                "--link-mode",
                "copy",
                "--python",
                interpreter,
                "-r",
                "requirements.txt",
            ]);
            self.run(command, &format!("installing {what}")).await?;
            launch(&part, self.source.programs)
        };
        let made = (folder.as_str(), what.as_str(), interpreter.as_str());
        self.cache.make(made, &key, work, self.sink).await
    }

    /// The Python that packages are resolved for and later ones take: that of the project, which asks
    /// for `request`, else this machine's.
    async fn oldest_python(&self, request: Option<&str>) -> String {
        let asked = request.and_then(Version::parse);
        let version = match asked.filter(|version| version.numbers().len() > 1) {
            Some(version) => Some(version),
            None => versions_here(["python"], self.caller)
                .await
                .remove("python"),
        };
        version.map_or_else(
            || PYTHON.to_owned(),
            |version| format!("{}.{}", version.number(0), version.number(1)),
        )
    }

    /// uv, unpacked.
    async fn uv(&self, pin: &Pin) -> Result<PathBuf, Failure> {
        let platform = Platform::here();
        let archive = platform.and_then(|platform| pin.platforms.get(&platform));
        let Some(archive) = archive else {
            return Err(failed("there is no uv for this machine"));
        };
        let Archive { url, sha256, size } = archive;
        let mirror = mirror(self.source, self.request, self.caller)?;
        let wanted = Wanted {
            what: format!("uv for {}", self.source.name),
            address: self.source.address(url, mirror.as_deref()),
            sha256: *sha256,
            size: *size,
        };
        let unpacked = RuntimeArchive {
            sha256: *sha256,
            size: *size,
            format: ArchiveFormat::Zip,
            strip: 0,
            bin: Vec::new(),
            env: BTreeMap::new(),
            settings: BTreeMap::new(),
            launchers: BTreeMap::new(),
            needs: RuntimeNeeds::default(),
        };
        let folder = format!("uv-for-tools-{}", sha256.short());
        let root = match self.cache.unpacked(&folder) {
            Some(root) => root,
            None => {
                let unpacked = (folder.as_str(), &unpacked);
                self.cache
                    .unpack(self.http, &wanted, unpacked, |_| Ok(()), self.sink)
                    .await?
            }
        };
        let programs = std::fs::read_dir(&root).into_iter().flatten().flatten();
        programs
            .map(|entry| entry.path().join("scripts/uv"))
            .find(|program| program.is_file())
            .ok_or_else(|| failed("its archive of uv has no program `uv`"))
    }

    /// uv in `folder`, with nothing of the project's and only what it needs of the caller's
    /// environment.
    fn command(&self, uv: &Path, folder: &Path) -> Command {
        let is_passed = |name: &OsString| {
            let upper = name.to_string_lossy().to_ascii_uppercase();
            PASSED.contains(&upper.as_str())
                || ["UV_INDEX", "UV_EXTRA_INDEX", "UV_INSECURE"]
                    .iter()
                    .any(|start| upper.starts_with(start))
        };
        let passed = self.caller.iter().filter(|(name, _)| is_passed(name));
        let mut command = Command::new(uv);
        command
            .current_dir(folder)
            .env_clear()
            .envs(passed)
            .envs([
                ("UV_NATIVE_TLS", "true"),
                ("UV_NO_CACHE", "true"),
                ("UV_NO_PROGRESS", "true"),
            ])
            .env("UV_PYTHON_DOWNLOADS", "never")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Where packages come from: a mirror, else the index that this machine uses.
    async fn index(&self) -> Result<String, Failure> {
        match mirror(self.source, self.request, self.caller)? {
            Some(mirror) => Ok(format!("{}/simple/", mirror.trim_end_matches('/'))),
            None => self.http.python_index().await,
        }
    }

    async fn run(&self, mut command: Command, doing: &str) -> Result<String, Failure> {
        let waiting = super::cache::Wait::begin(self.sink, doing.to_owned());
        command.env("UV_DEFAULT_INDEX", self.index().await?);
        let output = command.output().await;
        let output = output.map_err(|error| failed(&format!("uv does not start: {error}")))?;
        waiting.end(None);
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        // uv has one exit code for all; a request that failed is named so.
        let kind = match said.contains("Request failed") || said.contains("Failed to fetch") {
            true => FailureKind::Unreachable,
            false => FailureKind::Project,
        };
        let lines: Vec<String> = said.lines().take(8).map(str::to_owned).collect();
        Err(Failure::new(kind, format!("{doing} failed")).details(lines))
    }
}

/// Where the packages are, below the folder of the tool.
const VENV: &str = "venv";

/// The `python3` on the `PATH` of `env`.
pub(super) fn python_in(env: &BTreeMap<OsString, OsString>) -> Option<PathBuf> {
    let path = env.get(OsStr::new("PATH"))?;
    std::env::split_paths(path)
        .map(|folder| folder.join("python3"))
        .find(|program| program.is_file())
}

/// One line for each package: uv writes the checksums on lines of their own.
fn lines(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    let lines = joined.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

/// Whether `line` is a package with its checksums, and nothing that uv would take for an option.
pub(super) fn is_package(line: &str) -> bool {
    let mut parts = line.split(" --hash=");
    let named = parts.next().unwrap_or_default();
    let (name, rest) = named.split_once("==").unwrap_or_default();
    let plain = |text: &str| {
        let known = |c: char| c.is_ascii_alphanumeric() || "._-+!".contains(c);
        !text.is_empty() && !text.starts_with('-') && text.chars().all(known)
    };
    let (version, marker) = rest.split_once(" ; ").unwrap_or((rest, "x"));
    let hashes: Vec<&str> = parts.collect();
    let is_hash = |hash: &&str| {
        hash.strip_prefix("sha256:")
            .is_some_and(|sum| sum.parse::<Sha256>().is_ok())
    };
    let is_marker = !marker.contains(" -")
        && marker
            .chars()
            .all(|c| (' '..='~').contains(&c) && !"#\\".contains(c));
    plain(name) && plain(version) && is_marker && !hashes.is_empty() && hashes.iter().all(is_hash)
}

/// What the installed tool depends on: its packages, the uv that installs them, and the Python.
fn key(pin: &Pin, python: &Path) -> Sha256 {
    let mut hasher = Sha256Hasher::default();
    for line in &pin.packages {
        hasher.update(line.as_bytes());
        hasher.update(b"\n");
    }
    let uv = Platform::here().and_then(|platform| pin.platforms.get(&platform));
    hasher.update(
        uv.map(|archive| archive.sha256.to_string())
            .unwrap_or_default()
            .as_bytes(),
    );
    hasher.update(python.as_os_str().as_encoded_bytes());
    hasher.finish()
}

/// Writes launchers of the tool into a folder of their own: the environment's other programs, its
/// Python among them, stay out of `PATH`.
fn launch(part: &Path, programs: &[&str]) -> Result<(), Failure> {
    let folder = part.join(super::source::LAUNCHERS);
    let written = std::fs::create_dir_all(&folder).and_then(|()| {
        programs.iter().try_for_each(|program| {
            let bin = format!("${{0%/*}}/../{VENV}/bin");
            let text = format!("#!/bin/sh\nexec \"{bin}/python\" \"{bin}/{program}\" \"$@\"\n");
            let path = folder.join(program);
            std::fs::write(&path, text)?;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))
        })
    });
    written.map_err(|error| super::trouble::cache("write", &folder, &error))
}

fn failed(why: &str) -> Failure {
    Failure::new(FailureKind::Project, why.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SUM: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    #[test]
    fn what_uv_writes_becomes_a_line_for_each_package() {
        let text = format!(
            "build==1.2 \\\n    --hash=sha256:{SUM} \\\n    --hash=sha256:{SUM}\n\
             zipp==3.1 ; python_full_version < '3.12' \\\n    --hash=sha256:{SUM}\n"
        );
        let lines = lines(&text);
        assert_eq!(
            lines,
            [
                format!("build==1.2 --hash=sha256:{SUM} --hash=sha256:{SUM}"),
                format!("zipp==3.1 ; python_full_version < '3.12' --hash=sha256:{SUM}"),
            ]
        );
        assert!(lines.iter().all(|line| is_package(line)));
    }

    #[test]
    fn what_is_no_package_with_a_checksum_is_refused() {
        for line in [
            "",
            "build==1.2",
            "build>=1.2 --hash=sha256:x",
            &format!("--index-url==x --hash=sha256:{SUM}"),
            &format!("build @ file:///x --hash=sha256:{SUM}"),
            &format!("build==1.2 --hash=md5:{SUM}"),
            &format!("build==1.2\n-r x --hash=sha256:{SUM}"),
            &format!("build==1.2 ; x --no-deps --hash=sha256:{SUM}"),
        ] {
            assert!(!is_package(line), "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_line_breaks_the_reader(line in ".{0,80}") {
            let _ = is_package(&line);
        }
    }
}
