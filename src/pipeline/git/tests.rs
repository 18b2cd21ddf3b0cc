//! Real repositories, also those that git does not want to speak about.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::commits_since;
use super::{Change, Git, GitState, Unknown, first_commits, read, read_within};
use crate::pipeline::{Committed, Provenance, origin, state_folder};
use crate::project::{Files, Project, manifest};

fn git(folder: &Path, args: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com"])
        .args([
            "-c",
            "init.defaultBranch=main",
            "-c",
            "commit.gpgSign=false",
        ])
        .args(["-c", "protocol.file.allow=always"])
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn write(folder: &Path, files: &[&str]) {
    for name in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
}

/// A repository of one commit that holds `files`.
fn repository(folder: &Path, files: &[&str]) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    git(folder, &["init", "-q"]);
    write(folder, files);
    git(folder, &["add", "."]);
    git(folder, &["commit", "-q", "-m", "Add a\n\nat length"]);
    folder.to_owned()
}

#[test]
fn the_commits_that_a_release_lacks_are_those_since_its_own() {
    let temp = tempfile::tempdir().unwrap();
    let folder = repository(&temp.path().join("app"), &["a"]);
    let base = found(&folder).commit.unwrap();
    assert_eq!(commits_since(&folder, &base, 9), Some(Vec::new()));
    for name in ["b", "c", "d"] {
        write(&folder, &[name]);
        git(&folder, &["add", "."]);
        let date = "2026-01-02T03:04:05Z";
        git(&folder, &["commit", "-q", "--date", date, "-m", name]);
    }
    let commits = commits_since(&folder, &base, 9).unwrap();
    assert_eq!(commits.len(), 3);
    assert_eq!(Some(&commits[0].id), found(&folder).commit.as_ref());
    assert_eq!(commits[0].authored, 1_767_323_045);
    assert!(commits[0].committed > commits[0].authored);
    assert_eq!(
        commits_since(&folder, &base, 2),
        Some(commits[..2].to_vec())
    );
    for unknown in [
        "",
        "--all",
        "HEAD~1",
        "0123456789abcdef0123456789abcdef01234567",
    ] {
        assert_eq!(commits_since(&folder, unknown, 9), None, "{unknown}");
    }
}

