//! Which releases stay on a host, and the removal of the others. Runs after success, off the
//! critical path.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{Layout, adopt, disk, releases};
use crate::model::{ReleaseId, ReleaseState};

/// Failed releases that stay for a look at them, while there is room.
const KEEP_BAD: usize = 2;

/// What decides whether a release stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The release.
    pub id: ReleaseId,
    /// How far it got.
    pub state: ReleaseState,
}

/// How many releases stay beside the live one and the one that a rollback would go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Good ones, the newest.
    good: usize,
    /// Failed ones, the newest.
    bad: usize,
}

impl Keep {
    /// After a deploy: `good` ones, and a few that failed.
    #[must_use]
    pub fn after_success(good: u32) -> Self {
        let good = good as usize;
        Self {
            good,
            bad: KEEP_BAD,
        }
    }

    /// When the next release has no room: `good` ones.
    #[must_use]
    pub fn under_pressure(good: u32) -> Self {
        let good = good as usize;
        Self { good, bad: 0 }
    }
}

/// The releases to remove: of the good and of the failed ones all but those to `keep`, of the never
/// activated ones all. The live release and `previous` (where a rollback would go) always stay.
#[must_use]
pub fn choose(
    there: &[Candidate],
    current: Option<ReleaseId>,
    previous: Option<ReleaseId>,
    keep: Keep,
) -> Vec<ReleaseId> {
    let mut newest = there.to_vec();
    newest.sort_unstable_by_key(|candidate| std::cmp::Reverse(candidate.id));
    let (mut good, mut bad) = (0, 0);
    newest
        .into_iter()
        .filter(|candidate| {
            let stays = match candidate.state {
                ReleaseState::Good => {
                    good += 1;
                    good <= keep.good
                }
                ReleaseState::Bad => {
                    bad += 1;
                    bad <= keep.bad
                }
                ReleaseState::Staged | ReleaseState::Active => false,
            };
            !stays && Some(candidate.id) != current && Some(candidate.id) != previous
        })
        .map(|candidate| candidate.id)
        .collect()
}

/// The good release that a rollback from `current` would go to.
#[must_use]
pub fn previous_good(layout: &Layout, current: ReleaseId) -> Option<ReleaseId> {
    let good = |id: &ReleaseId| {
        releases::state(layout, *id) == ReleaseState::Good && layout.release(*id).is_dir()
    };
    releases::after(layout, current).filter(good).or_else(|| {
        releases::ids(layout)
            .ok()?
            .into_iter()
            .filter(|id| *id < current)
            .find(good)
    })
}

/// Removes old releases; returns which. What cannot be removed stays for the next time.
#[must_use]
pub fn prune(layout: &Layout, keep: Keep) -> Vec<ReleaseId> {
    let Ok(ids) = releases::ids(layout) else {
        return Vec::new();
    };
    let Ok(current) = releases::current(layout) else {
        return Vec::new();
    };
    let there: Vec<Candidate> = ids
        .into_iter()
        .map(|id| Candidate {
            id,
            state: releases::state(layout, id),
        })
        .collect();
    let previous = current.and_then(|id| previous_good(layout, id));
    choose(&there, current, previous, keep)
        .into_iter()
        .filter(|id| remove(layout, *id))
        .collect()
}

/// Removes one release: out of `releases/` in one rename. The tidying removes it piece by piece. Of
/// an adopted one only what ship made goes.
pub fn remove(layout: &Layout, id: ReleaseId) -> bool {
    if adopt::is_adopted(layout, id) {
        return adopt::forget(layout, id);
    }
    let trash = layout
        .state_file("trash")
        .join(format!("{id}.{}", disk::unique()));
    let release = layout.release(id);
    // rename(2) of a folder to another place needs the right to write to it.
    let writable = |mode| fs::set_permissions(&release, fs::Permissions::from_mode(mode));
    if writable(0o755).is_err() || fs::rename(&release, &trash).is_err() {
        let _ = writable(0o555);
        return false;
    }
    releases::forget(layout, id);
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn candidate(id: u32, state: ReleaseState) -> Candidate {
        Candidate {
            id: ReleaseId(id),
            state,
        }
    }

    #[test]
    fn only_good_ones_count_and_the_way_back_stays() {
        use ReleaseState::{Bad, Good, Staged};
        let there = [
            candidate(1, Good),
            candidate(2, Good),
            candidate(3, Bad),
            candidate(4, Bad),
            candidate(5, Bad),
            candidate(6, Good),
            candidate(7, Staged),
            candidate(8, Good),
        ];
        let chosen = |keep| {
            let gone = choose(&there, Some(ReleaseId(8)), Some(ReleaseId(2)), keep);
            gone.into_iter().map(|id| id.0).collect::<Vec<_>>()
        };
        assert_eq!(chosen(Keep::after_success(2)), [7, 3, 1]);
        assert_eq!(chosen(Keep::under_pressure(2)), [7, 5, 4, 3, 1]);
    }

    proptest! {
        #[test]
        fn the_live_release_and_the_one_before_are_never_removed(
            states in proptest::collection::vec(0u8..4, 1..12), current in 0usize..12, previous in 0usize..12, keep in 1u32..6, pressed: bool
        ) {
            let there: Vec<Candidate> = states.iter().enumerate().map(|(at, state)| {
                let state = [ReleaseState::Staged, ReleaseState::Active, ReleaseState::Good, ReleaseState::Bad][*state as usize];
                candidate(at as u32 + 1, state)
            }).collect();
            let (current, previous) = (ReleaseId(current as u32 + 1), ReleaseId(previous as u32 + 1));
            let rule = if pressed { Keep::under_pressure(keep) } else { Keep::after_success(keep) };
            let gone = choose(&there, Some(current), Some(previous), rule);
            prop_assert!(!gone.contains(&current) && !gone.contains(&previous));
            let good_left = there.iter().filter(|c| c.state == ReleaseState::Good && !gone.contains(&c.id)).count();
            let good = there.iter().filter(|c| c.state == ReleaseState::Good).count();
            prop_assert!(good_left >= good.min(keep as usize));
        }
    }
}
