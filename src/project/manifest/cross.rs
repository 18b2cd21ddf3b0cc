//! What only shows when the tables are seen together.

use std::ops::Range;

use super::context::Context;
use super::environment::Spotted;
use super::node::Node;
use super::release::Release;
use super::service::Service;
use super::suggest;
use super::values;
use crate::model::service::Run;
use crate::model::{EnvironmentName, ServiceManagerKind};
use crate::project::model::{Environment, Host};

/// `app.default-environment`, or the only one besides `local`.
pub(super) fn default_environment(
    ctx: &mut Context,
    app: &Node<'_>,
    root: &Node<'_>,
) -> Option<EnvironmentName> {
    let entries = root.entries("environments");
    let remote: Vec<&str> = entries
        .iter()
        .map(|entry| entry.key)
        .filter(|key| *key != EnvironmentName::LOCAL)
        .collect();
    let Some(text) = app.text("default-environment") else {
        return match remote.as_slice() {
            [only] => EnvironmentName::try_from(*only).ok(),
            _ => None,
        };
    };
    if text.value != EnvironmentName::LOCAL && !remote.contains(&text.value) {
        let all = remote.iter().copied().chain([EnvironmentName::LOCAL]);
        let problem = ctx.error(
            text.span,
            format!("there is no environment `{}`", text.value),
            "not in [environments]",
        );
        match suggest::nearest(text.value, all.clone()) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem.help(format!("expected {}", suggest::any_of(all))),
        };
    }
    EnvironmentName::try_from(text.value).ok()
}

fn runs(host: &Host, service: &Service) -> bool {
    host.services
        .as_ref()
        .is_none_or(|listed| listed.contains(&service.spec.name))
}

/// Two services cannot listen on one port of one host.
pub(super) fn ports(ctx: &mut Context, services: &[Service], environments: &[Spotted]) {
    for (nth, second) in services.iter().enumerate() {
        for first in &services[..nth] {
            let (Some(port), Some(at)) = (second.spec.port, &second.port) else {
                continue;
            };
            if first.spec.port != Some(port) {
                continue;
            }
            let meet = environments
                .iter()
                .flat_map(|e| e.environment.hosts.iter().map(move |host| (e, host)))
                .filter(|(_, host)| runs(host, first) && runs(host, second))
                .min_by_key(|(e, _)| e.environment.name.is_local());
            let Some((meeting, host)) = meet else {
                continue;
            };
            let names = format!("`{}` and `{}`", first.spec.name, second.spec.name);
            let label = format!("{port} here");
            let message = format!(
                "{names} both listen on port {port} of the host `{}`",
                host.name
            );
            let only_local = meeting.environment.name.is_local() && environments.len() > 1;
            let problem = if only_local {
                ctx.warning(at.clone(), message, label)
                    .help("they never meet on other hosts, but `ship deploy local` runs both")
            } else {
                ctx.error(at.clone(), message, label)
            };
            if let Some(other) = &first.port {
                problem.label(other.clone(), "and here");
            }
        }
    }
    let Some(service) = services.iter().find(|service| service.spec.port.is_some()) else {
        return;
    };
    for environment in environments {
        if let Some(span) = &environment.port {
            let message = format!(
                "`PORT` here would apply to every service, `{}` included",
                service.spec.name
            );
            ctx.error(
                span.clone(),
                message,
                "ship sets it from `port` of each service",
            );
        }
    }
}

/// A service that no host of an environment runs.
pub(super) fn idle(ctx: &mut Context, services: &[Service], environments: &[Spotted]) {
    for spotted in environments {
        let hosts = &spotted.environment.hosts;
        for service in services {
            if !hosts.is_empty() && !hosts.iter().any(|host| runs(host, service)) {
                let (name, place) = (&service.spec.name, &spotted.environment.name);
                ctx.warning(
                    spotted.span.clone(),
                    format!("the service `{name}` runs on no host of `{place}`"),
                    format!("no host here lists `{name}`"),
                );
            }
        }
    }
}

/// The root folder on the hosts.
fn folder(environment: &Environment) -> String {
    let default = || environment.manager.default_root(&environment.app);
    let root = environment.root.clone().unwrap_or_else(default);
    root.trim_end_matches('/').to_owned()
}

/// A host that two environments have in common, with where each lists it.
fn common<'a>(
    first: &'a Spotted,
    second: &'a Spotted,
) -> Option<[(&'a Host, &'a Range<usize>); 2]> {
    let (a, b) = (&first.environment, &second.environment);
    let systemd = ServiceManagerKind::Systemd;
    let system_wide = a.manager == systemd && b.manager == systemd;
    let same = |one: &Host, other: &Host| match system_wide {
        true => one.name.short() == other.name.short(),
        // Another user of the host has another home and other units.
        false => one.name == other.name,
    };
    b.hosts.iter().zip(&second.hosts).find_map(|host| {
        let mut others = a.hosts.iter().zip(&first.hosts);
        Some([others.find(|other| same(other.0, host.0))?, host])
    })
}

/// Two environments on one host need two names, two folders and two ports: units and releases
/// would mix.
pub(super) fn neighbours(ctx: &mut Context, services: &[Service], environments: &[Spotted]) {
    for (nth, second) in environments.iter().enumerate() {
        for first in &environments[..nth] {
            let Some([(other_host, other), (host, span)]) = common(first, second) else {
                continue;
            };
            let (a, b) = (&first.environment, &second.environment);
            let what = if a.app == b.app && a.manager == b.manager {
                format!("the name `{}`", a.app)
            } else if folder(a) == folder(b) {
                format!("the folder `{}`", folder(a))
            } else {
                let mut both = services
                    .iter()
                    .filter(|s| runs(host, s) && runs(other_host, s));
                if let Some(port) = both.find_map(|service| service.spec.port) {
                    ctx.warning(
                        span.clone(),
                        format!(
                            "`{}` and `{}` both listen on port {port} of the host `{}`",
                            a.name, b.name, host.name
                        ),
                        "only one of them can run",
                    )
                    .label(other.clone(), format!("in `{}`", a.name));
                }
                continue;
            };
            let (a, b, app) = (&a.name, &b.name, &b.app);
            ctx.error(
                span.clone(),
                format!("`{a}` and `{b}` share {what} on the host `{}`", host.name),
                format!("would overwrite `{a}`"),
            )
            .label(other.clone(), format!("in `{a}`"))
            .help(format!(
                "give one of them a name of its own: `name = \"{app}-{b}\"`"
            ));
        }
    }
}

/// The folder of a static service must be part of the release.
pub(super) fn served(ctx: &mut Context, services: &[Service], release: &Release<'_>) {
    let rules = &release.rules;
    if release.include.is_empty() || release.include.iter().any(|item| item.is_glob) {
        return;
    }
    for service in services {
        let (Run::Static(folder), Some(span)) = (&service.spec.run, &service.folder) else {
            continue;
        };
        let mut there = rules.include.iter().chain(&rules.shared);
        if !there.any(|path| values::is_below(folder, path) || values::is_below(path, folder)) {
            let problem = ctx.error(
                span.clone(),
                format!("`{folder}` is not in the release"),
                "would be missing on the hosts",
            );
            problem.help(format!("add `\"{folder}\"` to `include` of [release]"));
        }
    }
}
