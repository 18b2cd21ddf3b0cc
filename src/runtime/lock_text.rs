//! The text of a `ship.lock` → a [`Lock`], or everything that is wrong with it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::lock::{ANY, Archive, FORMAT, LOCK, Lock, Pin};
use super::source::{SOURCES, Source, source};
use super::tool::is_package;
use crate::model::runtime::{Platform, Sha256};
use crate::model::version::{Request, Version};
use crate::project::diagnostic::{self, Diagnostic};

/// The most that an archive can hold, bytes: what is larger was not written by ship.
const LARGEST: u64 = 4 << 30;

/// Reads the text of a lock.
pub(super) fn parse(text: &str) -> Result<Lock, Vec<Diagnostic>> {
    let mut reader = Reader {
        source: Arc::new(diagnostic::Source {
            name: LOCK.to_owned(),
            text: text.to_owned(),
        }),
        problems: Vec::new(),
    };
    let lock = match DeTable::parse(text) {
        Ok(document) => reader.lock(&document),
        Err(error) => {
            let span = error.span().unwrap_or(0..0);
            let conflict = text.contains("<<<<<<<") && text.contains(">>>>>>>");
            let problem = reader.error(span, error.message(), "");
            if conflict {
                problem.help("it holds a merge conflict: delete the file and run `ship pin`");
            }
            None
        }
    };
    let mut problems = reader.problems;
    match lock {
        Some(lock) if problems.is_empty() => Ok(lock),
        _ => {
            problems.sort_by_key(|problem| problem.labels.first().map(|label| label.span.start));
            Err(problems)
        }
    }
}

struct Reader {
    source: Arc<diagnostic::Source>,
    problems: Vec<Diagnostic>,
}

/// A table and what it is called.
struct Section<'a> {
    table: &'a DeTable<'a>,
    span: Range<usize>,
    title: String,
}

