//! Reading the logs that [`log`](super::log) writes, across rotations.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::log::{KEPT, aside};
use crate::agent::service::{LogCursor, LogLine, LogSpan};
use crate::model::Instance;

/// The end of the log as of now: `<inode>:<offset>`.
#[must_use]
pub fn cursor(path: &Path) -> LogCursor {
    let end = std::fs::metadata(path).map_or((0, 0), |file| (file.ino(), file.len()));
    LogCursor(format!("{}:{}", end.0, end.1))
}

/// The last `max` lines after `cursor`, oldest first.
#[must_use]
pub fn since(
    path: &Path,
    instance: &Instance,
    cursor: Option<&LogCursor>,
    max: usize,
) -> Vec<LogLine> {
    let from = cursor.and_then(|LogCursor(text)| {
        let (inode, offset) = text.split_once(':')?;
        Some((inode.parse::<u64>().ok()?, offset.parse::<u64>().ok()?))
    });
    let mut lines = VecDeque::new();
    for mut file in open_all(path) {
        let Ok(meta) = file.metadata() else { continue };
        let start = match from {
            Some((inode, offset)) if inode == meta.ino() && offset <= meta.len() => Some(offset),
            _ => None,
        };
        let text = read_from(&mut file, start.unwrap_or(0));
        // Newest first: this file's lines come before those that are there.
        for line in text.lines().rev() {
            if lines.len() >= max {
                break;
            }
            lines.push_front(parse(line, instance));
        }
        if start.is_some() || lines.len() >= max {
            break;
        }
    }
    lines.into()
}

/// The lines of `logs` (where each is, and whose) within `span`, until `line` returns `false`: in
/// the order of time, or the newest first.
pub fn within<'a>(
    logs: impl Iterator<Item = (PathBuf, &'a Instance)>,
    span: &LogSpan,
    newest_first: bool,
    line: &mut dyn FnMut(LogLine) -> bool,
) {
    let mut logs: Vec<_> = logs
        .map(|(path, instance)| {
            let mut files = open_all(&path);
            if !newest_first {
                files.reverse();
            }
            let lines = files.into_iter().flat_map(move |file| match newest_first {
                true => backwards(file),
                false => forwards(file),
            });
            let parsed = lines.map(move |text| parse(&text, instance));
            parsed.peekable()
        })
        .collect();
    // The times are of one form and one zone: their texts are in the order of time.
    let text = |time: Option<Timestamp>| time.map(|time| format!("{time:.3}"));
    let (since, until) = (text(span.since), text(span.until));
    loop {
        let heads = logs.iter_mut().enumerate();
        let heads = heads.filter_map(|(n, lines)| Some((lines.peek()?.time.clone(), n)));
        let next = match newest_first {
            true => heads.max(),
            false => heads.min(),
        };
        let Some(found) = next.and_then(|(_, n)| logs[n].next()) else {
            return;
        };
        let too_early = since.as_ref().is_some_and(|since| found.time < *since);
        let too_late = until.as_ref().is_some_and(|until| found.time > *until);
        // What comes after it is further away still.
        if (too_early && newest_first) || (too_late && !newest_first) {
            return;
        }
        if !too_early && !too_late && !line(found) {
            return;
        }
    }
}

/// The lines of a file, one in memory at a time.
fn forwards(file: File) -> Box<dyn Iterator<Item = String>> {
    let mut reader = BufReader::new(file);
    Box::new(std::iter::from_fn(move || {
        let mut bytes = Vec::new();
        match reader.read_until(b'\n', &mut bytes) {
            Ok(1..) => Some(
                String::from_utf8_lossy(&bytes)
                    .trim_end_matches('\n')
                    .to_owned(),
            ),
            _ => None,
        }
    }))
}

/// The same from the end; the file, which rotates before it is large, is read whole.
fn backwards(mut file: File) -> Box<dyn Iterator<Item = String>> {
    let text = read_from(&mut file, 0);
    let mut end = text.trim_end_matches('\n').len();
    let mut is_over = text.is_empty();
    Box::new(std::iter::from_fn(move || {
        if is_over {
            return None;
        }
        let begin = text[..end].rfind('\n').map_or(0, |at| at + 1);
        let line = text[begin..end].to_owned();
        is_over = begin == 0;
        end = begin.saturating_sub(1);
        Some(line)
    }))
}

/// The files of a log, newest first. One that was put aside meanwhile is not there twice.
fn open_all(path: &Path) -> Vec<File> {
    let mut seen = Vec::new();
    let paths = std::iter::once(path.to_owned()).chain((1..=KEPT).map(|n| aside(path, n)));
    paths
        .filter_map(|path| File::open(path).ok())
        .filter(|file| {
            let inode = file.metadata().map_or(0, |meta| meta.ino());
            let new = !seen.contains(&inode);
            seen.push(inode);
            new
        })
        .collect()
}

