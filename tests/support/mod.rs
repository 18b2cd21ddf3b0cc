//! Real hosts for the end-to-end tests: Debian with systemd and sshd.
//!
//! A [`Host`] is a `systemd-nspawn` machine: an overlay on a cached base tree
//! ([`Base`]), in a network namespace of its own, wired to one bridge. It boots
//! in about a second and is gone when it is dropped. A [`Controller`] is the
//! person's machine that runs `ship` against it. What a killed test run left
//! behind, the next one removes ([`sweep`]).
//!
//! A test that needs hosts starts with
//! `let Some(()) = support::require_hosts() else { return };`.

#![allow(
    dead_code,
    unused_imports,
    reason = "a library for tests: what one test file does not use, the next one does"
)]

mod base;
mod before;
mod clock;
mod command;
mod controller;
mod disk;
mod fleet;
mod host;
mod http;
mod keys;
mod machine;
mod masters;
mod mirror;
mod net;
mod noise;
mod owner;
mod poll;
mod process;
mod relay;
mod run;
pub mod runtimes;
pub mod secrets;
mod skip;
mod slot;
mod temp;
mod terminal;
mod tree;

pub use base::Base;
pub use before::ship_before;
pub use clock::Clock;
pub use command::run as run_tool;
pub use controller::Controller;
pub use disk::Disk;
pub use fleet::Fleet;
pub use host::{Host, HostOptions};
pub use http::{Response, get, get_within, post};
pub use keys::KeyPair;
pub use masters::Masters;
pub use mirror::{Fault, Mirror};
pub use noise::noise;
pub use poll::{eventually, within};
pub use process::Process;
pub use relay::Relay;
pub use run::{Run, Running};
pub use skip::{require_hosts, require_root, skip};
pub use slot::sweep;
pub use temp::TempDir;
pub use terminal::Terminal;
