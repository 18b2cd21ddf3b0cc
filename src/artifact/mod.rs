//! A file tree as content: select, scan, index, pack, assemble, verify.
//!
//! The way of an artifact, end to end (all of it is synchronous; call it from a blocking thread):
//!
//! ```text
//! controller   select(root, include, exclude) → Selection     which files, every problem at once
//!              scan(root, &selection, &digests) → Index        what they hold; unchanged ones unread
//!              Change::between(base, index) over the wire      or the whole index.encode()
//! host         change.apply(base) → Index
//!              Known::add(release, index, assembled)…          what kept releases hold already
//!              spare.open()?.damaged()                         meanwhile: what of it is as it was
//!              Assembly::plan_over(index, &spare, …, &known)   .missing(): nothing is written yet
//!              assembly.begin(staging) → Staging               folders, hard links; .missing()
//!              Unpacker::new(staging), .chunks(digest)         what is here of large missing ones
//!              … the missing contents over the wire …
//! controller   pack(root, &index, &parcels, level, sink, …)    whole, as chunks, as differences
//! host         unpacker.push(bytes)… .finish()                 each content verified, then named
//!              … the caller adds `.ship` and links to shared folders …
//!              staging.finish() → Assembled                    links, read-only folders
//!              sync, … the caller renames it into `releases/vN` …
//! ```

pub mod archive;
pub mod assemble;
pub mod assembled;
pub mod change;
pub mod chunk;
pub mod delta;
pub mod digests;
pub mod error;
mod few;
mod files;
mod flush;
pub mod held;
pub mod index;
mod launchers;
pub mod level;
mod numbers;
pub mod pack;
mod parallel;
pub mod path;
mod pattern;
mod placing;
mod records;
pub mod remove;
pub mod scan;
pub mod script;
pub mod select;
pub mod sha256;
pub mod similar;
pub mod spare;
pub mod staging;
pub mod start;
pub mod store;
mod symlink;
pub mod unpack;
pub mod verify;
mod walk;

#[cfg(test)]
mod tests;

pub use assemble::Assembly;
pub use assembled::{Assembled, sync_all, sync_each};
pub use change::Change;
pub use chunk::{CHUNKED_FROM, Chunk};
pub use digests::Digests;
pub use error::TreeError;
pub use held::Held;
pub use index::{BadIndex, Entry, Index, Kind};
pub use launchers::write_launchers;
pub use level::Level;
pub use pack::{Packed, Parcel, Way, pack};
pub use path::{BadPath, TreePath};
pub use remove::remove_tree;
pub use scan::{DigestSource, FileStamp, NoCache, ScanError, scan};
pub use script::{Shebang, found_on_path, found_on_path_of_line, programs, programs_of_line};
pub use select::{
    Chooser, Dangling, SelectError, Selected, SelectedKind, Selection, Survey, select, survey,
    survey_without,
};
pub use sha256::Sha256Hasher;
pub use similar::{Ancestor, ancestor};
pub use spare::{Look, Spare};
pub use staging::Staging;
pub use start::starts;
pub use store::{Known, distrust};
pub use unpack::{Unpacker, unpack};
pub use verify::{Difference, full_verify, written_since};
