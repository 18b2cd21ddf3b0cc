//! Unit files on this host.

use std::fs;
use std::path::{Path, PathBuf};

use crate::agent::service::Scope;
use crate::agent::service::unit::marker;
use crate::model::AppName;

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
    fs::read_to_string(path).is_ok_and(|text| text.lines().next() == Some(&marker(app)))
}

/// The units in `folder` that ship wrote for `app` and that are not in `wanted`, by name, sorted.
#[must_use]
pub fn stale(folder: &Path, app: &AppName, wanted: &[String]) -> Vec<String> {
    let names = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut stale: Vec<String> = names
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with(app.as_str()) && name.ends_with(".service"))
        .filter(|name| !wanted.contains(name) && is_ours(&folder.join(name), app))
        .collect();
    stale.sort();
    stale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_units_are_stale() {
        let folder = tempfile::tempdir().unwrap();
        let shop = "shop".try_into().unwrap();
        let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        put("shop-web.service", "# managed by ship for shop\n[Unit]\n");
        put("shop-old.service", "# managed by ship for shop\n[Unit]\n");
        put(
            "shop-admin-web.service",
            "# managed by ship for shop-admin\n[Unit]\n",
        );
        put("shop-hand.service", "[Unit]\n");
        let wanted = ["shop-web.service".to_owned()];
        assert_eq!(stale(folder.path(), &shop, &wanted), ["shop-old.service"]);
    }
}
