//! `[services]`.

use std::ops::Range;

use super::context::Context;
use super::health;
use super::node::{Entry, Node, Spot};
use super::schema;
use super::values;
use crate::model::service::{Run, StartType};
use crate::model::{ServiceName, ServiceSpec};

/// A service, and where what others refer to is written.
pub(super) struct Service {
    pub(super) spec: ServiceSpec,
    /// Where its port is.
    pub(super) port: Option<Range<usize>>,
    /// Where its folder is, for a static one.
    pub(super) folder: Option<Range<usize>>,
    /// Where its fallback is.
    pub(super) fallback: Option<Range<usize>>,
}

/// All that are well-formed, in the order of the manifest.
pub(super) fn services(ctx: &mut Context, root: &Node<'_>) -> Vec<Service> {
    let entries = root.entries("services");
    if let Some(table) = root.get("services")
        && table.value.is_table()
        && entries.is_empty()
    {
        ctx.error(table.span, "[services] is empty", "nothing would run")
            .help("add one, such as `web = { command = \"node server.js\", port = 3000 }`");
    }
    let services = entries.iter().map(|entry| service(ctx, entry));
    services.collect::<Vec<_>>().into_iter().flatten().collect()
}

fn service(ctx: &mut Context, entry: &Entry<'_>) -> Option<Service> {
    let name: Option<ServiceName> =
        values::name(ctx, entry.key, entry.key_span.clone(), "a service");
    let node = entry.value.node(&schema::SERVICE)?;
    let run = run(ctx, &node, entry.key);
    let fallback = fallback(ctx, &node, entry.key);
    let port = node.number::<u16>("port");
    if let (Some(Run::Static(_)), None, false) = (&run, &port, node.get("port").is_some()) {
        let span = node.key_span("static").unwrap_or(node.span.clone());
        ctx.error(
            span,
            format!("the static service `{}` has no `port`", entry.key),
            "where should it be served?",
        );
    }
    let env = values::env(ctx, &node);
    if let (Some(_), Some(set)) = (&port, node.entries("env").iter().find(|e| e.key == "PORT")) {
        ctx.error(
            set.key_span.clone(),
            "`PORT` is set twice",
            "ship sets it from `port`",
        );
    }
    let start_type = match node.choice("type") {
        "notify" => StartType::Notify,
        _ => StartType::Simple,
    };
    if let (Some(Run::Static(_)), StartType::Notify, Some(spot)) =
        (&run, start_type, node.get("type"))
    {
        ctx.error(
            spot.span,
            "a static service cannot be of type `notify`",
            "ship serves it, and tells by itself",
        );
    }
    let is_static = node.get("static").is_some();
    let health = health::health(ctx, &node, entry.key, is_static);
    let folder = node.get("static").map(|spot| spot.span);
    Some(Service {
        spec: ServiceSpec {
            name: name?,
            run: run?,
            fallback,
            port: port.as_ref().map(|port| port.value),
            env,
            health,
            start_type,
            stop_timeout_ms: node.duration("stop-timeout"),
        },
        port: port.map(|port| port.span),
        folder,
        fallback: node.get("fallback").map(|spot| spot.span),
    })
}

/// Exactly one of `command` and `static`.
fn run(ctx: &mut Context, node: &Node<'_>, name: &str) -> Option<Run> {
    match (node.get("command"), node.get("static")) {
        (Some(_), Some(folder)) => {
            let command = node.key_span("command").unwrap_or_default();
            ctx.error(
                node.key_span("static").unwrap_or(folder.span),
                format!("the service `{name}` has both `command` and `static`"),
                "one of them",
            )
            .label(command, "and the other");
            None
        }
        (None, None) => {
            let start = node.span.start;
            if !ctx.is_misspelled(start, "command") && !ctx.is_misspelled(start, "static") {
                ctx.error(
                    node.span.clone(),
                    format!("the service `{name}` has nothing to run"),
                    "`command` or `static` is required here",
                );
            }
            None
        }
        (None, Some(_)) => {
            let folder = node.text("static")?;
            if values::is_glob(folder.value) {
                let message = format!("`static` cannot be `{}`", folder.value);
                ctx.error(folder.span, message, "expected a folder, found a glob");
                return None;
            }
            values::relative(ctx, &folder, "static").map(Run::Static)
        }
        (Some(command), None) => match (command.text(), command.items()) {
            (Some(text), _) => values::command(ctx, &text).map(Run::Shell),
            (_, Some(items)) => argv(ctx, &items, &command.span),
            _ => None,
        },
    }
}

/// A page of the folder that is served; nothing else has one.
fn fallback(ctx: &mut Context, node: &Node<'_>, name: &str) -> Option<String> {
    let page = node.text("fallback")?;
    if node.get("static").is_none() {
        let span = node.key_span("fallback").unwrap_or(page.span);
        let message = format!("the service `{name}` has a `fallback` and no `static`");
        ctx.error(span, message, "only ship's own server has one");
        return None;
    }
    let path = values::relative(ctx, &page, "fallback")?;
    if path == "." || path.split('/').any(|part| part.starts_with('.')) {
        let message = format!("`fallback` cannot be `{path}`");
        ctx.error(page.span, message, "expected a page, such as `index.html`");
        return None;
    }
    Some(path)
}

fn argv(
    ctx: &mut Context,
    items: &[Spot<&toml::de::DeValue<'_>>],
    span: &Range<usize>,
) -> Option<Run> {
    let words: Vec<Spot<&str>> = items
        .iter()
        .filter_map(|item| {
            Some(Spot {
                value: item.value.as_str()?,
                span: item.span.clone(),
            })
        })
        .collect();
    if words.len() < items.len() {
        return None;
    }
    match words.first() {
        Some(program) if !program.value.trim().is_empty() => Some(Run::Argv(
            words.iter().map(|word| word.value.to_owned()).collect(),
        )),
        program => {
            let span = program.map_or(span.clone(), |program| program.span.clone());
            ctx.error(span, "the command is empty", "expected a program");
            None
        }
    }
}
