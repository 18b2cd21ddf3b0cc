//! The controller: facts in, plan out, then the plan's execution across the hosts. Reaches hosts
//! through `wire` messages only, and says what happens as events only.

pub mod cache;
pub mod changes;
pub mod conclude;
pub mod deltas;
pub mod deploy;
pub mod fleet;
pub mod hook;
pub mod identity;
pub mod link;
pub mod offer;
pub mod payload;
pub mod plan;
pub mod query;
pub mod rollback;
pub mod service;
pub mod setup;
pub mod spool;
pub mod switch;
pub mod transfer;

pub use fleet::{Context, Fleet};
