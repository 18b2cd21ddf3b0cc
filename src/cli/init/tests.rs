//! What a person gets from `ship init`.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::ask::{Ask, Check};
use super::{InitArgs, InitReport, Outcome, Outside, init};
use crate::model::version::Version;
use crate::model::{Failure, FailureKind};

/// Answers from a list; asserts that it is asked neither more nor less.
struct Script(VecDeque<(&'static str, &'static str)>);

impl Ask for Script {
    fn text(
        &mut self,
        prompt: &str,
        default: Option<&str>,
        check: Check<'_>,
    ) -> Result<String, Failure> {
        let (about, answer) = self
            .0
            .pop_front()
            .unwrap_or_else(|| panic!("not expected: {prompt}"));
        // A prompt and its `[y/n]` fit a terminal of 60 columns, where the name is not long.
        assert!(prompt.chars().count() <= 54, "{prompt} is too long");
        assert!(
            prompt.starts_with(about),
            "asked {prompt}, expected {about}"
        );
        let answer = if answer.is_empty() {
            default.expect("a default")
        } else {
            answer
        };
        check(answer).map_err(|why| Failure::new(FailureKind::Usage, why))?;
        Ok(answer.to_owned())
    }

    fn confirm(&mut self, prompt: &str) -> Result<bool, Failure> {
        let yes = |text: &str| match text {
            "yes" | "" => Ok(()),
            _ => Err("no".to_owned()),
        };
        Ok(self.text(prompt, Some("yes"), &yes).is_ok())
    }
}

/// A machine with Node 20, from which npm's registry is reached and no other publisher.
pub(super) struct Offline;

impl Outside for Offline {
    fn versions(&self, names: &[String]) -> BTreeMap<String, Version> {
        let names = names.iter().filter(|name| *name == "node");
        names
            .map(|name| (name.clone(), Version::parse("20.11.1").unwrap()))
            .collect()
    }

    fn pin(&self, dir: &Path) -> Result<BTreeMap<String, String>, Failure> {
        let manifest = fs::read_to_string(dir.join("ship.toml")).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        let asked = manifest["runtimes"].as_table().unwrap();
        let asked = asked.keys().filter(|name| *name == "node");
        Ok(asked
            .map(|name| (name.clone(), "it cannot be reached".to_owned()))
            .collect())
    }
}

pub(super) fn run(args: &InitArgs, dir: &Path, interactive: bool) -> Result<InitReport, Failure> {
    super::run(args, dir, interactive, &Offline)
}

pub(super) fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let temp = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = temp.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    temp
}

pub(super) fn args() -> InitArgs {
    InitArgs {
        yes: true,
        env: "production".to_owned(),
        ..InitArgs::default()
    }
}

pub(super) fn asked(
    dir: &Path,
    answers: &[(&'static str, &'static str)],
) -> Result<InitReport, Failure> {
    let mut script = Script(answers.iter().copied().collect());
    let report = init(&args(), dir, Some(&mut script), &Offline);
    assert!(script.0.is_empty(), "not asked: {:?}", script.0);
    report
}

pub(super) const NODE: &[(&str, &str)] = &[
    (
        "package.json",
        r#"{"name":"shop","scripts":{"start":"node server.js"}}"#,
    ),
    ("server.js", "server.listen(process.env.PORT || 3000)"),
];

#[test]
fn an_existing_manifest_is_kept() {
    let dir = folder(NODE);
    let path = dir.path().join("ship.toml");
    fs::write(&path, "mine").unwrap();
    let failure = run(&args(), dir.path(), false).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Refused);
    assert_eq!(
        failure.message(),
        format!("{} is there already", path.display())
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    let report = run(
        &InitArgs {
            force: true,
            ..args()
        },
        dir.path(),
        false,
    )
    .unwrap();
    assert_eq!(report.outcome, Outcome::Replaced);
    assert_eq!(fs::read_to_string(&path).unwrap(), report.manifest);
}

