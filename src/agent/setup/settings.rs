//! The settings of a unit file, and where two unit files differ in them.
//!
//! Comments, order and spelling do not count: a unit that another version of ship wrote may say the
//! same in other words.

use std::collections::BTreeMap;

/// The settings of a unit file (systemd.syntax(7)): section and name, then the values in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Settings(BTreeMap<(String, String), Vec<String>>);

/// A setting that a unit file has and another one has differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its name: `TimeoutStopSec`.
    pub name: String,
    /// What the file says; `None` when it says nothing.
    pub found: Option<String>,
    /// What it should say; `None` when it should say nothing.
    pub wanted: Option<String>,
}

/// Settings that hold a list of words. Each line adds to the ones before, and their order means
/// nothing (systemd.unit(5), systemd.exec(5)).
const LISTS: [&str; 9] = [
    "After",
    "AmbientCapabilities",
    "Before",
    "ReadWritePaths",
    "Requires",
    "RequiresMountsFor",
    "RuntimeDirectory",
    "WantedBy",
    "Wants",
];

/// Settings that follow from what the manifest says, with what a person calls them. All others are
/// a decision of the version of ship that wrote the unit.
const OF_THE_MANIFEST: [&str; 7] = [
    "User",
    "Type",
    "TimeoutStartSec",
    "TimeoutStopSec",
    "ExecStart",
    "RuntimeDirectory",
    "AmbientCapabilities",
];

impl Difference {
    /// Whether the manifest decides this setting, not the version of ship.
    #[must_use]
    pub fn is_of_the_manifest(&self) -> bool {
        OF_THE_MANIFEST.contains(&self.name.as_str())
    }
}

/// Where the unit file `found` differs from `wanted`, by section and name.
#[must_use]
pub fn differences(found: &str, wanted: &str) -> Vec<Difference> {
    let (found, wanted) = (Settings::parse(found), Settings::parse(wanted));
    let mut names: Vec<_> = found.0.keys().chain(wanted.0.keys()).collect();
    names.sort();
    names.dedup();
    let type_differs = found.meaning("Service", "Type") != wanted.meaning("Service", "Type");
    names
        .into_iter()
        .filter(|(section, name)| found.meaning(section, name) != wanted.meaning(section, name))
        // It comes and goes with the type.
        .filter(|(_, name)| !(type_differs && name == "TimeoutStartSec"))
        .map(|(section, name)| Difference {
            name: name.clone(),
            found: found.shown(section, name),
            wanted: wanted.shown(section, name),
        })
        .collect()
}

/// The value of a setting that takes one, as the unit file has it.
#[must_use]
pub fn value(text: &str, section: &str, name: &str) -> Option<String> {
    Settings::parse(text).shown(section, name)
}

impl Settings {
    fn parse(text: &str) -> Self {
        let mut settings = Self::default();
        let mut section = String::new();
        for line in joined(text) {
            let line = line.trim();
            if let Some(name) = line.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
                section = name.to_owned();
            } else if let Some((name, value)) = line.split_once('=') {
                settings.set(&section, name.trim_end(), value.trim_start());
            }
        }
        settings
    }

    fn set(&mut self, section: &str, name: &str, value: &str) {
        // One that sets both (systemd.service(5)).
        if (section, name) == ("Service", "TimeoutSec") {
            self.set(section, "TimeoutStartSec", value);
            return self.set(section, "TimeoutStopSec", value);
        }
        let key = (section.to_owned(), name.to_owned());
        let values = self.0.entry(key).or_default();
        // An empty one takes back what came before.
        if value.is_empty() || !LISTS.contains(&name) {
            values.clear();
        }
        if !value.is_empty() {
            values.push(value.to_owned());
        }
    }

    fn values(&self, section: &str, name: &str) -> &[String] {
        let key = (section.to_owned(), name.to_owned());
        self.0.get(&key).map_or(&[], Vec::as_slice)
    }

    /// Equal for values that mean the same.
    fn meaning(&self, section: &str, name: &str) -> Vec<String> {
        let values = self.values(section, name);
        if LISTS.contains(&name) {
            let words = values.iter().flat_map(|value| value.split_whitespace());
            let mut words: Vec<String> = words.map(str::to_owned).collect();
            words.sort();
            words.dedup();
            return words;
        }
        let one = |value: &String| match micros(value) {
            Some(span) if name.ends_with("Sec") => span.to_string(),
            _ => as_truth(value).map_or_else(|| plain(value), |truth| truth.to_string()),
        };
        values.iter().map(one).collect()
    }

    fn shown(&self, section: &str, name: &str) -> Option<String> {
        let values = self.values(section, name);
        (!values.is_empty()).then(|| values.join(" "))
    }
}

/// The lines without comments, those that end with a backslash joined with the next
/// (systemd.syntax(7)).
fn joined(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in text.lines() {
        if line.trim_start().starts_with(['#', ';']) {
            continue;
        }
        let (part, more) = match line.strip_suffix('\\') {
            Some(part) => (part, true),
            None => (line, false),
        };
        match lines.last_mut() {
            Some(last) if goes_on => {
                last.push(' ');
                last.push_str(part);
            }
            _ => lines.push(part.to_owned()),
        }
        goes_on = more;
    }
    lines
}

/// With one space where there are several: between words they mean nothing.
fn plain(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A boolean of systemd.syntax(7).
fn as_truth(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "yes" | "true" | "on" => Some(true),
        "0" | "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

/// A time span of systemd.time(7), µs; `u64::MAX` for one without end.
fn micros(value: &str) -> Option<u64> {
    if value == "infinity" {
        return Some(u64::MAX);
    }
    let mut rest = value.trim();
    if rest.is_empty() {
        return None;
    }
    let mut sum: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        rest = rest[digits..].trim_start();
        let letters = rest.len() - rest.trim_start_matches(char::is_alphabetic).len();
        let unit = match &rest[..letters] {
            "" | "s" | "sec" | "second" | "seconds" => 1_000_000,
            "us" | "usec" | "µs" | "μs" => 1,
            "ms" | "msec" => 1_000,
            "m" | "min" | "minute" | "minutes" => 60_000_000,
            "h" | "hr" | "hour" | "hours" => 3_600_000_000,
            "d" | "day" | "days" => 86_400_000_000,
            "w" | "week" | "weeks" => 604_800_000_000,
            _ => return None,
        };
        sum = sum.checked_add(number.checked_mul(unit)?)?;
        rest = rest[letters..].trim_start();
    }
    Some(sum)
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
