//! The exit code: the one place where a kind of failure becomes a number. `docs/exit-codes.md` is
//! written from [`TABLE`], and a test keeps it so.

use crate::model::FailureKind;

/// Done, and what was asked is now true.
pub const DONE: u8 = 0;

/// The exit code of a failure.
#[must_use]
pub fn code(kind: FailureKind) -> u8 {
    match kind {
        FailureKind::Unexpected => 1,
        FailureKind::Usage => 2,
        FailureKind::Project => 3,
        FailureKind::Build => 4,
        FailureKind::Refused => 5,
        FailureKind::Unreachable => 6,
        FailureKind::Reverted => 7,
        FailureKind::NeedsPerson => 8,
        FailureKind::Partial => 9,
        FailureKind::Unhealthy => 10,
        // 128 + SIGINT, as shells have it.
        FailureKind::Interrupted => 130,
    }
}

/// What one exit code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// The kind of failure; `None` for success.
    pub kind: Option<FailureKind>,
    /// What is true afterwards: a lower-case sentence.
    pub text: &'static str,
    /// What a script does about it: a lower-case sentence.
    pub next: &'static str,
}

impl Meaning {
    /// The number.
    #[must_use]
    pub fn code(&self) -> u8 {
        self.kind.map_or(DONE, code)
    }
}

/// Every exit code, in ascending order.
pub const TABLE: [Meaning; 12] = [
    Meaning {
        kind: None,
        text: "done, and what was asked is now true",
        next: "go on",
    },
    Meaning {
        kind: Some(FailureKind::Unexpected),
        text: "unexpected error",
        next: "read the error, ask `ship status` what is live",
    },
    Meaning {
        kind: Some(FailureKind::Usage),
        text: "the command line was wrong; nothing was done",
        next: "correct the command",
    },
    Meaning {
        kind: Some(FailureKind::Project),
        text: "the manifest or the project is invalid; nothing was done",
        next: "correct it; `ship check` finds all that is wrong",
    },
    Meaning {
        kind: Some(FailureKind::Build),
        text: "build or test failed; no host was touched",
        next: "correct the code; its output is shown and kept in a file",
    },
    Meaning {
        kind: Some(FailureKind::Refused),
        text: "refused (lock, freeze, preflight, plan drift); nothing changed",
        next: "do what the hint says, or try again later; `--wait` waits for a lock",
    },
    Meaning {
        kind: Some(FailureKind::Unreachable),
        text: "a host, or where a runtime comes from, cannot be reached or will not authenticate; nothing changed",
        next: "try again when it is there",
    },
    Meaning {
        kind: Some(FailureKind::Reverted),
        text: "failed, and every host serves what it served before",
        next: "correct the release; nothing is urgent",
    },
    Meaning {
        kind: Some(FailureKind::NeedsPerson),
        text: "failed, and at least one host needs a person",
        next: "wake somebody: the output names the hosts and the commands",
    },
    Meaning {
        kind: Some(FailureKind::Partial),
        text: "partly done, as the policy allows, or because it was final on a host already",
        next: "look at the hosts that are named, deploy to them again",
    },
    Meaning {
        kind: Some(FailureKind::Unhealthy),
        text: "`ship status --exit-code`: something is stopped or not healthy, or nothing is deployed; nothing was changed",
        next: "the output names the hosts and services; `ship logs` shows why",
    },
    Meaning {
        kind: Some(FailureKind::Interrupted),
        text: "interrupted; hosts are on the release they were on",
        next: "nothing has to be repaired",
    },
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn each_number_means_one_thing() {
        let numbers: Vec<u8> = TABLE.iter().map(Meaning::code).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 130]);
    }

    /// `docs/exit-codes.md` says what the table says; `UPDATE_DOCS=1` writes it.
    #[test]
    fn the_reference_is_the_table() {
        let mut page = String::from(
            "# Exit codes\n\n\
             The exit code tells what is true now, not how far the command got. With `--json` it\n\
             is also in the last line, next to the kind of the failure (see [events](events.md)).\n\n\
             | exit | kind | what is true | what to do |\n\
             |---|---|---|---|\n",
        );
        for meaning in &TABLE {
            let kind = match meaning.kind {
                None => String::new(),
                Some(kind) => serde_json::to_string(&kind).unwrap().replace('"', "`"),
            };
            page.push_str(&format!(
                "| {} | {kind} | {} | {} |\n",
                meaning.code(),
                meaning.text,
                meaning.next
            ));
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/exit-codes.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, &page).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(found, page, "UPDATE_DOCS=1 cargo test writes it anew");
    }
}
