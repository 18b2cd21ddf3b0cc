//! `[build]`, `[test]` and `[hooks]`.

use super::context::Context;
use super::node::{Node, Spot};
use super::schema::{self, Table};
use super::values;
use crate::project::model::{Hook, HookScope, Pipeline, Step};

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
