//! The host side: everything that happens on a host, as ordinary Rust on that host's own file
//! system and service manager. Knows nothing of the controller's side; it is driven by `wire`
//! messages alone.

pub mod activate;
pub mod adopt;
pub mod as_app;
pub mod before;
pub mod careful;
pub mod command;
pub mod command_line;
pub mod console;
pub mod demo;
pub mod disk;
pub mod downtime;
pub mod explain;
pub mod export;
pub mod facts;
mod fault;
mod fleet_note;
pub mod flip;
pub mod freeze;
pub mod gate;
pub mod health;
pub mod history;
pub mod host;
pub mod journal;
pub mod launcher;
pub mod layout;
pub mod listeners;
pub mod lock;
mod login;
pub mod logs;
mod outgoing;
pub mod owner;
mod page;
pub mod port_holder;
pub mod prove;
pub mod prune;
pub mod query;
pub mod recover;
pub mod releases;
pub mod reserve;
mod root_id;
pub mod runtimes;
pub mod secrets;
pub mod seeds;
pub mod serve;
pub mod service;
pub mod setup;
mod signals;
pub mod site;
#[cfg(target_os = "linux")]
mod sock_diag;
mod socket;
pub mod spare;
pub mod stage;
pub mod standby;
pub mod switch_plan;
pub mod tidy;
pub mod transaction;
pub mod watch;
mod written;

pub use layout::Layout;
