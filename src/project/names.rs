//! The names in a manifest, for completions: as many as can be read, of a manifest that is broken
//! as well.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::load::MANIFEST;
use crate::model::{EnvironmentName, HostName, ServiceName};

/// A manifest that is larger is not looked at, bytes.
const LARGEST: u64 = 1 << 20;

/// The names in a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    /// The app.
    pub app: Option<String>,
    /// The services, in the order of the manifest.
    pub services: Vec<String>,
    /// The environments with their hosts, in the order of the manifest; `local` at the end.
    pub environments: Vec<(String, Vec<String>)>,
    /// The runtimes.
    pub runtimes: Vec<String>,
    default: Option<String>,
}

impl Names {
    /// Those in the manifest of `dir`; none where there is none. What is not a valid name is left
    /// out.
    #[must_use]
    pub fn in_folder(dir: &Path) -> Self {
        let mut bytes = Vec::new();
        let read = File::open(dir.join(MANIFEST))
            .and_then(|file| file.take(LARGEST).read_to_end(&mut bytes));
        match read {
            Ok(_) => Self::in_text(&String::from_utf8_lossy(&bytes)),
            Err(_) => Self::default(),
        }
    }

    fn in_text(text: &str) -> Self {
        let (root, _) = DeTable::parse_recoverable(text);
        let root = root.get_ref();
        let mut environments: Vec<(String, Vec<String>)> = Vec::new();
        for (name, environment) in entries(root, "environments") {
            if EnvironmentName::try_from(name).is_ok() {
                environments.push((name.to_owned(), hosts(environment)));
            }
        }
        let local = EnvironmentName::LOCAL;
        if environments.iter().all(|(name, _)| name != local) {
            environments.push((local.to_owned(), vec![local.to_owned()]));
        }
        let app = table(root, "app");
        let text = |key| app.and_then(|app| text_of(app, key)).map(str::to_owned);
        let services = entries(root, "services").map(|(name, _)| name);
        let services = services.filter(|name| ServiceName::try_from(*name).is_ok());
        Self {
            app: text("name"),
            services: services.map(str::to_owned).collect(),
            environments,
            runtimes: entries(root, "runtimes")
                .map(|(name, _)| name.to_owned())
                .filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric()))
                .collect(),
            default: text("default-environment"),
        }
    }

    /// The environment of a command that names none.
    #[must_use]
    pub fn default_environment(&self) -> Option<&str> {
        let others = |(name, _): &&(String, Vec<String>)| name != EnvironmentName::LOCAL;
        let mut others = self.environments.iter().filter(others);
        let only = match (others.next(), others.next()) {
            (Some((only, _)), None) => Some(only.as_str()),
            _ => None,
        };
        self.default.as_deref().or(only)
    }

    /// The hosts of `environment`.
    #[must_use]
    pub fn hosts_of(&self, environment: &str) -> &[String] {
        let mut environments = self.environments.iter();
        environments
            .find(|(name, _)| name == environment)
            .map_or(&[], |(_, hosts)| hosts)
    }
}

fn table<'a>(parent: &'a DeTable<'a>, key: &str) -> Option<&'a DeTable<'a>> {
    match parent.get(key)?.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

/// The entries of a table in a table, in the order of the file.
fn entries<'a>(
    parent: &'a DeTable<'a>,
    key: &str,
) -> impl Iterator<Item = (&'a str, &'a DeValue<'a>)> {
    let mut entries: Vec<_> = table(parent, key)
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.span().start, name.get_ref().as_ref(), value.get_ref()))
        .collect();
    entries.sort_by_key(|(at, ..)| *at);
    entries.into_iter().map(|(_, name, value)| (name, value))
}

fn text_of<'a>(table: &'a DeTable<'a>, key: &str) -> Option<&'a str> {
    match table.get(key)?.get_ref() {
        DeValue::String(text) => Some(text),
        _ => None,
    }
}

/// The addresses of an environment's hosts, each `"deploy@web1"` or `{ address = "deploy@web1" }`.
fn hosts(environment: &DeValue<'_>) -> Vec<String> {
    let DeValue::Table(environment) = environment else {
        return Vec::new();
    };
    let Some(DeValue::Array(hosts)) = environment.get("hosts").map(|hosts| hosts.get_ref()) else {
        return Vec::new();
    };
    let address = |host: &DeValue<'_>| match host {
        DeValue::String(address) => Some(address.to_string()),
        DeValue::Table(host) => text_of(host, "address").map(str::to_owned),
        _ => None,
    };
    let addresses = hosts.iter().filter_map(|host| address(host.get_ref()));
    addresses
        .filter(|address| HostName::try_from(address.as_str()).is_ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOP: &str = "[app]\nname = \"shop\"\n[services.web]\ncommand = \"x\"\n[services.worker]\n\
        [environments.production]\nhosts = [\"deploy@web1\", { address = \"deploy@web2\" }]\n\
        [environments.canary]\nhosts = [\"c1\"]\n[runtimes]\nnode = \"20\"\n";

    #[test]
    fn names_are_read() {
        let names = Names::in_text(SHOP);
        assert_eq!(names.services, ["web", "worker"]);
        let environments: Vec<&str> = names.environments.iter().map(|(n, _)| n.as_str()).collect();
        assert_eq!(environments, ["production", "canary", "local"]);
        assert_eq!(names.hosts_of("production"), ["deploy@web1", "deploy@web2"]);
        assert_eq!(names.hosts_of("local"), ["local"]);
        assert_eq!(names.default_environment(), None);
        assert_eq!(names.runtimes, ["node"]);
    }

    /// A person completes while the file is being written.
    #[test]
    fn a_broken_manifest_gives_what_can_be_read() {
        for broken in [
            SHOP.replace("name = \"shop\"", "name = "),
            SHOP.replace("command = \"x\"", "command = \"x"),
            SHOP.replace("[app]", "[app"),
            format!("{SHOP}\n[environments.\n"),
            format!("{SHOP}\nnonsense"),
        ] {
            let names = Names::in_text(&broken);
            assert_eq!(names.services, ["web", "worker"], "{broken}");
            assert_eq!(names.hosts_of("canary"), ["c1"], "{broken}");
        }
        for nothing in [
            "",
            "\u{0}",
            "[[[[",
            "hosts = 3\nservices = 4\nenvironments = []",
        ] {
            assert_eq!(Names::in_text(nothing).services, Vec::<String>::new());
        }
    }

    #[test]
    fn what_is_not_a_name_is_left_out() {
        let odd = "[services.\"a b\"]\n[services.\"\\u001b[2J\"]\n[services.ok]\n\
                   [environments.\"x\\ny\"]\n[environments.e]\nhosts = [\"-oProxy\", \"a b\", \"w\"]\n";
        let names = Names::in_text(odd);
        assert_eq!(names.services, ["ok"]);
        assert_eq!(names.environments.len(), 2);
        assert_eq!(names.hosts_of("e"), ["w"]);
    }
}
