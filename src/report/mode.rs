//! Who looks, and how much they want to see.

/// Who looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A person at a terminal: progress is drawn.
    Live,
    /// Plain lines.
    Plain,
    /// A program: one event per line on stdout. On stderr there is nothing but the error of a
    /// command that failed.
    Json,
    /// GitHub Actions: plain lines with groups and annotations.
    GitHub,
    /// GitLab CI: plain lines with sections.
    GitLab,
}

impl Mode {
    /// Chooses from the command line, the environment and whether stderr is a terminal. Plain
    /// lines that a CI collects are in that CI's dialect, also with `--plain`: what a build step
    /// prints must not command the CI.
    #[must_use]
    pub fn choose(
        json: bool,
        plain: bool,
        terminal: bool,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let is = |name: &str, value: &str| environment(name).as_deref() == Some(value);
        if json {
            Self::Json
        } else if is("GITHUB_ACTIONS", "true") {
            Self::GitHub
        } else if environment("GITLAB_CI").is_some_and(|value| !value.is_empty()) {
            Self::GitLab
        } else if plain || !terminal || is("TERM", "dumb") {
            Self::Plain
        } else {
            Self::Live
        }
    }
}

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verbosity {
    /// `-q`: warnings, errors and the last line.
    Quiet,
    /// What a person wants to know.
    #[default]
    Normal,
    /// `-v`: also round trips, and the output of steps as it comes.
    Verbose,
}

/// How it is said.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// How much.
    pub verbosity: Verbosity,
    /// Whether in colour; see [`colour`].
    pub colour: bool,
    /// Columns of the terminal; `None` asks it, and notices when it changes.
    pub width: Option<u16>,
    /// Columns that tables and sentences may take, as `COLUMNS` says; `None` asks the terminal.
    /// Without either there is no limit.
    pub columns: Option<usize>,
}

/// Whether to use colour: `NO_COLOR` (no-color.org) forbids it, `CLICOLOR_FORCE` and
/// `FORCE_COLOR` demand it, else a terminal gets it unless `TERM` is `dumb`.
#[must_use]
pub fn colour(terminal: bool, environment: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &str| environment(name).is_some_and(|value| !value.is_empty());
    let on = |name: &str| set(name) && environment(name).as_deref() != Some("0");
    if set("NO_COLOR") {
        return false;
    }
    on("CLICOLOR_FORCE")
        || on("FORCE_COLOR")
        || (terminal && environment("TERM").as_deref() != Some("dumb"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<'a>(set: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        move |name| {
            let found = set.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        }
    }

    #[test]
    fn the_one_who_looks_is_found_out() {
        let github = [("GITHUB_ACTIONS", "true")];
        let gitlab = [("GITLAB_CI", "true")];
        assert_eq!(Mode::choose(false, false, true, with(&[])), Mode::Live);
        assert_eq!(Mode::choose(false, false, false, with(&[])), Mode::Plain);
        assert_eq!(Mode::choose(false, true, true, with(&[])), Mode::Plain);
        let dumb = [("TERM", "dumb")];
        assert_eq!(Mode::choose(false, false, true, with(&dumb)), Mode::Plain);
        assert_eq!(Mode::choose(true, true, true, with(&github)), Mode::Json);
        assert_eq!(
            Mode::choose(false, true, false, with(&github)),
            Mode::GitHub
        );
        assert_eq!(
            Mode::choose(false, false, false, with(&gitlab)),
            Mode::GitLab
        );
    }

    #[test]
    fn colour_is_a_wish() {
        assert!(colour(true, with(&[("TERM", "xterm")])));
        assert!(!colour(false, with(&[])));
        assert!(!colour(true, with(&[("TERM", "dumb")])));
        assert!(!colour(
            true,
            with(&[("NO_COLOR", "1"), ("FORCE_COLOR", "1")])
        ));
        assert!(colour(true, with(&[("NO_COLOR", "")])));
        assert!(colour(false, with(&[("CLICOLOR_FORCE", "1")])));
        assert!(!colour(false, with(&[("CLICOLOR_FORCE", "0")])));
    }
}
