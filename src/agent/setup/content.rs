//! Shared files that a release needs with content, and that setup could only make empty.

use std::fs;
use std::io;
use std::path::Path;

use super::{Entry, entries};
use crate::agent::host::Host;
use crate::agent::releases;
use crate::agent::service::systemctl;
use crate::model::{ReleaseState, ServiceManagerKind};
use crate::wire::{Finding, Level};

/// Extensions of files that may begin empty: databases that the app fills, logs, and the notes that
/// processes leave.
const MAY_BE_EMPTY: [&str; 14] = [
    "db", "db3", "sqlite", "sqlite3", "sdb", "rdb", "aof", "log", "out", "err", "pid", "lock",
    "sock", "keep",
];

/// The shared files without content. Before the first release one of them stops the deploy, except
/// on this machine: an app whose `database.yml` is empty does not start, or starts wrongly. With
/// system units setup makes the files, and one that is not there is its matter. Those of `seeded` get
/// their content from the project.
#[must_use]
pub fn missing(host: &Host, shared: &[String], seeded: &[String]) -> Vec<Finding> {
    let layout = &host.layout;
    let kept = releases::ids(layout).unwrap_or_default();
    let has_served = kept
        .into_iter()
        .any(|id| releases::state(layout, id) == ReleaseState::Good);
    let deployment = &host.deployment;
    let level = match has_served || deployment.environment.is_local() {
        true => Level::Warning,
        false => Level::Failure,
    };
    let by_setup = deployment.manager.is_system_wide();
    let is_empty = |path: &Path| match fs::metadata(layout.shared().join(path)) {
        Ok(found) => found.is_file() && found.len() == 0,
        Err(error) => error.kind() == io::ErrorKind::NotFound && !by_setup && !has_served,
    };
    entries(shared)
        .into_iter()
        .filter_map(|entry| match entry {
            Entry::File(path)
                if !may_be_empty(&path)
                    && is_empty(&path)
                    && !seeded.iter().any(|seeded| path == Path::new(seeded)) =>
            {
                Some(path)
            }
            _ => None,
        })
        .map(|path| {
            let at = layout.shared().join(&path);
            let text = format!("the shared file {} has no content", at.display());
            let name = path.file_name().unwrap_or_default().display();
            Finding {
                level,
                subject: "shared".to_owned(),
                text,
                hint: Some(how_to_fill(host, &name.to_string(), &at)),
            }
        })
        .collect()
}

fn may_be_empty(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    MAY_BE_EMPTY.contains(&extension.to_ascii_lowercase().as_str())
}

fn how_to_fill(host: &Host, name: &str, at: &Path) -> String {
    let name_of_host = rustix::system::uname();
    let name_of_host = name_of_host.nodename().to_string_lossy();
    // Such a file is the app's: the deploying user cannot write it.
    let who = match host.deployment.manager {
        ServiceManagerKind::Systemd => "root".to_owned(),
        _ => systemctl::user_name(),
    };
    let folder = at.parent().unwrap_or(at);
    let mut put = format!("cat > {}", at.display());
    if !folder.is_dir() {
        put = format!("mkdir -p {} && {put}", folder.display());
    }
    match host.deployment.environment.is_local() {
        true => format!("put its content there: {put} < {name}"),
        false => format!("put its content there: ssh {who}@{name_of_host} '{put}' < {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Deployment, ReleaseId};

    #[test]
    fn only_a_file_that_an_app_reads_must_have_content() {
        for name in [
            "db.sqlite3",
            "log/production.log",
            "tmp/puma.PID",
            "data.db",
        ] {
            assert!(may_be_empty(Path::new(name)), "{name}");
        }
        for name in ["database.yml", ".env", "config/master.key", "settings.json"] {
            assert!(!may_be_empty(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn an_empty_shared_file_stops_the_first_deploy_only() {
        let root = tempfile::tempdir().unwrap();
        let host = Host::new(Deployment {
            app: "shop".try_into().unwrap(),
            environment: "production".try_into().unwrap(),
            root: Some(root.path().display().to_string()),
            manager: ServiceManagerKind::Supervisor,
            user: "shop".to_owned(),
            readable_by: Vec::new(),
        });
        let shared = ["database.yml", "db.sqlite3", "uploads"].map(str::to_owned);
        let absent = missing(&host, &["conf/absent.yml".to_owned()], &[]);
        let hint = absent[0].hint.as_deref().unwrap_or_default();
        assert!(hint.contains("mkdir -p") && absent[0].level == Level::Failure);
        fs::create_dir_all(host.layout.shared().join("uploads")).unwrap();
        for name in ["database.yml", "db.sqlite3"] {
            fs::write(host.layout.shared().join(name), "").unwrap();
        }
        let found = missing(&host, &shared, &[]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].level, Level::Failure);
        assert_eq!(missing(&host, &shared, &["database.yml".to_owned()]), []);
        assert!(
            found[0]
                .text
                .ends_with("shared/database.yml has no content")
        );

        fs::create_dir_all(host.layout.state_file("states")).unwrap();
        fs::create_dir_all(host.layout.release(ReleaseId(1)).join(".ship")).unwrap();
        releases::set_state(&host.layout, ReleaseId(1), ReleaseState::Good).unwrap();
        assert_eq!(missing(&host, &shared, &[])[0].level, Level::Warning);

        fs::write(host.layout.shared().join("database.yml"), "a: 1\n").unwrap();
        assert_eq!(missing(&host, &shared, &[]), []);
    }
}
