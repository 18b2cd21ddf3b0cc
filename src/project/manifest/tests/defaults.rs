//! Defaults, and the way to print them.

use std::collections::BTreeMap;

use super::super::schema::{self, Fallback, Type};
use super::{SHOP, check, said, with};
use crate::model::{Probe, ServiceManagerKind};
use crate::project::model::{OnFailure, Strategy};

#[test]
fn the_whole_manifest_is_understood() {
    assert_eq!(said(SHOP), "");
    let project = check(SHOP).project.unwrap();
    let names: Vec<&str> = project.services.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["web", "worker", "site", "cache"]);
    assert_eq!(project.services[0].health.timeout_ms, 45_000);
    assert_eq!(
        project.services[2].health.probe,
        Some(Probe::Http {
            path: "/".to_owned(),
            port: 8080,
            status: Vec::new(),
            body: None,
            headers: BTreeMap::new(),
        })
    );
    assert_eq!(
        project.services[3].health.probe,
        Some(Probe::Tcp { port: 6379 })
    );
    assert_eq!(project.environments.len(), 3);
    assert_eq!(project.default_environment.unwrap().as_str(), "staging");
}

#[test]
fn the_smallest_manifest_has_the_defaults_of_the_schema() {
    let project = check(&with("")).project.unwrap();
    assert_eq!(project.release.include, ["."]);
    assert_eq!(project.release.exclude, schema::ALWAYS_EXCLUDED);
    assert_eq!(project.release.keep, 5);
    let web = &project.services[0];
    assert_eq!(web.stop_timeout_ms, 30_000);
    assert_eq!(web.health.probe, None);
    assert_eq!(web.health.settle_ms, 5_000);
    assert_eq!(web.health.interval_ms, 250);
    assert_eq!(web.health.successes, 2);
    let local = project.environments.values().next().unwrap();
    assert!(local.name.is_local());
    assert_eq!(local.manager, ServiceManagerKind::Supervisor);
    assert_eq!(local.hosts.len(), 1);
    assert_eq!(local.rollout.strategy, Strategy::AllAtOnce);
    assert_eq!(local.rollout.on_failure, OnFailure::RevertAll);
    assert_eq!(local.rollout.lease_ms, 30_000);
    assert_eq!(project.default_environment, None);
}

#[test]
fn the_only_environment_besides_local_is_the_default() {
    let text = with("[environments.live]\nhosts = [\"a\"]\n[environments.local]\n");
    let project = check(&text).project.unwrap();
    assert_eq!(project.default_environment.unwrap().as_str(), "live");
}

#[test]
fn what_is_printed_is_the_same_project() {
    for text in [SHOP.to_owned(), with("")] {
        let project = check(&text).project.unwrap();
        let printed = project.print();
        assert_eq!(said(&printed), "", "{printed}");
        assert_eq!(check(&printed).project.unwrap(), project, "{printed}");
        assert_eq!(check(&printed).project.unwrap().print(), printed);
    }
}

/// A key that is added to the schema and forgotten in `print` would be lost.
#[test]
fn every_default_is_printed() {
    let printed = check(SHOP).project.unwrap().print();
    for table in schema::TABLES {
        for key in table.keys {
            if matches!(key.default, Fallback::Value(_)) {
                let found = printed.contains(&format!("{} = ", key.name));
                assert!(found, "`{}` of [{}]", key.name, table.title);
            }
        }
    }
}

/// Each default is what a person could write in its place.
#[test]
fn every_default_is_of_its_type() {
    fn fits(ty: &Type, toml: &str) -> bool {
        let text = toml.trim_matches('"');
        match ty {
            Type::Bool => matches!(toml, "true" | "false"),
            Type::Integer(min, max) => toml.parse().is_ok_and(|n: i64| n >= *min && n <= *max),
            Type::Duration(min) => super::super::duration::parse(text).is_some_and(|n| n >= *min),
            Type::Choice(words) => words.contains(&text),
            Type::List(_) => toml.starts_with('['),
            Type::Map(_) | Type::Table(_) => toml == "{}",
            Type::Text => toml.starts_with('"'),
            Type::Either(types) => types.iter().any(|ty| fits(ty, toml)),
        }
    }
    for table in schema::TABLES {
        for key in table.keys {
            if let Fallback::Value(toml) = key.default {
                assert!(fits(&key.ty, toml), "`{}` of [{}]", key.name, table.title);
            }
        }
    }
}
