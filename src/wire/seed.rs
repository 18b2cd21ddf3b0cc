//! A file that a host gets once, for a place in `shared/` that is bare.

use serde::{Deserialize, Serialize};

use super::hex;

/// A file for `shared/`.
#[derive(Clone, Serialize, Deserialize)]
pub struct Seed {
    /// The entry of `release.shared` that it belongs to, without slashes at its ends.
    pub place: String,
    /// Where it goes, relative to `shared/`: the place, or below it.
    pub path: String,
    /// Its permissions.
    pub mode: u32,
    /// What is in it.
    #[serde(with = "hex")]
    pub content: Vec<u8>,
    /// Whether it is the last one of its place.
    pub is_last: bool,
}

impl std::fmt::Debug for Seed {
    /// Without the content, which is data of the app.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seed")
            .field("path", &self.path)
            .field("bytes", &self.content.len())
            .finish_non_exhaustive()
    }
}
