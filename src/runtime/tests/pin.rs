//! What `ship pin` writes. Pinning reads lists and lengths and opens no archive, so those of these
//! mirrors are a few bytes; `tests/local/pin.rs` pins and runs real ones.

use std::fs;
use std::path::Path;

use super::{no_env, project, told};
use crate::model::event::{Event, Sink};
use crate::model::{Failure, FailureKind};
use crate::runtime::pin::{Change, Pinned, Upgrade, Work, pin};
use crate::runtime::{Http, check};

const SUM: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// A mirror of Node: versions, with the files that the index lists.
fn node_mirror(root: &Path, versions: &[(&str, &str, &[&str])]) {
    let mut index = Vec::new();
    for (version, lts, files) in versions {
        let folder = root.join(format!("v{version}"));
        fs::create_dir_all(&folder).unwrap();
        let mut sums = String::new();
        for target in files.iter() {
            let target = target.replace("osx", "darwin").replace("-tar", "");
            let name = format!("node-v{version}-{target}.tar.gz");
            fs::write(folder.join(&name), version).unwrap();
            sums.push_str(&format!("{SUM}  {name}\n"));
        }
        fs::write(folder.join("SHASUMS256.txt"), sums).unwrap();
        index.push(serde_json::json!({
            "version": format!("v{version}"), "files": files,
            "lts": match *lts { "" => serde_json::json!(false), name => name.into() },
        }));
    }
    fs::write(
        root.join("index.json"),
        serde_json::json!(index).to_string(),
    )
    .unwrap();
}

const ALL: &[&str] = &["linux-arm64", "linux-x64", "osx-arm64-tar", "osx-x64-tar"];

/// A project that asks a mirror in its own folder for Node.
fn node(dir: &Path, version: &str) -> String {
    let at = dir.join("mirror");
    fs::create_dir_all(&at).unwrap();
    format!(
        "node = {{ version = \"{version}\", mirror = \"file://{}\" }}\n",
        at.display()
    )
}

fn pinned(dir: &Path, runtimes: &str, upgrade: &Upgrade) -> Result<Vec<Pinned>, Failure> {
    let project = project(dir, runtimes);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (caller, http) = (no_env(), Http::new());
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = std::sync::Arc::clone(&seen);
    let sink = Sink::new(move |event: &Event| kept.lock().unwrap().push(event.clone()));
    let work = Work {
        project: &project,
        upgrade,
        caller: &caller,
        cache: None,
        http: &http,
        sink: &sink,
    };
    let report = runtime.block_on(pin(&work))?;
    // What was pinned answers, and who is told of a wait is told of its end.
    check(&project)?;
    let count = |began: bool| {
        let events = seen.lock().unwrap();
        let waits = events.iter().filter(|event| match event {
            Event::Waiting { .. } => began,
            Event::Waited { .. } => !began,
            _ => false,
        });
        waits.count()
    };
    assert_eq!(count(true), count(false));
    Ok(report.runtimes)
}

fn lock(dir: &Path) -> String {
    fs::read_to_string(dir.join("ship.lock")).unwrap()
}

fn changes(report: &[Pinned]) -> Vec<(&str, &str, Change)> {
    let report = report.iter();
    report
        .map(|pinned| {
            (
                pinned.runtime.as_str(),
                pinned.version.as_str(),
                pinned.change,
            )
        })
        .collect()
}

#[test]
fn pinning_twice_gives_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let runtimes = node(dir, "20");
    node_mirror(
        &dir.join("mirror"),
        &[
            ("20.11.1", "Iron", ALL),
            ("20.11.0", "Iron", ALL),
            ("22.14.0", "Jod", ALL),
        ],
    );
    let report = pinned(dir, &runtimes, &Upgrade::Nothing).unwrap();
    assert_eq!(changes(&report), [("node", "20.11.1", Change::Pinned)]);
    let first = lock(dir);
    insta::assert_snapshot!(first);
    let report = pinned(dir, &runtimes, &Upgrade::Nothing).unwrap();
    assert_eq!(changes(&report), [("node", "20.11.1", Change::Kept)]);
    assert_eq!(lock(dir), first);
    fs::remove_file(dir.join("ship.lock")).unwrap();
    pinned(dir, &runtimes, &Upgrade::Everything).unwrap();
    assert_eq!(lock(dir), first);
}

