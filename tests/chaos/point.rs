//! Where in a deploy a fault comes: what the controller's `--json` said last.

use std::fmt;

use serde_json::Value;

/// A moment of a deploy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// The controller's process was started; it has said nothing yet.
    Spawned,
    /// The command began.
    Started,
    /// The connection stands.
    Connected,
    /// The locks are held, and the release has its number.
    Numbered,
    /// The release is there.
    Staged,
    /// The hook before the switch runs.
    Hook,
    /// `current` points to the new release.
    Flipped,
    /// The service was restarted.
    Restarted,
    /// The proof goes on.
    Proving,
    /// The release is proven.
    Proven,
    /// The proof failed; the way back begins.
    GoingBack,
    /// The release is proven everywhere, and the host was told so.
    Precommitted,
}

impl Point {
    /// All that an event tells.
    pub const TOLD: [Self; 11] = [
        Self::Started,
        Self::Connected,
        Self::Numbered,
        Self::Staged,
        Self::Hook,
        Self::Flipped,
        Self::Restarted,
        Self::Proving,
        Self::Proven,
        Self::GoingBack,
        Self::Precommitted,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Spawned => "spawned",
            Self::Started => "started",
            Self::Connected => "connected",
            Self::Numbered => "numbered",
            Self::Staged => "staged",
            Self::Hook => "hook",
            Self::Flipped => "flipped",
            Self::Restarted => "restarted",
            Self::Proving => "proving",
            Self::Proven => "proven",
            Self::GoingBack => "going-back",
            Self::Precommitted => "precommitted",
        }
    }

    /// Whether this event is this point, on the host of this destination.
    pub fn is(self, event: &Value, host: &str) -> bool {
        let word = |key: &str| event[key].as_str().unwrap_or_default();
        let here = word("host") == host;
        let on_host = |what: &str| here && word("event") == "host" && word("what") == what;
        match self {
            Self::Spawned => false,
            Self::Started => word("event") == "started",
            Self::Connected => on_host("connected"),
            Self::Numbered => word("event") == "numbered",
            Self::Staged => on_host("staged"),
            // It runs on one host of them.
            Self::Hook => word("what") == "hook-started",
            Self::Flipped => on_host("flipped"),
            Self::Restarted => on_host("restarted"),
            Self::Proving => on_host("proving"),
            Self::Proven => on_host("proven"),
            Self::GoingBack => on_host("note") && word("text").contains("going back"),
            Self::Precommitted => {
                here && word("event") == "round-trip" && word("what") == "precommit"
            }
        }
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
