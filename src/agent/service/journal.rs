//! A service's own lines in systemd's journal (journalctl(1), systemd.journal-fields(7)).

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;

use super::systemctl::{self, Scope};
use super::unit::unit_name;
use super::{LogCursor, LogLine, LogSpan, child};
use crate::model::{Cause, Deployment, Failure, Instance};

/// How long reading what is there may take.
const READING: Duration = Duration::from_secs(20);

/// The longest line of journalctl's that is read in one piece, bytes.
const LINE: u64 = 1 << 20;

/// How often a follower is asked whether it still wants lines.
const TICK: Duration = Duration::from_millis(500);

/// A group that may read the whole journal (systemd-journald.service(8), "Access Control").
pub const GROUP: &str = "systemd-journal";

/// Reads the journal for the services of one app.
#[derive(Debug, Clone)]
pub struct Journal {
    deployment: Deployment,
    scope: Scope,
}

impl Journal {
    /// The journal of the system's or of the user's services.
    #[must_use]
    pub fn new(deployment: Deployment, scope: Scope) -> Self {
        Self { deployment, scope }
    }

    /// The end of the journal as of now.
    ///
    /// # Errors
    /// `Refused` when this user may not read it.
    pub fn cursor(&self) -> Result<LogCursor, Failure> {
        let now = Timestamp::now();
        let mut journalctl = self.journalctl();
        journalctl.args(["--lines=0", "--show-cursor"]);
        let output = child::run(&mut journalctl, systemctl::ASKING)
            .map_err(|why| Failure::unexpected(why.of(&journalctl)))?;
        self.check_access(&output.stderr)?;
        let cursor = output
            .stdout
            .lines()
            .find_map(|line| line.strip_prefix("-- cursor: "));
        // An empty journal has no cursor; whatever comes is newer than now.
        Ok(LogCursor(match cursor {
            Some(cursor) => cursor.to_owned(),
            None => at(now),
        }))
    }

