//! Where on this host an app was set up before: units, and what runs without them. A manifest that
//! names another root folder or another service manager leaves that behind.

use std::path::{Path, PathBuf};

use super::{Target, settings, units};
use crate::agent::service::{Scope, supervisor};
use crate::agent::{Layout, careful, releases};
use crate::model::{AppName, Failure, ReleaseId, ServiceManagerKind};

/// A place where the app is, that is not the manifest's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherPlace {
    /// Who keeps its services running.
    pub manager: ServiceManagerKind,
    /// Its root folder.
    pub root: PathBuf,
    /// Its units; none under the built-in supervisor.
    pub units: Vec<String>,
}

/// The root folder that a unit of ours names.
#[must_use]
pub fn root_of_unit(text: &str) -> Option<PathBuf> {
    let launcher = settings::value(text, "Unit", "ConditionPathExists")?;
    let (root, _) = launcher.rsplit_once("/current/.ship/run/")?;
    Some(PathBuf::from(root.replace("%%", "%")))
}

/// The places of `app` besides `root` under `manager`. `home` is the deploying user's.
#[must_use]
pub fn others(
    app: &AppName,
    manager: ServiceManagerKind,
    root: &Path,
    home: &Path,
) -> Vec<OtherPlace> {
    let mut found: Vec<OtherPlace> = Vec::new();
    for (scope, kind) in [
        (Scope::System, ServiceManagerKind::Systemd),
        (Scope::User, ServiceManagerKind::SystemdUser),
    ] {
        let folder = units::folder(scope, home);
        for name in units::all(&folder, app) {
            let text = careful::text(&folder.join(&name), careful::METADATA).unwrap_or_default();
            let Some(at) = root_of_unit(&text) else {
                continue;
            };
            if kind == manager && at == root {
                continue;
            }
            match found
                .iter_mut()
                .find(|it| it.manager == kind && it.root == at)
            {
                Some(place) => place.units.push(name),
                None => found.push(OtherPlace {
                    manager: kind,
                    root: at,
                    units: vec![name],
                }),
            }
        }
    }
    for at in [root.to_owned(), home.join("apps").join(app.as_str())] {
        let is_the_manifests = manager == ServiceManagerKind::Supervisor && at == root;
        let is_known = found
            .iter()
            .any(|it| it.manager == ServiceManagerKind::Supervisor && it.root == at);
        if !is_the_manifests && !is_known && supervisor::runs_something(&Layout::at(&at)) {
            found.push(OtherPlace {
                manager: ServiceManagerKind::Supervisor,
                root: at,
                units: Vec::new(),
            });
        }
    }
    found
}

/// Refuses to set the app up in a second place while it is live in the first: the two would want the
/// same ports, and what is in `shared/` would be left behind. A place where nothing is live is no
/// hindrance.
///
/// # Errors
/// `Refused`, naming the place, the release and the ports.
pub fn refuse(target: &Target<'_>) -> Result<(), Failure> {
    let deployment = target.deployment;
    let root = target.layout.root();
    let others = others(&deployment.app, deployment.manager, root, &target.home);
    let live = |place: &OtherPlace| {
        let release = releases::current(&Layout::at(&place.root)).ok().flatten();
        release.map(|release| (place.clone(), release))
    };
    let Some((place, release)) = others.iter().find_map(live) else {
        return Ok(());
    };
    let environment = &deployment.environment;
    let as_root = match place.manager {
        ServiceManagerKind::Systemd => " --as root",
        _ => "",
    };
    Err(Failure::refused(format!(
        "{release} of {} is live in {} under {}; ship does not move a live app to {} under {}",
        deployment.app,
        place.root.display(),
        place.manager.as_str(),
        root.display(),
        deployment.manager.as_str()
    ))
    .details(left_there(&place, release))
    .hint(format!(
        "put `root` and `manager` back as they were, or take that place down first: `ship remove \
         {environment}{as_root}` keeps its shared files, which you then move to {}",
        root.join("shared").display()
    )))
}

/// What is left at a place, a line each.
fn left_there(place: &OtherPlace, release: ReleaseId) -> Vec<String> {
    let layout = Layout::at(&place.root);
    let mut lines = Vec::new();
    if !place.units.is_empty() {
        lines.push(format!("its units: {}", place.units.join(", ")));
    }
    let services = releases::read(&layout, release).map(|it| it.services);
    let ports = services.into_iter().flatten().filter_map(|service| {
        let port = service.port?;
        Some(format!("port {port} is held by its {}", service.name))
    });
    lines.extend(ports);
    lines.push(format!("its shared files: {}", layout.shared().display()));
    lines
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn units_that_name_another_root_are_found() {
        let home = tempfile::tempdir().unwrap();
        let folder = units::folder(Scope::User, home.path());
        fs::create_dir_all(&folder).unwrap();
        let unit = |root: &str| {
            format!(
                "# managed by ship for zz-shop\n[Unit]\n\
                 ConditionPathExists={root}/current/.ship/run/web\n"
            )
        };
        fs::write(folder.join("zz-shop-web.service"), unit("/a/100%%")).unwrap();
        let app = AppName::try_from("zz-shop").unwrap();
        let others = |manager, root: &str| others(&app, manager, Path::new(root), home.path());
        let kind = ServiceManagerKind::SystemdUser;
        assert_eq!(others(kind, "/a/100%"), []);
        for (manager, root) in [(kind, "/b"), (ServiceManagerKind::Systemd, "/a/100%")] {
            let found = others(manager, root);
            assert_eq!(found.len(), 1);
            assert_eq!(
                (found[0].manager, found[0].root.to_str()),
                (kind, Some("/a/100%"))
            );
            assert_eq!(found[0].units, ["zz-shop-web.service"]);
        }
        assert_eq!(root_of_unit("[Unit]\nDescription=recovery\n"), None);
    }
}
