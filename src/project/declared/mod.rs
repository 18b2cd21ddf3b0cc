//! The versions of runtimes that a project's other files name: those of version managers, of
//! package managers and of languages. `ship init` takes its pins from them, and what is pinned must
//! not disagree with them.
//!
//! One file per format: its text → what it names, and where. A word that ship cannot read (another
//! implementation, a path, `system`) has no [`Declared::request`]: it cannot be compared.

mod go_mod;
mod jvm;
mod lines;
mod package_json;
mod tables;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::diagnostic::Source;
use crate::model::version::{Grammar, Request};

/// How much of one file is looked at, bytes.
const MAX_BYTES: u64 = 1 << 20;

/// A version that a file of the project names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// Of which runtime: `node`.
    pub runtime: String,
    /// What is asked for, in the grammar of the runtime: `18`, `>=1.22`.
    pub asks: String,
    /// `asks` as read; `None` when it is not in the grammar of the runtime.
    pub request: Option<Request>,
    /// Whether the file names the version to run, or one that is needed at least.
    pub role: Role,
    /// The file.
    pub source: Arc<Source>,
    /// Where in it, byte offsets.
    pub span: Range<usize>,
}

/// What a version in a file is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The project runs on it: an exact version or a prefix of one.
    Choice,
    /// The project needs it, or one of a range.
    Constraint,
}

/// A version as a format's reader finds it.
struct Found {
    runtime: String,
    asks: String,
    role: Role,
    span: Range<usize>,
}

type Format = fn(&str) -> Vec<Found>;

/// The files, those that speak most clearly first.
const FILES: [(&str, Format); 22] = [
    (".nvmrc", |text| lines::version("node", text)),
    (".node-version", |text| lines::version("node", text)),
    (".python-version", |text| lines::version("python", text)),
    (".ruby-version", |text| lines::version("ruby", text)),
    (".go-version", |text| lines::version("go", text)),
    (".bun-version", |text| lines::version("bun", text)),
    (".deno-version", |text| lines::version("deno", text)),
    (".dvmrc", |text| lines::version("deno", text)),
    (".java-version", |text| lines::version("java", text)),
    (".tool-versions", lines::tool_versions),
    ("mise.toml", tables::mise),
    (".mise.toml", tables::mise),
    ("rust-toolchain.toml", tables::rust_toolchain),
    ("rust-toolchain", tables::rust_toolchain),
    ("package.json", package_json::read),
    ("pyproject.toml", tables::pyproject),
    ("Pipfile", tables::pipfile),
    ("runtime.txt", |text| lines::version("python", text)),
    ("go.mod", go_mod::read),
    ("pom.xml", jvm::maven),
    ("build.gradle", jvm::gradle),
    ("build.gradle.kts", jvm::gradle),
];

/// The versions that the files of a project name; `read` gives the text of a file. A version that
/// stands in several places is listed once for each.
pub fn declared(read: impl Fn(&str) -> Option<String>) -> Vec<Declared> {
    let mut all = Vec::new();
    for (name, format) in FILES {
        let Some(text) = read(name) else {
            continue;
        };
        // What editors of some systems write before the text; JSON does not know it.
        let text = match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        };
        let found = format(&text);
        let source = Arc::new(Source {
            name: name.to_owned(),
            text,
        });
        all.extend(found.into_iter().map(|found| {
            let asks = found.asks.trim().to_owned();
            Declared {
                request: Request::parse(Grammar::of(&found.runtime), &asks).ok(),
                runtime: found.runtime,
                asks,
                role: found.role,
                source: Arc::clone(&source),
                span: found.span,
            }
        }));
    }
    all
}

/// The versions that the files of the project in `dir` name. A file that cannot be read, is not
/// text or is larger than 1 MiB names none.
#[must_use]
pub fn declared_in(dir: &Path) -> Vec<Declared> {
    declared(|name| text(dir, name))
}

/// The SHA-512 that `package.json` of the project in `dir` names for the package manager `name`, as
/// Corepack writes it.
#[must_use]
pub fn package_manager_hash(dir: &Path, name: &str) -> Option<String> {
    package_json::hash(&text(dir, "package.json")?, name)
}

fn text(dir: &Path, name: &str) -> Option<String> {
    let mut text = String::new();
    let file = File::open(dir.join(name)).ok()?;
    let size = file.take(MAX_BYTES + 1).read_to_string(&mut text).ok()?;
    (size as u64 <= MAX_BYTES).then_some(text)
}

/// The name in `[runtimes]` of what another tool calls `name`.
fn runtime_name(name: &str) -> Option<String> {
    let name = name.strip_prefix("core:").unwrap_or(name);
    let name = match name {
        "nodejs" => "node",
        "golang" => "go",
        name => name,
    };
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (!name.is_empty() && name.chars().all(plain)).then(|| name.to_owned())
}

/// Where `part`, which lies in `text`, lies in it.
fn span_of(text: &str, part: &str) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    start..start + part.len()
}
