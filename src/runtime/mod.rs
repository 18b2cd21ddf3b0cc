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
mod resolve;
pub mod source;
#[cfg(test)]
mod tests;
mod trouble;

pub use http::Http;
pub use installed::installed;
pub use lock::{LOCK, Lock};
pub use locked::{Archived, archived, check, is_unpinned, locked, mirror};
pub use provide::{Provided, Wish, archive, provide};
