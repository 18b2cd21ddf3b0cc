//! Unit files on this host.

use std::path::{Path, PathBuf};

use crate::agent::layout::LAUNCHERS;
use crate::agent::service::Scope;
use crate::agent::service::unit::{MARKER, marker, unit_name};
use crate::agent::{Layout, careful, releases};
use crate::model::{AppName, Instance, ReleaseId, ReleaseState, ServiceName};

/// Where an administrator's units are (systemd.unit(5), "Unit File Load Path").
#[must_use]
pub fn folder(scope: Scope, home: &Path) -> PathBuf {
    match scope {
        Scope::System => PathBuf::from("/etc/systemd/system"),
        Scope::User => home.join(".config/systemd/user"),
    }
}

/// Whether the file at `path` was written by ship for `app`.
#[must_use]
pub fn is_ours(path: &Path, app: &AppName) -> bool {
    careful::text(path, careful::METADATA)
        .is_ok_and(|text| text.lines().next() == Some(&marker(app)))
}

/// The other apps whose units in `folder` run as `user`, as a sentence.
#[must_use]
pub fn of_others(folder: &Path, app: &AppName, user: &str) -> Option<String> {
    let line = format!("User={user}");
    let mut others: Vec<String> = names_in(folder)
        .filter(|name| name.ends_with(".service") && !name.ends_with(".recovery.service"))
        .filter_map(|name| careful::text(&folder.join(name), careful::METADATA).ok())
        .filter(|text| text.lines().any(|it| it == line))
        .filter_map(|text| Some(text.lines().next()?.strip_prefix(MARKER)?.to_owned()))
        .filter_map(|rest| Some(rest.strip_prefix(" for ")?.to_owned()))
        .filter(|other| other != app.as_str())
        .collect();
    others.sort();
    others.dedup();
    let others = Some(others.join(", ")).filter(|others| !others.is_empty())?;
    Some(format!(
        "{others} runs as {user} too: each app can read the other's releases and secrets"
    ))
}

/// The services that the live release at `layout` and those that can be gone back to run by units of
/// ours in `folder`, sorted. As long as there is one, each needs its unit and the rights to it: a
/// rollback needs no setup.
#[must_use]
pub fn of_releases(folder: &Path, app: &AppName, layout: &Layout) -> Vec<ServiceName> {
    let kept = releases::ids(layout).unwrap_or_default().into_iter();
    let good = kept.filter(|id| releases::state(layout, *id) == ReleaseState::Good);
    let good = good.map(|id| layout.release(id).join(LAUNCHERS));
    let mut services: Vec<ServiceName> = std::iter::once(layout.launchers())
        .chain(good)
        .flat_map(|launchers| names_in(&launchers))
        .filter_map(|name| ServiceName::try_from(name).ok())
        .filter(|service| is_ours(&folder.join(unit_of(app, service)), app))
        .collect();
    services.sort();
    services.dedup();
    services
}

/// The unit of the only instance of `service`.
fn unit_of(app: &AppName, service: &ServiceName) -> String {
    unit_name(app, &Instance::only(service))
}

/// The units in `folder` that ship wrote for `app`, sorted.
#[must_use]
pub fn all(folder: &Path, app: &AppName) -> Vec<String> {
    let mut all: Vec<String> = names_in(folder)
        .filter(|name| name.starts_with(app.as_str()) && name.ends_with(".service"))
        .filter(|name| is_ours(&folder.join(name), app))
        .collect();
    all.sort();
    all
}

/// The units in `folder` that ship wrote for `app`, that are not in `wanted` and that no release
/// needs, by name, sorted.
#[must_use]
pub fn stale(folder: &Path, app: &AppName, layout: &Layout, wanted: &[String]) -> Vec<String> {
    let needed = of_releases(folder, app, layout);
    let needed: Vec<String> = needed.iter().map(|name| unit_of(app, name)).collect();
    let mut stale = all(folder, app);
    stale.retain(|name| !wanted.contains(name) && !needed.contains(name));
    stale
}

/// The services of kept releases that `wanted` has no more, each with those releases: their units
/// stay for a rollback.
#[must_use]
pub fn kept(
    folder: &Path,
    app: &AppName,
    layout: &Layout,
    wanted: &[ServiceName],
) -> Vec<(ServiceName, Vec<ReleaseId>)> {
    let ids = releases::ids(layout).unwrap_or_default();
    let has = |id: &ReleaseId, service: &ServiceName| {
        let launchers = layout.release(*id).join(LAUNCHERS);
        launchers.join(service.as_str()).exists()
    };
    of_releases(folder, app, layout)
        .into_iter()
        .filter(|service| !wanted.contains(service))
        .map(|service| {
            let with: Vec<ReleaseId> = ids.iter().copied().filter(|id| has(id, &service)).collect();
            (service, with)
        })
        .collect()
}

fn names_in(folder: &Path) -> impl Iterator<Item = String> + use<> {
    let names = careful::names(folder, careful::NAMES).unwrap_or_default();
    names.into_iter().filter_map(|name| name.into_string().ok())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_our_own_units_are_stale_that_no_release_needs() {
        let [folder, root] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let (shop, layout) = ("shop".try_into().unwrap(), Layout::at(root.path()));
        let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        put("shop-web.service", "# managed by ship for shop\n[Unit]\n");
        put("shop-old.service", "# managed by ship for shop\n[Unit]\n");
        put(
            "shop-admin-web.service",
            "# managed by ship for shop-admin\n[Unit]\n",
        );
        put("shop-hand.service", "[Unit]\n");
        let wanted = ["shop-web.service".to_owned()];
        let stale = || stale(folder.path(), &shop, &layout, &wanted);
        assert_eq!(stale(), ["shop-old.service"]);

        fs::create_dir_all(layout.launchers()).unwrap();
        for name in ["old", "hand", "gone", "not a name"] {
            fs::write(layout.launchers().join(name), "").unwrap();
        }
        assert_eq!(stale(), [""; 0]);
        let needed = || of_releases(folder.path(), &shop, &layout);
        assert_eq!(needed(), ["old".try_into().unwrap()]);

        // Another is live now, which can fail or be gone back from.
        let old = layout.release(ReleaseId(1)).join(".ship");
        fs::create_dir_all(old.parent().unwrap()).unwrap();
        fs::rename(layout.launchers().parent().unwrap(), &old).unwrap();
        assert_eq!(stale(), ["shop-old.service"]);
        fs::create_dir_all(layout.state_file("states")).unwrap();
        releases::set_state(&layout, ReleaseId(1), ReleaseState::Good).unwrap();
        assert_eq!((stale().len(), needed().len()), (0, 1));
        let kept = kept(folder.path(), &shop, &layout, &["web".try_into().unwrap()]);
        assert_eq!(kept, [("old".try_into().unwrap(), vec![ReleaseId(1)])]);
    }
}