#[test]
fn a_manifest_that_is_replaced_leaves_its_name() {
    let dir = folder(NODE);
    let path = dir.path().join("ship.toml");
    fs::write(&path, "[app]\nname = \"old-shop\"\n").unwrap();
    let named = |name: Option<&str>| {
        let args = InitArgs {
            force: true,
            name: name.map(str::to_owned),
            ..args()
        };
        run(&args, dir.path(), false).unwrap();
        let table: toml::Table = fs::read_to_string(&path).unwrap().parse().unwrap();
        table["app"]["name"].as_str().unwrap().to_owned()
    };
    assert_eq!(named(None), "old-shop");
    assert_eq!(named(Some("other")), "other");
}

#[test]
fn commands_for_a_folder_below_say_where_they_run() {
    let dir = folder(&[("my app/index.html", "")]);
    let args = InitArgs {
        dir: Some("my app".into()),
        ..args()
    };
    let report = run(&args, dir.path(), false).unwrap();
    assert_eq!(report.next[0], "cd 'my app': what follows runs there");
}

#[test]
fn a_link_that_leads_nowhere_is_kept_too() {
    let dir = folder(NODE);
    symlink("/nowhere/ship.toml", dir.path().join("ship.toml")).unwrap();
    assert_eq!(
        run(&args(), dir.path(), false).unwrap_err().kind,
        FailureKind::Refused
    );
}

#[test]
fn the_file_is_an_ordinary_one_and_alone() {
    let dir = folder(NODE);
    let report = run(&args(), dir.path(), false).unwrap();
    let mode = fs::metadata(&report.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o600, 0o600);
    assert_eq!(
        mode & 0o044,
        fs::metadata(dir.path().join("server.js"))
            .unwrap()
            .permissions()
            .mode()
            & 0o044
    );
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
}

#[test]
fn without_hosts_the_environment_is_a_comment() {
    let dir = folder(NODE);
    let report = run(&args(), dir.path(), false).unwrap();
    insta::assert_snapshot!(format!("{}\n{}", report.manifest, report.next.join("\n")));
}

