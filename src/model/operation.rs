//! What a command does to an environment, and how that ended, as a host tells it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ReleaseId;

/// What a command did to an environment, as one of its hosts has it: a line of `history.jsonl`. Lines
/// of earlier builds lack what is optional here. Times are RFC 3339, UTC, by the clock of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Names it among all operations, and is the same on all hosts.
    #[serde(default, alias = "transaction")]
    pub id: Option<String>,
    /// What was done.
    pub what: OperationKind,
    /// When it began here: when the host was locked.
    #[serde(default)]
    pub started: Option<String>,
    /// When requests went to the release that was asked for, first.
    #[serde(default)]
    pub flipped: Option<String>,
    /// When it ended, or what it did became final.
    pub time: String,
    /// The release that was asked for.
    pub release: Option<ReleaseId>,
    /// The release before.
    pub from: Option<ReleaseId>,
    /// How it ended.
    pub outcome: OperationOutcome,
    /// Why, when not good.
    pub why: Option<String>,
    /// Longest time without a good answer during the switch and the way back, ms; `None` where nothing
    /// was asked.
    #[serde(default)]
    pub unanswered_ms: Option<u64>,
    /// Bytes on the wire for the release.
    #[serde(default)]
    pub sent: Option<u64>,
    /// What was done before the host was asked.
    #[serde(default)]
    pub made: Option<Made>,
    /// Who: `user@machine`, or the CI's actor.
    pub who: String,
    /// The CI run's address.
    pub ci: Option<String>,
    /// From which commit.
    pub commit: Option<String>,
    /// Whether the tests were skipped.
    pub tests_skipped: bool,
}

/// What a deploy is made of, and how long that took.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// How long the build steps ran, ms.
    pub build_ms: u64,
    /// How long the test steps ran, ms.
    pub test_ms: u64,
    /// The commits that the release before did not have, the newest first, at most 100; `None` where
    /// git does not tell.
    pub commits: Option<Vec<Commit>>,
}

impl Made {
    /// The most commits that are noted.
    pub const MAX_COMMITS: usize = 100;
}

/// A commit that a deploy brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Its id, in full.
    pub id: String,
    /// When it was written, seconds since 1970 (git-log(1) `%at`).
    pub authored: i64,
    /// When it became part of this history, seconds since 1970 (git-log(1) `%ct`).
    pub committed: i64,
}

impl Operation {
    /// What was done just now, beside the transactions: `what` (`freeze`, `thaw`, `exec`) by `who`,
    /// with `why` in a few words.
    #[must_use]
    pub fn beside(
        id: String,
        what: OperationKind,
        outcome: OperationOutcome,
        why: String,
        who: String,
    ) -> Self {
        let now = jiff::Timestamp::now();
        let now = now.round(jiff::Unit::Second).unwrap_or(now);
        Self {
            why: Some(why),
            who,
            ..Self::new(Some(id), what, outcome, now.to_string())
        }
    }

    /// One that ended at `time`, of which nothing else is known.
    #[must_use]
    pub fn new(
        id: Option<String>,
        what: OperationKind,
        outcome: OperationOutcome,
        time: String,
    ) -> Self {
        Self {
            id,
            what,
            started: None,
            flipped: None,
            time,
            release: None,
            from: None,
            outcome,
            why: None,
            unanswered_ms: None,
            sent: None,
            made: None,
            who: String::new(),
            ci: None,
            commit: None,
            tests_skipped: false,
        }
    }

    /// Whether it takes no lock: its line in the history may stand between those of a transaction.
    #[must_use]
    pub fn is_beside(&self) -> bool {
        self.what.is_beside()
    }

    /// Whether `other`, of another host, is the same operation, and ended there as it did here.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let key = |it: &Self| {
            (
                it.what.clone(),
                it.release,
                it.from,
                it.outcome.clone(),
                it.why.clone(),
            )
        };
        self.id.is_some() && self.id == other.id && key(self) == key(other)
    }
}

/// What a command does to an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum OperationKind {
    /// Brings a release and switches to it.
    Deploy,
    /// Switches to an earlier release.
    Rollback,
    /// Brings up the hosts that were left behind.
    Resume,
    /// Restarts services.
    Restart,
    /// Stops services.
    Stop,
    /// Starts services.
    Start,
    /// Sets the stop sign.
    Freeze,
    /// Takes the stop sign away.
    Thaw,
    /// Runs a command in the live release.
    Exec,
    /// Repairs what a dead transaction left; the host does it by itself.
    Recovery,
    /// What this build does not know.
    Other(String),
}

/// How an operation ended on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum OperationOutcome {
    /// Well.
    Good,
    /// With the release from before.
    Reverted,
    /// Badly.
    Failed,
    /// Somebody stopped it.
    Interrupted,
    /// What another tool had made live became a release.
    Adopted,
    /// The command that was run ended with this code, which is not 0.
    Exit(i32),
    /// What this build does not know.
    Other(String),
}

impl OperationKind {
    const ALL: [Self; 10] = [
        Self::Deploy,
        Self::Rollback,
        Self::Resume,
        Self::Restart,
        Self::Stop,
        Self::Start,
        Self::Freeze,
        Self::Thaw,
        Self::Exec,
        Self::Recovery,
    ];

