//! The secrets of the releases on this host, masked in everything that leaves the agent.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex, PoisonError};

use super::service::env_file;
use super::{Layout, careful, releases};
use crate::model::{Redactor, ReleaseId, Texts};

/// Masks the secrets of all releases that are kept: a service's log may hold those of an older one.
/// Follows what is deployed meanwhile; clones share what they know.
#[derive(Clone)]
pub struct Secrets {
    layout: Layout,
    known: Arc<Mutex<Option<Known>>>,
}

struct Known {
    /// When a release was last added or taken away: seconds and nanoseconds.
    changed: (i64, i64),
    redactor: Redactor,
    /// What was known once stays known while this process lives.
    values: Vec<(String, String)>,
}

impl Secrets {
    /// Those of the app at `layout`. They are read when they are needed.
    #[must_use]
    pub fn of(layout: &Layout) -> Self {
        Self {
            layout: layout.clone(),
            known: Arc::default(),
        }
    }

    /// What masks them now.
    #[must_use]
    pub fn redactor(&self) -> Redactor {
        let changed = fs::metadata(self.layout.releases())
            .map_or((0, 0), |found| (found.mtime(), found.mtime_nsec()));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match known.as_ref() {
            Some(known) if known.changed == changed => return known.redactor.clone(),
            _ => {}
        }
        let mut values = known.take().map_or_else(Vec::new, |known| known.values);
        values.extend(read(&self.layout));
        values.sort();
        values.dedup();
        let pairs = values.iter();
        let pairs = pairs.map(|(name, value)| (name.as_str(), value.as_str()));
        let redactor = Redactor::new(pairs);
        *known = Some(Known {
            changed,
            redactor: redactor.clone(),
            values,
        });
        redactor
    }

    /// Looks again: a release was added just now, maybe within one tick of the clock that changes
    /// are told by.
    pub fn look_again(&self) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.as_mut() {
            known.changed = (-1, -1);
        }
    }

    /// Masks every text of `message` that is free text.
    pub fn mask(&self, message: &mut dyn Texts) {
        self.redactor().mask_all(message);
    }

    /// Masks `text`.
    #[must_use]
    pub fn mask_text(&self, mut text: String) -> String {
        self.redactor().mask_in(&mut text);
        text
    }
}

/// Names and values of the secrets of the kept releases.
fn read(layout: &Layout) -> Vec<(String, String)> {
    let ids = releases::ids(layout).unwrap_or_default();
    ids.into_iter()
        .flat_map(|id| of_release(layout, id))
        .collect()
}

fn of_release(layout: &Layout, id: ReleaseId) -> Vec<(String, String)> {
    let path = layout.release(id).join(".ship/env");
    let Ok(text) = careful::text(&path, careful::METADATA) else {
        return Vec::new();
    };
    let env = env_file::parse(&text).unwrap_or_default();
    let names = releases::read(layout, id).ok();
    let names = names.and_then(|release| release.secrets);
    let is_secret = |name: &str, value: &str| match &names {
        Some(names) => names.iter().any(|secret| secret == name),
        None => !is_harmless(value),
    };
    env.into_iter()
        .filter(|(name, value)| is_secret(name, value))
        .collect()
}

/// Whether a value is surely no secret. Releases of older builds do not say which of their variables
/// are secrets: each may be one. Words (`production`), numbers, paths and addresses without a
/// password are left out, as nobody could read a log in which these are masked.
fn is_harmless(value: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || matches!(c, '-' | '_' | '.' | ',');
    let is_word = value.len() <= 16 && value.chars().all(word);
    let is_number = value.len() <= 8 && value.chars().all(|c| c.is_ascii_digit() || c == '.');
    let is_path = value.starts_with('/') && !value.contains(char::is_whitespace);
    let is_address = value.starts_with("http") && !value.contains(['@', '?', '#']);
    is_word || is_number || is_path || is_address
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Digest, Failure};

    fn release(layout: &Layout, number: u32, secrets: Option<&str>, env: &str) {
        let own = layout.release(ReleaseId(number)).join(".ship");
        fs::create_dir_all(&own).unwrap();
        let secrets = secrets.map_or_else(String::new, |names| format!(", \"secrets\": {names}"));
        let text = format!(
            r#"{{"id": {number}, "artifact": "{}", "created": "", "origin": {{"who": "ann",
                "dirty": false, "tests_skipped": false, "ship": "0.1.0"}}, "services": [],
                "runtimes": [], "shared": []{secrets}}}"#,
            Digest::of(b"x")
        );
        fs::write(own.join("release.json"), text).unwrap();
        fs::write(own.join("env"), env).unwrap();
    }

    #[test]
    fn the_secrets_of_all_releases_are_masked_as_soon_as_they_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path());
        let secrets = Secrets::of(&layout);
        let shown = |text: &str| secrets.mask_text(text.to_owned());
        assert_eq!(shown("first-value"), "first-value");
        let env = "TOKEN=\"first-value\"\nMODE=\"open-value\"\n";
        release(&layout, 1, Some("[\"TOKEN\"]"), env);
        assert_eq!(shown("first-value open-value"), "[TOKEN] open-value");
        release(&layout, 2, Some("[\"TOKEN\"]"), "TOKEN=\"second-value\"\n");
        secrets.look_again();
        assert_eq!(shown("first-value second-value"), "[TOKEN] [TOKEN]");
        fs::remove_dir_all(layout.release(ReleaseId(1))).unwrap();
        assert_eq!(shown("first-value"), "[TOKEN]");
    }

    #[test]
    fn of_a_release_from_before_every_value_that_may_be_a_secret_is_masked() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path());
        let env = "A=\"s3cr3t-value\"\nB=\"production\"\nC=\"/var/lib/app\"\nD=\"12345678\"\n\
                   E=\"http://me:pass-word@db/\"\nF=\"https://shop.example.com\"\n";
        release(&layout, 1, None, env);
        let shown = Secrets::of(&layout).mask_text(
            "s3cr3t-value production /var/lib/app 12345678 pass-word https://shop.example.com"
                .to_owned(),
        );
        assert_eq!(
            shown,
            "[A] production /var/lib/app 12345678 [E] https://shop.example.com"
        );
    }

    #[test]
    fn words_that_programs_read_stay() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path());
        release(&layout, 1, Some("[\"TOKEN\"]"), "TOKEN=\"ann@laptop\"\n");
        let mut freeze = crate::model::Freeze {
            reason: "ask ann@laptop".to_owned(),
            who: "ann@laptop".to_owned(),
            since: String::new(),
            until: String::new(),
        };
        let mut failure =
            Failure::refused("ann@laptop").details(["ann@", "laptop"].map(str::to_owned));
        Secrets::of(&layout).mask(&mut freeze);
        Secrets::of(&layout).mask(&mut failure);
        assert_eq!(
            (freeze.reason, freeze.who),
            ("ask [TOKEN]".to_owned(), "ann@laptop".to_owned())
        );
        assert_eq!(
            failure,
            Failure::refused("[TOKEN]").details(["ann@", "laptop"].map(str::to_owned))
        );
    }
}
