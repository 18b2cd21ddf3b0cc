//! What a command does to an environment, and how that ended, as a host tells it.

use std::fmt;

use serde::{Deserialize, Serialize};

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
