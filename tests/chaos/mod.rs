//! The fault suite: a deploy of a served app, a fault in the middle of it, and a judge that is not
//! `ship`. `tests/e2e/never_half_done.rs` runs chosen scenarios, `benches/chaos` hundreds of drawn ones.
//!
//! A [`Ground`] is hosts with a good release. A [`Scenario`] says what happens to the next deploy:
//! what is wrong with the release or a host beforehand ([`Trouble`]), and which [`Fault`] comes at
//! which [`Point`]. While it runs, visitors ask every host ([`load`]); afterwards the judge looks
//! ([`look`]), holds what it saw and the exit code against the promises ([`judge`]), and has the
//! next deploy work.

#![allow(
    dead_code,
    unused_imports,
    reason = "a library for tests: what one of them does not use, the other does"
)]

mod app;
mod draw;
mod fault;
mod ground;
mod judge;
mod load;
mod look;
mod point;
mod scenario;
mod story;

pub use app::{Behaviour, PORT};
pub use fault::Fault;
pub use ground::{Ground, LEASE, Manifest, Strategy};
pub use point::Point;
pub use scenario::{Report, Scenario, Trouble};