    /// The last `max` lines that `instance` itself said after `cursor`, oldest first.
    ///
    /// # Errors
    /// `Refused` when this user may not read the journal.
    pub fn since(
        &self,
        instance: &Instance,
        cursor: Option<&LogCursor>,
        max: usize,
    ) -> Result<Vec<LogLine>, Failure> {
        let mut journalctl = self.lines_of(std::slice::from_ref(instance));
        match cursor {
            // With a cursor, --lines would mean the first so many.
            Some(LogCursor(cursor)) => match cursor.strip_prefix('@') {
                Some(_) => journalctl.arg(format!("--since={cursor}")),
                // --after-cursor would pass over the first line of the service: it leaves out one
                // line that matches, whether or not that is the one at the cursor.
                None => journalctl.arg(format!("--cursor={cursor}")),
            },
            None => journalctl.arg(format!("--lines={max}")),
        };
        let mut follower = Follower::start(&mut journalctl)?;
        let mut lines = VecDeque::new();
        let mut is_first = true;
        let end = Instant::now() + READING;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let seconds = READING.as_secs();
                let text = format!("journalctl had not told all after {seconds} s");
                return Err(Failure::unexpected(text));
            }
            match follower.lines.recv_timeout(left) {
                Ok(text) if std::mem::take(&mut is_first) && is_at(&text, cursor) => {}
                Ok(text) => lines.extend(self.parse(&text, std::slice::from_ref(instance))),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if lines.len() > max {
                lines.pop_front();
            }
        }
        if lines.is_empty() {
            self.check_access(&follower.stderr())?;
        }
        Ok(lines.into())
    }

    /// What `instances` themselves said within `span`, until `line` returns `false`; the newest first
    /// where that is asked for.
    ///
    /// # Errors
    /// `Refused` when this user may not read the journal; when journalctl says nothing for too long.
    pub fn within(
        &self,
        instances: &[Instance],
        span: &LogSpan,
        newest_first: bool,
        line: &mut dyn FnMut(LogLine) -> bool,
    ) -> Result<(), Failure> {
        let mut journalctl = self.lines_of(instances);
        let bounds = [("since", span.since), ("until", span.until)];
        for (name, time) in bounds {
            if let Some(time) = time {
                journalctl.arg(format!("--{name}={}", at(time)));
            }
        }
        if newest_first {
            journalctl.arg("--reverse");
        }
        let mut follower = Follower::start(&mut journalctl)?;
        let mut is_empty = true;
        loop {
            match follower.lines.recv_timeout(READING) {
                Ok(text) => {
                    is_empty = false;
                    let parsed = self.parse(&text, instances);
                    if parsed.is_some_and(|parsed| !line(parsed)) {
                        return Ok(());
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    return Err(Failure::unexpected("journalctl did not answer in time"));
                }
            }
        }
        match is_empty {
            true => self.check_access(&follower.stderr()),
            false => Ok(()),
        }
    }

    /// Hands on what `instances` say from now on, and `None` at least once a second.
    ///
    /// # Errors
    /// `Refused` when this user may not read the journal.
    pub fn follow(
        &self,
        instances: &[Instance],
        line: &mut dyn FnMut(Option<LogLine>) -> bool,
    ) -> Result<(), Failure> {
        self.cursor()?;
        let mut journalctl = self.lines_of(instances);
        journalctl.args(["--follow", "--lines=0"]);
        let follower = Follower::start(&mut journalctl)?;
        loop {
            let go_on = match follower.lines.recv_timeout(TICK) {
                Ok(text) => match self.parse(&text, instances) {
                    Some(parsed) => line(Some(parsed)),
                    None => true,
                },
                Err(RecvTimeoutError::Timeout) => line(None),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Failure::unexpected(
                        "journalctl ended while it was followed",
                    ));
                }
            };
            if !go_on {
                return Ok(());
            }
        }
    }

    fn journalctl(&self) -> Command {
        let mut command = systemctl::command("journalctl", self.scope);
        command.arg("--no-pager");
        command
    }

    /// Lines of the services themselves: what systemd says about them carries another unit.
    fn lines_of(&self, instances: &[Instance]) -> Command {
        let mut command = self.journalctl();
        // Without --all, a long message is null.
        command.args(["--all", "--output=json"]);
        let unit_field = match self.scope {
            Scope::System => "_SYSTEMD_UNIT",
            Scope::User => "_SYSTEMD_USER_UNIT",
        };
        command.arg(format!("--output-fields=MESSAGE,{unit_field}"));
        for instance in instances {
            let unit = unit_name(&self.deployment.app, instance);
            command.arg(format!("{unit_field}={unit}"));
        }
        if self.scope == Scope::User {
            command.arg(format!("_UID={}", rustix::process::geteuid().as_raw()));
        }
        command.args(["stdout", "journal", "syslog"].map(|from| format!("_TRANSPORT={from}")));
        command
    }

    fn parse(&self, text: &str, instances: &[Instance]) -> Option<LogLine> {
        let entry: Value = serde_json::from_str(text).ok()?;
        let unit = ["_SYSTEMD_UNIT", "_SYSTEMD_USER_UNIT"]
            .iter()
            .filter_map(|field| entry.get(field)?.as_str())
            .find_map(|unit| {
                instances
                    .iter()
                    .find(|instance| unit_name(&self.deployment.app, instance) == unit)
            });
        Some(LogLine {
            time: time(entry.get("__REALTIME_TIMESTAMP")?.as_str()?)?,
            service: unit.or(instances.first())?.service.clone(),
            text: message(entry.get("MESSAGE")?),
        })
    }

    /// journalctl(1) exits with 0 and says on stderr that it left out what it may not read.
    fn check_access(&self, stderr: &str) -> Result<(), Failure> {
        let denied = stderr.contains("insufficient permissions")
            || stderr.contains("not seeing messages from other users");
        // A user sees its own messages without any rights, where the journal is persistent.
        let own_are_enough =
            self.scope == Scope::User && !stderr.contains("insufficient permissions");
        if !denied || own_are_enough {
            return Ok(());
        }
        let user = systemctl::user_name();
        let failure = Failure::from(Cause::NoRight {
            why: format!("{user} may not read the journal of the services"),
        });
        let member = super::account::is_listed(&user, GROUP)?;
        Err(if member {
            failure.hint(format!(
                "{user} is in the group {GROUP}, which counts for new logins only: close open \
                 ssh connections and try again"
            ))
        } else if self.scope == Scope::User {
            failure.hint(format!(
                "as root on the host: mkdir -p /var/log/journal && systemctl restart \
                 systemd-journald, or: usermod -aG {GROUP} {user}"
            ))
        } else {
            failure.hint(format!(
                "run {}",
                systemctl::setup_command(&self.deployment)
            ))
        })
    }
}