impl Reader {
    fn error(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> &mut Diagnostic {
        let mut problem = Diagnostic::error(message).with_source(&self.source);
        problem.label(span, label);
        let at = self.problems.len();
        self.problems.push(problem);
        &mut self.problems[at]
    }

    fn lock(&mut self, document: &Spanned<DeTable<'_>>) -> Option<Lock> {
        let root = Section {
            table: document.get_ref(),
            span: 0..0,
            title: LOCK.to_owned(),
        };
        let (format, span) = self.value(&root, "version")?;
        let format = format
            .as_integer()
            .and_then(|number| i64::from_str_radix(number.as_str(), number.radix()).ok());
        match format {
            Some(FORMAT) => {}
            Some(newer) if newer > FORMAT => {
                self.error(
                    span,
                    format!("this lock has version {newer}"),
                    format!("this build of ship reads version {FORMAT}"),
                )
                .help("a newer ship wrote it: use that one, or delete it and run `ship pin`");
                return None;
            }
            _ => {
                self.error(span, "`version` is wrong", format!("expected {FORMAT}"));
                return None;
            }
        }
        self.known(&root, |key| ["version", "runtimes"].contains(&key));
        let mut runtimes = BTreeMap::new();
        let Some(found) = root.table.get("runtimes") else {
            return Some(Lock { runtimes });
        };
        for (name, section) in self.sections(found, "runtimes") {
            let Some(source) = source(name.get_ref()) else {
                let names: Vec<&str> = SOURCES.iter().map(|source| source.name).collect();
                let message = format!("`{}` is not a runtime that ship provides", name.get_ref());
                let label = format!("expected one of {}", names.join(", "));
                self.error(name.span(), message, label);
                continue;
            };
            if let Some(pin) = self.pin(source, &section) {
                runtimes.insert(name.get_ref().to_string(), pin);
            }
        }
        Some(Lock { runtimes })
    }

    fn pin(&mut self, source: &Source, section: &Section<'_>) -> Option<Pin> {
        self.known(section, |key| {
            ["request", "version", "packages", ANY].contains(&key)
                || Platform::from_str(key).is_ok()
        });
        let request = self.text(section, "request");
        let version = self.text(section, "version");
        let (request, request_at) = request?;
        let (version, version_at) = version?;
        let Some(exact) = Version::parse(version) else {
            let message = format!("`{version}` is not an exact version");
            self.error(version_at, message, "expected one such as `20.11.1`");
            return None;
        };
        match Request::parse(source.grammar(), request) {
            Ok(wanted) if wanted.matches(&exact) => {}
            Ok(_) => {
                let message = format!("{} {version} does not answer `{request}`", source.title);
                self.error(version_at, message, "this is another version")
                    .label(request_at, "asked for");
            }
            Err(why) => {
                self.error(request_at, format!("`request` cannot be `{request}`"), why);
            }
        }
        let mut platforms = BTreeMap::new();
        for platform in Platform::ALL {
            let own = section.table.get(platform.as_str());
            let name = if own.is_some() {
                platform.as_str()
            } else {
                ANY
            };
            let Some(value) = own.or_else(|| section.table.get(ANY)) else {
                continue;
            };
            let title = format!("{}.{name}", section.title);
            let archive = self.table(value, title)?;
            if let Some(archive) = self.archive(source, &exact, platform, &archive) {
                platforms.insert(platform, archive);
            }
        }
        if platforms.is_empty() && self.problems.is_empty() {
            let message = format!("[{}] has no archive", section.title);
            self.error(section.span.clone(), message, "for no platform");
        }
        let packages = self.packages(source, section);
        Some(Pin {
            request: request.to_owned(),
            version: version.to_owned(),
            platforms,
            packages,
        })
    }

    /// The packages of a tool: lines that uv takes for nothing else.
    fn packages(&mut self, source: &Source, section: &Section<'_>) -> Vec<String> {
        if source.packages.is_none() {
            if let Some((key, _)) = section.table.get_key_value("packages") {
                let message = format!("{} is not made of packages", section.title);
                self.error(key.span(), message, "not written by ship");
            }
            return Vec::new();
        }
        let Some((value, span)) = self.value(section, "packages") else {
            return Vec::new();
        };
        let lines = value.as_array().map(|lines| {
            let lines = lines.iter().map(|line| line.get_ref().as_str());
            lines.collect::<Option<Vec<&str>>>().unwrap_or_default()
        });
        let lines = lines.unwrap_or_default();
        if lines.is_empty() || !lines.iter().all(|line| is_package(line)) {
            self.error(
                span,
                "`packages` is wrong",
                "expected lines of a name, a version and checksums",
            );
        }
        lines.into_iter().map(str::to_owned).collect()
    }

    fn archive(
        &mut self,
        source: &Source,
        version: &Version,
        platform: Platform,
        section: &Section<'_>,
    ) -> Option<Archive> {
        self.known(section, |key| ["url", "sha256", "size"].contains(&key));
        let url = self.text(section, "url");
        let sha256 = self.text(section, "sha256");
        let size = self.value(section, "size");
        let (url, url_at) = url?;
        if !source.is_address_of(url, version, platform) {
            let title = source.title;
            self.error(
                url_at,
                format!("this is not the address of {title} {version} for {platform}"),
                "another version, platform or publisher",
            );
        }
        let (sha256, sum_at) = sha256?;
        let sha256: Sha256 = match sha256.parse() {
            Ok(sum) => sum,
            Err(why) => {
                self.error(sum_at, why, "no checksum");
                return None;
            }
        };
        let (size, size_at) = size?;
        let size = size
            .as_integer()
            .and_then(|number| u64::from_str_radix(number.as_str(), number.radix()).ok())
            .filter(|size| (1..=LARGEST).contains(size));
        let Some(size) = size else {
            self.error(size_at, "`size` is wrong", "expected a number of bytes");
            return None;
        };
        Some(Archive {
            url: url.to_owned(),
            sha256,
            size,
        })
    }

    /// Reports the keys that are not `expected`.
    fn known(&mut self, section: &Section<'_>, expected: impl Fn(&str) -> bool) {
        for (key, _) in section.table {
            if !expected(key.get_ref()) {
                let message = format!("unknown key `{}` in {}", key.get_ref(), section.title);
                self.error(key.span(), message, "not written by ship");
            }
        }
    }

    fn value<'a>(
        &mut self,
        section: &Section<'a>,
        key: &str,
    ) -> Option<(&'a DeValue<'a>, Range<usize>)> {
        let Some(value) = section.table.get(key) else {
            let message = format!("{} has no `{key}`", section.title);
            self.error(section.span.clone(), message, format!("`{key}` is missing"));
            return None;
        };
        Some((value.get_ref(), value.span()))
    }

    fn text<'a>(&mut self, section: &Section<'a>, key: &str) -> Option<(&'a str, Range<usize>)> {
        let (value, span) = self.value(section, key)?;
        let Some(text) = value.as_str() else {
            self.error(span, format!("`{key}` is not text"), "expected text");
            return None;
        };
        Some((text, span))
    }

    fn table<'a>(&mut self, value: &'a Spanned<DeValue<'a>>, title: String) -> Option<Section<'a>> {
        let Some(table) = value.get_ref().as_table() else {
            self.error(
                value.span(),
                format!("`{title}` is not a table"),
                "expected a table",
            );
            return None;
        };
        let span = value.span();
        Some(Section { table, span, title })
    }

    fn sections<'a>(
        &mut self,
        value: &'a Spanned<DeValue<'a>>,
        title: &str,
    ) -> Vec<(&'a Spanned<std::borrow::Cow<'a, str>>, Section<'a>)> {
        let Some(outer) = self.table(value, title.to_owned()) else {
            return Vec::new();
        };
        let mut sections = Vec::new();
        for (name, value) in outer.table {
            let title = format!("{title}.{}", name.get_ref());
            sections.extend(self.table(value, title).map(|section| (name, section)));
        }
        sections
    }
}
