//! The stop sign for deploys, `freeze.json`. People set it and take it away under no lock of a
//! deploy, so that it can be set while one runs.

use std::fs::{self, File};
use std::io;

use super::host::Host;
use super::lock::wait_for_file;
use super::{Layout, disk, facts};
use crate::model::{Failure, Freeze};
use crate::wire::{Finding, Level};

/// A stop sign that cannot be read stops until somebody takes it away.
const FOR_EVER: &str = "9999-12-30T00:00:00Z";

/// The stop sign, also when its time is over. One that cannot be read is one without an end: whoever
/// put the file there meant something by it.
///
/// # Errors
/// When the file is there and the system refuses to read it.
pub fn read(layout: &Layout) -> io::Result<Option<Freeze>> {
    let path = layout.state_file("freeze.json");
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(disk::named(error, &path)),
    };
    let unreadable = || Freeze {
        reason: format!("{} does not say why", path.display()),
        who: "somebody".to_owned(),
        since: disk::now(),
        until: FOR_EVER.to_owned(),
    };
    Ok(Some(
        serde_json::from_slice(&text).unwrap_or_else(|_| unreadable()),
    ))
}

/// Sets the stop sign, or takes it away.
///
/// # Errors
/// Refused, when the app has no place on this host yet; when the file system refuses.
pub fn set(host: &Host, freeze: Option<&Freeze>) -> Result<(), Failure> {
    let layout = &host.layout;
    if !facts::ready(host) {
        let root = layout.root().display();
        let app = &host.deployment.app;
        return Err(Failure::refused(format!("{root} is not set up for {app}"))
            .hint(format!("ship setup {}", host.deployment.environment)));
    }
    let _lock = others(layout)?;
    match freeze {
        None => Ok(remove(layout)?),
        Some(freeze) => {
            let text = serde_json::to_vec(freeze)
                .map_err(|error| Failure::unexpected(format!("freeze.json: {error}")))?;
            let path = layout.state_file("freeze.json");
            Ok(disk::write_atomic(&path, &text, 0o644)?)
        }
    }
}

/// Takes a stop sign away whose time is over by this host's clock.
///
/// # Errors
/// When the file system refuses.
pub fn sweep(layout: &Layout) -> io::Result<()> {
    let over = || -> io::Result<bool> {
        Ok(read(layout)?.is_some_and(|freeze| !freeze.lasts(facts::clock_ms())))
    };
    // Looked at once more under the lock: somebody may be setting a new one.
    if over()? {
        let _lock = others(layout)?;
        if over()? {
            remove(layout)?;
        }
    }
    Ok(())
}

/// What a preflight says of it.
#[must_use]
pub fn finding(layout: &Layout) -> Option<Finding> {
    let freeze = read(layout).ok()??;
    freeze.lasts(facts::clock_ms()).then(|| Finding {
        level: Level::Failure,
        subject: "freeze".to_owned(),
        text: format!(
            "frozen by {} until {}: {}",
            freeze.who, freeze.until, freeze.reason
        ),
        hint: Some("wait for its end, or take it away: ship thaw".to_owned()),
    })
}

/// Keeps others from setting it or taking it away meanwhile.
fn others(layout: &Layout) -> io::Result<File> {
    wait_for_file(&layout.state_file("freeze.lock"))
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
            assert_eq!(read(&layout).unwrap().is_some(), stays, "{until}");
        }
    }

    #[test]
    fn one_that_cannot_be_read_stops_too() {
        let (_folder, layout) = host();
        assert_eq!(read(&layout).unwrap(), None);
        put(&layout, b"");
        let found = read(&layout).unwrap().unwrap();
        assert!(found.lasts(facts::clock_ms()), "{found:?}");
        assert!(finding(&layout).is_some());
    }
}
