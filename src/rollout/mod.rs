//! The controller: facts in, plan out, then the plan's execution across the hosts. Reaches hosts
//! through `wire` messages only, and says what happens as events only.

mod archives;
pub mod cache;
pub mod changes;
pub mod conclude;
pub mod deltas;
pub mod deploy;
mod feed;
pub mod fleet;
pub mod hook;
pub mod identity;
pub mod link;
pub mod offer;
pub mod payload;
pub mod plan;
pub mod query;
pub mod rejoin;
pub mod rollback;
pub mod runtimes;
pub mod service;
pub mod setup;
pub mod spool;
pub mod switch;
pub mod transfer;

pub use fleet::{Context, Fleet};
