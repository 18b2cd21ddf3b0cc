//! Pinned runtimes: where they come from, which exact ones a project runs on, and how they get
//! there.
//!
//! `ship pin` resolves what `[runtimes]` asks for and writes `ship.lock`; nothing else resolves.
//! Everybody else asks [`locked`].

pub mod cache;
pub mod disagreement;
mod download;
pub mod http;
mod installed;
pub mod lock;
mod lock_text;
mod locked;
pub mod pin;
pub mod provide;
mod registries;
mod resolve;
mod sha512;
pub mod source;
#[cfg(test)]
mod tests;
mod tool;
mod trouble;

pub use disagreement::not_compared;
pub use http::Http;
pub use installed::{installed, versions_here};
pub use lock::{LOCK, Lock};
pub use locked::{Archived, archived, check, for_hosts, is_unpinned, locked, mirror};
pub use provide::{Provided, Wish, archive, provide};
pub use registries::Registries;