#[track_caller]
fn found(project: &Path) -> GitState {
    match read(project) {
        Git::Found(state) => state,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn unknown(git: Git) -> Unknown {
    match git {
        Git::Unknown(unknown) => unknown,
        other => panic!("{other:?}"),
    }
}

fn names(changes: &[Change]) -> Vec<String> {
    changes.iter().map(ToString::to_string).collect()
}

/// A project of these tables in `dir`.
fn project(dir: &Path, tables: &str) -> Project {
    let text =
        format!("[app]\nname = \"shop\"\n[services.web]\ncommand = \"node app.js\"\n{tables}");
    manifest::parse(&text, "ship.toml", dir, Files::Ignored)
        .project
        .unwrap()
}

fn provenance(project: &Project, env: &[(&str, &str)]) -> Provenance {
    let env: BTreeMap<OsString, OsString> = env.iter().map(|(k, v)| (k.into(), v.into())).collect();
    origin(project, &env, true)
}

#[test]
fn git_tells_commit_author_and_whether_it_is_all() {
    let place = TempDir::new().unwrap();
    let dir = place.path().join("repo/sub");
    fs::create_dir_all(&dir).unwrap();
    assert_eq!(read(&dir), Git::None);

    git(&place.path().join("repo"), &["init", "-q"]);
    let main = Some("main".to_owned());
    let before = GitState {
        branch: main.clone(),
        ..GitState::default()
    };
    assert_eq!(found(&dir), before);
    fs::write(dir.join("a"), "a").unwrap();
    // The whole project is new.
    assert_eq!(
        names(&found(&dir).changes),
        ["the project's whole folder (new)"]
    );

    git(&dir, &["add", "."]);
    git(&dir, &["commit", "-q", "-m", "Add a\n\nat length"]);
    let state = found(&dir);
    assert_eq!(state.commit.as_ref().map(String::len), Some(40));
    assert_eq!(state.subject.as_deref(), Some("Add a"));
    assert_eq!(state.author.as_deref(), Some("Ada"));
    assert_eq!((state.branch, state.changes), (main, vec![]));
    fs::write(dir.join("a"), "b").unwrap();
    assert_eq!(names(&found(&dir).changes), ["a"]);
    git(&dir, &["checkout", "-q", "--detach", "--force"]);
    assert_eq!((found(&dir).branch, found(&dir).changes), (None, vec![]));

    assert_eq!(
        first_commits(&dir),
        state.commit.clone().into_iter().collect::<Vec<_>>()
    );
    git(&dir, &["commit", "-q", "--allow-empty", "-m", "b"]);
    assert_eq!(
        first_commits(&dir),
        state.commit.clone().into_iter().collect::<Vec<_>>()
    );
    let top = dir.parent().unwrap();
    let from = format!("file://{}", top.display());
    git(top, &["clone", "-q", "--depth", "1", &from, "../shallow"]);
    assert_eq!(first_commits(&top.with_file_name("shallow")), [""; 0]);
    git(&dir, &["reset", "-q", "--soft", "HEAD~1"]);

    let project = project(&dir, "");
    // The folder that ship keeps in the project, and the keys that it pins, are no part of a release.
    state_folder(&dir).unwrap();
    fs::write(dir.join(".ship/known_hosts"), "").unwrap();
    let Provenance { origin, committed } = provenance(&project, &[("USER", "ada")]);
    assert_eq!(committed, Committed::Yes);
    assert!(origin.who.starts_with("ada@"), "{}", origin.who);
    assert_eq!(origin.commit, state.commit);
    assert!(origin.tests_skipped);
    assert_eq!(origin.dirty, Some(false));
}

#[test]
fn only_changes_that_the_release_is_made_of_count() {
    let place = TempDir::new().unwrap();
    let root = repository(
        place.path(),
        &[
            "apps/web/app.js",
            "apps/web/notes.md",
            "apps/web/lib/a.js",
            "apps/api/x",
            "README.md",
        ],
    );
    let dir = root.join("apps/web");
    let counted = |tables: &str| match provenance(&project(&dir, tables), &[]).committed {
        Committed::Yes => vec![],
        Committed::No(changes) => names(&changes),
        Committed::Unknown(why) => panic!("{why:?}"),
    };
    let chosen = "[release]\ninclude = [\"app.js\", \"lib\", \"static/**/*.css\"]\n\
                  exclude = [\"*.map\"]\nshared = [\"lib/data\"]\n";
    let built = format!("{chosen}[build]\nsteps = [\"true\"]\n");
    assert!(counted("").is_empty());
    // Elsewhere in the repository.
    write(&root, &["apps/new/y"]);
    fs::write(root.join("README.md"), "changed").unwrap();
    fs::write(root.join("apps/api/x"), "changed").unwrap();
    assert!(counted("").is_empty());
    assert!(counted(&built).is_empty());
    // In the project, but not in the release: a build step may read it.
    fs::write(dir.join("notes.md"), "changed").unwrap();
    write(&dir, &["drafts/z", "lib/a.js.map", "lib/data/seed"]);
    assert!(counted(chosen).is_empty());
    assert_eq!(
        counted(&built),
        [
            "notes.md",
            "drafts/ (new)",
            "lib/a.js.map (new)",
            "lib/data/ (new)"
        ]
    );
    assert_eq!(
        counted(""),
        [
            "notes.md",
            "drafts/ (new)",
            "lib/a.js.map (new)",
            "lib/data/ (new)"
        ]
    );
    // In the release.
    fs::remove_file(dir.join("lib/a.js")).unwrap();
    fs::write(dir.join("app.js"), "changed").unwrap();
    write(&dir, &["ship.toml", "ship.lock", "static/css/a.css"]);
    assert_eq!(
        counted(chosen),
        [
            "app.js",
            "lib/a.js (deleted)",
            "ship.lock (new)",
            "ship.toml (new)",
            "static/ (new)"
        ]
    );
    // A renamed file counts under its new name.
    git(&root, &["checkout", "-q", "--force", "HEAD", "."]);
    git(&root, &["clean", "-q", "-f", "-d", "."]);
    git(&root, &["mv", "apps/web/notes.md", "apps/web/lib/notes.md"]);
    assert_eq!(counted(chosen), ["lib/notes.md"]);
}

#[test]
fn a_source_above_the_manifest_counts_with_paths_of_its_own() {
    let place = TempDir::new().unwrap();
    let files = [
        "shop/apps/api/app.js",
        "shop/apps/web/app.js",
        "shop/lock",
        "elsewhere/a",
    ];
    let root = repository(&place.path().join("repo"), &files);
    let dir = root.join("shop/apps/api");
    for file in files {
        fs::write(root.join(file), "changed").unwrap();
    }
    write(&dir, &["ship.toml", ".ship/logs/x"]);
    let counted = |include: &str| {
        let text = format!(
            "[app]\nname = \"shop\"\nsource = \"../..\"\n[services.web]\ncommand = \"node app.js\"\n\
             [release]\ninclude = [{include}]"
        );
        let checked = manifest::parse(&text, "ship.toml", &dir, Files::Ignored);
        match provenance(&checked.project.unwrap(), &[]).committed {
            Committed::No(changes) => names(&changes),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        counted("\"apps/api\", \"lock\""),
        ["apps/api/app.js", "lock", "apps/api/ship.toml (new)"]
    );
    assert_eq!(counted("\"lock\""), ["lock", "apps/api/ship.toml (new)"]);
}

#[test]
fn work_trees_of_every_kind_are_read() {
    let place = TempDir::new().unwrap();
    let main = repository(&place.path().join("main"), &["a"]);
    fs::write(main.join("b"), "b").unwrap();
    git(&main, &["add", "."]);
    git(&main, &["commit", "-q", "-m", "Add b"]);
    let commit = found(&main).commit;
    let at = |name: &str| place.path().join(name);
    let url = format!("file://{}", main.display());
    git(place.path(), &["clone", "-q", "--depth=1", &url, "shallow"]);
    git(&main, &["worktree", "add", "-q", "--detach", "../tree"]);
    let outer = repository(&at("outer"), &["x"]);
    git(&outer, &["submodule", "--quiet", "add", &url, "module"]);
    git(&outer, &["commit", "-q", "-m", "Add module"]);
    for folder in [at("shallow"), at("tree"), outer.join("module")] {
        let state = found(&folder);
        assert_eq!(state.commit, commit, "{}", folder.display());
        assert_eq!(state.subject.as_deref(), Some("Add b"));
        assert_eq!(state.changes, []);
        fs::write(folder.join("a"), "changed").unwrap();
        assert_eq!(names(&found(&folder).changes), ["a"]);
    }
    // A submodule with changes is one for the repository around it.
    assert_eq!(names(&found(&outer).changes), ["module"]);
}

#[test]
fn a_repository_that_git_refuses_is_unknown_and_ci_names_the_commit() {
    let place = TempDir::new().unwrap();
    let id = "0123456789abcdef0123456789abcdef01234567";
    let ci = [("GITHUB_ACTIONS", "true"), ("GITHUB_SHA", id)];
    let says = |dir: &Path, sentence: &str| {
        let Provenance { origin, committed } = provenance(&project(dir, ""), &ci);
        let Committed::Unknown(unknown) = committed else {
            panic!("{committed:?}");
        };
        assert!(unknown.why.contains(sentence), "{unknown:?}");
        assert_eq!(origin.commit.as_deref(), Some(id));
        assert_eq!(origin.dirty, None);
    };
    let corrupt = repository(&place.path().join("corrupt"), &["a"]);
    fs::write(corrupt.join(".git/config"), "[nonsense").unwrap();
    says(&corrupt, "bad config");
    let empty = place.path().join("empty");
    fs::create_dir_all(empty.join(".git")).unwrap();
    says(&empty, "not a git repository");
    let lost = place.path().join("lost");
    write(&lost, &["a"]);
    fs::write(lost.join(".git"), "gitdir: /nowhere/at/all").unwrap();
    says(&lost, "not a git repository: /nowhere/at/all");
    let bare = place.path().join("bare");
    git(place.path(), &["init", "-q", "--bare", "bare/.git"]);
    says(&bare, "must be run in a work tree");
}

#[test]
fn a_git_that_hangs_is_killed_after_the_limit() {
    let place = TempDir::new().unwrap();
    let dir = repository(place.path(), &["a"]);
    let config = dir.join(".git/config");
    fs::remove_file(&config).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, &config, 0o600.into()).unwrap();
    let start = Instant::now();
    let limit = Duration::from_millis(200);
    assert_eq!(
        unknown(read_within(&dir, limit)).why,
        "git did not answer within 0.2 s"
    );
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "it was waited for"
    );
}