/// A time as journalctl takes it (systemd.time(7)).
fn at(time: Timestamp) -> String {
    format!("@{}.{:06}", time.as_second(), time.subsec_microsecond())
}

/// Whether an entry is the one at the cursor, which was there before.
fn is_at(text: &str, cursor: Option<&LogCursor>) -> bool {
    let entry = || serde_json::from_str::<Value>(text).ok();
    cursor.is_some_and(|LogCursor(cursor)| {
        entry().is_some_and(|entry| entry.get("__CURSOR").and_then(Value::as_str) == Some(cursor))
    })
}

/// Microseconds since the epoch as RFC 3339 with milliseconds.
fn time(microseconds: &str) -> Option<String> {
    let time = Timestamp::from_microsecond(microseconds.parse().ok()?).ok()?;
    Some(format!("{time:.3}"))
}

/// A MESSAGE of the JSON format (systemd.dev/JOURNAL_EXPORT_FORMATS): text, an array of bytes
/// where it is not UTF-8 or holds control characters, an array of those where there are several.
fn message(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_u64) => {
            let byte = |item: &Value| item.as_u64().and_then(|n| u8::try_from(n).ok());
            let bytes: Vec<u8> = items.iter().filter_map(byte).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        }
        Value::Array(items) => items.iter().map(message).collect::<Vec<_>>().join(" "),
        _ => String::new(),
    }
}

/// A journalctl whose lines arrive one by one; killed when it is dropped.
struct Follower {
    child: Child,
    lines: Receiver<String>,
    errors: Receiver<String>,
}

impl Follower {
    fn start(command: &mut Command) -> Result<Self, Failure> {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| Failure::unexpected(format!("cannot start journalctl: {error}")))?;
        // Bounded: a reader that is slower than the journal holds journalctl back.
        let (sender, lines) = mpsc::sync_channel(1024);
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || {
                let mut reader = BufReader::new(stdout);
                let mut line = Vec::new();
                loop {
                    line.clear();
                    match (&mut reader).take(LINE).read_until(b'\n', &mut line) {
                        Ok(length) if length > 0 => {}
                        _ => break,
                    }
                    let text = String::from_utf8_lossy(&line);
                    if sender.send(text.trim_end_matches('\n').to_owned()).is_err() {
                        break;
                    }
                }
            });
        }
        let (complain, errors) = mpsc::sync_channel(1);
        if let Some(stderr) = child.stderr.take() {
            thread::spawn(move || {
                let mut text = Vec::new();
                let _ = stderr.take(LINE).read_to_end(&mut text);
                let _ = complain.send(String::from_utf8_lossy(&text).into_owned());
            });
        }
        Ok(Self {
            child,
            lines,
            errors,
        })
    }

    /// What it complained of; its lines have ended. It is not waited for longer than a moment.
    fn stderr(&mut self) -> String {
        let errors = self.errors.recv_timeout(TICK);
        errors.unwrap_or_default()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn messages_of_all_shapes_are_read() {
        assert_eq!(message(&json!("plain")), "plain");
        assert_eq!(
            message(&json!([27, 91, 51, 49, 109, 255])),
            "\u{1b}[31m\u{fffd}"
        );
        assert_eq!(message(&json!(["one", [116, 119, 111]])), "one two");
        assert_eq!(message(&Value::Null), "");
        assert_eq!(
            time("1700000000123456").unwrap(),
            "2023-11-14T22:13:20.123Z"
        );
    }
}
