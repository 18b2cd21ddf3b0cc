//! The first pass: every key is known, every value is of its type, nothing required is missing.
//! What the second pass (`lower`) reads is well-typed or already reported.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::context::Context;
use super::duration;
use super::schema::{Fallback, Key, Table, Type};
use super::suggest;

/// Checks `table`, which is headed `path`, against `schema`.
pub(super) fn table(
    ctx: &mut Context,
    schema: &'static Table,
    table: &DeTable<'_>,
    span: &Range<usize>,
    path: &str,
) {
    for (key, value) in table {
        match schema.key(key.get_ref()) {
            Some(known) => typed(ctx, &known.ty, value, &join(path, known.name)),
            None => unknown(ctx, schema, key, span, path),
        }
    }
    for key in schema.keys {
        if matches!(key.default, Fallback::Required)
            && !table.contains_key(key.name)
            && !ctx.is_misspelled(span.start, key.name)
        {
            missing(ctx, schema, key, span, path);
        }
    }
}

fn missing(
    ctx: &mut Context,
    schema: &'static Table,
    key: &'static Key,
    span: &Range<usize>,
    path: &str,
) {
    if !path.is_empty() {
        ctx.error(
            span.clone(),
            format!("{} has no `{}`", headed(path), key.name),
            format!("`{}` is required here", key.name),
        )
        .help(format!("`{}`: {}", key.name, key.doc));
    } else if key.name == "services" {
        ctx.absent("there are no [services]: nothing would run").help(
            "add one, such as `services.web = { command = \"node server.js\", port = 3000 }`, or \
             `{ static = \"public\", port = 8080 }` to serve files",
        );
    } else {
        let table = schema.key(key.name).and_then(|key| match key.ty {
            Type::Table(table) => Some(table),
            _ => None,
        });
        let problem = ctx.absent(format!("there is no [{}]", key.name));
        if let Some(example) = table.and_then(|table| table.example.lines().nth(1)) {
            problem.help(format!("begin with [{}] and `{example}`", key.name));
        }
    }
}

fn unknown(
    ctx: &mut Context,
    schema: &'static Table,
    key: &Spanned<std::borrow::Cow<'_, str>>,
    table: &Range<usize>,
    path: &str,
) {
    let word = key.get_ref();
    let place = match path {
        "" => "in the manifest".to_owned(),
        path => format!("in {}", headed(path)),
    };
    let homes = suggest::homes(word);
    let near = suggest::key(word, schema);
    if let Some(near) = near {
        ctx.misspelled(table.start, near);
    }
    let problem = ctx.error(
        key.span(),
        format!("unknown key `{word}` {place}"),
        match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "not known here".to_owned(),
        },
    );
    if near.is_some() {
        return;
    }
    if homes.is_empty() {
        let known = suggest::any_of(schema.keys.iter().map(|key| key.name));
        problem.help(format!("expected {known}"));
    } else {
        let homes: Vec<String> = homes.iter().map(|home| format!("[{home}]")).collect();
        problem.help(format!("`{word}` belongs in {}", suggest::or(&homes)));
    }
}

/// Checks that `value`, found at `path`, is of type `ty`.
fn typed(ctx: &mut Context, ty: &'static Type, value: &Spanned<DeValue<'_>>, path: &str) {
    let name = path.rsplit('.').next().unwrap_or(path);
    match (ty, value.get_ref()) {
        (Type::Text, DeValue::String(text)) => {
            if text.contains('\0') {
                ctx.error(
                    value.span(),
                    format!("`{name}` holds a NUL character"),
                    "no program can be given this",
                );
            }
        }
        (Type::Bool, DeValue::Boolean(_)) => {}
        (Type::Integer(min, max), DeValue::Integer(found)) => {
            if integer(found).is_none_or(|number| number < *min || number > *max) {
                ctx.error(
                    value.span(),
                    format!("`{name}` cannot be {found}"),
                    format!("expected a number from {min} to {max}"),
                );
            }
        }
        (Type::Duration(min), DeValue::String(text)) => time(ctx, *min, text, value.span(), name),
        (Type::Choice(words), DeValue::String(text)) => {
            if !words.contains(&text.as_ref()) {
                let expected = suggest::any_of(words.iter().copied());
                let problem = ctx.error(
                    value.span(),
                    format!("`{name}` cannot be `{text}`"),
                    format!("expected {expected}"),
                );
                if let Some(near) = suggest::nearest(text, words.iter().copied()) {
                    problem.help(format!("did you mean `{near}`?"));
                }
            }
        }
        (Type::List(item), DeValue::Array(items)) => {
            for value in items {
                typed(ctx, item, value, &format!("{path}[]"));
            }
        }
        (Type::Map(item), DeValue::Table(entries)) => {
            for (key, value) in entries {
                typed(ctx, item, value, &join(path, key.get_ref()));
            }
        }
        (Type::Table(schema), DeValue::Table(entries)) => {
            table(ctx, schema, entries, &value.span(), path);
        }
        (Type::Either(types), found) => {
            match types.iter().find(|ty| takes(ty, found)) {
                Some(ty) => typed(ctx, ty, value, path),
                None => wrong_type(ctx, ty, value, name),
            };
        }
        _ => wrong_type(ctx, ty, value, name),
    }
}

