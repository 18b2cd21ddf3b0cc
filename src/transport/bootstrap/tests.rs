//! The line of sh as shells read it, and what it runs.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::*;
use crate::artifact::start::write_program;

fn open(root: &str) -> Open {
    Open {
        deployment: crate::model::Deployment {
            app: "shop".try_into().unwrap(),
            environment: "production".try_into().unwrap(),
            root: Some(root.into()),
            manager: crate::model::ServiceManagerKind::Systemd,
            user: "shop".into(),
            readable_by: Vec::new(),
        },
        wants: None,
        is_kept: false,
    }
}

fn read(bytes: &[u8]) -> First {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(first(&mut &bytes[..]))
        .unwrap()
}

#[test]
fn noise_before_the_marker_is_passed_over() {
    let mut stream = b"Welcome!\nyou have mail\n".to_vec();
    stream.extend_from_slice(MARKER);
    assert_eq!(read(&stream), First::Running);
    let mut stream = b"motd ".to_vec();
    stream.extend_from_slice(NEED);
    stream.extend_from_slice(b"Linux x86_64\n");
    assert_eq!(read(&stream), First::Need("Linux".into(), "x86_64".into()));
    assert_eq!(
        read(b"This account is currently not available.\n"),
        First::Ended("This account is currently not available.".into())
    );
}

#[test]
fn the_line_holds_nothing_that_a_login_shell_reads_its_own_way() {
    let agent =
        super::super::agents::for_platform(&super::super::agents::own_platform(), None).unwrap();
    let open = open("/srv/it's !\\\\");
    for root in [
        Some("/srv/shop"),
        Some("~/apps/my shop"),
        Some("/srv/it$HOME"),
        None,
    ] {
        let line = command_line(&agent, root, false, &open, AtHand::Use).unwrap();
        let inside = line
            .strip_prefix("sh -c '")
            .unwrap()
            .strip_suffix('\'')
            .unwrap();
        for bad in ["'", "\n", "!", "\\\\"] {
            assert!(!inside.contains(bad), "{bad:?} in {inside}");
        }
    }
    assert_eq!(escape("a b$c"), "a\\ b\\$c");
}

/// A place where the line of sh runs, as on a host.
struct Place {
    dir: tempfile::TempDir,
    agent: Agent,
}

impl Place {
    fn new() -> Self {
        let platform = super::super::agents::own_platform();
        let place = Self {
            dir: tempfile::tempdir().unwrap(),
            agent: super::super::agents::for_platform(&platform, None).unwrap(),
        };
        for folder in ["home", "srv/shop/.ship/bin"] {
            fs::create_dir_all(place.at(folder)).unwrap();
        }
        place
    }

    fn at(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    /// Puts a program that says `word` where the agent would lie in `folder`.
    fn plant(&self, folder: &str, word: &str) -> PathBuf {
        let path = self.at(folder).join(agent_name(&self.agent.digest));
        write_program(&path, &format!("#!/bin/sh\necho {word}\n"));
        path
    }

    fn mode(&self, path: impl AsRef<Path>, mode: u32) {
        let path = self.dir.path().join(path);
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// What the line says; asked for an agent, it gets a program that says `sent`.
    fn runs(&self) -> String {
        let root = self.at("srv/shop").to_str().unwrap().to_owned();
        let own = self.at("own").to_str().unwrap().to_owned();
        let script = script(
            &self.agent,
            Some(&root),
            &open("/srv/shop"),
            AtHand::Use,
            &own,
        );
        let sent = self.at("sent.gz");
        let gzip = "printf \"#!/bin/sh\\necho sent\\n\" | gzip > $0; wc -c < $0; cat $0";
        let line = format!(
            "sh -c '{gzip}' {} | sh -c '{}'",
            sent.display(),
            script.unwrap()
        );
        let output = std::process::Command::new("sh")
            .args(["-c", &line])
            .env("HOME", self.at("home"))
            .env_remove("XDG_CACHE_HOME")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let last = said.lines().next_back().unwrap_or_default().to_owned();
        match last.is_empty() {
            true => String::from_utf8_lossy(&output.stderr).into_owned(),
            false => last,
        }
    }

    /// Where the agent was put that was sent.
    fn got_it(&self) -> Vec<&'static str> {
        let name = agent_name(&self.agent.digest);
        let folders = ["srv/shop/.ship/bin", "own", "home/.cache/ship"];
        let has = |folder: &&str| {
            fs::read(self.at(folder).join(&name)).is_ok_and(|text| text.ends_with(b"sent\n"))
        };
        folders.into_iter().filter(has).collect()
    }
}

/// The folder that this user's agents go to when the app's will not do.
fn own_folder() -> &'static str {
    match rustix::process::geteuid().is_root() {
        true => "own",
        false => "home/.cache/ship",
    }
}

#[test]
fn an_agent_that_nobody_else_could_have_put_there_is_run() {
    let place = Place::new();
    assert_eq!(place.runs(), "sent");
    assert_eq!(place.got_it(), ["srv/shop/.ship/bin"]);
    let path = place.plant("srv/shop/.ship/bin", "planted");
    assert_eq!(place.runs(), "planted");
    place.mode(path, 0o700);
    place.mode("srv/shop", 0o2750);
    place.mode("srv", 0o1777);
    assert_eq!(place.runs(), "planted");
    // The way to it may be a link: it is not used again.
    fs::rename(place.at("srv"), place.at("data")).unwrap();
    symlink("data", place.at("srv")).unwrap();
    assert_eq!(place.runs(), "planted");
}

#[test]
fn where_others_can_write_nothing_is_run_and_nothing_put() {
    for (folder, mode) in [
        ("srv/shop/.ship/bin", 0o757),
        ("srv/shop/.ship/bin", 0o1777),
        ("srv/shop/.ship", 0o777),
        ("srv/shop", 0o757),
        ("srv", 0o777),
    ] {
        let place = Place::new();
        place.plant("srv/shop/.ship/bin", "planted");
        place.mode(folder, mode);
        assert_eq!(place.runs(), "sent", "{folder} {mode:o}");
        assert_eq!(place.got_it(), [own_folder()], "{folder} {mode:o}");
    }
    let place = Place::new();
    let path = place.plant("srv/shop/.ship/bin", "planted");
    place.mode(&path, 0o757);
    assert_eq!(place.runs(), "sent", "the program itself");
    let place = Place::new();
    let path = place.plant("srv", "elsewhere");
    symlink(
        &path,
        place
            .at("srv/shop/.ship/bin")
            .join(path.file_name().unwrap()),
    )
    .unwrap();
    assert_eq!(place.runs(), "sent", "a link");
}

#[test]
fn without_any_safe_folder_that_is_said() {
    let place = Place::new();
    for folder in ["own", "home/.cache/ship"] {
        fs::create_dir_all(place.at(folder)).unwrap();
        place.mode(folder, 0o777);
    }
    place.mode("srv", 0o777);
    let said = place.runs();
    assert!(
        said.contains("has no folder to run programs from that nobody else can write"),
        "{said}"
    );
}
