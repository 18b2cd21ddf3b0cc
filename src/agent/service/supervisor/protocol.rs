//! What a client and the supervisor say to each other: one JSON line each per connection.
//!
//! A supervisor outlives the build of `ship` that started it; newer builds still speak to it.
//! Requests and fields may therefore be added, never changed.

use serde::{Deserialize, Serialize};

use crate::agent::service::ServiceStatus;
use crate::model::Instance;

/// The longest line that is read, bytes.
pub const MAX_LINE: u64 = 1 << 20;

/// What is asked of the supervisor. Times are milliseconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Request {
    /// Starts a service unless it runs.
    Start(Order),
    /// Stops a service that runs, and starts it.
    Restart(Order),
    /// Stops a service and waits until its processes are gone.
    Stop(Order),
    /// Tells of services, in this order.
    Status {
        /// Which.
        services: Vec<Instance>,
    },
    /// Stops everything and ends; what should run will run again with the next supervisor.
    Shutdown,
}

/// Which service, and by when.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Order {
    /// Which.
    pub service: Instance,
    /// When to give up waiting; what was begun goes on.
    pub deadline_ms: u64,
}

/// What the supervisor answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Reply {
    /// It is done.
    Done,
    /// As asked.
    Statuses {
        /// In the order of the question.
        statuses: Vec<ServiceStatus>,
    },
    /// It could not be done.
    Failed {
        /// A lower-case sentence.
        why: String,
    },
}
