//! Reading the logs that [`log`](super::log) writes, across rotations.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::log::{KEPT, aside};
use crate::agent::service::{LogCursor, LogLine};
use crate::model::ServiceName;

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
    service: &ServiceName,
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
            lines.push_front(parse(line, service));
        }
        if start.is_some() || lines.len() >= max {
            break;
        }
    }
    lines.into()
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

fn parse(line: &str, service: &ServiceName) -> LogLine {
    let (time, text) = line.split_once(' ').unwrap_or((line, ""));
    LogLine {
        time: time.to_owned(),
        service: service.clone(),
        text: text.to_owned(),
    }
}

/// Reads what is appended to a log, from its end on, through rotations.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    service: ServiceName,
    file: Option<File>,
    /// Bytes of a line whose end has not been written yet.
    begun: Vec<u8>,
}

impl Tail {
    /// Follows the log of `service` at `path` from now on.
    #[must_use]
    pub fn new(path: PathBuf, service: ServiceName) -> Self {
        let mut file = File::open(&path).ok();
        if let Some(file) = &mut file {
            let _ = file.seek(SeekFrom::End(0));
        }
        Self {
            path,
            service,
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
            lines.push(parse(&text, &self.service));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn lines_are_found_across_rotations() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.log");
        let web = "web".try_into().unwrap();
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
