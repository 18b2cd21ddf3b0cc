//! `health` and `settle` of a service.

use std::collections::BTreeMap;

use super::context::Context;
use super::duration;
use super::node::{Node, Spot};
use super::schema;
use super::values;
use crate::model::{HealthCheck, Probe, Status, StatusClass};

/// The keys that only make sense with `path`.
const OF_PATH: [&str; 3] = ["status", "body", "headers"];

/// How the service `name` proves that it serves.
pub(super) fn health(
    ctx: &mut Context,
    service: &Node<'_>,
    name: &str,
    is_static: bool,
) -> HealthCheck {
    let node = service.node("health", &schema::HEALTH);
    let check = HealthCheck {
        probe: probe(ctx, service, &node, name, is_static),
        timeout_ms: node.duration("timeout"),
        interval_ms: node.duration("interval"),
        successes: node.number_or_default("successes"),
        settle_ms: service.duration("settle"),
    };
    possible(ctx, service, &node, &check);
    check
}

fn probe(
    ctx: &mut Context,
    service: &Node<'_>,
    node: &Node<'_>,
    name: &str,
    is_static: bool,
) -> Option<Probe> {
    let short = service.get("health").and_then(|spot| spot.text());
    let path = short.or_else(|| node.text("path"));
    let tcp = node.bool("tcp");
    let command = node.text("command");
    let port = node
        .number::<u16>("port")
        .or_else(|| service.number("port"))
        .map(|spot| spot.value);
    only_one(ctx, node)?;
    if let Some(command) = command {
        lonely(ctx, node, &["port", "status", "body", "headers"], "`path`");
        return values::command(ctx, &command).map(|run| Probe::Command { run });
    }
    let asks_path = path.is_some() || (is_static && tcp.is_none());
    if asks_path {
        let path = match &path {
            Some(path) => url_path(ctx, path)?,
            None => "/".to_owned(),
        };
        return Some(Probe::Http {
            path,
            port: needed(ctx, service, node, name, port)?,
            status: status(node),
            body: body(ctx, node),
            headers: headers(ctx, node),
        });
    }
    lonely(ctx, node, &OF_PATH, "`path`");
    match tcp {
        Some(false) => {
            lonely(ctx, node, &["port"], "a question to ask");
            None
        }
        Some(true) => Some(Probe::Tcp {
            port: needed(ctx, service, node, name, port)?,
        }),
        None => port.map(|port| Probe::Tcp { port }),
    }
}

/// At most one of `path`, `tcp` and `command`.
fn only_one(ctx: &mut Context, node: &Node<'_>) -> Option<()> {
    let asked: Vec<_> = ["path", "tcp", "command"]
        .into_iter()
        .filter(|key| node.get(key).is_some())
        .filter_map(|key| Some((key, node.key_span(key)?)))
        .collect();
    match asked.as_slice() {
        [(first, span), (second, other), ..] => {
            let message = format!("`health` has both `{first}` and `{second}`");
            ctx.error(span.clone(), message, "one question is asked")
                .label(other.clone(), "not two");
            None
        }
        _ => Some(()),
    }
}

/// Reports keys that mean nothing without another.
fn lonely(ctx: &mut Context, node: &Node<'_>, keys: &[&str], without: &str) {
    for key in keys {
        if let Some(span) = node.key_span(key) {
            let message = format!("`{key}` means nothing without {without}");
            ctx.error(span, message, "not used");
        }
    }
}

fn needed(
    ctx: &mut Context,
    service: &Node<'_>,
    node: &Node<'_>,
    name: &str,
    port: Option<u16>,
) -> Option<u16> {
    let written = service.get("port").is_some() || node.get("port").is_some();
    // A static service without a port is reported as such.
    if port.is_none() && !written && service.get("static").is_none() {
        let span = service.key_span("health").unwrap_or(service.span.clone());
        ctx.error(
            span,
            format!("the health check of `{name}` has no port to ask"),
            "where should it ask?",
        )
        .help(format!("add `port = 3000` to [services.{name}]"));
    }
    port
}

