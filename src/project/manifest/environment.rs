//! `[environments]`.

use std::collections::BTreeMap;
use std::ops::Range;

use super::context::Context;
use super::node::{Node, Spot};
use super::rollout;
use super::root;
use super::schema;
use super::service::Service;
use super::suggest;
use super::values;
use crate::model::{AppName, EnvironmentName, HostName, ServiceManagerKind, ServiceName};
use crate::project::model::{Environment, Host};

/// An environment, and where what others refer to is written.
pub(super) struct Spotted {
    pub(super) environment: Environment,
    /// Where its name is.
    pub(super) span: Range<usize>,
    /// Where its hosts are, in their order.
    pub(super) hosts: Vec<Range<usize>>,
    /// Where its `PORT` is, if it sets one.
    pub(super) port: Option<Range<usize>>,
}

/// What the environments refer to.
pub(super) struct Known<'a> {
    /// `app.name`; `None` when it is not there or not good, which has been reported.
    pub(super) app: Option<&'a AppName>,
    /// The names of all services, the bad ones as well.
    pub(super) services: Vec<&'a str>,
    /// The well-formed services.
    pub(super) good: &'a [Service],
}

/// All that are well-formed, `local` always among them.
pub(super) fn environments(ctx: &mut Context, root: &Node<'_>, known: &Known<'_>) -> Vec<Spotted> {
    let mut all = Vec::new();
    for entry in root.entries("environments") {
        let name: Option<EnvironmentName> =
            values::name(ctx, entry.key, entry.key_span.clone(), "an environment");
        let Some(node) = entry.value.node(&schema::ENVIRONMENT) else {
            continue;
        };
        all.extend(environment(ctx, name, &node, entry.key_span, known));
    }
    if !all.iter().any(|e| e.environment.name.is_local()) {
        let name = EnvironmentName::try_from(EnvironmentName::LOCAL).ok();
        let absent = Node::absent(&schema::ENVIRONMENT);
        all.extend(environment(ctx, name, &absent, 0..0, known));
    }
    all
}

fn environment(
    ctx: &mut Context,
    name: Option<EnvironmentName>,
    node: &Node<'_>,
    span: Range<usize>,
    known: &Known<'_>,
) -> Option<Spotted> {
    let is_local = name.as_ref().is_some_and(EnvironmentName::is_local);
    let app = match node.text("name") {
        Some(text) => values::name(ctx, text.value, text.span, "an app"),
        None => known.app.cloned(),
    };
    let manager = manager(ctx, node, is_local);
    let (hosts, spans): (Vec<Host>, Vec<_>) = match (is_local, &name) {
        (true, _) => {
            if let Some(span) = node.key_span("hosts") {
                ctx.error(
                    span,
                    "the environment `local` cannot have hosts",
                    "it is this machine",
                )
                .help("give these hosts an environment of another name, such as `staging`");
            }
            let host = Host {
                name: HostName::local(),
                services: None,
            };
            (vec![host], vec![span.clone()])
        }
        (false, name) => {
            let name = name.as_ref().map_or("", EnvironmentName::as_str);
            hosts(ctx, node, name, known).into_iter().unzip()
        }
    };
    let env = values::env(ctx, node);
    let port = node.entries("env").into_iter().find(|e| e.key == "PORT");
    let secrets = secrets(ctx, node, &env, known);
    let rollout = rollout::rollout(ctx, node);
    let root = node.text("root");
    let root = root.and_then(|text| root::root(ctx, &text));
    let user = user(ctx, node, manager);
    let app = app?;
    Some(Spotted {
        environment: Environment {
            name: name?,
            hosts,
            user_is_named: user.is_some(),
            user: user.unwrap_or_else(|| app.to_string()),
            app,
            root,
            manager,
            env,
            secrets,
            rollout,
        },
        span,
        hosts: spans,
        port: port.map(|entry| entry.key_span),
    })
}

fn manager(ctx: &mut Context, node: &Node<'_>, is_local: bool) -> ServiceManagerKind {
    let Some(text) = node.text("manager") else {
        return match is_local {
            true => ServiceManagerKind::Supervisor,
            false => ServiceManagerKind::Systemd,
        };
    };
    if is_local && text.value != "supervisor" {
        ctx.error(
            text.span,
            format!("the manager of `local` cannot be `{}`", text.value),
            "always `supervisor`",
        );
        return ServiceManagerKind::Supervisor;
    }
    match text.value {
        "supervisor" => ServiceManagerKind::Supervisor,
        "systemd-user" => ServiceManagerKind::SystemdUser,
        _ => ServiceManagerKind::Systemd,
    }
}

/// A name that useradd(8) takes.
fn user(ctx: &mut Context, node: &Node<'_>, manager: ServiceManagerKind) -> Option<String> {
    let user = node.text("user")?;
    let text = user.value;
    let good = text.len() <= 31
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
    if !good {
        ctx.error(
            user.span,
            format!("`user` cannot be `{text}`"),
            "expected lower-case letters, digits, dashes and underscores, at most 31",
        );
        return None;
    }
    if !manager.is_system_wide() {
        let span = node.key_span("user").unwrap_or(user.span);
        ctx.error(
            span,
            format!(
                "`user` means nothing with the manager `{}`",
                manager.as_str()
            ),
            "services run as the deploying user",
        );
        return None;
    }
    if text == "root" {
        ctx.warning(
            user.span,
            "the services run as root",
            "a break-in would own the host",
        )
        .help("leave `user` out: a system user of the app's own is made by `ship setup`");
    }
    Some(text.to_owned())
}

