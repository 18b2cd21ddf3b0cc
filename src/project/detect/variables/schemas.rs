//! Schemas of variables in JavaScript: an object with one rule per name. A library is one more row.

use super::super::folder::Source;
use super::reads::is_name;

/// Names by when they are needed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    pub start: Vec<String>,
    /// They become part of what browsers get.
    pub client: Vec<String>,
}

/// A call whose argument is a schema.
struct Library {
    opens: &'static str,
    /// Words of a rule without which nobody insists on the variable.
    insists: &'static [&'static str],
    /// Words of a rule by which it may be missing.
    spares: &'static [&'static str],
}

const fn library(opens: &'static str, spares: &'static [&'static str]) -> Library {
    Library {
        opens,
        insists: &[],
        spares,
    }
}

const ZOD: &[&str] = &[
    ".optional(",
    ".default(",
    ".nullish(",
    ".catch(",
    ".prefault(",
    "z.undefined(",
    "z.optional(",
    "z.stringbool().default",
    "z._default(",
    "z.preprocess(",
];

#[rustfmt::skip]
const LIBRARIES: &[Library] = &[
    library("z.object(", ZOD),
    library("z.strictObject(", ZOD),
    library("z.looseObject(", ZOD),
    library("v.object(", &["v.optional(", "v.nullish(", "v.fallback("]),
    library("Type.Object(", &["Type.Optional(", "default:"]),
    library("cleanEnv(", &["default:", "undefined"]),
    library("Env.create(", &[".optional(", ".optionalWhen("]),
    library("Env.rules(", &[".optional(", ".optionalWhen("]),
    library("envsafe(", &["default:", "allowEmpty:"]),
    Library { opens: "Joi.object(", insists: &[".required("], spares: &[".default(", ".when("] },
    Library { opens: "joi.object(", insists: &[".required("], spares: &[".default(", ".when("] },
    Library { opens: "yup.object(", insists: &[".required("], spares: &[".default(", ".when("] },
];

/// What the schemas of `source` insist on.
pub(super) fn needed(source: &Source) -> Names {
    let mut names = Names::default();
    if !source.is(super::super::node::TYPES) {
        return names;
    }
    let text = &source.text;
    for (at, call) in text.match_indices("createEnv(") {
        for (part, rules) in entries(&text[at + call.len()..]) {
            let list = match part {
                "server" | "shared" => &mut names.start,
                "client" => &mut names.client,
                _ => continue,
            };
            let rules = entries(rules).into_iter();
            let zod = library("createEnv(", &[]);
            let must = rules.filter(|(name, rule)| is_name(name) && insists(&zod, rule, true));
            list.extend(must.map(|(name, _)| name.to_owned()));
        }
    }
    for library in LIBRARIES {
        for (at, opens) in text.match_indices(library.opens) {
            let found = entries(schema(text, at + opens.len()));
            // One that checks requests has other names.
            if found.is_empty() || !found.iter().all(|(name, _)| is_name(name)) {
                continue;
            }
            let must = found
                .iter()
                .filter(|(_, rule)| insists(library, rule, false));
            names.start.extend(must.map(|(name, _)| (*name).to_owned()));
        }
    }
    names.start.extend(lists(text));
    names
}

/// What begins with the schema of a call whose arguments begin `at`: `process.env` and the like may
/// stand before it, and it may be a constant of the same file.
fn schema(text: &str, at: usize) -> &str {
    let arguments = &text[at..];
    let last = arguments.split(')').next().unwrap_or_default();
    let name = last.rsplit(',').next().unwrap_or_default().trim();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    if !name.is_empty() && name.chars().all(is_word) {
        let object = text.split_once(&format!("const {name} = "));
        return object.map_or("", |(_, object)| object);
    }
    let line = arguments.lines().next().unwrap_or_default();
    let before = line.split('{').next().unwrap_or_default();
    match before.trim_end().ends_with(',') {
        true => &arguments[before.len()..],
        false => arguments,
    }
}

/// Whether a rule lets nobody leave the variable out in production.
fn insists(library: &Library, rule: &str, any: bool) -> bool {
    // `NODE_ENV === "production" ? rule : other`
    let rule = match rule.split_once('?') {
        Some((asks, both)) if asks.contains("NODE_ENV") && both.contains(':') => {
            let is_production =
                asks.contains("=== \"production\"") || asks.contains("=== 'production'");
            let (yes, no) = both.split_once(':').unwrap_or((both, ""));
            if is_production { yes } else { no }
        }
        _ => rule,
    };
    let spares = match any {
        true => &[
            ZOD,
            &["v.optional(", "v.nullish(", "default:", "undefined"][..],
        ]
        .concat(),
        false => library.spares,
    };
    !spares.iter().any(|word| rule.contains(word))
        && (library.insists.is_empty() || library.insists.iter().any(|word| rule.contains(word)))
        // A rule that stands elsewhere may say anything.
        && rule.contains('(')
}

/// `required: ['A', 'B']` of a JSON schema for variables.
fn lists(text: &str) -> Vec<String> {
    const READERS: &[&str] = &["@fastify/env", "fastify-env", "env-schema"];
    if !READERS.iter().any(|name| text.contains(name)) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (at, key) in text.match_indices("required:") {
        let rest = text[at + key.len()..].trim_start();
        let Some((list, _)) = rest.strip_prefix('[').and_then(|it| it.split_once(']')) else {
            continue;
        };
        let spared = |name: &str| {
            let rule = text
                .split_once(&format!("{name}: {{"))
                .map_or("", |(_, rest)| rest);
            rule.split('}')
                .next()
                .unwrap_or_default()
                .contains("default")
        };
        let names = super::super::text::literals(list);
        let names = names
            .into_iter()
            .filter(|name| is_name(name) && !spared(name));
        found.extend(names.map(str::to_owned));
    }
    found
}

/// The keys of the first object in `text` and what stands behind each; none when `text` does not
/// begin with an object.
fn entries(text: &str) -> Vec<(&str, &str)> {
    let text = text.trim_start();
    let mut found = Vec::new();
    if !text.starts_with('{') {
        return found;
    }
    let bytes = text.as_bytes();
    let (mut depth, mut at, mut begins) = (0_usize, 0, 1);
    while at < bytes.len() {
        match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at += text[at..].find('\n').unwrap_or(text.len() - at);
                if depth == 1 && text[begins..at].trim_start().starts_with("//") {
                    begins = at;
                }
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at += text[at..].find("*/").map_or(text.len() - at, |end| end + 2);
                if depth == 1 && text[begins..at].trim_start().starts_with("/*") {
                    begins = at;
                }
                continue;
            }
            quote @ (b'"' | b'\'' | b'`') => {
                at += 1;
                while at < bytes.len() && bytes[at] != quote {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
            }
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => {
                depth -= 1;
                if depth == 0 {
                    found.extend(entry(&text[begins..at]));
                    return found;
                }
            }
            b',' if depth == 1 => {
                found.extend(entry(&text[begins..at]));
                begins = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// `key: value`.
fn entry(text: &str) -> Option<(&str, &str)> {
    let (key, value) = text.trim().split_once(':')?;
    Some((key.trim().trim_matches(['"', '\'']), value.trim()))
}
