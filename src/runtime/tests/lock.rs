//! Reading, writing and answering.

use proptest::prelude::*;

use super::{no_env, project, told};
use crate::model::FailureKind;
use crate::model::runtime::{Platform, RuntimeSource};
use crate::model::version::Version;
use crate::project::render_all;
use crate::runtime::lock::{Archive, Lock, Pin};
use crate::runtime::source::{SOURCES, Source, source};
use crate::runtime::{archived, check, is_unpinned, locked};

const SUM: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// An address that the source takes for its own.
fn url(source: &Source, version: &str, platform: Platform) -> String {
    let (at, _) = source.places.last().unwrap();
    let marks = (source.marks)(&Version::parse(version).unwrap(), platform);
    format!("{at}{}", marks.join("x"))
}

fn pin(name: &str, request: &str, version: &str, platforms: &[Platform]) -> Pin {
    let source = source(name).unwrap();
    let archive = |platform: &Platform| Archive {
        url: url(source, version, *platform),
        sha256: SUM.parse().unwrap(),
        size: 41_000_000,
    };
    Pin {
        request: request.to_owned(),
        version: version.to_owned(),
        platforms: platforms.iter().map(|p| (*p, archive(p))).collect(),
        packages: source
            .packages
            .map(|_| format!("{name}=={version} --hash=sha256:{SUM}"))
            .into_iter()
            .collect(),
    }
}

fn lock(pins: &[(&str, &str, &str)]) -> Lock {
    let pins = pins.iter();
    Lock {
        runtimes: pins
            .map(|(name, request, version)| {
                let pin = pin(name, request, version, &Platform::ALL);
                ((*name).to_owned(), pin)
            })
            .collect(),
    }
}

#[test]
fn the_file_is_plain_and_sorted() {
    let lock = Lock {
        runtimes: [
            ("python", "~=3.12", "3.12.3"),
            ("node", "20 || \"22\"", "20.11.1"),
        ]
        .map(|(name, request, version)| {
            let platforms = [Platform::X86_64Linux, Platform::Aarch64Linux];
            (name.to_owned(), pin(name, request, version, &platforms))
        })
        .into(),
    };
    insta::assert_snapshot!(lock.to_text());
}