fn secrets(
    ctx: &mut Context,
    node: &Node<'_>,
    env: &BTreeMap<String, String>,
    known: &Known<'_>,
) -> Vec<String> {
    let mut secrets: Vec<Spot<&str>> = Vec::new();
    for spot in node.texts("secrets").unwrap_or_default() {
        if !values::variable(ctx, spot.value, spot.span.clone()) {
            continue;
        }
        let name = spot.value;
        if let Some(first) = secrets.iter().find(|first| first.value == name) {
            ctx.error(
                spot.span,
                format!("the secret `{name}` is listed twice"),
                "again",
            )
            .label(first.span.clone(), "first here");
            continue;
        }
        let service = known.good.iter().find(|s| s.spec.env.contains_key(name));
        let place = match service {
            Some(service) => Some(format!("the env of the service `{}`", service.spec.name)),
            None => env.contains_key(name).then(|| "`env`".to_owned()),
        };
        if let Some(place) = place {
            ctx.error(
                spot.span,
                format!("`{name}` is a secret and in {place} as well"),
                "which one counts?",
            );
            continue;
        }
        secrets.push(spot);
    }
    secrets.iter().map(|spot| spot.value.to_owned()).collect()
}

fn hosts(
    ctx: &mut Context,
    node: &Node<'_>,
    name: &str,
    known: &Known<'_>,
) -> Vec<(Host, Range<usize>)> {
    let Some(list) = node.get("hosts") else {
        if !ctx.is_misspelled(node.span.start, "hosts") {
            ctx.error(
                node.span.clone(),
                format!("the environment `{name}` has no hosts"),
                "`hosts` is required here",
            )
            .help("such as `hosts = [\"deploy@web1.example.com\"]`");
        }
        return Vec::new();
    };
    let items = list.items();
    if items.as_ref().is_some_and(Vec::is_empty) {
        let message = format!("the environment `{name}` has no hosts");
        ctx.error(list.span, message, "the list is empty");
    }
    let mut hosts: Vec<(Host, Range<usize>)> = Vec::new();
    for item in items.unwrap_or_default() {
        let entry = item
            .node(&schema::HOST)
            .unwrap_or_else(|| Node::absent(&schema::HOST));
        let services = on_host(ctx, &entry, known);
        let Some(text) = item.text().or_else(|| entry.text("address")) else {
            continue;
        };
        let Some(address) = address(ctx, &text) else {
            continue;
        };
        if let Some((_, first)) = hosts
            .iter()
            .find(|(host, _)| host.name.short() == address.short())
        {
            ctx.error(
                text.span,
                format!("the host `{address}` is listed twice"),
                "again",
            )
            .label(first.clone(), "first here");
            continue;
        }
        let host = Host {
            name: address,
            services,
        };
        hosts.push((host, text.span));
    }
    hosts
}

fn address(ctx: &mut Context, text: &Spot<&str>) -> Option<HostName> {
    match HostName::try_from(text.value) {
        Err(why) => {
            let message = format!("`{}` is not the address of a host", text.value);
            ctx.error(text.span.clone(), message, why.to_string());
            None
        }
        Ok(host) if host == HostName::local() => {
            ctx.error(
                text.span.clone(),
                "`local` is this machine",
                "expected another host",
            )
            .help("the environment `local` is always there: `ship deploy local`");
            None
        }
        Ok(host) => Some(host),
    }
}

/// The services of one host; `None` means all.
fn on_host(ctx: &mut Context, host: &Node<'_>, known: &Known<'_>) -> Option<Vec<ServiceName>> {
    let listed = host.get("services")?;
    let items = host.texts("services")?;
    if items.is_empty() && listed.value.as_array().is_some_and(|list| list.is_empty()) {
        ctx.error(listed.span, "a host without services", "the list is empty")
            .help("leave `services` out for all of them");
    }
    let mut services: Vec<ServiceName> = Vec::new();
    for item in items {
        if !known.services.contains(&item.value) {
            let problem = ctx.error(
                item.span,
                format!("there is no service `{}`", item.value),
                "not in [services]",
            );
            match suggest::nearest(item.value, known.services.iter().copied()) {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None if known.services.is_empty() => problem,
                None => problem.help(format!(
                    "expected {}",
                    suggest::any_of(known.services.iter().copied())
                )),
            };
            continue;
        }
        // A bad name has been reported where the service is.
        let Ok(name) = ServiceName::try_from(item.value) else {
            continue;
        };
        if services.contains(&name) {
            let message = format!("the service `{name}` is listed twice for one host");
            ctx.error(item.span, message, "again");
            continue;
        }
        services.push(name);
    }
    Some(services)
}
