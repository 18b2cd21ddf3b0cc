//! Whose a root folder is: of one environment of one app, and of one project. Two projects may well
//! call their app the same, as templates do; the release of the one must not replace the other's.

use std::path::{Path, PathBuf};

use super::careful::{self, ReadError};
use super::host::Host;
use super::{Layout, disk};
use crate::model::{Deployment, Failure};

/// Checks that the root folder belongs to this environment of this app, and to the project whose
/// git history begins with one of `history` (commit ids; empty when nobody knows); the first deploy
/// says whose it is. A damaged note is written anew from what the last transaction left, else for
/// this deployment. Returns a sentence where that was done, or could not be.
///
/// # Errors
/// When it belongs to another one; when nobody has said whose it is and that cannot be written.
pub fn claim(host: &Host, history: &[String]) -> Result<Option<String>, Failure> {
    let Host {
        layout, deployment, ..
    } = host;
    let path = note(layout);
    let ours = owner(deployment);
    let said = match read(&path) {
        Ok(text) => of_us(layout, deployment, &text).map(|()| None)?,
        Err(error) if error.is_absent() => {
            write(&path, &ours)?;
            None
        }
        Err(damage) => {
            let whose = of_last_transaction(layout).unwrap_or(ours);
            of_us(layout, deployment, &whose)?;
            Some(match write(&path, &whose) {
                Ok(()) => format!("{damage}; rewritten for {}", shown(&whose)),
                Err(error) => format!("{damage}; it cannot be rewritten: {error}"),
            })
        }
    };
    if !has_history(layout, deployment, history)? && !history.is_empty() {
        write(&history_note(layout), &(history.join("\n") + "\n"))?;
    }
    Ok(said)
}

/// Checks what [`claim`] checks, and writes nothing.
///
/// # Errors
/// When the root folder belongs to another one.
pub fn check(layout: &Layout, deployment: &Deployment, history: &[String]) -> Result<(), Failure> {
    let whose = match read(&note(layout)) {
        Ok(text) => Some(text),
        Err(error) if error.is_absent() => None,
        Err(_) => of_last_transaction(layout),
    };
    whose.map_or(Ok(()), |whose| of_us(layout, deployment, &whose))?;
    has_history(layout, deployment, history).map(drop)
}

/// Whose deployment the last transaction was of.
fn of_last_transaction(layout: &Layout) -> Option<String> {
    let last: Deployment = careful::json(&layout.deployment(), careful::METADATA).ok()?;
    Some(owner(&last))
}

fn note(layout: &Layout) -> PathBuf {
    layout.state_file("owner")
}

fn history_note(layout: &Layout) -> PathBuf {
    layout.state_file("first-commits")
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    disk::write_atomic(path, text.as_bytes(), 0o600)
}

fn owner(deployment: &Deployment) -> String {
    format!("{} {}\n", deployment.app, deployment.environment)
}

fn shown(owner: &str) -> String {
    owner.trim().replacen(' ', " of environment ", 1)
}

fn read(path: &Path) -> careful::Result<String> {
    let text = careful::text(path, careful::SMALL)?;
    match text.trim().split_once(' ') {
        Some(_) => Ok(text),
        None => Err(ReadError::garbled(path, "it does not name an app")),
    }
}

fn of_us(layout: &Layout, deployment: &Deployment, owner: &str) -> Result<(), Failure> {
    let ours = self::owner(deployment);
    if owner.trim() == ours.trim() {
        return Ok(());
    }
    let failure = Failure::refused(format!(
        "{} belongs to {}, not to {}",
        layout.root().display(),
        shown(owner),
        shown(&ours),
    ));
    Err(failure.hint(format!(
        "give this environment a name of its own on the host: [environments.{}] name = \"…\"",
        deployment.environment
    )))
}

/// Whether it is noted with which commits the project's history begins; nothing that can be read
/// is no note.
fn has_history(
    layout: &Layout,
    deployment: &Deployment,
    history: &[String],
) -> Result<bool, Failure> {
    let path = history_note(layout);
    let Ok(text) = careful::text(&path, careful::SMALL) else {
        return Ok(false);
    };
    let noted: Vec<&str> = text.split_whitespace().collect();
    let is_same = |one: &String| noted.contains(&one.as_str());
    if history.is_empty() || noted.is_empty() || history.iter().any(is_same) {
        return Ok(!noted.is_empty());
    }
    let short = |id: &str| id.chars().take(9).collect::<String>();
    let failure = Failure::refused(format!(
        "{} belongs to another project that calls its app {}",
        layout.root().display(),
        deployment.app,
    ));
    Err(failure
        .detail(format!(
            "its git history begins with {}, this project's with {}",
            short(noted[0]),
            short(&history[0]),
        ))
        .hint(format!(
            "give this app another name ([app] name = \"…\"); if it is the same project with a new \
             history, remove {} on the host",
            path.display()
        )))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::model::ServiceManagerKind;

    fn host(root: &Path) -> Host {
        let host = Host::new(Deployment {
            app: "shop".try_into().unwrap(),
            environment: "production".try_into().unwrap(),
            root: Some(root.display().to_string()),
            manager: ServiceManagerKind::Supervisor,
            user: "shop".to_owned(),
            readable_by: Vec::new(),
        });
        crate::agent::facts::prepare(&host).unwrap();
        host
    }

    #[test]
    fn a_damaged_owner_is_written_anew_and_never_taken_for_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let host = host(folder.path());
        let path = host.layout.state_file("owner");
        assert_eq!(claim(&host, &[]).unwrap(), None);
        for damage in ["", "\u{0}\u{0}", "shop"] {
            fs::write(&path, damage).unwrap();
            let said = claim(&host, &[]).unwrap().unwrap();
            let expected = format!("{} is damaged: it does not name an app", path.display());
            assert!(said.starts_with(&expected), "{said}");
            assert_eq!(fs::read_to_string(&path).unwrap(), "shop production\n");
            assert_eq!(claim(&host, &[]).unwrap(), None);
        }
        fs::write(&path, "other production\n").unwrap();
        assert!(
            claim(&host, &[])
                .unwrap_err()
                .message()
                .contains("belongs to other")
        );
        // What the last transaction was of decides where the note does not.
        let mut other = host.deployment.clone();
        other.app = "other".try_into().unwrap();
        let deployment = serde_json::to_vec(&other).unwrap();
        fs::write(host.layout.deployment(), deployment).unwrap();
        fs::write(&path, "").unwrap();
        assert!(
            claim(&host, &[])
                .unwrap_err()
                .message()
                .contains("belongs to other")
        );
    }

    #[test]
    fn another_project_with_the_same_name_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let host = host(folder.path());
        let [ours, theirs] = ["a1", "b2"].map(|id| vec![id.repeat(20)]);
        claim(&host, &[]).unwrap();
        check(&host.layout, &host.deployment, &ours).unwrap();
        claim(&host, &ours).unwrap();
        let merged = [theirs.clone(), ours.clone()].concat();
        for same in [&ours, &merged, &Vec::new()] {
            claim(&host, same).unwrap();
            check(&host.layout, &host.deployment, same).unwrap();
        }
        for refused in [
            claim(&host, &theirs).map(drop),
            check(&host.layout, &host.deployment, &theirs),
        ] {
            let failure = refused.unwrap_err();
            assert!(failure.message().contains("another project"), "{failure:?}");
        }
        // As the hint says.
        fs::remove_file(history_note(&host.layout)).unwrap();
        claim(&host, &theirs).unwrap();
        check(&host.layout, &host.deployment, &ours).unwrap_err();
    }
}
