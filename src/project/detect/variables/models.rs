//! Classes whose fields are variables: settings of Pydantic, and of Nest's class-validator.

use super::super::folder::Source;
use super::fallbacks;
use super::reads::is_name;

/// The variables that the classes of `source` insist on.
/// `settings` are the names of the classes in `all` that are settings.
pub(super) fn needed(source: &Source, all: &[&Source], settings: &[String]) -> Vec<String> {
    if source.is(&["py"]) {
        return pydantic(source, all, settings);
    }
    match source.is(&["ts"]) && source.text.contains("class-validator") {
        true => validated(&source.text),
        false => Vec::new(),
    }
}

/// The names of classes that are settings, by their own bases or by those of the bases.
pub(super) fn settings(all: &[&Source]) -> Vec<String> {
    let sources = all.iter().filter(|source| source.is(&["py"]));
    let lines = sources.flat_map(|source| source.text.lines());
    let classes: Vec<(&str, Vec<&str>)> = lines.filter_map(class).collect();
    let mut names = vec!["BaseSettings".to_owned()];
    // A class stands below its bases, in whatever file.
    loop {
        let is_new = |(name, bases): &&(&str, Vec<&str>)| {
            let has = |name: &str| names.iter().any(|have| have == name);
            !has(name) && bases.iter().any(|base| has(base))
        };
        match classes.iter().find(is_new) {
            Some((name, _)) => names.push((*name).to_owned()),
            None => return names,
        }
    }
}

/// The name and the bases of a class: `class App(base.Base, Other):`.
fn class(line: &str) -> Option<(&str, Vec<&str>)> {
    let (name, bases) = line.trim_start().strip_prefix("class ")?.split_once('(')?;
    let bases = bases.split([',', ')']).map(str::trim);
    let last = bases.filter_map(|base| base.rsplit('.').next());
    Some((name.trim(), last.collect()))
}

/// Whether a class of this name is for the project's own developers.
fn is_for_developers(name: &str) -> bool {
    ["Test", "Dev", "Local"]
        .iter()
        .any(|word| name.contains(word))
}

/// Fields without a value of classes that are settings, and those that are a developer's database.
fn pydantic(source: &Source, all: &[&Source], known: &[String]) -> Vec<String> {
    let text = &source.text;
    let mut found = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let line_indent = indent(line);
        let is_settings = class(line).is_some_and(|(name, bases)| {
            let is_known = |base: &&str| known.iter().any(|have| have == base);
            bases.iter().any(is_known) && !is_for_developers(name)
        });
        if !is_settings {
            continue;
        }
        let mut body = Vec::new();
        while let Some(next) = lines.peek() {
            if !next.trim().is_empty() && indent(next) <= line_indent {
                break;
            }
            body.push(*next);
            lines.next();
        }
        found.extend(fields(&body, all));
    }
    found
}

/// The fields in the body of one class.
fn fields(body: &[&str], all: &[&Source]) -> Vec<String> {
    let whole = body.join("\n");
    let prefix = whole.split_once("env_prefix").and_then(|(_, rest)| {
        let rest = rest.trim_start().strip_prefix('=')?;
        super::super::text::literals(rest.lines().next()?)
            .first()
            .copied()
    });
    let level = body
        .iter()
        .find(|line| !line.trim().is_empty())
        .map_or(0, |line| indent(line));
    let mut found = Vec::new();
    for (at, line) in body.iter().enumerate() {
        if indent(line) != level || line.trim_start().starts_with(['#', '@', '"', '\'']) {
            continue;
        }
        let Some((field, kind)) = line.trim().split_once(':') else {
            continue;
        };
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if field.is_empty() || !field.chars().all(is_word) || field.starts_with('_') {
            continue;
        }
        let (kind, value) = match kind.split_once('=') {
            Some((kind, value)) => (kind.trim(), Some(value.trim())),
            None => (kind.split('#').next().unwrap_or(kind).trim(), None),
        };
        if !is_plain(kind, all) {
            continue;
        }
        let name = match value {
            None => Some(None),
            Some(value) if value.starts_with("Field(") => {
                // Up to the next field.
                let rest = body[at + 1..].iter();
                let rest = rest.take_while(|line| indent(line) > level || line.trim() == ")");
                let call = std::iter::once(value)
                    .chain(rest.copied())
                    .collect::<Vec<_>>()
                    .join(" ");
                required_field(&call)
            }
            Some(value) => fallbacks::is_developers_default(value).then_some(None),
        };
        match name {
            Some(Some(alias)) => found.push(alias),
            Some(None) => {
                let name = format!("{}{field}", prefix.unwrap_or_default());
                found.push(name.to_ascii_uppercase());
            }
            None => {}
        }
    }
    found
}

/// Of a `Field(…)` without a value: the name that it gives the variable, if it gives one.
fn required_field(call: &str) -> Option<Option<String>> {
    let inner = call.strip_prefix("Field(")?.trim_start();
    let first = inner.split([',', ')']).next().unwrap_or_default().trim();
    let is_required =
        first == "..." || first.is_empty() || first.contains('=') && !first.starts_with("default");
    if !is_required || call.contains("default=") || call.contains("default_factory") {
        return None;
    }
    let named = ["validation_alias=", "alias=", "env="]
        .iter()
        .find_map(|key| {
            let (_, rest) = call.split_once(key)?;
            let name = super::super::text::literals(rest).first().copied()?;
            // Several names, of which one is enough.
            (!rest.trim_start().starts_with("AliasChoices")).then(|| name.to_ascii_uppercase())
        });
    Some(named)
}

/// Whether a type is read from one variable: not one that the project defines as a group.
fn is_plain(kind: &str, all: &[&Source]) -> bool {
    let word = kind.split(['[', ' ', '|']).next().unwrap_or_default();
    if ["ClassVar", "InitVar", "property"].contains(&word) || word.is_empty() {
        return false;
    }
    let own = format!("class {word}(");
    !all.iter().any(|source| {
        source.is(&["py"])
            && source.text.contains(&own)
            && !source.text.contains(&format!("{own}str"))
            && !source.text.contains(&format!("{own}Enum"))
            && !source.text.contains(&format!("{own}StrEnum"))
    })
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Fields with decorators of class-validator, all named like variables, none of them optional.
fn validated(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for class in text.split("class ").skip(1) {
        let mut decorators = String::new();
        let mut names = Vec::new();
        let mut others = false;
        for line in class.lines().skip(1).map(str::trim) {
            if line.starts_with('}') {
                break;
            }
            if line.starts_with('@') {
                decorators.push_str(line);
                continue;
            }
            let Some((field, rest)) = line.split_once(':') else {
                continue;
            };
            let field = field
                .trim_start_matches("readonly ")
                .trim_start_matches("public ");
            let plain = field.trim_end_matches(['!', '?']);
            others |= !is_name(plain);
            let may_lack =
                field.ends_with('?') || rest.contains('=') || decorators.contains("@IsOptional");
            if !may_lack && !decorators.is_empty() {
                names.push(plain.to_owned());
            }
            decorators.clear();
        }
        if !others {
            found.append(&mut names);
        }
    }
    found
}