fn url_path(ctx: &mut Context, path: &Spot<&str>) -> Option<String> {
    let text = path.value;
    let blank = |c: char| c.is_whitespace() || c.is_control();
    let label = if !text.starts_with('/') {
        "expected a path that begins with `/`"
    } else if text.contains(blank) {
        "a path must not hold white space"
    } else if text.contains('#') {
        "`#` never reaches a server"
    } else {
        return Some(text.to_owned());
    };
    let problem = ctx.error(
        path.span.clone(),
        format!("the health path cannot be `{text}`"),
        label,
    );
    if text.contains("://") {
        problem.help("the question is asked on the host itself: leave out scheme and host");
    } else if !text.is_empty() && !text.starts_with('/') && !text.contains(blank) {
        problem.help(format!("did you mean `/{text}`?"));
    }
    None
}

fn status(node: &Node<'_>) -> Vec<Status> {
    let one = |spot: &Spot<&toml::de::DeValue<'_>>| {
        if let Some(class) = spot.value.as_str() {
            return StatusClass::named(class).map(Status::Class);
        }
        let number = super::walk::integer(spot.value.as_integer()?)?;
        u16::try_from(number).ok().map(Status::Code)
    };
    match (node.get("status"), node.items("status")) {
        (_, Some(items)) => items.iter().filter_map(one).collect(),
        (Some(spot), None) => one(&spot).into_iter().collect(),
        (None, None) => Vec::new(),
    }
}

fn body(ctx: &mut Context, node: &Node<'_>) -> Option<String> {
    let body = node.text("body")?;
    if body.value.is_empty() {
        let message = "`body` is empty";
        ctx.error(body.span, message, "every answer holds this");
        return None;
    }
    Some(body.value.to_owned())
}

/// Names are tokens and values hold no line ends (RFC 9110, sections 5.1 and 5.5).
fn headers(ctx: &mut Context, node: &Node<'_>) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    for entry in node.entries("headers") {
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if entry.key.is_empty() || !entry.key.bytes().all(token) {
            let message = format!("`{}` cannot be the name of a header", entry.key);
            ctx.error(
                entry.key_span,
                message,
                "expected letters, digits and dashes",
            );
            continue;
        }
        let Some(value) = entry.value.text() else {
            continue;
        };
        if value.value.chars().any(|c| c.is_control() && c != '\t') {
            let message = format!("the header `{}` holds control characters", entry.key);
            ctx.error(value.span, message, "expected one line");
            continue;
        }
        headers.insert(entry.key.to_owned(), value.value.to_owned());
    }
    headers
}

/// The proof can be finished within its time.
fn possible(ctx: &mut Context, service: &Node<'_>, node: &Node<'_>, check: &HealthCheck) {
    let timeout = duration::format(check.timeout_ms);
    let span = |key: &str| {
        node.get(key)
            .or_else(|| node.get("timeout"))
            .map_or(service.span.clone(), |spot| spot.span)
    };
    let questions = check
        .interval_ms
        .saturating_mul(u64::from(check.successes.saturating_sub(1)));
    if check.probe.is_some() && questions >= check.timeout_ms {
        let key = if node.get("interval").is_some() {
            "interval"
        } else {
            "successes"
        };
        ctx.error(
            span(key),
            format!(
                "{} good answers, {} apart, do not fit into the timeout of {timeout}",
                check.successes,
                duration::format(check.interval_ms),
            ),
            "no release could ever prove itself",
        );
    } else if check.settle_ms >= check.timeout_ms {
        let settle = service.get("settle").map(|spot| spot.span);
        ctx.error(
            settle.unwrap_or_else(|| span("timeout")),
            format!(
                "`settle` ({}) is not shorter than the health timeout ({timeout})",
                duration::format(check.settle_ms),
            ),
            "no release could ever prove itself",
        )
        .help("lower `settle` of the service or raise `timeout` of its health");
    }
}
