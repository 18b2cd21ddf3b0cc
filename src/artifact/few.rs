//! What was written, as long as that is little.

use std::path::{Path, PathBuf};

/// So many files are brought to the disk one by one (side by side, so that the file system can do
/// it in a few turns); with more it is quicker to sync all of the file system.
const FEW: usize = 64;

/// Paths, as long as they are few.
#[derive(Debug)]
pub(super) struct Few(Option<Vec<PathBuf>>);

impl Default for Few {
    fn default() -> Self {
        Self(Some(Vec::new()))
    }
}

impl Few {
    pub(super) fn add(&mut self, path: &Path) {
        if let Some(paths) = &mut self.0 {
            paths.push(path.to_owned());
        }
        self.0.take_if(|paths| paths.len() > FEW);
    }

    /// Whether they are not few any more.
    pub(super) fn are_many(&self) -> bool {
        self.0.is_none()
    }

    /// The paths and `others`, when all together they are few.
    pub(super) fn and<'a>(
        &self,
        others: impl Iterator<Item = &'a PathBuf>,
    ) -> Option<Vec<PathBuf>> {
        let mut paths = self.0.clone()?;
        paths.extend(others.cloned());
        (paths.len() <= FEW).then_some(paths)
    }
}
