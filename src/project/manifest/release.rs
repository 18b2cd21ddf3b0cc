//! `[release]`.

use super::Files;
use super::context::Context;
use super::node::{Node, Spot};
use super::schema::ALWAYS_EXCLUDED;
use super::values;
use crate::project::model::ReleaseRules;

/// `[release]`, and where its paths are written.
pub(super) struct Release<'a> {
    pub(super) rules: ReleaseRules,
    /// The entries of `include`; none when it is left out.
    pub(super) include: Vec<Included<'a>>,
}

/// An entry of `include`.
pub(super) struct Included<'a> {
    pub(super) spot: Spot<&'a str>,
    /// Its plain form.
    pub(super) path: String,
    pub(super) is_glob: bool,
}

pub(super) fn release<'a>(ctx: &mut Context, node: &Node<'a>, files: Files<'_>) -> Release<'a> {
    let include = include(ctx, node, files);
    let mut exclude = Vec::new();
    for spot in node.texts("exclude").unwrap_or_default() {
        exclude.extend(values::exclude(ctx, &spot));
    }
    for name in ALWAYS_EXCLUDED {
        if !exclude.iter().any(|other| other == name) {
            exclude.push((*name).to_owned());
        }
    }
    let paths = match node.get("include") {
        Some(_) => include.iter().map(|item| item.path.clone()).collect(),
        None => vec![".".to_owned()],
    };
    Release {
        rules: ReleaseRules {
            include: paths,
            exclude,
            gitignore: node.bool("gitignore").unwrap_or(false),
            shared: shared(ctx, node),
            readable_by: readers(ctx, node),
            keep: node.number_or_default("keep"),
        },
        include,
    }
}

fn include<'a>(ctx: &mut Context, node: &Node<'a>, files: Files<'_>) -> Vec<Included<'a>> {
    if let (Some(list), Some(items)) = (node.get("include"), node.items("include"))
        && items.is_empty()
    {
        ctx.error(
            list.span,
            "`include` is empty",
            "nothing would go to the hosts",
        )
        .help("leave it out for the whole project");
    }
    let mut include = Vec::new();
    for spot in node.texts("include").unwrap_or_default() {
        if never(ctx, &spot) {
            continue;
        }
        // `pages/[id].js` is a name when there is such a file.
        let is_there = match files {
            Files::In(dir) => dir.join(spot.value).symlink_metadata().is_ok(),
            Files::Ignored => false,
        };
        let is_glob = values::is_glob(spot.value) && !is_there;
        let path = match is_glob {
            true => values::glob(ctx, &spot),
            false => values::relative(ctx, &spot, "include"),
        };
        include.extend(path.map(|path| Included {
            spot,
            path,
            is_glob,
        }));
    }
    include
}

/// Refuses what would be asked for in vain.
fn never(ctx: &mut Context, spot: &Spot<&str>) -> bool {
    let mut parts = spot.value.split('/');
    let Some(name) = parts.find(|part| ALWAYS_EXCLUDED.contains(part) && *part != ".ship") else {
        return false;
    };
    ctx.error(
        spot.span.clone(),
        format!("`{}` cannot be in `include`", spot.value),
        format!("`{name}` is never released"),
    )
    .help(match name.starts_with(".env") {
        true => {
            "put its values into `env` and `secrets` of the environment, or the file into `shared`"
        }
        false => "see the list in the reference of [release]",
    });
    true
}

/// Names of users that a host may have: a directory service allows more than useradd(8) does.
fn readers(ctx: &mut Context, node: &Node<'_>) -> Vec<String> {
    let mut readers = Vec::new();
    for spot in node.texts("readable-by").unwrap_or_default() {
        let name = spot.value;
        let good = (1..=32).contains(&name.len())
            && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
        if good {
            readers.push(name.to_owned());
            continue;
        }
        ctx.error(
            spot.span.clone(),
            format!("`{name}` is not the name of a user"),
            "expected letters, digits, dots, dashes and underscores, at most 32",
        );
    }
    readers
}

/// Paths that neither equal nor hold each other: each becomes a link, and a link inside a linked
/// folder would be made in the shared one.
fn shared(ctx: &mut Context, node: &Node<'_>) -> Vec<String> {
    let mut shared: Vec<(Spot<&str>, String)> = Vec::new();
    for spot in node.texts("shared").unwrap_or_default() {
        if values::is_glob(spot.value) {
            let message = format!("`{}` cannot be in `shared`", spot.value);
            ctx.error(spot.span.clone(), message, "expected a path, found a glob");
            continue;
        }
        let Some(path) = values::relative(ctx, &spot, "shared") else {
            continue;
        };
        if path == "." {
            ctx.error(
                spot.span.clone(),
                "`shared` cannot be the whole project",
                "nothing would be left to release",
            );
            continue;
        }
        let other = shared
            .iter()
            .find(|(_, other)| values::is_below(&path, other) || values::is_below(other, &path));
        if let Some((first, other)) = other {
            let (message, label) = if *other == path {
                (format!("`{path}` is shared twice"), "again")
            } else if values::is_below(&path, other) {
                (
                    format!("`{path}` lies inside `{other}`"),
                    "shared already, with its folder",
                )
            } else {
                (
                    format!("`{path}` holds `{other}`"),
                    "one cannot be linked inside the other",
                )
            };
            ctx.error(spot.span.clone(), message, label)
                .label(first.span.clone(), "shared here");
            continue;
        }
        shared.push((spot, path));
    }
    shared.into_iter().map(|(_, path)| path).collect()
}
