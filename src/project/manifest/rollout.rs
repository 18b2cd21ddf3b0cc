//! `rollout` and `watch` of an environment.

use super::context::Context;
use super::node::{Node, Spot};
use super::schema;
use super::walk::integer;
use crate::project::model::{Batch, OnFailure, RolloutRules, Strategy};

/// How releases reach the hosts of the environment `node`.
pub(super) fn rollout(ctx: &mut Context, node: &Node<'_>) -> RolloutRules {
    let rules = node.node("rollout", &schema::ROLLOUT);
    let batch = batch(ctx, &rules).unwrap_or(Batch::Hosts(1));
    let bake_ms = rules.duration("bake");
    let strategy = match rules.choice("strategy") {
        "rolling" => Strategy::Rolling { batch },
        "canary" => Strategy::Canary { batch, bake_ms },
        _ => Strategy::AllAtOnce,
    };
    let on_failure = match rules.choice("on-failure") {
        "stop" => OnFailure::Stop,
        "continue" => OnFailure::Continue,
        _ => OnFailure::RevertAll,
    };
    if strategy == Strategy::AllAtOnce {
        let way = "add `strategy = \"rolling\"` or `strategy = \"canary\"`";
        unused(ctx, &rules, "batch", "with all hosts at once", way);
    }
    if !matches!(strategy, Strategy::Canary { .. }) {
        let way = "add `strategy = \"canary\"`";
        unused(ctx, &rules, "bake", "without a canary", way);
    }
    if on_failure != OnFailure::Continue {
        let way = "add `on-failure = \"continue\"`";
        unused(
            ctx,
            &rules,
            "max-failures",
            "when the first failure ends the rollout",
            way,
        );
    }
    RolloutRules {
        strategy,
        on_failure,
        max_failures: match on_failure {
            OnFailure::Continue => rules.number_or_default("max-failures"),
            OnFailure::RevertAll | OnFailure::Stop => 0,
        },
        lease_ms: rules.duration("lease"),
        watch_ms: node.duration("watch"),
    }
}

fn unused(ctx: &mut Context, rules: &Node<'_>, key: &str, when: &str, way: &str) {
    if let Some(span) = rules.key_span(key) {
        let message = format!("`{key}` means nothing {when}");
        ctx.error(span, message, "not used").help(way);
    }
}

/// `2` or `"25%"`; the first pass has checked the range of the number.
fn batch(ctx: &mut Context, rules: &Node<'_>) -> Option<Batch> {
    let spot = rules.get("batch")?;
    if let Some(number) = spot.value.as_integer() {
        return u32::try_from(integer(number)?).ok().map(Batch::Hosts);
    }
    percent(ctx, &spot.text()?)
}

fn percent(ctx: &mut Context, text: &Spot<&str>) -> Option<Batch> {
    let digits = text.value.strip_suffix('%').unwrap_or("");
    let number = match digits.bytes().all(|b| b.is_ascii_digit()) {
        true => digits.parse::<u32>().ok(),
        false => None,
    };
    let label = match number {
        Some(1..=100) => return number.map(Batch::Percent),
        Some(_) => "expected from `1%` to `100%`",
        None => "expected a number of hosts, or a percentage such as `\"25%\"`",
    };
    let message = format!("`batch` cannot be `{}`", text.value);
    ctx.error(text.span.clone(), message, label);
    None
}