    /// Whether it takes no lock: its line in the history may stand between those of a transaction.
    #[must_use]
    pub fn is_beside(&self) -> bool {
        matches!(self, Self::Freeze | Self::Thaw | Self::Exec)
    }

    /// The word, where another build wrote it.
    pub fn foreign(&mut self) -> Option<&mut String> {
        match self {
            Self::Other(word) => Some(word),
            _ => None,
        }
    }
}

impl OperationOutcome {
    const ALL: [Self; 5] = [
        Self::Good,
        Self::Reverted,
        Self::Failed,
        Self::Interrupted,
        Self::Adopted,
    ];

    /// The word, where another build wrote it.
    pub fn foreign(&mut self) -> Option<&mut String> {
        match self {
            Self::Other(word) => Some(word),
            _ => None,
        }
    }
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Deploy => "deploy",
            Self::Rollback => "rollback",
            Self::Resume => "resume",
            Self::Restart => "restart",
            Self::Stop => "stop",
            Self::Start => "start",
            Self::Freeze => "freeze",
            Self::Thaw => "thaw",
            Self::Exec => "exec",
            Self::Recovery => "recovery",
            Self::Other(word) => word,
        })
    }
}

/// Before the code of a command that was run.
const EXIT: &str = "exit ";

impl fmt::Display for OperationOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Good => "good",
            Self::Reverted => "reverted",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Adopted => "adopted",
            Self::Exit(code) => return write!(f, "{EXIT}{code}"),
            Self::Other(word) => word,
        })
    }
}

impl From<String> for OperationKind {
    fn from(word: String) -> Self {
        let mut all = Self::ALL.into_iter();
        let known = all.find(|kind| kind.to_string() == word);
        known.unwrap_or(Self::Other(word))
    }
}

impl From<String> for OperationOutcome {
    fn from(word: String) -> Self {
        let mut all = Self::ALL.into_iter();
        let known = all.find(|outcome| outcome.to_string() == word);
        let code = || word.strip_prefix(EXIT)?.parse().ok().map(Self::Exit);
        known.or_else(code).unwrap_or(Self::Other(word))
    }
}

impl From<OperationKind> for String {
    fn from(kind: OperationKind) -> Self {
        kind.to_string()
    }
}

impl From<OperationOutcome> for String {
    fn from(outcome: OperationOutcome) -> Self {
        outcome.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Lines of other builds are told as they are.
        #[test]
        fn any_word_comes_back_as_it_was(word in "[a-z ]{0,12}|exit -?[0-9]{1,4}") {
            prop_assume!(!word.starts_with("exit -0") && !word.starts_with("exit 0"));
            prop_assert_eq!(OperationKind::from(word.clone()).to_string(), word.clone());
            prop_assert_eq!(OperationOutcome::from(word.clone()).to_string(), word);
        }
    }

    #[test]
    fn a_line_of_an_earlier_build_is_read() {
        let line = r#"{"transaction":"ab12","time":"2026-01-02T03:04:05Z","what":"deploy","release":2,
            "from":1,"outcome":"good","why":null,"who":"ann@laptop","ci":null,"commit":"3f2a91c",
            "tests_skipped":false}"#;
        let operation: Operation = serde_json::from_str(line).unwrap();
        assert_eq!(operation.id.as_deref(), Some("ab12"));
        assert_eq!(operation.release, Some(ReleaseId(2)));
        assert_eq!((operation.started, operation.made), (None, None));
    }

    #[test]
    fn hosts_are_joined_by_the_name_of_the_operation() {
        let at = |id: &str, time: &str| {
            let id = (!id.is_empty()).then(|| id.to_owned());
            let (what, outcome) = (OperationKind::Deploy, OperationOutcome::Good);
            Operation::new(id, what, outcome, time.to_owned())
        };
        // Clocks say nothing.
        assert!(at("a", "2026-01-02T03:04:05Z").is_same(&at("a", "1970-01-01T00:00:00Z")));
        assert!(!at("a", "2026-01-02T03:04:05Z").is_same(&at("b", "2026-01-02T03:04:05Z")));
        // One without a name stays alone.
        assert!(!at("", "2026-01-02T03:04:05Z").is_same(&at("", "2026-01-02T03:04:05Z")));
        let reverted = Operation {
            outcome: OperationOutcome::Reverted,
            ..at("a", "2026-01-02T03:04:05Z")
        };
        assert!(!reverted.is_same(&at("a", "2026-01-02T03:04:05Z")));
    }

    #[test]
    fn known_words_are_known() {
        let text = r#"["deploy", "recovery", "other"]"#;
        let kinds: Vec<OperationKind> = serde_json::from_str(text).unwrap();
        let other = OperationKind::Other("other".to_owned());
        assert_eq!(
            kinds,
            [OperationKind::Deploy, OperationKind::Recovery, other]
        );
        let exit = OperationOutcome::from("exit 3".to_owned());
        assert_eq!(exit, OperationOutcome::Exit(3));
    }
}