fn read_from(file: &mut File, offset: u64) -> String {
    let mut bytes = Vec::new();
    let _ = file.seek(SeekFrom::Start(offset));
    let _ = file.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn parse(line: &str, instance: &Instance) -> LogLine {
    let (time, text) = line.split_once(' ').unwrap_or((line, ""));
    LogLine {
        time: time.to_owned(),
        service: instance.service.clone(),
        text: text.to_owned(),
    }
}

/// Reads what is appended to a log, from its end on, through rotations.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    instance: Instance,
    file: Option<File>,
    /// Bytes of a line whose end has not been written yet.
    begun: Vec<u8>,
}

impl Tail {
    /// Follows the log of `service` at `path` from now on.
    #[must_use]
    pub fn new(path: PathBuf, instance: Instance) -> Self {
        let mut file = File::open(&path).ok();
        if let Some(file) = &mut file {
            let _ = file.seek(SeekFrom::End(0));
        }
        Self {
            path,
            instance,
            file,
            begun: Vec::new(),
        }
    }

    /// What is new since the last call.
    pub fn lines(&mut self) -> Vec<LogLine> {
        let mut lines = Vec::new();
        // Before it is read: what is written to the old file until then belongs to it.
        let rotated = self.has_rotated();
        self.read(&mut lines);
        if rotated {
            self.file = File::open(&self.path).ok();
            self.read(&mut lines);
        }
        lines
    }

    fn has_rotated(&self) -> bool {
        let inode = |meta: std::fs::Metadata| meta.ino();
        let now = std::fs::metadata(&self.path).ok().map(inode);
        let open = self.file.as_ref().and_then(|file| file.metadata().ok());
        now.is_some() && now != open.map(inode)
    }

    fn read(&mut self, lines: &mut Vec<LogLine>) {
        if let Some(file) = &mut self.file {
            let _ = file.read_to_end(&mut self.begun);
        }
        while let Some(end) = self.begun.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.begun.drain(..=end).collect();
            let text = String::from_utf8_lossy(&line[..end]);
            lines.push(parse(&text, &self.instance));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn lines_of_several_services_come_in_the_order_of_time_either_way() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let names = ["web", "worker"].map(|name| name.parse::<Instance>().unwrap());
        let line = |second: u32| format!("2026-01-01T00:00:{second:02}.000Z at {second}\n");
        let lines = |seconds: &[u32]| seconds.iter().map(|n| line(*n)).collect::<String>();
        fs::write(aside(&at("web.log"), 2), lines(&[1, 2])).unwrap();
        fs::write(aside(&at("web.log"), 1), lines(&[4])).unwrap();
        fs::write(at("web.log"), lines(&[6, 9])).unwrap();
        fs::write(at("worker.log"), lines(&[3, 5, 7, 8]).trim_end()).unwrap();
        let second = |n: u32| format!("2026-01-01T00:00:{n:02}Z").parse().unwrap();
        let found = |since: Option<u32>, until: Option<u32>, newest_first, most| {
            let span = LogSpan {
                since: since.map(second),
                until: until.map(second),
            };
            let logs = names.iter().map(|name| (at(&format!("{name}.log")), name));
            let mut found = Vec::new();
            within(logs, &span, newest_first, &mut |line| {
                found.push(
                    line.text
                        .strip_prefix("at ")
                        .unwrap()
                        .parse::<u32>()
                        .unwrap(),
                );
                found.len() < most
            });
            found
        };
        assert_eq!(found(None, None, false, 99), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(found(None, None, true, 99), [9, 8, 7, 6, 5, 4, 3, 2, 1]);
        assert_eq!(found(None, None, true, 2), [9, 8]);
        assert_eq!(found(Some(3), Some(6), false, 99), [3, 4, 5, 6]);
        assert_eq!(found(Some(3), Some(6), true, 99), [6, 5, 4, 3]);
    }

    #[test]
    fn lines_are_found_across_rotations() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.log");
        let web = "web".parse().unwrap();
        let texts = |cursor: Option<&LogCursor>, max| {
            let lines = since(&path, &web, cursor, max);
            lines
                .into_iter()
                .map(|line| line.text)
                .collect::<Vec<_>>()
                .join(" ")
        };
        let at_nothing = cursor(&path);
        fs::write(&path, "t one\nt two\n").unwrap();
        assert_eq!(texts(Some(&at_nothing), 9), "one two");
        let after_two = cursor(&path);
        let mut tail = Tail::new(path.clone(), web.clone());

        fs::write(&path, "t one\nt two\nt three\n").unwrap();
        fs::rename(&path, aside(&path, 1)).unwrap();
        fs::write(&path, "t four\nt fi").unwrap();
        assert_eq!(texts(Some(&after_two), 9), "three four fi");
        assert_eq!(texts(None, 3), "three four fi");
        assert_eq!(texts(None, 9), "one two three four fi");
        let new: Vec<_> = tail.lines().into_iter().map(|line| line.text).collect();
        assert_eq!(new, ["three", "four"]);
        fs::write(&path, "t four\nt five\n").unwrap();
        assert_eq!(tail.lines()[0].text, "five");
    }
}
