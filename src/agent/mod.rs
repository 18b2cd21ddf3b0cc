//! The host side: everything that happens on a host, as ordinary Rust on that host's own file
//! system and service manager. Knows nothing of the controller's side; it is driven by `wire`
//! messages alone.

pub mod activate;
pub mod adopt;
pub mod before;
pub mod command;
pub mod demo;
pub mod disk;
pub mod downtime;
pub mod explain;
pub mod export;
pub mod facts;
pub mod flip;
pub mod freeze;
pub mod health;
pub mod history;
pub mod host;
pub mod journal;
pub mod launcher;
pub mod layout;
pub mod listeners;
pub mod lock;
pub mod port_holder;
pub mod prove;
pub mod prune;
pub mod query;
pub mod recover;
pub mod releases;
pub mod runtimes;
pub mod serve;
pub mod service;
pub mod setup;
pub mod site;
#[cfg(target_os = "linux")]
mod sock_diag;
mod socket;
pub mod spare;
pub mod stage;
pub mod standby;
pub mod tidy;
pub mod transaction;
pub mod watch;

pub use layout::Layout;
