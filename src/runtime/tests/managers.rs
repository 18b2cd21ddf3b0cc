//! A package manager from a mirror: pinned, unpacked, started.

use std::fs;
use std::path::Path;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::watch;

use super::{project, told};
use crate::artifact::start::write_program;
use crate::model::Failure;
use crate::model::event::Sink;
use crate::project::Project;
use crate::runtime::pin::{Upgrade, Work, pin};
use crate::runtime::sha512::Sha512;
use crate::runtime::{Http, Provided, Wish, for_hosts, locked, provide};

/// A mirror of pnpm 9.15.0 in `dir`, whose program is two words; the archive's checksum.
fn mirror(dir: &Path) -> Sha512 {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let text = b"pnpm's program";
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(text.len() as u64);
    tar.append_data(&mut header, "package/bin/pnpm.cjs", &text[..])
        .unwrap();
    let archive = tar.into_inner().unwrap().finish().unwrap();
    let sum = Sha512::of(&archive);
    fs::create_dir_all(dir.join("pnpm/-")).unwrap();
    fs::write(dir.join("pnpm/-/pnpm-9.15.0.tgz"), &archive).unwrap();
    listed(dir, &sum.integrity());
    sum
}

/// Writes what the registry tells of pnpm.
fn listed(dir: &Path, integrity: &str) {
    let list = serde_json::json!({
        "name": "pnpm", "versions": { "9.15.0": { "dist": { "integrity": integrity } } },
    });
    fs::write(dir.join("pnpm.json"), list.to_string()).unwrap();
}

/// A project in `dir` that asks the mirror in it for pnpm.
fn pnpm(dir: &Path) -> Project {
    let at = dir.join("mirror").display().to_string();
    let line = format!("pnpm = {{ version = \"9\", mirror = \"file://{at}\" }}\n");
    project(dir, &line)
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(work)
}

fn pinned(project: &Project) -> Result<(), Failure> {
    let (caller, http, sink) = (super::no_env(), Http::new(), Sink::new(|_| {}));
    let work = Work {
        project,
        upgrade: &Upgrade::Nothing,
        caller: &caller,
        cache: None,
        http: &http,
        sink: &sink,
    };
    run(pin(&work)).map(drop)
}

fn provided(project: &Project, cache: &Path) -> Provided {
    let (caller, sink) = (super::no_env(), Sink::new(|_| {}));
    let (_stop, cancel) = watch::channel(false);
    run(provide(&Wish {
        project,
        cache: Some(cache),
        caller: &caller,
        sink: &sink,
        cancel,
    }))
    .unwrap()
}

#[test]
fn a_manager_runs_on_the_node_that_is_there() {
    let dir = tempfile::tempdir().unwrap();
    mirror(&dir.path().join("mirror"));
    let project = pnpm(dir.path());
    pinned(&project).unwrap();
    let lock = fs::read_to_string(dir.path().join("ship.lock")).unwrap();
    assert!(lock.contains("[runtimes.pnpm.any]"), "{lock}");

    let provided = provided(&project, &dir.path().join("cache"));
    assert_eq!(
        provided.env["npm_config_manage_package_manager_versions"],
        "false"
    );
    let pnpm = provided.paths[0].join("pnpm");
    let start = |path: &Path| {
        let output = Command::new(&pnpm)
            .args(["install", "a b"])
            .env_clear()
            .env("PATH", path)
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    };
    let (empty, bin) = (dir.path().join("empty"), dir.path().join("bin"));
    fs::create_dir_all(&bin).unwrap();
    assert_eq!(
        start(&empty),
        (
            Some(127),
            "pnpm needs node: pin it under [runtimes], or install it here\n".to_owned()
        )
    );
    write_program(
        &bin.join("node"),
        "#!/bin/sh\nread -r text < \"$1\"; echo \"$text: $2, $3\"\n",
    );
    assert_eq!(
        start(&bin).1.trim_end(),
        "pnpm's program: install, a b".trim_end()
    );
}

#[test]
fn a_host_gets_a_manager_that_a_service_starts() {
    let dir = tempfile::tempdir().unwrap();
    mirror(&dir.path().join("mirror"));
    let project = pnpm(dir.path());
    pinned(&project).unwrap();
    let platform = crate::model::runtime::Platform::X86_64Linux;
    let names = |project: &Project| -> Vec<String> {
        let runtimes = for_hosts(project, locked(project, platform).unwrap());
        runtimes.into_iter().map(|runtime| runtime.name).collect()
    };
    assert!(names(&project).is_empty());
    let path = dir.path().join("ship.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"run\"", "\"cd web && pnpm start\"")).unwrap();
    let project = Project::check_text(dir.path()).project.unwrap();
    assert_eq!(names(&project), ["pnpm"]);
}

#[test]
fn an_archive_must_be_the_published_one_and_the_one_that_the_project_names() {
    let dir = tempfile::tempdir().unwrap();
    let mirror_at = dir.path().join("mirror");
    let sum = mirror(&mirror_at);
    let project = pnpm(dir.path());
    let package = |hash: &str| {
        let text = format!("{{\"packageManager\": \"pnpm@9.15.0+sha512.{hash}\"}}");
        fs::write(dir.path().join("package.json"), text).unwrap();
    };
    package(&sum.hex().replace('1', "2"));
    let other = pinned(&project).unwrap_err();
    assert_eq!(
        other.message(),
        "package.json names another archive of pnpm"
    );
    assert_eq!(
        other.details[1],
        format!("found:        sha512.{}", sum.hex())
    );
    package(&sum.hex());
    pinned(&project).unwrap();

    fs::remove_file(dir.path().join("ship.lock")).unwrap();
    listed(&mirror_at, "sha512-AAAA");
    let spoiled = pinned(&project).unwrap_err();
    assert!(
        told(&spoiled, dir.path()).contains("is not the archive that was published"),
        "{spoiled:?}"
    );
    assert!(!dir.path().join("ship.lock").exists());
}
