//! Values that several tables share: names, commands, environments, paths.

use std::collections::BTreeMap;
use std::ops::Range;

use super::context::Context;
use super::node::{Node, Spot};
use crate::model::name::BadName;

/// The rule of every name (`model::name`), in words.
const NAME_RULE: &str = "a name begins with a lower-case letter, holds lower-case letters, digits \
                         and dashes, does not end with a dash, and has at most 31 characters";

/// A name of the project: an app, a service, an environment.
pub(super) fn name<'a, T>(
    ctx: &mut Context,
    text: &'a str,
    span: Range<usize>,
    what: &str,
) -> Option<T>
where
    T: TryFrom<&'a str, Error = BadName>,
{
    match T::try_from(text) {
        Ok(name) => Some(name),
        Err(why) => {
            let message = format!("`{text}` cannot be the name of {what}");
            let problem = ctx.error(span, message, why.to_string());
            problem.help(NAME_RULE);
            let better = plain(text);
            if T::try_from(text).is_err()
                && crate::model::AppName::try_from(better.as_str()).is_ok()
            {
                problem.help(format!("`{better}` would do"));
            }
            None
        }
    }
}

/// `My Shop` → `my-shop`.
fn plain(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("-")
}

/// A line for `/bin/sh`, which must say something.
pub(super) fn command(ctx: &mut Context, spot: &Spot<&str>) -> Option<String> {
    if spot.value.trim().is_empty() {
        ctx.error(
            spot.span.clone(),
            "the command is empty",
            "nothing would run",
        );
        return None;
    }
    Some(spot.value.to_owned())
}

/// The `name` of a step or hook, or the first line of what it runs.
pub(super) fn title(ctx: &mut Context, node: &Node<'_>, run: &str) -> String {
    if let Some(name) = node.text("name") {
        if name.value.trim().is_empty() || name.value.chars().any(char::is_control) {
            let message = "`name` is not a line of text";
            ctx.error(
                name.span,
                message,
                "expected something to read on the screen",
            );
        } else {
            return name.value.to_owned();
        }
    }
    first_line(run)
}

/// What a command is called that has no name.
pub(super) fn first_line(run: &str) -> String {
    let line = run.lines().map(str::trim).find(|line| !line.is_empty());
    let line = line.unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).collect()
}

/// The name of an environment variable.
pub(super) fn variable(ctx: &mut Context, text: &str, span: Range<usize>) -> bool {
    let mut bytes = text.bytes();
    let good = bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !good {
        ctx.error(
            span,
            format!("`{text}` cannot be the name of a variable"),
            "expected letters, digits and underscores, not beginning with a digit",
        );
    }
    good
}

/// An `env` table. Values are checked by the first pass.
pub(super) fn env(ctx: &mut Context, node: &Node<'_>) -> BTreeMap<String, String> {
    let mut env = BTreeMap::new();
    for entry in node.entries("env") {
        let good = variable(ctx, entry.key, entry.key_span);
        if let (true, Some(value)) = (good, entry.value.text()) {
            env.insert(entry.key.to_owned(), value.value.to_owned());
        }
    }
    env
}

/// A path below the project's folder, in its plainest form: without `.` and doubled slashes.
/// `.` alone is the folder itself.
pub(super) fn relative(ctx: &mut Context, spot: &Spot<&str>, key: &str) -> Option<String> {
    let text = spot.value;
    let mut refuse = |label: &str| {
        let what = match text {
            "" => "an empty path".to_owned(),
            text => format!("`{text}`"),
        };
        ctx.error(
            spot.span.clone(),
            format!("{what} cannot be in `{key}`"),
            label,
        );
        None
    };
    if text.is_empty() {
        return refuse("nothing is meant by it");
    }
    if text.starts_with('/') {
        return refuse("expected a path relative to the project, found an absolute one");
    }
    if text.starts_with('~') {
        return refuse("expected a path relative to the project, found one in a home folder");
    }
    if text.chars().any(char::is_control) {
        return refuse("a path must not hold control characters");
    }
    let parts: Vec<&str> = text
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    if parts.contains(&"..") {
        return refuse("`..` leads out of the project");
    }
    if parts.first() == Some(&".ship") {
        return refuse("`.ship` is ship's own folder");
    }
    Some(match parts.as_slice() {
        [] => ".".to_owned(),
        parts => parts.join("/"),
    })
}

/// Whether `path` holds what a glob gives a meaning to.
pub(super) fn is_glob(path: &str) -> bool {
    path.contains(['*', '?', '[', '{', '\\'])
}

/// An entry of `include` that is a glob.
pub(super) fn glob(ctx: &mut Context, spot: &Spot<&str>) -> Option<String> {
    let path = relative(ctx, spot, "include")?;
    is_valid(ctx, spot, &path).then_some(path)
}

/// An entry of `exclude`, as written: slashes in front and behind mean something to it.
pub(super) fn exclude(ctx: &mut Context, spot: &Spot<&str>) -> Option<String> {
    let text = spot.value;
    if let Some(rest) = text.strip_prefix('!') {
        let message = format!("`{text}` cannot be in `exclude`");
        ctx.error(
            spot.span.clone(),
            message,
            "an excluded path cannot be included again",
        )
        .help(format!(
            "remove `!{rest}`, and list what you want in `include`"
        ));
        return None;
    }
    let inner = Spot {
        value: match text.trim_start_matches('/') {
            "" => text,
            inner => inner,
        },
        span: spot.span.clone(),
    };
    let is_own = inner.value.trim_end_matches('/') == ".ship";
    let path = match is_own {
        true => ".ship".to_owned(),
        false => relative(ctx, &inner, "exclude")?,
    };
    if path == "." {
        let message = format!("`{text}` cannot be in `exclude`");
        ctx.error(
            spot.span.clone(),
            message,
            "nothing would be left to release",
        );
        return None;
    }
    is_valid(ctx, spot, &path).then(|| text.to_owned())
}

/// Whether the artifact takes `path` as a glob.
fn is_valid(ctx: &mut Context, spot: &Spot<&str>, path: &str) -> bool {
    let glob = globset::GlobBuilder::new(path)
        .literal_separator(true)
        .build();
    if let Err(error) = &glob {
        ctx.error(
            spot.span.clone(),
            format!("`{}` is not a glob", spot.value),
            error.kind().to_string(),
        );
    }
    glob.is_ok()
}

/// Whether `inner` is `outer` or lies below it; both as [`relative`] gives them.
pub(super) fn is_below(inner: &str, outer: &str) -> bool {
    outer == "."
        || inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
