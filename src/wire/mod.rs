//! What the two ends say to each other, and how it is framed.
//!
//! A frame is a kind (1 byte), a length (4 bytes, little endian) and that many bytes: either one
//! JSON message or a piece of bulk data. Both ends are the same build (the agent is addressed by
//! its digest), so messages carry no version.

pub mod argument;
pub mod exec;
pub mod found;
pub mod frame;
mod hex;
pub mod message;
pub mod request;
mod seed;
mod texts;

pub use exec::*;
pub use found::*;
pub use frame::{Frame, FrameReader, FrameWriter, MARKER, MAX_FRAME};
pub use message::*;
pub use request::*;
pub use seed::Seed;

use crate::model::Digest;

/// What the agent of this digest is called on a host: a connection looks for it by this name.
#[must_use]
pub fn agent_name(digest: &Digest) -> String {
    format!("ship-{}", digest.short())
}