#[test]
fn what_still_answers_stays_until_it_is_moved_on() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mirror = dir.join("mirror");
    let old = [("20.11.1", "Iron", ALL)];
    let new = [
        ("20.12.0", "Iron", ALL),
        ("20.11.1", "Iron", ALL),
        ("22.14.0", "Jod", ALL),
    ];
    let twenty = node(dir, "20");
    node_mirror(&mirror, &old);
    pinned(dir, &twenty, &Upgrade::Nothing).unwrap();
    node_mirror(&mirror, &new);
    let kept = pinned(dir, &twenty, &Upgrade::Nothing).unwrap();
    assert_eq!(changes(&kept), [("node", "20.11.1", Change::Kept)]);
    // Another way to ask that the same version answers needs no publisher.
    fs::rename(&mirror, dir.join("gone")).unwrap();
    let range = node(dir, "^20.1");
    let kept = pinned(dir, &range, &Upgrade::Nothing).unwrap();
    assert_eq!(changes(&kept), [("node", "20.11.1", Change::Kept)]);
    assert!(lock(dir).contains("request = \"^20.1\""));
    fs::remove_dir(&mirror).unwrap();
    fs::rename(dir.join("gone"), &mirror).unwrap();
    let moved = pinned(dir, &range, &Upgrade::Only(vec!["node".to_owned()])).unwrap();
    assert_eq!(changes(&moved), [("node", "20.12.0", Change::Moved)]);
    assert_eq!(moved[0].from.as_deref(), Some("20.11.1"));
    let lts = pinned(dir, &node(dir, "lts"), &Upgrade::Nothing).unwrap();
    assert_eq!(changes(&lts), [("node", "22.14.0", Change::Moved)]);
    let iron = pinned(dir, &node(dir, "lts/iron"), &Upgrade::Nothing).unwrap();
    assert_eq!(changes(&iron), [("node", "20.12.0", Change::Moved)]);
    let none = pinned(dir, "", &Upgrade::Nothing).unwrap();
    assert_eq!(changes(&none), [("node", "20.12.0", Change::Dropped)]);
    assert_eq!(lock(dir).lines().count(), 2);
}

#[test]
fn a_platform_without_a_build_is_left_out_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let runtimes = node(dir, "20");
    let mirror = dir.join("mirror");
    // Only a build for Macs yet, of the newest.
    node_mirror(
        &mirror,
        &[
            ("20.13.0", "Iron", &["osx-arm64-tar"]),
            ("20.12.0", "Iron", ALL),
        ],
    );
    // An archive that is listed and not there, and one without a checksum.
    fs::remove_file(mirror.join("v20.12.0/node-v20.12.0-darwin-x64.tar.gz")).unwrap();
    let sums = fs::read_to_string(mirror.join("v20.12.0/SHASUMS256.txt")).unwrap();
    let sums = sums.replace("node-v20.12.0-linux-arm64", "node-v20.12.0-linux-armv7l");
    fs::write(mirror.join("v20.12.0/SHASUMS256.txt"), sums).unwrap();
    let report = pinned(dir, &runtimes, &Upgrade::Nothing).unwrap();
    assert_eq!(changes(&report), [("node", "20.12.0", Change::Pinned)]);
    let mut said = String::new();
    for (platform, why) in &report[0].missing {
        said.push_str(&format!("{platform}: {why}\n"));
    }
    insta::assert_snapshot!(said.replace(&dir.display().to_string(), "DIR"));
    assert!(lock(dir).contains("x86_64-linux") && !lock(dir).contains("x86_64-macos"));
}

