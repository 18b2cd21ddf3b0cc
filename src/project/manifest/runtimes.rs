//! `[runtimes]`.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::DeTable;

use super::context::Context;
use super::node::{Entry, Node, Spot};
use super::schema;
use super::suggest;
use super::values;
use crate::model::version::{Grammar, Request};
use crate::project::model::RuntimeRequest;

/// `[runtimes]`: what each asks for, in its own grammar.
pub(super) fn runtimes(ctx: &mut Context, root: &Node<'_>) -> BTreeMap<String, RuntimeRequest> {
    let mut runtimes = BTreeMap::new();
    for entry in root.entries("runtimes") {
        let Some(name) = values::name::<crate::model::AppName>(
            ctx,
            entry.key,
            entry.key_span.clone(),
            "a runtime",
        ) else {
            continue;
        };
        let node = entry
            .value
            .node(&schema::RUNTIME)
            .unwrap_or_else(|| Node::absent(&schema::RUNTIME));
        let from_host = node.choice("source") == "host";
        let Some(version) = entry.value.text().or_else(|| node.text("version")) else {
            continue;
        };
        if !is_brought(ctx, &entry, &version, from_host) {
            continue;
        }
        let grammar = match from_host {
            true => Grammar::Other,
            false => Grammar::of(entry.key),
        };
        if !is_understood(ctx, entry.key, &version, grammar) {
            continue;
        }
        let request = RuntimeRequest {
            version: version.value.trim().to_owned(),
            from_host,
            mirror: mirror(ctx, &node, from_host),
        };
        runtimes.insert(String::from(name), request);
    }
    runtimes
}

/// What ship does not bring must be the host's.
fn is_brought(ctx: &mut Context, entry: &Entry<'_>, version: &Spot<&str>, from_host: bool) -> bool {
    let known = || Grammar::known();
    if from_host || known().any(|name| name == entry.key) {
        return true;
    }
    let problem = ctx.error(
        entry.key_span.clone(),
        format!("ship does not know the runtime `{}`", entry.key),
        "not a runtime that ship provides",
    );
    let other = match entry.key {
        "nodejs" | "npm" => Some("node"),
        "golang" => Some("go"),
        "jdk" | "jre" | "openjdk" | "temurin" => Some("java"),
        "cpython" | "python3" | "uv" => Some("python"),
        name => suggest::nearest(name, known()),
    };
    match other {
        Some(name) => problem.help(format!("did you mean `{name}`?")),
        None => {
            let names: Vec<&str> = known().collect();
            problem.help(format!("it brings {}", names.join(", ")))
        }
    };
    problem.help(format!(
        "what the hosts have by themselves: `{} = {{ version = \"{}\", source = \"host\" }}`",
        entry.key,
        version.value.trim()
    ));
    false
}

fn is_understood(ctx: &mut Context, name: &str, version: &Spot<&str>, grammar: Grammar) -> bool {
    let text = version.value.trim();
    let expected = format!("expected {}", grammar.examples());
    if text.is_empty() || text.chars().any(char::is_control) {
        let message = format!("`{name}` has no version");
        ctx.error(version.span.clone(), message, expected);
        return false;
    }
    let Err(why) = Request::parse(grammar, text) else {
        return true;
    };
    let message = format!("`{name}` cannot be `{text}`");
    ctx.error(version.span.clone(), message, why).help(expected);
    false
}

/// Whether `text` is an address that a mirror can have: http, https or file (with an absolute
/// path).
#[must_use]
pub fn is_mirror(text: &str) -> bool {
    let blank = |c: char| c.is_whitespace() || c.is_control();
    if text.contains(blank) || text.contains(['?', '#']) {
        return false;
    }
    if let Some(path) = text.strip_prefix("file://") {
        return path.starts_with('/');
    }
    text.strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
}

fn mirror(ctx: &mut Context, node: &Node<'_>, from_host: bool) -> Option<String> {
    let mirror = node.text("mirror")?;
    if !is_mirror(mirror.value) {
        let message = format!("`mirror` cannot be `{}`", mirror.value);
        ctx.error(
            mirror.span,
            message,
            "expected an address such as `https://mirror.example.com/node` or `file:///srv/mirror/node`",
        );
        return None;
    }
    if from_host {
        ctx.error(
            mirror.span,
            "`mirror` means nothing with `source = \"host\"`",
            "nothing is downloaded",
        );
        return None;
    }
    Some(mirror.value.to_owned())
}

/// Where the manifest `text` says which version of the runtime `name` it wants, byte offsets.
#[must_use]
pub fn runtime_span(text: &str, name: &str) -> Option<Range<usize>> {
    let document = DeTable::parse(text).ok()?;
    let runtimes = document.get_ref().get("runtimes")?.get_ref().as_table()?;
    let value = runtimes.get(name)?;
    let version = value
        .get_ref()
        .as_table()
        .and_then(|table| table.get("version"));
    Some(version.unwrap_or(value).span())
}