#[test]
fn flags_name_everything() {
    let dir = folder(&[("sub/index.html", "")]);
    let flags = InitArgs {
        name: Some("front".to_owned()),
        host: ["a@b", "ssh://c@d:2222", "a@b"].map(str::to_owned).to_vec(),
        env: "staging".to_owned(),
        dir: Some("sub".into()),
        ..args()
    };
    let report = run(&flags, dir.path(), false).unwrap();
    assert_eq!(report.path, dir.path().join("sub/ship.toml"));
    let table: toml::Table = report.manifest.parse().unwrap();
    assert_eq!(table["app"]["name"].as_str(), Some("front"));
    assert_eq!(
        table["environments"]["staging"]["hosts"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn bad_flags_write_nothing() {
    let dir = folder(NODE);
    for (flags, message, hint) in [
        (
            InitArgs {
                name: Some("My Shop_2".to_owned()),
                ..args()
            },
            "--name `My Shop_2` must start with a lower-case letter",
            Some("--name my-shop-2"),
        ),
        (
            InitArgs {
                host: vec!["-oX".to_owned()],
                ..args()
            },
            "--host `-oX` must not start with a dash",
            None,
        ),
        (
            InitArgs {
                env: "local".to_owned(),
                ..args()
            },
            "--env local: `local` always exists and has no hosts",
            Some("name the environment of your hosts, such as production; or leave --env out"),
        ),
    ] {
        let failure = run(&flags, dir.path(), false).unwrap_err();
        assert_eq!(
            (
                failure.kind,
                failure.message().as_str(),
                failure.hint.as_deref()
            ),
            (FailureKind::Usage, message, hint)
        );
    }
    assert!(!dir.path().join("ship.toml").exists());
}

#[test]
fn a_person_is_asked_what_cannot_be_known() {
    let dir = folder(NODE);
    let report = asked(
        dir.path(),
        &[("name", "my-shop"), ("hosts", "deploy@a, deploy@b")],
    )
    .unwrap();
    let table: toml::Table = report.manifest.parse().unwrap();
    assert_eq!(table["app"]["name"].as_str(), Some("my-shop"));
    assert_eq!(
        table["environments"]["production"]["hosts"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn a_person_may_know_what_no_file_says() {
    let dir = folder(&[("run.exe", "")]);
    let report = asked(
        dir.path(),
        &[
            ("name", "shop"),
            ("command", "./run.exe --fast"),
            ("port", "4000"),
            ("hosts", ""),
        ],
    )
    .unwrap();
    let table: toml::Table = report.manifest.parse().unwrap();
    assert_eq!(
        table["services"]["web"]["command"].as_str(),
        Some("./run.exe --fast")
    );
    assert_eq!(table["services"]["web"]["port"].as_integer(), Some(4000));
    assert_eq!(table["release"]["include"][0].as_str(), Some("."));
}

#[test]
fn a_port_that_was_not_seen_is_asked_for() {
    let files = [("bot.py", "client.run()")];
    let report = asked(
        folder(&files).path(),
        &[("name", "bot"), ("port", ""), ("hosts", "")],
    )
    .unwrap();
    assert!(report.manifest.contains("[services.worker]"));
    let report = asked(
        folder(&files).path(),
        &[("name", "bot"), ("port", "5001"), ("hosts", "")],
    )
    .unwrap();
    assert!(report.manifest.contains("[services.web]"));
    assert_eq!(
        report.notes,
        ["nothing here reads $PORT, so `python3 bot.py` has to listen on 5001 by itself"]
    );
}

#[test]
fn what_cannot_be_pinned_is_left_to_each_machine() {
    let mut files = NODE.to_vec();
    files[0].1 = r#"{"packageManager":"pnpm@9.15.0","engines":{"node":">=18"},"scripts":{"start":"node server.js"}}"#;
    let dir = folder(&files);
    let report = run(&args(), dir.path(), false).unwrap();
    let lines: Vec<&str> = report.manifest.lines().collect();
    let at = lines.iter().position(|line| *line == "[runtimes]").unwrap();
    insta::assert_snapshot!(lines[at - 1..at + 3].join("\n"));
    assert_eq!(
        report.notes.last().map(String::as_str),
        Some(
            "node is not pinned: it cannot be reached. Each machine's own is used; to pin it later, \
             uncomment its line in ship.toml and run `ship pin`"
        )
    );
    assert!(!report.next.iter().any(|next| next.starts_with("ship pin")));
    let written = fs::read_to_string(dir.path().join("ship.toml")).unwrap();
    assert_eq!(written, report.manifest);
}

#[test]
fn nothing_is_looked_up_with_no_pin() {
    let dir = folder(NODE);
    let flags = InitArgs {
        no_pin: true,
        ..args()
    };
    let report = run(&flags, dir.path(), false).unwrap();
    let table: toml::Table = report.manifest.parse().unwrap();
    assert_eq!(table["runtimes"]["node"].as_str(), Some("20"));
    assert_eq!(
        report.next[1],
        "ship pin: writes the exact runtimes and their checksums to ship.lock"
    );
}

#[test]
fn nothing_recognised_says_what_was_looked_for() {
    let dir = folder(&[("notes.txt", "")]);
    let failure = run(&args(), dir.path(), false).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Project);
    let text = format!(
        "{}\n{}\nhint: {}",
        failure.message(),
        failure.details.join("\n"),
        failure.hint.unwrap()
    );
    insta::assert_snapshot!(text.replace(&dir.path().display().to_string(), "DIR"));
}

#[test]
fn a_project_further_down_is_pointed_at() {
    let dir = folder(&[("api/app.py", "app.run(port=5000)")]);
    let failure = run(&args(), dir.path(), false).unwrap_err();
    assert_eq!(failure.hint.as_deref(), Some("ship init api"));
}

#[test]
fn a_library_runs_nothing() {
    let dir = folder(&[
        ("Cargo.toml", "[package]\nname = \"x\"\n"),
        ("src/lib.rs", ""),
    ]);
    let failure = run(&args(), dir.path(), false).unwrap_err();
    assert_eq!(
        failure.message(),
        format!(
            "{} is a Rust project, but nothing in it runs",
            dir.path().display()
        )
    );
}

#[test]
fn odd_processes_become_services() {
    let long = "x".repeat(40);
    let procfile = format!("Web_1: a\nweb-1: b\n_: c\n{long}: d\n{long}y: e\n");
    let dir = folder(&[("Procfile", &procfile)]);
    let report = run(&args(), dir.path(), false).unwrap();
    let table: toml::Table = report.manifest.parse().unwrap();
    let names: Vec<&String> = table["services"].as_table().unwrap().keys().collect();
    assert_eq!(names.len(), 5, "{names:?}");
    assert!(
        names
            .iter()
            .all(|name| crate::model::ServiceName::try_from(name.as_str()).is_ok())
    );
}

/// Whoever writes the manifests of the examples, which are the same everywhere.
struct Example;

impl Outside for Example {
    fn versions(&self, _: &[String]) -> BTreeMap<String, Version> {
        BTreeMap::new()
    }

    fn pin(&self, _: &Path) -> Result<BTreeMap<String, String>, Failure> {
        let all = ["node", "python"]
            .map(|name| (name.to_owned(), "an example has no ship.lock".to_owned()));
        Ok(all.into())
    }
}

/// The committed manifests of the examples are what `ship init` writes. `SHIP_UPDATE_EXAMPLES=1`
/// writes them anew.
#[test]
fn the_examples_are_as_init_writes_them() {
    for example in ["node", "python", "rust", "static"] {
        let source = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("examples")
            .join(example);
        let temp = tempfile::tempdir().unwrap();
        let copy = temp.path().join(example);
        copy_tree(&source, &copy);
        let flags = InitArgs {
            host: vec!["deploy@web9.example.com".to_owned()],
            ..args()
        };
        let report = super::run(&flags, &copy, false, &Example).unwrap();
        let is_about_lock = |note: &&String| note.contains("has no ship.lock");
        let notes: Vec<_> = report.notes.iter().filter(|n| !is_about_lock(n)).collect();
        assert_eq!(notes, Vec::<&String>::new(), "{example}");
        let written = report
            .manifest
            .replace("deploy@web9.example.com", "deploy@web1.example.com");
        let path = source.join("ship.toml");
        if std::env::var_os("SHIP_UPDATE_EXAMPLES").is_some() {
            fs::write(&path, &written).unwrap();
        }
        assert_eq!(written, fs::read_to_string(path).unwrap(), "{example}");
    }
}

/// Copies what is committed of an example, without its manifest.
fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let name = entry.file_name();
        if ["ship.toml", "ship.lock", ".ship", "target", "__pycache__"]
            .iter()
            .any(|skip| name == *skip)
        {
            continue;
        }
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &to.join(name));
        } else {
            fs::copy(entry.path(), to.join(name)).unwrap();
        }
    }
}

#[test]
fn a_manifest_with_a_mistake_is_told() {
    let text = "[app]\nname = \"shop\"\n\n[release]\nshared = [\"data.db?mode=rwc\"]\n\n\
                [services.web]\ncommand = \"./web\"\n";
    let told = super::mistakes(text, std::path::Path::new("."));
    assert_eq!(
        told,
        [
            "ship.toml has a mistake, and `ship check` says where: `data.db?mode=rwc` cannot be in `shared`"
        ]
    );
}
