//! What the services of the live release, or else of the newest one, have said, and go on saying.

use std::collections::BTreeMap;

use regex::Regex;

use super::host::Host;
use super::releases;
use super::secrets::Secrets;
use super::service::{LogLine, LogSpan};
use crate::model::redact::{Lines, Redactor};
use crate::model::{Failure, FailureKind, Instance, ServiceName};
use crate::wire::LogsRequest;

/// The most that the old lines of a service take in memory, bytes; the newest are kept.
const MOST: usize = 32 << 20;

/// Calls `line` with what was asked for in the order of time, then with what comes, until it returns
/// `false`. Lines are chosen by what the service wrote, and handed on without its secrets.
///
/// # Errors
/// When the logs cannot be read, a service is unknown, or a time or the pattern is not one.
pub fn logs(
    host: &Host,
    secrets: &Secrets,
    asked: &LogsRequest,
    line: &mut dyn FnMut(LogLine) -> bool,
) -> Result<(), Failure> {
    let services = match asked.services.is_empty() {
        true => all_services(host)?,
        false => asked.services.clone(),
    };
    let instances: Vec<Instance> = services.iter().map(Instance::only).collect();
    let pattern = asked.pattern.as_deref().map(Regex::new).transpose();
    let pattern = pattern.map_err(|why| Failure::new(FailureKind::Usage, why.to_string()))?;
    let span = LogSpan {
        since: time(asked.since.as_deref())?,
        until: time(asked.until.as_deref())?,
    };
    let mut shown = Shown {
        pattern,
        maskers: BTreeMap::new(),
        line,
    };
    let redactor = secrets.redactor();
    match asked.lines {
        None => {
            let manager = &host.manager;
            manager.log_within(&instances, &span, false, &mut |found| {
                shown.take(&redactor, found)
            })?;
        }
        Some(most) => {
            let mut old = Vec::new();
            for instance in &instances {
                let mut found = newest(host, instance, &span, most, &|it| shown.is_wanted(it))?;
                mask(&redactor, &mut found);
                old.extend(found);
            }
            old.sort_by(|a, b| a.time.cmp(&b.time));
            let _ = old.into_iter().all(&mut *shown.line);
        }
    }
    if !shown.flush() || !asked.follow {
        return Ok(());
    }
    host.manager.follow(&instances, &mut |found| match found {
        None => shown.flush(),
        Some(found) => shown.take(&secrets.redactor(), found),
    })
}

/// Lines on their way to whoever asked.
struct Shown<'a> {
    /// What is wanted of them.
    pattern: Option<Regex>,
    /// A secret of several lines is in the lines of one service.
    maskers: BTreeMap<ServiceName, Lines<LogLine>>,
    line: &'a mut dyn FnMut(LogLine) -> bool,
}

impl Shown<'_> {
    fn is_wanted(&self, found: &LogLine) -> bool {
        let pattern = self.pattern.as_ref();
        pattern.is_none_or(|pattern| pattern.is_match(&found.text))
    }

    /// Takes the next line of a service; whether to go on.
    fn take(&mut self, redactor: &Redactor, found: LogLine) -> bool {
        let masker = self.maskers.entry(found.service.clone());
        let masker = masker.or_insert_with(|| Lines::new(redactor));
        let mut ready = masker.know(redactor);
        let text = found.text.clone();
        ready.extend(masker.push(found, &text));
        self.hand_on(ready)
    }

    /// Hands on what was held back; whether to go on.
    fn flush(&mut self) -> bool {
        let ready = self.maskers.values_mut().flat_map(Lines::flush).collect();
        self.hand_on(ready)
    }

    fn hand_on(&mut self, ready: Vec<(LogLine, String)>) -> bool {
        let wanted = ready.into_iter().filter(|(of, _)| self.is_wanted(of));
        let wanted: Vec<LogLine> = wanted.map(|(of, text)| LogLine { text, ..of }).collect();
        wanted.into_iter().all(&mut *self.line)
    }
}

/// Masks the secrets in lines of one service.
fn mask(redactor: &Redactor, lines: &mut [LogLine]) {
    let texts = lines.iter_mut().map(|line| std::mem::take(&mut line.text));
    let mut texts: Vec<String> = texts.collect();
    redactor.mask_lines(&mut texts);
    for (line, text) in lines.iter_mut().zip(texts) {
        line.text = text;
    }
}

/// The newest `most` lines of `instance` that are wanted, oldest first.
fn newest(
    host: &Host,
    instance: &Instance,
    span: &LogSpan,
    most: usize,
    is_wanted: &dyn Fn(&LogLine) -> bool,
) -> Result<Vec<LogLine>, Failure> {
    let mut lines = Vec::new();
    let mut room = MOST;
    if most > 0 {
        let instances = std::slice::from_ref(instance);
        host.manager
            .log_within(instances, span, true, &mut |found| {
                if is_wanted(&found) {
                    room = room.saturating_sub(found.text.len() + size_of::<LogLine>());
                    lines.push(found);
                }
                lines.len() < most && room > 0
            })?;
    }
    lines.reverse();
    Ok(lines)
}

/// The services of the live release. Where none is live, those of the newest one: what it said before
/// it failed is what somebody looks for then.
fn all_services(host: &Host) -> Result<Vec<ServiceName>, Failure> {
    let live = releases::current(&host.layout)?;
    let newest = || releases::ids(&host.layout).ok()?.first().copied();
    let nothing = || Failure::refused("nothing is deployed here");
    let id = live.or_else(newest).ok_or_else(nothing)?;
    let services = releases::read(&host.layout, id)?.services.into_iter();
    Ok(services.map(|service| service.name).collect())
}

fn time(text: Option<&str>) -> Result<Option<jiff::Timestamp>, Failure> {
    let time = text.map(str::parse).transpose();
    time.map_err(|why| Failure::new(FailureKind::Usage, format!("not a time: {why}")))
}
