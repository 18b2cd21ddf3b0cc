//! Projects, made once: `target/corpus/made/NAME-HASH` holds what a script left.

use crate::project::Project;
use crate::support::TempDir;
use std::env;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the corpus keeps what it made, and what package managers brought.
pub fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("corpus")
}

/// Variables that package managers need to work as on this machine, with caches that outlive a
/// test.
pub fn tool_environment() -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = env::vars()
        .filter(|(name, _)| {
            let name = name.to_ascii_uppercase();
            [
                "NPM_CONFIG_",
                "PIP_",
                "UV_",
                "YARN_",
                "COMPOSER_",
                "BUNDLE_",
                "GO",
                "MAVEN_",
            ]
            .iter()
            .any(|start| name.starts_with(start))
                || [
                    "_PROXY",
                    "_CERT",
                    "_CERTS",
                    "_CERT_FILE",
                    "_CERT_DIR",
                    "_CA_BUNDLE",
                ]
                .iter()
                .any(|end| name.ends_with(end))
        })
        .collect();
    let home = env::var("HOME").unwrap_or_default();
    let cache = cache();
    let mut set = |name: &str, value: String| found.push((name.to_owned(), value));
    for (name, folder) in [
        ("npm_config_cache", "npm"),
        ("PIP_CACHE_DIR", "pip"),
        ("UV_CACHE_DIR", "uv"),
        ("YARN_CACHE_FOLDER", "yarn"),
        ("COMPOSER_CACHE_DIR", "composer"),
        ("DENO_DIR", "deno"),
        ("BUN_INSTALL_CACHE_DIR", "bun"),
        ("GOMODCACHE", "go-modules"),
        ("GOCACHE", "go-build"),
    ] {
        set(name, cache.join(folder).display().to_string());
    }
    for (name, file) in [
        ("npm_config_userconfig", ".npmrc"),
        ("CARGO_HOME", ".cargo"),
        ("RUSTUP_HOME", ".rustup"),
        ("PYENV_ROOT", ".pyenv"),
    ] {
        let path = env::var(name).unwrap_or_else(|_| format!("{home}/{file}"));
        if Path::new(&path).exists() {
            set(name, path);
        }
    }
    for (name, value) in [
        ("npm_config_fund", "false"),
        ("npm_config_audit", "false"),
        ("npm_config_update_notifier", "false"),
        ("npm_config_yes", "true"),
        ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
        ("NEXT_TELEMETRY_DISABLED", "1"),
        ("ASTRO_TELEMETRY_DISABLED", "1"),
        ("NUXT_TELEMETRY_DISABLED", "1"),
        ("CI", ""),
        // Deno would not trust what this machine trusts.
        ("DENO_TLS_CA_STORE", "system"),
    ] {
        set(name, value.to_owned());
    }
    found
}

/// The folder of a project as its generator left it; why it cannot be had.
pub fn made(project: &Project) -> Result<PathBuf, String> {
    let missing: Vec<&str> = project
        .needs
        .iter()
        .copied()
        .filter(|tool| !on_path(tool))
        .collect();
    if !missing.is_empty() {
        return Err(format!("not installed: {}", missing.join(", ")));
    }
    let files = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus/files")
        .join(project.files);
    if project.make.is_empty() {
        return Ok(files);
    }
    let mut hasher = DefaultHasher::new();
    (project.make, project.files).hash(&mut hasher);
    let folder = cache().join("made");
    fs::create_dir_all(&folder).expect("create target/corpus");
    let place = folder.join(format!("{}-{:016x}", project.name, hasher.finish()));
    // One test makes it, the others wait.
    let lock = File::create(place.with_extension("lock")).expect("a lock file");
    lock.lock().expect("the lock");
    if place.is_dir() && project.files.is_empty() {
        return Ok(place);
    }
    let _ = fs::remove_dir_all(&place);
    let work = TempDir::new();
    let (here, home) = (work.path().join("project"), work.path().join("home"));
    for folder in [&here, &home] {
        fs::create_dir_all(folder).expect("create a folder");
    }
    if !project.files.is_empty() {
        copy(&files, &here);
    }
    let output = Command::new("sh")
        .args(["-euc", project.make])
        .current_dir(&here)
        .env("HOME", &home)
        .envs(tool_environment())
        .stdin(std::process::Stdio::null())
        .output()
        .expect("start sh");
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        let last: Vec<&str> = said.lines().rev().take(4).collect();
        let last: Vec<&str> = last.into_iter().rev().collect();
        return Err(format!("its generator failed: {}", last.join("; ")));
    }
    let part = place.with_extension("part");
    let _ = fs::remove_dir_all(&part);
    copy(&here, &part);
    fs::rename(&part, &place).expect("name the project");
    Ok(place)
}

/// Copies a tree with its links and modes.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("create a folder");
    let from = from.join(".");
    crate::support::run_tool("cp", &["-a".as_ref(), from.as_os_str(), to.as_os_str()]);
}

fn on_path(tool: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(tool).is_file())
}
