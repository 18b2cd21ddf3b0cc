//! A stop sign for deploys, with an end.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Nobody deploys until then; a rollback is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freeze {
    /// Why.
    pub reason: String,
    /// Who set it: `user@machine`.
    pub who: String,
    /// Since when, RFC 3339, UTC.
    pub since: String,
    /// Until when, RFC 3339, UTC.
    pub until: String,
}

impl Freeze {
    /// Whether it holds at `now_ms`, ms since the epoch. One whose end is no time has none.
    #[must_use]
    pub fn lasts(&self, now_ms: u64) -> bool {
        let Ok(until) = self.until.parse::<Timestamp>() else {
            return true;
        };
        i64::try_from(now_ms).is_ok_and(|now| now < until.as_millisecond())
    }
}

#[cfg(test)]
mod tests {
    use super::Freeze;

    #[test]
    fn it_holds_until_its_end() {
        let freeze = Freeze {
            reason: String::new(),
            who: String::new(),
            since: String::new(),
            until: "1970-01-01T00:00:02Z".to_owned(),
        };
        assert!(freeze.lasts(0));
        assert!(freeze.lasts(1_999));
        assert!(!freeze.lasts(2_000));
    }
}
