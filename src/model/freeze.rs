//! A stop sign for deploys, with an end.

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
