//! `docs/events.md` is written from the doc comments of the model and from sample values.

use std::fmt::Write as _;
use std::path::Path;

use crate::model::event::{Event, Verb};

use super::super::json;
use super::{sample, say};

const EVENT: &str = include_str!("../../model/event.rs");
const FAILURE: &str = include_str!("../../model/failure.rs");
const CAUSE: &str = include_str!("../../model/cause.rs");
const OPERATION: &str = include_str!("../../model/operation.rs");

const HEAD: &str = "\
# Events

With `--json`, a command prints one JSON object per line on stdout, and nothing else there: events,
which say what it does, or [answers](#answers) to what it was asked. On stderr there is nothing but
the error of a command that failed. (`ship run` and `ship exec` give stdout to the command that they
run; `ship completions` and `ship man` print what they always print.)

- `event` names the event; `what` beside it names what happened on a host.
- Times are milliseconds (`ms`), sizes bytes. A release is its number: 42 is printed as v42.
- A field marked \"may be null\" is always there.
- The last line of a command that does something is `unchanged`, `finished`, `done` or `failed`.
  A command that is asked a question prints its answers, and `failed` at the end when it fails. `exit`
  in `failed` is the [exit code](exit-codes.md).
- There may be more events and more fields in a later version: ignore what you do not know.
- A secret is never in an event. Text from steps, hooks and services is as they wrote it, control
  characters escaped as JSON has it: clean it before you print it.
";

const ANSWERS: &str = r#"
## Answers

These have no `event`. Warnings about the project come between them as [warning](#warning).

| command | an object for each | fields |
|---|---|---|
| `ship check` | finding; one for a manifest that is valid | `level` (`ok`, `warning`, `failure`), `subject`, `text`; `hint`, `host`, `file`, `line`, `column`, which may be null |
| `ship check --print` | manifest | `manifest`: it with every default, as TOML |
| `ship status` | host | `host`, `answer`: what is live, its services, who is deploying, a freeze; or `failure` |
| `ship releases` | host | `host`, `answer`: a list of releases; or `failure` |
| `ship history` | host | `host`, `answer`: a list of [operations](#operation), the newest first; or `failure` |
| `ship logs` | line | `host`, `time`, `service`, `text`; none where nothing was logged |
| `ship init` | manifest, then `done` | `path`, `replaced`, `stack`, `saw`, `notes`, `next` |
| `ship pin` | runtime, then `done` | `runtime`, `version`; unless `--check`: `change`, `request`, `from` |
| `ship host trust` | key that the host shows, then key that was pinned, then `done` | `host`, `fingerprint`, `pinned` |

```json
{"host":null,"level":"ok","subject":"manifest","text":"ship.toml is valid: shop with 1 service","hint":null,"file":null,"line":null,"column":null}
{"host":null,"level":"failure","subject":"manifest","text":"unknown key `hots` in [environments.production]","hint":null,"file":"ship.toml","line":8,"column":1}
{"host":"deploy@web1.example.com","level":"warning","subject":"disk","text":"91% of /srv is used","hint":null,"file":null,"line":null,"column":null}
```
"#;

/// A type or a variant, with what its comments say.
#[derive(Default)]
struct Item {
    name: String,
    about: String,
    fields: Vec<Field>,
}

struct Field {
    name: String,
    kind: String,
    about: String,
}

/// Reads the fields (`depth` 4: of a struct) or variants with their fields (`depth` 8) of a type
/// out of its formatted source.
fn read(source: &str, head: &str) -> Vec<Item> {
    let is_enum = head.contains("enum");
    let body = source.split_once(&format!("{head} {{\n")).unwrap().1;
    let body = body.split_once("\n}\n").unwrap().0;
    let mut items = vec![];
    if !is_enum {
        items.push(Item::default());
    }
    let mut about = String::new();
    for line in body.lines() {
        let indent = line.len() - line.trim_start().len();
        let line = line.trim();
        if let Some(text) = line.strip_prefix("/// ") {
            if !about.is_empty() {
                about.push(' ');
            }
            about.push_str(text);
        } else if is_enum && indent == 4 && !line.starts_with(['}', '#']) {
            let name = line.trim_end_matches([' ', '{', ',']);
            items.push(Item {
                name: kebab(name),
                about: std::mem::take(&mut about),
                fields: vec![],
            });
        } else if let Some((name, kind)) = line.trim_end_matches(',').split_once(": ") {
            items.last_mut().unwrap().fields.push(Field {
                name: name.trim_start_matches("pub ").to_owned(),
                kind: kind.to_owned(),
                about: std::mem::take(&mut about),
            });
        }
    }
    items
}

fn kebab(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}

/// What JSON makes of a Rust type.
fn json_type(kind: &str) -> String {
    if let Some(inner) = kind
        .strip_prefix("Option<")
        .and_then(|k| k.strip_suffix('>'))
    {
        return format!("{}, may be null", json_type(inner));
    }
    if let Some(inner) = kind.strip_prefix("Vec<").and_then(|k| k.strip_suffix('>')) {
        return format!("list of {}", json_type(inner));
    }
    if kind == "Verb" {
        let word = |verb| json_string(&verb).replace('"', "`");
        return Verb::ALL.map(word).join(", ");
    }
    match kind {
        "bool" => "boolean",
        "u8" | "u32" | "u64" | "i32" | "i64" => "number",
        "ReleaseId" => "release number",
        "HostName" | "AppName" | "ServiceName" | "EnvironmentName" | "String" => "text",
        "Cause" => "[cause](#cause)",
        "Phase" => "`build`, `test` or `hook`",
        "FailureKind" => "kind of [exit code](exit-codes.md)",
        "Outcome" => "[outcome](#outcome)",
        "HostOutcome" => "[host outcome](#host-outcome)",
        "Diagnosis" => "[diagnosis](#diagnosis)",
        "PlannedHost" => "[planned host](#planned-host)",
        "Failure" => "[failure](#failure)",
        "OperationKind" => {
            "`deploy`, `rollback`, `resume`, `restart`, `stop`, `start`, `freeze`, `thaw`, `exec`, \
             `recovery`"
        }
        "OperationOutcome" => {
            "`good`, `reverted`, `failed`, `interrupted`, `adopted`, `exit` and a code"
        }
        "Made" => "[made](#made)",
        "Commit" => "[commit](#commit)",
        other => panic!("what does JSON make of {other}?"),
    }
    .to_owned()
}

fn json_string(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

fn fields(page: &mut String, fields: &[Field]) {
    if fields.is_empty() {
        return;
    }
    page.push_str("\n| field | value | |\n|---|---|---|\n");
    for field in fields {
        let kind = json_type(&field.kind);
        let about = field.about.replace("`None`", "null");
        let _ = writeln!(page, "| `{}` | {kind} | {about} |", field.name);
    }
}

fn section(page: &mut String, title: &str, item: &Item, example: &Event) {
    let _ = writeln!(page, "\n### {title}\n\n{}", item.about);
    fields(page, &item.fields);
    let _ = writeln!(page, "\n```json\n{}\n```", json::line(example));
}

fn page() -> String {
    let mut page = HEAD.to_owned();

    page.push_str("\n## Of the command\n");
    let items = read(EVENT, "pub enum Event");
    let samples = sample::events();
    assert_eq!(
        items.len(),
        samples.len(),
        "sample.rs has one of each event"
    );
    for (item, example) in items.iter().zip(&samples) {
        let json = serde_json::to_value(example).unwrap();
        assert_eq!(json["event"], item.name, "sample.rs follows model/event.rs");
        if item.name != "host" {
            section(&mut page, &item.name, item, example);
        }
    }

    page.push_str(
        "\n## On a host\n\n\
         `\"event\":\"host\"`, with the `host` and `what` happened there.\n",
    );
    let items = read(EVENT, "pub enum HostEvent");
    let samples = sample::host_events();
    assert_eq!(
        items.len(),
        samples.len(),
        "sample.rs has one of each host event"
    );
    for (item, what) in items.iter().zip(samples) {
        let example = say::on("deploy@web1.example.com", what);
        let json = serde_json::to_value(&example).unwrap();
        assert_eq!(json["what"], item.name, "sample.rs follows model/event.rs");
        section(&mut page, &format!("host: {}", item.name), item, &example);
    }

    page.push_str("\n## Parts of events\n");
    for (title, source, head) in [
        ("Outcome", EVENT, "pub struct Outcome"),
        ("Host outcome", EVENT, "pub struct HostOutcome"),
        ("Diagnosis", EVENT, "pub struct Diagnosis"),
        ("Planned host", EVENT, "pub struct PlannedHost"),
        ("Failure", FAILURE, "struct Written"),
    ] {
        let _ = writeln!(page, "\n### {title}");
        for item in read(source, head) {
            fields(&mut page, &item.fields);
        }
    }
    page.push_str("\n### Cause\n\n`is` tells which one.\n\n| `is` | fields | |\n|---|---|---|\n");
    // What is written as null is the last.
    let items = read(CAUSE, "pub enum Cause");
    for item in items.iter().filter(|item| item.name != "other") {
        // One that holds a struct has its fields.
        let (name, held) = item.name.split_once('(').unwrap_or((&item.name, ""));
        let inner = match held {
            "" => None,
            _ => read(CAUSE, "pub struct Running").pop(),
        };
        let fields = inner.as_ref().unwrap_or(item).fields.iter();
        let fields: Vec<String> = fields
            .map(|field| format!("`{}`: {}", field.name, json_type(&field.kind)))
            .collect();
        let _ = writeln!(
            page,
            "| `{}` | {} | {} |",
            name,
            fields.join("; "),
            item.about
        );
    }
    page.push_str(ANSWERS);
    for (title, head) in [
        ("Operation", "pub struct Operation"),
        ("Made", "pub struct Made"),
        ("Commit", "pub struct Commit"),
    ] {
        let _ = writeln!(page, "\n### {title}");
        for item in read(OPERATION, head) {
            fields(&mut page, &item.fields);
        }
    }
    page
}

/// `docs/events.md` says what the code does; `UPDATE_DOCS=1` writes it.
#[test]
fn the_reference_is_what_is_emitted() {
    let page = page();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/events.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, page, "UPDATE_DOCS=1 cargo test writes it anew");
}

#[test]
fn every_event_is_read_back_from_json_as_it_was() {
    let on_hosts = sample::host_events()
        .into_iter()
        .map(|what| say::on("web1", what));
    for event in sample::events().into_iter().chain(on_hosts) {
        let line = json::line(&event);
        assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), event);
    }
}

/// A rollback was `rolled back` in JSON, and `rolled-back` in the reference.
#[test]
fn a_verb_is_spelled_alike_in_json_and_in_sentences() {
    for verb in Verb::ALL {
        let word = json_string(&verb);
        assert_eq!(word.trim_matches('"'), verb.as_str().replace(' ', "-"));
    }
}
