//! Files of TOML: `mise.toml`, `rust-toolchain.toml`, `pyproject.toml`, `Pipfile`.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Found, Role, lines, runtime_name};

/// `[tools]` of mise: a version, a table with one, or a list of which the first is used.
pub(super) fn mise(text: &str) -> Vec<Found> {
    let Ok(document) = DeTable::parse(text) else {
        return Vec::new();
    };
    let tools = document.get_ref().get("tools");
    let Some(tools) = tools.and_then(|tools| tools.get_ref().as_table()) else {
        return Vec::new();
    };
    let found = tools.iter().filter_map(|(name, value)| {
        let value = version(value)?;
        let asks = value.get_ref().as_str()?;
        Some(Found {
            runtime: runtime_name(name.get_ref())?,
            asks: asks.strip_prefix("prefix:").unwrap_or(asks).to_owned(),
            role: Role::Choice,
            span: value.span(),
        })
    });
    found.collect()
}

fn version<'a>(value: &'a Spanned<DeValue<'a>>) -> Option<&'a Spanned<DeValue<'a>>> {
    match value.get_ref() {
        DeValue::Table(table) => table.get("version"),
        DeValue::Array(list) => version(list.iter().next()?),
        _ => Some(value),
    }
}

/// `channel` of `[toolchain]`; the older format is the channel alone. `stable` names no version.
pub(super) fn rust_toolchain(text: &str) -> Vec<Found> {
    match DeTable::parse(text) {
        Ok(document) => at(&document, &["toolchain", "channel"])
            .and_then(|channel| found("rust", channel, Role::Choice))
            .into_iter()
            .collect(),
        Err(_) => lines::version("rust", text),
    }
}

/// `requires-python` (PEP 621).
pub(super) fn pyproject(text: &str) -> Vec<Found> {
    let Ok(document) = DeTable::parse(text) else {
        return Vec::new();
    };
    at(&document, &["project", "requires-python"])
        .and_then(|value| found("python", value, Role::Constraint))
        .into_iter()
        .collect()
}

/// `python_full_version` or `python_version` of `[requires]` (Pipenv): the version to run.
pub(super) fn pipfile(text: &str) -> Vec<Found> {
    let Ok(document) = DeTable::parse(text) else {
        return Vec::new();
    };
    ["python_full_version", "python_version"]
        .iter()
        .find_map(|key| at(&document, &["requires", key]))
        .and_then(|value| found("python", value, Role::Choice))
        .into_iter()
        .collect()
}

fn at<'a>(document: &'a Spanned<DeTable<'a>>, path: &[&str]) -> Option<&'a Spanned<DeValue<'a>>> {
    let (last, tables) = path.split_last()?;
    let mut table = document.get_ref();
    for name in tables {
        table = table.get(*name)?.get_ref().as_table()?;
    }
    table.get(*last)
}

fn found(runtime: &str, value: &Spanned<DeValue<'_>>, role: Role) -> Option<Found> {
    Some(Found {
        runtime: runtime.to_owned(),
        asks: value.get_ref().as_str()?.to_owned(),
        role,
        span: value.span(),
    })
}