fn time(ctx: &mut Context, min: u64, text: &str, span: Range<usize>, name: &str) {
    let refused = match duration::duration_ms(text) {
        Err(why) => why,
        Ok(ms) if ms >= min => return,
        Ok(_) if min == 1 => "expected a duration above zero".to_owned(),
        Ok(_) => format!("expected at least `{}`", duration::format(min)),
    };
    ctx.error(span, format!("`{name}` cannot be `{text}`"), refused);
}

fn wrong_type(ctx: &mut Context, ty: &'static Type, value: &Spanned<DeValue<'_>>, name: &str) {
    let found = value.get_ref();
    let span = value.span();
    let written = ctx.source().text.get(span.clone()).unwrap_or("").to_owned();
    let problem = ctx.error(
        span,
        match name.strip_suffix("[]") {
            Some(list) => format!("an item of `{list}` is of the wrong type"),
            None => format!("`{name}` is of the wrong type"),
        },
        format!("expected {}, found {}", expected(ty), kind(found)),
    );
    let plain = !matches!(found, DeValue::Array(_) | DeValue::Table(_));
    if takes(ty, &DeValue::String("".into())) && plain {
        match ty {
            Type::Duration(_) => problem.help(format!("say the unit: `\"{written}s\"`")),
            _ => problem.help(format!("put it in quotes: `\"{written}\"`")),
        };
    } else if let (Type::List(item), true) = (ty, plain)
        && takes(item, found)
    {
        problem.help(format!("write a list: `[{written}]`"));
    } else if let (Type::Integer(..), DeValue::String(text)) = (ty, found)
        && !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_digit())
    {
        problem.help(format!("write it without quotes: `{text}`"));
    } else if let (Type::Bool, DeValue::String(text)) = (ty, found)
        && matches!(text.as_ref(), "true" | "false")
    {
        problem.help(format!("write it without quotes: `{text}`"));
    } else if let (Type::Map(Type::Table(table)), _) = (ty, found) {
        problem.help(format!("write a table for each, headed [{}]", table.title));
    }
}

/// Whether `ty` takes values of this TOML type at all.
fn takes(ty: &Type, found: &DeValue<'_>) -> bool {
    match ty {
        Type::Text | Type::Duration(_) | Type::Choice(_) => found.is_str(),
        Type::Bool => found.is_bool(),
        Type::Integer(..) => found.is_integer(),
        Type::List(_) => found.is_array(),
        Type::Map(_) | Type::Table(_) => found.is_table(),
        Type::Either(types) => types.iter().any(|ty| takes(ty, found)),
    }
}

fn expected(ty: &Type) -> String {
    match ty {
        Type::Text | Type::Choice(_) => "a string".to_owned(),
        Type::Duration(_) => "a string such as `\"30s\"`".to_owned(),
        Type::Bool => "a boolean".to_owned(),
        Type::Integer(..) => "an integer".to_owned(),
        Type::List(_) => "a list".to_owned(),
        Type::Map(_) | Type::Table(_) => "a table".to_owned(),
        Type::Either(types) => suggest::or(&types.iter().map(expected).collect::<Vec<_>>()),
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// The number, unless it is beyond 64 bits.
pub(super) fn integer(value: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(value.as_str(), value.radix()).ok()
}

/// How a person would refer to the table at `path`.
fn headed(path: &str) -> String {
    match path.strip_suffix("[]") {
        Some(list) => format!("an item of `{list}`"),
        None => format!("[{path}]"),
    }
}

fn join(path: &str, key: &str) -> String {
    match path {
        "" => key.to_owned(),
        path => format!("{path}.{key}"),
    }
}
