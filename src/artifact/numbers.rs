//! How contents are called on the wire: by the position, among the files of the index, of the first
//! one that has it. Nobody needs a table of all of them for that, unless all are asked for.

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

use super::index::Index;
use crate::model::Digest;

impl Index {
    /// The content of each file, in their order, with its size in bytes: the one at position `n` is
    /// called `n`.
    #[must_use]
    pub fn numbered(&self) -> Vec<(Digest, u64)> {
        self.files()
            .map(|(_, digest, size, _)| (digest, size))
            .collect()
    }

    /// How the contents `wanted` are called.
    #[must_use]
    pub fn numbers(&self, wanted: &HashSet<Digest>) -> HashMap<Digest, u32> {
        let mut numbers = HashMap::with_capacity(wanted.len());
        for ((_, digest, ..), number) in self.files().zip(0..) {
            if wanted.contains(&digest) {
                numbers.entry(digest).or_insert(number);
            }
        }
        numbers
    }

    /// The contents `wanted` as runs of numbers: the first, and how many. What is between two of them
    /// and was named before, or is empty, is part of a run.
    #[must_use]
    pub fn runs(&self, wanted: &HashSet<Digest>) -> Vec<(u32, u32)> {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        let mut named = HashSet::with_capacity(wanted.len());
        let mut goes_on = false;
        for ((_, digest, size, _), number) in self.files().zip(0_u32..) {
            if !wanted.contains(&digest) {
                goes_on &= size == 0;
            } else if named.insert(digest) {
                match runs.last_mut().filter(|_| goes_on) {
                    Some((first, count)) => *count = number - *first + 1,
                    None => runs.push((number, 1)),
                }
                goes_on = true;
            }
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{Entry, Kind, TreePath};

    #[test]
    fn a_run_goes_over_what_need_not_travel() {
        // The files a, b, ... with these contents.
        let entries = ["x", "", "y", "x", "z", "y", "w"].iter().zip('a'..);
        let entries = entries.map(|(content, name)| Entry {
            path: TreePath::try_from(&*name.to_string()).unwrap(),
            kind: Kind::File {
                digest: Digest::of(content.as_bytes()),
                size: content.len() as u64,
                executable: false,
            },
        });
        let index = Index::new(entries.collect()).unwrap();
        let wanted = |contents: &[&str]| -> HashSet<Digest> {
            let digests = contents
                .iter()
                .map(|content| Digest::of(content.as_bytes()));
            digests.collect()
        };
        for (contents, runs) in [
            (&["x", "y", "z", "w"][..], vec![(0, 7)]),
            (&["x", "y"], vec![(0, 3)]),
            (&["y", "z"], vec![(2, 1), (4, 1)]),
            (&["z", "w"], vec![(4, 1), (6, 1)]),
            (&[], vec![]),
        ] {
            let wanted = wanted(contents);
            assert_eq!(index.runs(&wanted), runs, "{contents:?}");
            let numbered = index.numbered();
            for (digest, number) in index.numbers(&wanted) {
                assert_eq!(numbered[number as usize].0, digest);
                let in_a_run =
                    |(first, count): &(u32, u32)| (*first..first + count).contains(&number);
                assert!(runs.iter().any(in_a_run), "{contents:?}");
            }
        }
        assert_eq!(
            index.numbers(&wanted(&["y"])),
            [(Digest::of(b"y"), 2)].into_iter().collect()
        );
    }
}
