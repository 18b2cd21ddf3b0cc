//! Names on the host that somebody else has: units, runtime folders and accounts.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::units;
use crate::agent::service::{Scope, account};
use crate::model::{AppName, Failure};

/// Where units of the system lie, besides the folder of setup (systemd.unit(5), "Unit File Load
/// Path").
const OF_SYSTEM: [&str; 13] = [
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/run/systemd/generator.late",
    "/etc/init.d",
];

/// The same of a user's service manager, those below the home folder left out.
const OF_USERS: [&str; 7] = [
    "/etc/systemd/user",
    "/run/systemd/user",
    "/usr/local/share/systemd/user",
    "/usr/share/systemd/user",
    "/usr/local/lib/systemd/user",
    "/usr/lib/systemd/user",
    "/lib/systemd/user",
];

/// Something on the host that has the name of the unit `name` and is not of `app`: a unit, a link
/// that is an alias, drop-ins of a unit, a script of init. A unit of ours would take its place, or
/// take settings from it. Once a unit of ours is there, drop-ins of it in `folder` are the
/// administrator's, and what else is found is hidden by it already.
#[must_use]
pub fn unit(
    scope: Scope,
    folder: &Path,
    home: &Path,
    app: &AppName,
    name: &str,
) -> Option<PathBuf> {
    let others: Vec<PathBuf> = match scope {
        Scope::System => OF_SYSTEM.iter().map(PathBuf::from).collect(),
        Scope::User => {
            let below = [".config/systemd/user.control", ".local/share/systemd/user"];
            let below = below.iter().map(|path| home.join(path));
            OF_USERS.iter().map(PathBuf::from).chain(below).collect()
        }
    };
    in_folders(folder, &others, app, name)
}

fn in_folders(folder: &Path, others: &[PathBuf], app: &AppName, name: &str) -> Option<PathBuf> {
    let is_there = |path: &PathBuf| fs::symlink_metadata(path).is_ok();
    let own = folder.join(name);
    let is_ours = units::is_ours(&own, app);
    if is_there(&own) && !is_ours {
        return Some(own);
    }
    let drop_ins = format!("{name}.d");
    let of_own = (!is_ours).then(|| folder.join(&drop_ins));
    let stem = name.trim_end_matches(".service");
    let of_others = others
        .iter()
        .flat_map(|other| match other.ends_with("init.d") {
            true => vec![other.join(stem)],
            false => vec![other.join(name), other.join(&drop_ins)],
        });
    // systemd keeps what `systemctl set-property` and the like made of a unit of ours there.
    let is_about_ours = |path: &PathBuf| {
        let text = path.to_string_lossy();
        is_ours && (text.contains(".control/") || text.contains("/transient/"))
    };
    of_own
        .into_iter()
        .chain(of_others.filter(|path| !is_about_ours(path)))
        .find(is_there)
}

/// Refuses a runtime folder that somebody else has: systemd would give it to the app's user, and
/// empty it when the service stops (systemd.exec(5), `RuntimeDirectory=`). Only asked while there is
/// no unit of ours.
///
/// # Errors
/// `Refused`, naming it.
pub fn refuse_runtime_folder(name: &str, user: &str) -> Result<(), Failure> {
    let path = Path::new("/run").join(name.trim_end_matches(".service"));
    let Ok(found) = fs::symlink_metadata(&path) else {
        return Ok(());
    };
    let is_the_apps = account::find(user)?.is_some_and(|account| account.uid == found.uid());
    match is_the_apps {
        true => Ok(()),
        false => Err(not_ours(&path)),
    }
}

/// What to say of something that has a name of ours.
pub fn not_ours(path: &Path) -> Failure {
    Failure::refused(format!(
        "{} was not written for this app by ship",
        path.display()
    ))
    .hint(
        "move it away, give the service another name, or give the environment a name of its own on \
         the host (`name`)",
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_unit_of_somebody_else_is_found_wherever_systemd_would_load_it() {
        let temp = tempfile::tempdir().unwrap();
        let at = |path: &str| temp.path().join(path);
        let folders = ["etc", "lib", "run", "init.d", "x.control"].map(at);
        for folder in &folders {
            fs::create_dir(folder).unwrap();
        }
        let app = AppName::try_from("redis").unwrap();
        let name = "redis-server.service";
        let found = || in_folders(&folders[0], &folders[1..], &app, name);
        assert_eq!(found(), None);

        for file in [
            "lib/redis-server.service",
            "run/redis-server.service",
            "init.d/redis-server",
        ] {
            fs::write(at(file), "[Unit]\n").unwrap();
            assert_eq!(found(), Some(at(file)));
            fs::remove_file(at(file)).unwrap();
        }
        for folder in ["lib/redis-server.service.d", "etc/redis-server.service.d"] {
            fs::create_dir(at(folder)).unwrap();
            assert_eq!(found(), Some(at(folder)));
            fs::remove_dir(at(folder)).unwrap();
        }
        // An alias leads to a unit of another name, which may not be there any more.
        symlink(
            "/lib/systemd/system/redis.service",
            at("etc/redis-server.service"),
        )
        .unwrap();
        assert_eq!(found(), Some(at("etc/redis-server.service")));
        fs::remove_file(at("etc/redis-server.service")).unwrap();

        fs::write(
            at("etc/redis-server.service"),
            "# managed by ship for redis\n",
        )
        .unwrap();
        for mine in [
            "etc/redis-server.service.d",
            "x.control/redis-server.service.d",
        ] {
            fs::create_dir(at(mine)).unwrap();
        }
        assert_eq!(found(), None);
        fs::write(at("lib/redis-server.service"), "[Unit]\n").unwrap();
        assert_eq!(found(), Some(at("lib/redis-server.service")));
    }
}
