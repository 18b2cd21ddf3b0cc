//! `[build]`, `[test]`, `[hooks]` and `[runtimes]`.

use std::collections::BTreeMap;

use super::context::Context;
use super::node::{Node, Spot};
use super::schema::{self, Table};
use super::values;
use crate::project::model::{Hook, HookScope, Pipeline, RuntimeRequest, Step};

/// A command as text, or as a table with `run`, of `schema`: the table and the command.
fn run<'a>(
    ctx: &mut Context,
    item: &Spot<&'a toml::de::DeValue<'a>>,
    schema: &'static Table,
) -> Option<(Node<'a>, String)> {
    let node = item.node(schema).unwrap_or_else(|| Node::absent(schema));
    let text = item.text().or_else(|| node.text("run"))?;
    let run = values::command(ctx, &text)?;
    Some((node, run))
}

/// `[build]` or `[test]`.
pub(super) fn pipeline(ctx: &mut Context, node: &Node<'_>) -> Pipeline {
    let mut steps = Vec::new();
    for item in node.items("steps").unwrap_or_default() {
        if let Some((step, run)) = run(ctx, &item, &schema::STEP) {
            steps.push(Step {
                name: values::title(ctx, &step, &run),
                timeout_ms: step.duration("timeout"),
                run,
            });
        }
    }
    Pipeline {
        steps,
        env: values::env(ctx, node),
        inherit_env: node.bool("inherit-env").unwrap_or_default(),
    }
}

/// A list of `[hooks]`.
pub(super) fn hooks(ctx: &mut Context, node: &Node<'_>, key: &str) -> Vec<Hook> {
    let mut hooks = Vec::new();
    for item in node.items(key).unwrap_or_default() {
        if let Some((hook, run)) = run(ctx, &item, &schema::HOOK) {
            hooks.push(Hook {
                name: values::title(ctx, &hook, &run),
                on: match hook.choice("on") {
                    "each-host" => HookScope::EachHost,
                    _ => HookScope::OneHost,
                },
                timeout_ms: hook.duration("timeout"),
                run,
            });
        }
    }
    hooks
}

/// `[runtimes]`.
pub(super) fn runtimes(ctx: &mut Context, root: &Node<'_>) -> BTreeMap<String, RuntimeRequest> {
    let mut runtimes = BTreeMap::new();
    for entry in root.entries("runtimes") {
        let Some(name) =
            values::name::<crate::model::AppName>(ctx, entry.key, entry.key_span, "a runtime")
        else {
            continue;
        };
        let node = entry
            .value
            .node(&schema::RUNTIME)
            .unwrap_or_else(|| Node::absent(&schema::RUNTIME));
        let Some(version) = entry.value.text().or_else(|| node.text("version")) else {
            continue;
        };
        if version.value.trim().is_empty() || version.value.chars().any(char::is_control) {
            let message = format!("`{name}` has no version");
            ctx.error(
                version.span,
                message,
                "expected a version such as `20` or `20.11.1`",
            );
            continue;
        }
        let from_host = node.choice("source") == "host";
        let request = RuntimeRequest {
            version: version.value.trim().to_owned(),
            from_host,
            mirror: mirror(ctx, &node, from_host),
        };
        runtimes.insert(String::from(name), request);
    }
    runtimes
}

fn mirror(ctx: &mut Context, node: &Node<'_>, from_host: bool) -> Option<String> {
    let mirror = node.text("mirror")?;
    let rest = mirror
        .value
        .strip_prefix("https://")
        .or_else(|| mirror.value.strip_prefix("http://"));
    let blank = |c: char| c.is_whitespace() || c.is_control();
    if rest.is_none_or(|rest| rest.is_empty() || rest.starts_with('/') || rest.contains(blank)) {
        let message = format!("`mirror` cannot be `{}`", mirror.value);
        ctx.error(
            mirror.span,
            message,
            "expected an address such as `https://mirror.example.com/node`",
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
