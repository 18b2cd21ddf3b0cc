//! Whole lines for a person, in the dialect of whoever collects them: a terminal or a file,
//! GitHub Actions (workflow commands), GitLab CI (job log sections).

use std::sync::Arc;

use indicatif::MultiProgress;

use super::clock::Clock;
use super::ending::quoted;
use super::output::Output;
use super::paint::Paint;
use super::untrusted::{not_a_github_command, not_a_gitlab_section, whole_line};
use super::wrap::wrapped;

/// Who collects the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Nobody in particular.
    Plain,
    /// GitHub Actions.
    GitHub,
    /// GitLab CI.
    GitLab,
}

/// Writes lines; nothing that others wrote gets through as a command to the CI.
pub(super) struct Talk {
    pub output: Arc<dyn Output>,
    pub dialect: Dialect,
    pub paint: Paint,
    pub clock: Clock,
    /// Makes a word that nobody can guess.
    pub token: fn() -> String,
    /// What is drawn below the lines and must step aside for them.
    pub screen: Option<MultiProgress>,
    /// See [`super::Options::columns`].
    pub columns: Option<usize>,
    /// Whether a person watches at a terminal.
    pub is_live: bool,
    sections: u32,
}

impl Talk {
    pub fn new(
        output: Arc<dyn Output>,
        dialect: Dialect,
        paint: Paint,
        clock: Clock,
        token: fn() -> String,
    ) -> Self {
        Self {
            output,
            dialect,
            paint,
            clock,
            token,
            screen: None,
            columns: None,
            is_live: false,
            sections: 0,
        }
    }

    /// Says one sentence; a line break in it makes several lines.
    pub fn line(&self, text: &str) {
        self.lines(std::iter::once(text));
    }

    /// How many columns a line may take; `None` where there is no limit: away from a terminal, and
    /// with `--plain`.
    pub fn columns(&self) -> Option<usize> {
        let terminal = || match self.output.size().0 {
            0 => None,
            columns => Some(usize::from(columns)),
        };
        self.columns.or_else(|| self.is_live.then(terminal)?)
    }

    /// Says one sentence of our own, which breaks between words where the terminal is too narrow.
    /// Not for commands that a person copies, nor for what others wrote.
    pub fn sentence(&self, text: &str) {
        let columns = self.columns();
        let lines = text.split('\n').flat_map(|line| wrapped(line, columns, 2));
        let lines: Vec<String> = lines.collect();
        self.lines(lines.iter().map(String::as_str));
    }

    /// Says several sentences in one write.
    pub fn lines<'a>(&self, lines: impl IntoIterator<Item = &'a str>) {
        let mut whole = String::new();
        for line in lines.into_iter().flat_map(|text| text.split('\n')) {
            whole.push_str(&self.inert(line));
            whole.push('\n');
        }
        self.write(&whole);
    }

    /// A warning; `prefix` names the host.
    pub fn warning(&self, prefix: &str, text: &str, hint: Option<&str>) {
        if self.dialect == Dialect::GitHub {
            let hint = hint.map_or_else(String::new, |hint| format!("\nhint: {hint}"));
            self.write(&format!(
                "::warning::{}\n",
                data(&format!("{prefix}{text}{hint}"))
            ));
            return;
        }
        self.sentence(&format!("{} {prefix}{text}", self.paint.warn("warning:")));
        if let Some(hint) = hint {
            self.line(&format!("  {} {hint}", self.paint.hint("hint:")));
        }
    }

    /// The line that names a failure.
    pub fn error(&self, title: &str, message: &str) {
        if self.dialect == Dialect::GitHub {
            let title = property(title);
            self.write(&format!("::error title={title}::{}\n", data(message)));
            return;
        }
        self.sentence(&format!("{} {message}", self.paint.bad("error:")));
    }

    /// What a step said, under a title. In a CI, `folded` output is there but out of the way.
    pub fn block<'a>(&mut self, title: &str, folded: bool, lines: impl Iterator<Item = &'a str>) {
        let mut whole = String::new();
        let mut add = |line: &str| {
            whole.push_str(line);
            whole.push('\n');
        };
        match self.dialect {
            Dialect::Plain => {
                add(&format!("{title}:"));
                lines.for_each(|line| add(&quoted(self.paint, line)));
            }
            Dialect::GitHub => {
                if folded {
                    add(&format!("::group::{}", data(title)));
                } else {
                    // A group is closed until it is clicked, which is no place for the reason.
                    add(&self.inert(&format!("{title}:")));
                }
                let token = (self.token)();
                add(&format!("::stop-commands::{token}"));
                // The page that shows the log knows `##[` too, and does not stop.
                lines.for_each(|line| add(&line.replace("##[", "## [")));
                add(&format!("::{token}::"));
                if folded {
                    add("::endgroup::");
                }
            }
            Dialect::GitLab => {
                self.sections += 1;
                let name = format!("ship_{}", self.sections);
                let time = self.clock.unix();
                let option = if folded { "[collapsed=true]" } else { "" };
                add(&format!(
                    "\x1b[0Ksection_start:{time}:{name}{option}\r\x1b[0K{}",
                    not_a_gitlab_section(title)
                ));
                lines.for_each(|line| add(&not_a_gitlab_section(line)));
                add(&format!("\x1b[0Ksection_end:{time}:{name}\r\x1b[0K"));
            }
        }
        self.write(&whole);
    }

    /// Lines that others may have written parts of, for stdout: they command neither a terminal nor
    /// the CI.
    pub fn safe(&self, text: &str) -> String {
        let lines = text.split('\n').map(|line| self.inert(&whole_line(line)));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn inert(&self, line: &str) -> String {
        match self.dialect {
            Dialect::Plain => line.to_owned(),
            Dialect::GitHub => not_a_github_command(line),
            Dialect::GitLab => not_a_gitlab_section(line),
        }
    }

    fn write(&self, text: &str) {
        match &self.screen {
            Some(screen) => screen.suspend(|| self.output.talk(text.as_bytes())),
            None => self.output.talk(text.as_bytes()),
        }
    }
}

/// A text as the data of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
        // The page that shows the log would still see it.
        .replace("##[", "## [")
}

/// A text as a property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// 32 hexadecimal digits that nobody can guess.
pub(super) fn random_token() -> String {
    use std::hash::{BuildHasher as _, RandomState};
    use std::io::Read as _;

    let mut bytes = [0; 16];
    let read = std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    if read.is_err() {
        // Seeded by the system too, through the standard library.
        bytes[..8].copy_from_slice(&RandomState::new().hash_one(0).to_le_bytes());
        bytes[8..].copy_from_slice(&RandomState::new().hash_one(1).to_le_bytes());
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
