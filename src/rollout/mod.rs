//! The controller: facts in, plan out, then the plan's execution across the hosts. Reaches hosts
//! through `wire` messages only, and says what happens as events only.

mod archives;
mod aside;
mod behind;
pub mod cache;
pub mod cancel;
pub mod changes;
pub mod compare;
pub mod conclude;
pub mod context;
mod decision;
pub mod deltas;
pub mod deploy;
pub mod exec;
mod export;
#[cfg(test)]
mod fake;
mod feed;
pub mod fleet;
pub mod freeze;
pub mod hook;
pub mod identity;
pub mod left;
pub mod left_out;
pub mod limit;
pub mod link;
pub mod member;
pub mod offer;
pub mod packing;
pub mod payload;
pub mod plan;
pub mod programs;
pub mod query;
pub mod rejoin;
pub mod remove;
pub mod resume;
pub mod rollback;
pub mod runtimes;
mod seed;
pub mod service;
pub mod setup;
pub mod spool;
pub mod stop;
pub mod switch;
mod timings;
pub mod transfer;
mod vouched;
mod watch;

pub use context::Context;
pub use fleet::Fleet;
