//! `docs/manifest.md`, from the schema.

use std::fmt::Write;

use super::schema::{self, Fallback, Key, Table, Type};
use super::suggest;

const INTRODUCTION: &str = "\
# ship.toml

The manifest of a project, in its folder. `ship check` validates it, `ship check --print` shows it \
with every default filled in. Unknown keys are errors.

This page is generated from the schema in `src/project/manifest/schema.rs`; \
`UPDATE_DOCS=1 cargo test --lib project` writes it.

A duration is whole numbers with units, the longest first: `250ms`, `30s`, `10m`, `1h30m`, `2d`. \
Names of apps, services, environments and runtimes begin with a lower-case letter and hold \
lower-case letters, digits and dashes, at most 31. A glob is `*` within a name, `**` across \
folders, `?`, `[a-z]` and `{a,b}`.
";

/// The reference of the manifest, as Markdown.
#[must_use]
pub fn markdown() -> String {
    let mut out = INTRODUCTION.to_owned();
    for table in schema::TABLES {
        section(&mut out, table);
    }
    out.push_str("\n## Never released\n\nAlways part of `release.exclude`:\n\n");
    for glob in schema::ALWAYS_EXCLUDED {
        let _ = writeln!(out, "- `{glob}`");
    }
    out.push_str(
        "\nAn app that reads `.env` keeps it on the host: `release.shared = [\".env\"]`.\n",
    );
    out
}

fn section(out: &mut String, table: &Table) {
    match table.title {
        "" => out.push_str("\n## Tables\n"),
        title => {
            let _ = write!(out, "\n## {title}\n\n{}\n", table.doc);
        }
    }
    if !table.example.is_empty() {
        let _ = write!(out, "\n```toml\n{}```\n", table.example);
    }
    out.push_str("\n| key | type | default | |\n|---|---|---|---|\n");
    for key in table.keys {
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {} |",
            key.name,
            describe(&key.ty),
            default(key),
            key.doc
        );
    }
}

fn default(key: &Key) -> String {
    match key.default {
        Fallback::Required => "required".to_owned(),
        Fallback::Nothing => String::new(),
        Fallback::Value(toml) => format!("`{toml}`"),
        Fallback::Words(words) => words.to_owned(),
    }
}

fn describe(ty: &Type) -> String {
    match ty {
        Type::Text => "string".to_owned(),
        Type::Bool => "boolean".to_owned(),
        Type::Integer(min, max) => format!("integer, {min} to {max}"),
        Type::Duration(_) => "duration".to_owned(),
        Type::Choice(words) => {
            let words: Vec<String> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
            suggest::or(&words)
        }
        Type::List(item) => match item {
            Type::Either(_) => format!("list, each {}", describe(item)),
            _ => format!("list of {}", plural(item)),
        },
        Type::Map(item) => match item {
            Type::Table(_) => "tables by name".to_owned(),
            Type::Either(_) => format!("by name: {}", describe(item)),
            _ => format!("table of {}", plural(item)),
        },
        Type::Table(_) => "table".to_owned(),
        Type::Either(types) => {
            let types: Vec<String> = types.iter().map(describe).collect();
            suggest::or(&types)
        }
    }
}

fn plural(ty: &Type) -> String {
    match ty {
        Type::Text => "strings".to_owned(),
        Type::Integer(min, max) => format!("integers, {min} to {max}"),
        other => describe(other),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Files, parse};
    use super::*;

    #[test]
    fn the_committed_reference_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/manifest.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/docs")).unwrap();
            std::fs::write(path, markdown()).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == markdown(),
            "docs/manifest.md is not what the schema says; UPDATE_DOCS=1 writes it"
        );
    }

    #[test]
    fn the_examples_together_are_a_valid_manifest() {
        let text: String = schema::TABLES.iter().map(|table| table.example).collect();
        let checked = parse(
            &text,
            "ship.toml",
            std::path::Path::new("/"),
            Files::Ignored,
        );
        let said = crate::project::render_all(&checked.diagnostics, false);
        assert!(checked.project.is_some(), "{said}");
    }
}
