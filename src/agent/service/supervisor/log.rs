//! The log of a service: lines of `RFC3339 text`, in files that rotate.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use jiff::Timestamp;

use super::lock;

/// How large a file grows before it is put aside, bytes.
const LIMIT: u64 = 10_000_000;

/// How many files that were put aside are kept.
pub const KEPT: usize = 3;

/// A line that is longer is cut into several, bytes.
const LONGEST: usize = 1 << 16;

/// The path of the `n`th file that was put aside: `web.log.1` is the newest.
#[must_use]
pub fn aside(path: &Path, n: usize) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{n}"));
    PathBuf::from(name)
}

/// The file that is being written.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    file: Option<File>,
    size: u64,
    limit: u64,
}

impl LogFile {
    /// A log at `path`, opened with the first line.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            file: None,
            size: 0,
            limit: LIMIT,
        }
    }

    /// Appends whole lines. What cannot be written is lost: a full disk must not stop a service.
    pub fn append(&mut self, lines: &[u8]) {
        let _ = self.try_append(lines);
    }

    /// Appends one line of the supervisor's own.
    pub fn say(&mut self, text: &str) {
        self.append(format!("{:.3} {text}\n", Timestamp::now()).as_bytes());
    }

    fn try_append(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.size >= self.limit {
            self.file = None;
            for n in (1..KEPT).rev() {
                let _ = fs::rename(aside(&self.path, n), aside(&self.path, n + 1));
            }
            fs::rename(&self.path, aside(&self.path, 1))?;
        }
        if self.file.is_none() {
            let file = OpenOptions::new()
                .create(true)
                .append(true)
                .mode(0o600)
                .open(&self.path)?;
            let meta = file.metadata()?;
            if meta.mode() & 0o077 != 0 {
                file.set_permissions(fs::Permissions::from_mode(0o600))?;
            }
            self.size = meta.len();
            self.file = Some(file);
        }
        if let Some(file) = &mut self.file {
            file.write_all(lines)?;
            self.size += lines.len() as u64;
        }
        Ok(())
    }
}

/// Writes what comes out of a service's pipe until it is closed.
pub fn pump(mut output: impl Read, log: &Mutex<LogFile>) {
    let mut chunk = vec![0; LONGEST];
    let mut line = Vec::new();
    loop {
        let read = match output.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        let time = format!("{:.3} ", Timestamp::now());
        let mut lines = Vec::new();
        for byte in &chunk[..read] {
            if *byte != b'\n' {
                line.push(*byte);
            }
            if *byte == b'\n' || line.len() >= LONGEST {
                end_line(&mut lines, &time, &mut line);
            }
        }
        lock(log).append(&lines);
    }
    if !line.is_empty() {
        let mut lines = Vec::new();
        end_line(&mut lines, &format!("{:.3} ", Timestamp::now()), &mut line);
        lock(log).append(&lines);
    }
}

fn end_line(lines: &mut Vec<u8>, time: &str, line: &mut Vec<u8>) {
    lines.extend_from_slice(time.as_bytes());
    lines.append(line);
    lines.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_get_their_time_and_files_rotate() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.log");
        let mut file = LogFile::new(path.clone());
        file.limit = 100;
        let log = Mutex::new(file);
        pump(&b"one\ntwo\n\nno end"[..], &log);
        let text = fs::read_to_string(&path).unwrap();
        let said: Vec<_> = text
            .lines()
            .map(|line| line.split_once(' ').unwrap())
            .collect();
        assert_eq!(
            said.iter().map(|(_, text)| *text).collect::<Vec<_>>(),
            ["one", "two", "", "no end"]
        );
        assert!(said[0].0.parse::<Timestamp>().is_ok());

        for n in 0..8 {
            pump(format!("{n}{}\n", "x".repeat(100)).as_bytes(), &log);
        }
        let first = |path: &Path| fs::read_to_string(path).unwrap().as_bytes()[25];
        let kept = [
            path.clone(),
            aside(&path, 1),
            aside(&path, 2),
            aside(&path, 3),
        ];
        assert_eq!(kept.map(|path| first(&path)), *b"7654");
        assert!(!aside(&path, 4).exists());
    }
}