/// A list that somebody wrote for a mirror of their own: the checksums say which builds there are.
#[test]
fn a_list_of_versions_alone_is_enough() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mirror = dir.join("mirror");
    for index in [
        r#"[{"version": "v20.11.1"}]"#,
        r#"[{"version": "v20.11.1", "files": [], "lts": null}]"#,
        r#"[{"version": "v20.11.1", "lts": "Iron"}]"#,
    ] {
        let runtimes = node(dir, "20");
        node_mirror(&mirror, &[("20.11.1", "", &["linux-x64"])]);
        fs::write(mirror.join("index.json"), index).unwrap();
        let report = pinned(dir, &runtimes, &Upgrade::Everything).unwrap();
        assert_eq!(report[0].version, "20.11.1", "{index}");
        assert_eq!(report[0].missing.len(), 3, "{index}");
        assert!(lock(dir).contains("[runtimes.node.x86_64-linux]"));
    }
}

/// Lengths that no archive can have are not written into a lock that nobody could read then.
#[test]
fn an_empty_archive_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let runtimes = node(dir, "20");
    let mirror = dir.join("mirror");
    node_mirror(&mirror, &[("20.11.1", "Iron", &["linux-x64"])]);
    fs::write(mirror.join("v20.11.1/node-v20.11.1-linux-x64.tar.gz"), "").unwrap();
    let failure = pinned(dir, &runtimes, &Upgrade::Nothing).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Refused);
    assert!(failure.message().ends_with(" is empty"), "{failure}");
    assert!(!dir.join("ship.lock").exists());
}

#[test]
fn what_cannot_be_pinned_is_said_and_nothing_is_written() {
    let mut all = String::new();
    let mut say = |what: &str, dir: &Path, runtimes: &str, kind: FailureKind| {
        let failure = pinned(dir, runtimes, &Upgrade::Nothing).expect_err(what);
        assert_eq!(failure.kind, kind, "{what}: {failure}");
        assert!(!dir.join("ship.lock").exists(), "{what}");
        all.push_str(&format!("## {what}\n{}\n", told(&failure, dir)));
    };
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mirror = dir.join("mirror");
    let twenty = node(dir, "20");
    say("no mirror there", dir, &twenty, FailureKind::Refused);
    fs::write(mirror.join("index.json"), "<!doctype html><p>Please log in").unwrap();
    say("a page for people", dir, &twenty, FailureKind::Refused);
    fs::write(mirror.join("index.json"), "{\"versions\": []}").unwrap();
    say("another list", dir, &twenty, FailureKind::Refused);
    fs::write(mirror.join("index.json"), "[]").unwrap();
    say("an empty list", dir, &twenty, FailureKind::Project);
    let versions: &[(&str, &str, &[&str])] = &[
        ("0.8.0", "", &["src"]),
        ("18.20.8", "Hydrogen", ALL),
        ("20.11.1", "Iron", ALL),
        ("21.0.0", "", ALL),
    ];
    node_mirror(&mirror, versions);
    say(
        "nothing answers",
        dir,
        &node(dir, ">=20.12 <21"),
        FailureKind::Project,
    );
    say(
        "no build at all",
        dir,
        &node(dir, "0.8"),
        FailureKind::Project,
    );
    fs::write(dir.join(".nvmrc"), "18\n").unwrap();
    say(
        "a version file disagrees",
        dir,
        &twenty,
        FailureKind::Project,
    );
    fs::remove_file(dir.join(".nvmrc")).unwrap();
    fs::write(mirror.join("v20.11.1/SHASUMS256.txt"), "corrupted\n").unwrap();
    say("no checksums", dir, &twenty, FailureKind::Refused);
    insta::assert_snapshot!(all);
}

#[test]
fn only_what_is_asked_for_can_move_on() {
    let dir = tempfile::tempdir().unwrap();
    let upgrade = Upgrade::Only(vec!["nodejs".to_owned()]);
    let failure = pinned(dir.path(), &node(dir.path(), "20"), &upgrade).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Usage);
    assert_eq!(
        failure.message(),
        "[runtimes] does not ask for a nodejs that ship provides"
    );
    assert_eq!(failure.hint.as_deref(), Some("it asks for node"));
}
