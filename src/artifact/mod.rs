//! A file tree as content: select, scan, index, pack, assemble, verify.
//!
//! The way of an artifact, end to end (all of it is synchronous; call it from a blocking thread):
//!
//! ```text
//! controller   select(root, include, exclude) → Selection     which files, every problem at once
//!              scan(root, &selection, &NoCache) → Index        what they hold
//!              … index.encode() over the wire …
//! host         Known::add(release, index, assembled)           what kept releases hold already
//!              Assembly::plan(index, &known)                   .missing(): nothing is written yet
//!              assembly.begin(staging) → Staging               folders, hard links; .missing()
//!              … the missing digests over the wire …
//! controller   pack(root, &index, &missing, sink, progress)    a compressed stream of contents
//! host         Unpacker::new(staging).push(bytes)… .finish()   each content verified, then named
//!              … the caller adds `.ship` and links to shared folders …
//!              staging.finish() → Assembled                    links, read-only folders, syncfs
//!              … the caller renames it into `releases/vN` …
//! ```

pub mod assemble;
pub mod error;
pub mod index;
pub mod pack;
mod parallel;
pub mod path;
mod pattern;
pub mod remove;
pub mod scan;
pub mod select;
pub mod staging;
pub mod store;
mod symlink;
pub mod unpack;
pub mod verify;
mod walk;

#[cfg(test)]
mod tests;

pub use assemble::Assembly;
pub use error::TreeError;
pub use index::{BadIndex, Entry, Index, Kind};
pub use pack::{Packed, pack};
pub use path::{BadPath, TreePath};
pub use remove::remove_tree;
pub use scan::{DigestSource, FileStamp, NoCache, ScanError, scan};
pub use select::{SelectError, Selected, SelectedKind, Selection, select};
pub use staging::{Assembled, Staging};
pub use store::Known;
pub use unpack::{Unpacker, unpack};
pub use verify::{Difference, full_verify};
