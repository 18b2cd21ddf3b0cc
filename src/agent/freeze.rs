//! The stop sign for deploys, `freeze.json`. People set it and take it away under no lock of a
//! deploy, so that it can be set while one runs.

use std::fs::{self, File};
use std::io;
use std::time::Duration;

use super::host::Host;
use super::lock::wait_for_file;
use super::{Layout, careful, disk, facts, history};
use crate::model::{Failure, Freeze, Operation, OperationKind, OperationOutcome};
use crate::wire::{Finding, Level};

/// How long somebody else may take to set it or take it away.
const WAITING: Duration = Duration::from_secs(10);

/// A stop sign that cannot be read stops until somebody takes it away.
const FOR_EVER: &str = "9999-12-30T00:00:00Z";

/// The stop sign, also when its time is over. One that cannot be read is one without an end, whose
/// reason names the file: whoever put the file there meant something by it.
#[must_use]
pub fn read(layout: &Layout) -> Option<Freeze> {
    let path = layout.state_file("freeze.json");
    match careful::json(&path, careful::SMALL) {
        Ok(freeze) => Some(freeze),
        Err(error) if error.is_absent() => None,
        Err(error) => Some(Freeze {
            reason: error.to_string(),
            who: "somebody".to_owned(),
            since: disk::now(),
            until: FOR_EVER.to_owned(),
        }),
    }
}

/// Sets the stop sign. Who did, until when and why goes into the history, as the operation of this
/// name.
///
/// # Errors
/// Refused, when the app has no place on this host yet; when the file system refuses.
pub fn set(host: &Host, freeze: &Freeze, operation: &str) -> Result<(), Failure> {
    let layout = &host.layout;
    is_ready(host)?;
    let _lock = others(layout)?;
    let text = serde_json::to_vec(freeze)
        .map_err(|error| Failure::unexpected(format!("freeze.json: {error}")))?;
    let path = layout.state_file("freeze.json");
    disk::write_atomic(&path, &text, 0o600)?;
    let why = format!("until {}: {}", freeze.until, freeze.reason);
    note(layout, operation, OperationKind::Freeze, why, &freeze.who);
    Ok(())
}

/// Takes the stop sign away. That `who` did goes into the history, where there was one.
///
/// # Errors
/// As [`set`].
pub fn thaw(host: &Host, who: &str, operation: &str) -> Result<(), Failure> {
    let layout = &host.layout;
    is_ready(host)?;
    let _lock = others(layout)?;
    let before = read(layout);
    remove(layout)?;
    if let Some(before) = before {
        let why = format!("ended the freeze by {}: {}", before.who, before.reason);
        note(layout, operation, OperationKind::Thaw, why, who);
    }
    Ok(())
}

fn is_ready(host: &Host) -> Result<(), Failure> {
    facts::prepare(host)?;
    if facts::ready(host) {
        return Ok(());
    }
    let root = host.layout.root().display();
    let app = &host.deployment.app;
    Err(Failure::refused(format!("{root} is not set up for {app}"))
        .hint(format!("ship setup {}", host.deployment.environment)))
}

fn note(layout: &Layout, id: &str, what: OperationKind, why: String, who: &str) {
    let good = OperationOutcome::Good;
    let entry = Operation::beside(id.to_owned(), what, good, why, who.to_owned());
    // It is done, whether that can be told or not: on a full disk a freeze is ended all the same.
    let _ = history::append(layout, &entry);
}

/// Takes a stop sign away whose time is over by this host's clock.
///
/// # Errors
/// When the file system refuses.
pub fn sweep(layout: &Layout) -> io::Result<()> {
    let over = || read(layout).is_some_and(|freeze| !freeze.lasts(facts::clock_ms()));
    // Looked at once more under the lock: somebody may be setting a new one.
    if over() {
        let _lock = others(layout)?;
        if over() {
            remove(layout)?;
        }
    }
    Ok(())
}

/// What a preflight says of it.
#[must_use]
pub fn finding(layout: &Layout) -> Option<Finding> {
    let freeze = read(layout)?;
    freeze.lasts(facts::clock_ms()).then(|| Finding {
        level: Level::Failure,
        subject: "freeze".to_owned(),
        text: format!(
            "frozen by {} until {}: {}",
            freeze.who, freeze.until, freeze.reason
        ),
        hint: Some("wait until it ends, or end it: ship thaw".to_owned()),
    })
}

/// Keeps others from setting it or taking it away meanwhile.
fn others(layout: &Layout) -> io::Result<File> {
    wait_for_file(&layout.state_file("freeze.lock"), WAITING)
}

fn remove(layout: &Layout) -> io::Result<()> {
    match fs::remove_file(layout.state_file("freeze.json")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => {
            other?;
            disk::sync_folder(&layout.state())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn freeze(until: &str) -> Freeze {
        Freeze {
            reason: "holidays".to_owned(),
            who: "ann@laptop".to_owned(),
            since: "2020-01-01T00:00:00Z".to_owned(),
            until: until.to_owned(),
        }
    }

    fn host() -> (tempfile::TempDir, Layout) {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path());
        fs::create_dir(layout.state()).unwrap();
        (folder, layout)
    }

    fn put(layout: &Layout, text: &[u8]) {
        fs::write(layout.state_file("freeze.json"), text).unwrap();
    }

    #[test]
    fn only_what_is_over_is_swept() {
        let (_folder, layout) = host();
        sweep(&layout).unwrap();
        for (until, stays) in [
            ("2020-01-02T00:00:00Z", false),
            ("2999-01-01T00:00:00Z", true),
            ("whenever", true),
        ] {
            put(&layout, &serde_json::to_vec(&freeze(until)).unwrap());
            sweep(&layout).unwrap();
            assert_eq!(read(&layout).is_some(), stays, "{until}");
        }
    }

    #[test]
    fn one_that_cannot_be_read_stops_too() {
        let (_folder, layout) = host();
        assert_eq!(read(&layout), None);
        put(&layout, b"");
        let found = read(&layout).unwrap();
        assert!(found.lasts(facts::clock_ms()), "{found:?}");
        assert!(finding(&layout).is_some());
    }
}