#[test]
fn a_lock_is_read_as_it_was_written() {
    let lock = lock(&[
        ("bun", "1", "1.1.38"),
        ("composer", "2", "2.8.4"),
        ("deno", "^2", "2.1.4"),
        ("go", "1.22", "1.22.1"),
        ("java", "lts", "21.0.2+13"),
        ("node", "lts/iron", "20.11.1"),
        ("npm", "10", "10.9.2"),
        ("pdm", "2", "2.22.1"),
        ("pipenv", "2024", "2024.4.1"),
        ("pnpm", "9.15.0", "9.15.0"),
        ("poetry", ">=1.3,<2", "1.8.5"),
        ("python", ">=3.12,<3.13", "3.12.3"),
        ("uv", "~=0.9.1", "0.9.9"),
        ("yarn", "4", "4.5.3"),
    ]);
    assert_eq!(lock.runtimes.len(), SOURCES.len());
    assert_eq!(Lock::parse(&lock.to_text()).unwrap(), lock);
    assert_eq!(
        Lock::parse(&Lock::default().to_text()).unwrap(),
        Lock::default()
    );
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(Lock::read(dir.path()).unwrap(), None);
    lock.write(dir.path()).unwrap();
    assert_eq!(Lock::read(dir.path()).unwrap(), Some(lock.clone()));
    let path = dir.path().join("ship.lock");
    let before = std::fs::metadata(&path).unwrap().modified().unwrap();
    lock.write(dir.path()).unwrap();
    assert_eq!(
        std::fs::metadata(&path).unwrap().modified().unwrap(),
        before
    );
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_lock_that_was_edited_is_refused_with_the_place() {
    let good = lock(&[("node", "20", "20.11.1")]).to_text();
    let mut all = String::new();
    for (what, from, to) in [
        (
            "another version",
            "version = \"20.11.1\"",
            "version = \"20.12.0\"",
        ),
        (
            "a version that was not asked for",
            "request = \"20\"",
            "request = \"18\"",
        ),
        ("a prefix", "version = \"20.11.1\"", "version = \"20.x\""),
        (
            "another platform's archive",
            "node-v20.11.1-linux-x64",
            "node-v20.11.1-linux-arm64",
        ),
        (
            "another publisher",
            "https://nodejs.org/dist/",
            "https://example.com/",
        ),
        ("a short checksum", "9f86d081884c7d65", "9f86"),
        ("a missing checksum", "sha256 = ", "sha = "),
        ("a size in quotes", "size = 41000000", "size = \"41000000\""),
        ("no size at all", "size = 41000000", "size = 0"),
        (
            "a platform that does not exist",
            "node.x86_64-linux]",
            "node.sparc-solaris]",
        ),
        (
            "a runtime that does not exist",
            "runtimes.node",
            "runtimes.nodejs",
        ),
        ("a lock of the future", "version = 1\n", "version = 2\n"),
        ("no version of the file", "version = 1\n", ""),
        ("no TOML", "version = 1\n", "version = \n"),
        (
            "a merge conflict",
            "version = 1\n",
            "<<<<<<< ours\nversion = 1\n=======\nversion = 1\n>>>>>>> theirs\n",
        ),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{what}");
        let problems = Lock::parse(&bad).expect_err(what);
        // The last of them is enough to see: the first places of the file are the same.
        let text = render_all(&problems[..1], false);
        all.push_str(&format!("## {what}: {} in all\n{text}\n", problems.len()));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn what_is_locked_is_told_for_a_platform() {
    let dir = tempfile::tempdir().unwrap();
    let project = project(
        dir.path(),
        "node = \"20\"\njava = \"21\"\nphp = { version = \"8.3\", source = \"host\" }\n",
    );
    lock(&[("node", "20", "20.11.1"), ("java", "21", "21.0.2+13")])
        .write(dir.path())
        .unwrap();
    let runtimes = locked(&project, Platform::X86_64Linux).unwrap();
    let names: Vec<String> = runtimes
        .iter()
        .map(|r| format!("{} {}", r.name, r.version))
        .collect();
    assert_eq!(names, ["java 21.0.2+13", "node 20.11.1", "php 8.3"]);
    assert_eq!(runtimes[2].source, RuntimeSource::Host);
    assert_eq!(runtimes[1].folder().unwrap(), "node-20.11.1-9f86d081884c");
    let RuntimeSource::Archive(java) = &runtimes[0].source else {
        panic!("ship brings Java");
    };
    assert_eq!(
        (java.strip, java.bin.as_slice()),
        (1, &["bin".to_owned()][..])
    );
    assert_eq!(java.env["JAVA_HOME"], "");
}

#[test]
fn a_lock_that_does_not_answer_names_the_command() {
    let dir = tempfile::tempdir().unwrap();
    let project = project(dir.path(), "node = \"20\"\ngo = \"1.22\"\n");
    let mut all = String::new();
    let mut say = |what: &str| {
        let failure = locked(&project, Platform::X86_64Linux).expect_err(what);
        assert_eq!(failure.kind, FailureKind::Project);
        all.push_str(&format!("## {what}\n{}\n", told(&failure, dir.path())));
    };
    assert!(is_unpinned(&project).unwrap());
    say("missing");
    lock(&[("node", "18", "18.20.8"), ("bun", "1", "1.1.38")])
        .write(dir.path())
        .unwrap();
    say("stale");
    let mut partly = lock(&[("node", "20", "20.11.1"), ("go", "1.22", "1.22.1")]);
    let node = partly.runtimes.get_mut("node").unwrap();
    node.platforms.remove(&Platform::X86_64Linux);
    partly.write(dir.path()).unwrap();
    say("without the platform");
    std::fs::write(dir.path().join("ship.lock"), "version = 1\nrubbish = 1\n").unwrap();
    say("damaged");
    std::fs::write(dir.path().join("ship.lock"), b"\xff").unwrap();
    say("no text");
    insta::assert_snapshot!(all);
}

#[test]
fn a_project_without_runtimes_needs_no_lock() {
    let dir = tempfile::tempdir().unwrap();
    let project = project(dir.path(), "");
    assert!(!is_unpinned(&project).unwrap());
    assert_eq!(locked(&project, Platform::X86_64Linux).unwrap(), []);
}

#[test]
fn a_mirror_is_the_manifest_s_or_the_environment_s() {
    let dir = tempfile::tempdir().unwrap();
    let platform = Platform::X86_64Linux;
    let mut env = no_env();
    let at = |project: &crate::project::Project, env: &_| {
        archived(project, "node", platform, env).map(|archived| archived.address)
    };
    let plain = project(dir.path(), "node = \"20\"\n");
    lock(&[("node", "20", "20.11.1")])
        .write(dir.path())
        .unwrap();
    let name = "v20.11.1/node-v20.11.1-linux-x64.tar.gz";
    assert!(
        at(&plain, &env)
            .unwrap()
            .starts_with("https://nodejs.org/dist/")
    );
    env.insert(
        "SHIP_NODE_MIRROR".into(),
        "http://127.0.0.1:8000/node/".into(),
    );
    assert!(
        at(&plain, &env)
            .unwrap()
            .starts_with("http://127.0.0.1:8000/node/")
    );
    let own = project(
        dir.path(),
        "node = { version = \"20\", mirror = \"file:///srv/node\" }\n",
    );
    assert!(at(&own, &env).unwrap().starts_with("file:///srv/node/"));
    assert!(at(&own, &env).unwrap().ends_with(name));
    env.insert("SHIP_NODE_MIRROR".into(), "somewhere".into());
    assert_eq!(at(&plain, &env).unwrap_err().kind, FailureKind::Usage);
    assert!(at(&own, &env).is_ok());
}

#[test]
fn a_lock_of_many_runtimes_is_up_to_date() {
    let half = lock(&[
        ("bun", "1", "1.1.38"),
        ("deno", "^2", "2.1.4"),
        ("go", "1.22", "1.22.1"),
        ("java", "lts", "21.0.2+13"),
        ("python", ">=3.12,<3.13", "3.12.3"),
    ]);
    let dir = tempfile::tempdir().unwrap();
    let asked: Vec<String> = half
        .runtimes
        .iter()
        .map(|(name, pin)| format!("{name} = \"{}\"\n", pin.request))
        .collect();
    let project = project(dir.path(), &asked.concat());
    half.write(dir.path()).unwrap();
    check(&project).unwrap();
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(noise in ".{0,80}", at in 0usize..2000, cut in 0usize..2000) {
        let good = lock(&[("node", "20", "20.11.1"), ("go", "1.22", "1.22.1")]).to_text();
        let mut text = good.clone();
        text.insert_str(at.min(text.len()), &noise);
        for text in [&text[..], &good[..cut.min(good.len())], &noise[..]] {
            if let Err(problems) = Lock::parse(text) {
                prop_assert!(!problems.is_empty());
                let _ = render_all(&problems, false);
            }
        }
    }
}
