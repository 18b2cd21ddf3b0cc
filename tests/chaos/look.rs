//! What is true on a host, found without `ship`.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::app::PROGRAM;
use super::load::ask;
use crate::support::Host;

/// Tells, a line each: where `current` leads; the releases, with their versions; who has the lock
/// (proc_locks(5): asking with flock(1) would take it away from ship for a moment); what lies where
/// nothing should; the history.
const SCRIPT: &str = r#"
cd /srv/shop || exit
echo "current $(readlink current)"
for tree in releases/*; do
    version=$(cat "$tree/app/VERSION" 2>/dev/null)
    [ -s "$tree/.ship/release.json" ] && [ -s "$tree/.ship/run/web" ] || version=
    echo "release ${tree#releases/} $version"
done
inode=$(stat -c %i .ship/lock)
awk -v end=":$inode" 'BEGIN { n = length(end) }
    / FLOCK / && substr($6, length($6) - n + 1) == end { print "lock", $5 }' /proc/locks
for name in $(ls -A); do
    case $name in current|releases|shared|runtimes|.ship) ;; *) echo "stray $name" ;; esac
done
for name in $(ls -A .ship/staging 2>/dev/null); do echo "staging $name"; done
sed 's/^/history /' .ship/history.jsonl
"#;

/// One look at a host.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// Where `current` leads; empty when there is none.
    pub current: String,
    /// The version that each release holds; empty for half a release.
    pub releases: BTreeMap<String, String>,
    /// The version that answers from outside, or why none does.
    pub answer: Option<Result<String, String>>,
    /// The folders that processes of the app work in.
    pub running: Vec<String>,
    /// Who holds the lock.
    pub lock: Option<String>,
    /// What lies in the app's folder and belongs to nothing.
    pub strays: Vec<String>,
    /// What lies in the folder for transfers.
    pub staging: Vec<String>,
    /// The lines of the history, oldest first.
    pub history: Vec<Value>,
    /// Lines of the history that are none.
    pub garbled: usize,
}

impl Look {
    pub fn at(host: &Host) -> Self {
        let mut look = Self {
            answer: Some(ask(host.addr())),
            ..Self::default()
        };
        let told = host.exec(SCRIPT);
        for line in String::from_utf8_lossy(&told.stdout).lines() {
            let (what, rest) = line.split_once(' ').unwrap_or((line, ""));
            match what {
                "current" => rest.clone_into(&mut look.current),
                "release" => {
                    let (release, version) = rest.split_once(' ').unwrap_or((rest, ""));
                    look.releases.insert(release.to_owned(), version.to_owned());
                }
                "lock" => look.lock = Some(format!("pid {rest}, as the host counts")),
                "stray" => look.strays.push(rest.to_owned()),
                "staging" => look.staging.push(rest.to_owned()),
                "history" => match serde_json::from_str(rest) {
                    Ok(entry) => look.history.push(entry),
                    Err(_) => look.garbled += 1,
                },
                _ => {}
            }
        }
        let apps = host.processes().into_iter();
        let apps = apps.filter(|process| process.title.ends_with(PROGRAM));
        let folders = apps.filter_map(|process| process.folder());
        look.running = folders
            .map(|folder| folder.to_string_lossy().into_owned())
            .collect();
        look
    }

    /// The release that `current` names, such as `v3`.
    pub fn release(&self) -> Option<&str> {
        let release = self.current.strip_prefix("releases/")?;
        self.releases.contains_key(release).then_some(release)
    }

    /// The version that `current` holds.
    pub fn version(&self) -> Option<&str> {
        let version = self.releases.get(self.release()?)?;
        (!version.is_empty()).then_some(version)
    }

    /// What is wrong with a host on which nothing goes on: empty when its live release serves, from
    /// its own folder, and nobody holds the lock.
    pub fn unrest(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        if let Some(lock) = &self.lock {
            wrong.push(format!("the lock is held by {lock}"));
        }
        wrong.extend(self.not_serving());
        wrong
    }

    /// Why the live release does not serve; empty when it does.
    pub fn not_serving(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let Some(version) = self.version() else {
            wrong.push(format!("current leads to `{}`, no release", self.current));
            return wrong;
        };
        let answer = match &self.answer {
            Some(Ok(answer)) => answer.clone(),
            Some(Err(why)) => format!("nothing ({why})"),
            None => "nothing".to_owned(),
        };
        if answer != version {
            wrong.push(format!(
                "{answer} answers, and current holds {version} ({})",
                self.current
            ));
        }
        let inside = format!("/{}", self.current);
        let elsewhere = self.running.iter().find(|at| !at.ends_with(&inside));
        if let Some(folder) = elsewhere {
            wrong.push(format!(
                "a process runs in {folder}, and current is {}",
                self.current
            ));
        } else if self.running.is_empty() {
            wrong.push("no process of the app runs".to_owned());
        }
        wrong
    }

    /// What was left lying about.
    pub fn leftovers(&self) -> Vec<String> {
        let mut wrong: Vec<String> = Vec::new();
        wrong.extend(
            self.strays
                .iter()
                .map(|name| format!("left behind: {name}")),
        );
        let half = self
            .releases
            .iter()
            .filter(|(_, version)| version.is_empty());
        wrong.extend(half.map(|(release, _)| format!("half a release: {release}")));
        if self.garbled > 0 {
            wrong.push(format!("{} lines of the history are none", self.garbled));
        }
        wrong
    }
}

impl fmt::Display for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            current,
            answer,
            running,
            lock,
            strays,
            staging,
            history,
            releases,
            ..
        } = self;
        writeln!(
            f,
            "current {current}, answer {answer:?}, running {running:?}"
        )?;
        writeln!(
            f,
            "releases {releases:?}, lock {lock:?}, strays {strays:?}, staging {staging:?}"
        )?;
        for entry in history.iter().rev().take(4).rev() {
            writeln!(f, "history {entry}")?;
        }
        Ok(())
    }
}
