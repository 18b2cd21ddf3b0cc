//! What will be done, as a value, before anything is done: facts in, plan out, no I/O.

use crate::model::event::{Event, PlannedHost, Verb};
use crate::model::{EnvironmentName, Failure, HostName, ReleaseId, ReleaseState};
use crate::project::{Batch, Hook, OnFailure, Strategy};
use crate::wire::Facts;

/// A rollout: what will be done to which members, made before a release travels.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What it is called when it is done.
    pub verb: Verb,
    /// The release that all members come to.
    pub release: ReleaseId,
    /// The members that switch together, in order.
    pub waves: Vec<Wave>,
    /// Hooks that run before anything is switched.
    pub before: Vec<Hook>,
    /// Hooks that run when every member is proven, before anything is final: one that fails is a
    /// failure of the rollout.
    pub after: Vec<Hook>,
    /// Whether the settle time is waited for: not for a release that was proven before.
    pub settle: bool,
    /// How long the release is watched, once it is proven everywhere, before it is good, ms.
    pub watch_ms: u64,
    /// What when a member fails.
    pub on_failure: OnFailure,
    /// How many good releases stay.
    pub keep: u32,
}

impl Plan {
    /// What `-v` tells of it; `hosts` are the members in their order, with the release that each has
    /// and what it will run.
    #[must_use]
    pub fn told(&self, hosts: Vec<PlannedHost>) -> Event {
        let names = |hooks: &[Hook]| hooks.iter().map(|hook| hook.name.clone()).collect();
        Event::Planned {
            release: self.release,
            hosts,
            before: names(&self.before),
            after: names(&self.after),
            watch_ms: self.watch_ms,
        }
    }

    /// The number, from 1 on, of the wave that the member at this position is in.
    #[must_use]
    pub fn wave_of(&self, position: usize) -> u32 {
        let at = self
            .waves
            .iter()
            .position(|wave| wave.hosts.contains(&position));
        at.and_then(|at| u32::try_from(at + 1).ok()).unwrap_or(0)
    }
}

/// The number of the next release: the largest that any host of the environment has seen, plus
/// one, so that it is the same on all hosts and never used twice.
#[must_use]
pub fn next_release(facts: &[&Facts]) -> ReleaseId {
    ReleaseId(facts.iter().map(|facts| facts.last).max().unwrap_or(0) + 1)
}

/// The order in which the hosts are locked, by their positions: the same for every command, however
/// its manifest lists them, so that of two at once one gets all locks. Hosts that cannot tell
/// who they are keep their order.
///
/// # Errors
/// Refused, when two of the names lead to one root folder of one machine.
pub fn lock_order(hosts: &[(&HostName, &Facts)]) -> Result<Vec<usize>, Failure> {
    let mut order: Vec<usize> = (0..hosts.len()).collect();
    let id = |at: &usize| &hosts[*at].1.root_id;
    order.sort_by(|one, other| id(one).cmp(id(other)));
    for (at, (host, facts)) in hosts.iter().enumerate() {
        let is_same = |(_, other): &&(&HostName, &Facts)| other.root_id.is_same(&facts.root_id);
        if let Some((other, _)) = hosts[..at].iter().find(is_same) {
            return Err(Failure::refused(format!(
                "{other} and {host} are one machine: {} is the same folder there",
                facts.root
            ))
            .hint("name it once among the hosts of the environment"));
        }
    }
    Ok(order)
}

/// Hosts (by position) that switch together, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wave {
    /// Positions in the fleet.
    pub hosts: Vec<usize>,
    /// How long it is watched before the next wave, ms; none is without a next one.
    pub bake_ms: u64,
}

/// The waves of a rollout over `count` hosts: stable order, every host in exactly one.
#[must_use]
pub fn waves(count: usize, strategy: Strategy) -> Vec<Wave> {
    let size = |batch: Batch| match batch {
        Batch::Hosts(hosts) => (hosts as usize).max(1),
        Batch::Percent(percent) => (count * percent as usize / 100).max(1),
    };
    let wave = |hosts: std::ops::Range<usize>, bake_ms| Wave {
        hosts: hosts.collect(),
        bake_ms,
    };
    match strategy {
        _ if count == 0 => Vec::new(),
        Strategy::AllAtOnce => vec![wave(0..count, 0)],
        Strategy::Rolling { batch } => {
            let size = size(batch);
            (0..count)
                .step_by(size)
                .map(|at| wave(at..(at + size).min(count), 0))
                .collect()
        }
        Strategy::Canary { batch, bake_ms } => {
            let first = size(batch).min(count);
            if first == count {
                return vec![wave(0..count, 0)];
            }
            vec![wave(0..first, bake_ms), wave(first..count, 0)]
        }
    }
}

/// Where a rollback goes.
///
/// Without `to`: the good release that was live before the current one; where that is not recorded
/// or gone, the newest good one with a lower number. All hosts that have a release go to the same.
///
/// # Errors
/// Refused, when there is nothing to go back to, the named release is not on every host, is not
/// good, or is live already.
pub fn rollback_target(
    environment: &EnvironmentName,
    hosts: &[(&HostName, &Facts)],
    to: Option<ReleaseId>,
) -> Result<ReleaseId, Failure> {
    let current = hosts
        .iter()
        .filter_map(|(_, facts)| facts.current)
        .max()
        .ok_or_else(|| {
            Failure::refused("nothing is deployed, so there is nothing to go back to")
        })?;
    let good_everywhere = |id: ReleaseId| {
        hosts.iter().all(|(_, facts)| {
            facts
                .releases
                .iter()
                .any(|there| there.id == id && there.state == ReleaseState::Good)
        })
    };
    let mut candidates: Vec<ReleaseId> = hosts
        .iter()
        .flat_map(|(_, facts)| facts.releases.iter().map(|there| there.id))
        .filter(|id| good_everywhere(*id))
        .collect();
    candidates.sort_unstable();
    candidates.dedup();
    if let Some(to) = to {
        return named_target(hosts, to, &candidates);
    }
    let before = hosts
        .iter()
        .filter_map(|(_, facts)| {
            facts
                .releases
                .iter()
                .find(|there| there.id == current)?
                .after
        })
        .max();
    // A host that lags behind may be on the target already: it is simply proven again.
    if let Some(before) = before
        && candidates.contains(&before)
    {
        return Ok(before);
    }
    let others = candidates.iter().filter(|id| **id != current).rev();
    let others: Vec<String> = others.map(ToString::to_string).collect();
    candidates
        .into_iter()
        .rfind(|id| *id < current)
        .ok_or_else(|| {
            Failure::refused(format!(
                "there is no good release before {current} to go back to"
            ))
            .detail(match others.as_slice() {
                [] => format!("{current} is the only good release on every host"),
                others => format!("good on every host: {}", others.join(", ")),
            })
            .hint(match others.first() {
                Some(other) => format!("ship rollback {environment} --to {other}"),
                None => format!("deploy a corrected release: ship deploy {environment}"),
            })
        })
}

fn named_target(
    hosts: &[(&HostName, &Facts)],
    to: ReleaseId,
    candidates: &[ReleaseId],
) -> Result<ReleaseId, Failure> {
    if hosts.iter().all(|(_, facts)| facts.current == Some(to)) {
        return Err(Failure::refused(format!("{to} is live already")));
    }
    if candidates.contains(&to) {
        return Ok(to);
    }
    let there: Vec<String> = candidates.iter().map(ToString::to_string).collect();
    let hint = if there.is_empty() {
        "there is no good release that is on every host".to_owned()
    } else {
        format!("good on every host: {}", there.join(", "))
    };
    let state = |facts: &Facts| facts.releases.iter().find(|r| r.id == to).map(|r| r.state);
    let failure = match hosts
        .iter()
        .find(|(_, facts)| state(facts) != Some(ReleaseState::Good))
    {
        Some((host, facts)) => match state(facts) {
            None => Failure::refused(format!("{to} is not on {host}")),
            Some(state) => Failure::refused(format!("{to} is {} on {host}", state.as_str())),
        },
        None => Failure::refused(format!("{to} is not good on every host")),
    };
    Err(failure.hint(hint))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::{prop_assert_eq, proptest};

    use super::*;
    use crate::model::Digest;
    use crate::wire::ReleaseSummary;

    fn facts(current: Option<u32>, releases: &[(u32, ReleaseState, Option<u32>)]) -> Facts {
        Facts {
            fleet: Vec::new(),
            hostname: "h".into(),
            user: "deploy".into(),
            uid: 1000,
            platform: "x86_64-linux".into(),
            root: "/srv/shop".into(),
            ready: true,
            current: current.map(ReleaseId),
            adoptable: None,
            identity: None,
            last: releases.iter().map(|r| r.0).max().unwrap_or(0),
            releases: releases
                .iter()
                .map(|(id, state, after)| ReleaseSummary {
                    id: ReleaseId(*id),
                    state: *state,
                    after: after.map(ReleaseId),
                    current: current == Some(*id),
                    created: String::new(),
                    who: String::new(),
                    commit: None,
                    subject: None,
                    runtimes: BTreeMap::new(),
                    artifact: Digest::of(b""),
                })
                .collect(),
            holder: None,
            freeze: None,
            clock_ms: 0,
            recovered: Vec::new(),
            root_id: crate::wire::RootId::default(),
            is_login_old: false,
            bare: Vec::new(),
        }
    }

    fn target(facts: &[Facts], to: Option<u32>) -> Result<u32, String> {
        let name = HostName::local();
        let hosts: Vec<_> = facts.iter().map(|facts| (&name, facts)).collect();
        rollback_target(&"production".try_into().unwrap(), &hosts, to.map(ReleaseId))
            .map(|id| id.0)
            .map_err(|failure| failure.message())
    }

    use ReleaseState::{Bad, Good};

    #[test]
    fn locks_are_taken_in_one_order_whatever_the_manifest_says() {
        let host = |name: &str| HostName::try_from(name).unwrap();
        let plain = || facts(None, &[]);
        let names = ["a", "b", "c", "d"].map(host);
        let facts = [
            (Some("9"), "x"),
            (Some("1"), "y"),
            (None, ""),
            (Some("1"), "w"),
        ];
        let facts = facts.map(|(id, boot)| {
            let mut facts = plain();
            facts.root = "/srv/shop".to_owned();
            facts.root_id.machine = id.map(str::to_owned);
            facts.root_id.boot = Some(boot.to_owned()).filter(|boot| !boot.is_empty());
            facts.root_id.folder = Some("7 9".to_owned());
            facts
        });
        let order = |positions: &[usize]| {
            let hosts: Vec<_> = positions
                .iter()
                .map(|at| (&names[*at], &facts[*at]))
                .collect();
            let order = lock_order(&hosts).unwrap();
            let named = order.into_iter().map(|at| hosts[at].0.as_str());
            named.collect::<Vec<_>>().concat()
        };
        // Two that were copied have one id, and are told apart by where they are.
        assert_eq!(order(&[0, 1, 2, 3]), "cdba");
        assert_eq!(order(&[3, 2, 1, 0]), "cdba");
        let twice = [
            (&names[0], &facts[0]),
            (&names[1], &facts[1]),
            (&names[2], &facts[0]),
        ];
        let failure = lock_order(&twice).unwrap_err();
        let said = "a and c are one machine: /srv/shop is the same folder there";
        assert_eq!(failure.message(), said);
        let unknown = [(&names[0], &facts[2]), (&names[1], &facts[2])];
        assert_eq!(lock_order(&unknown).unwrap(), [0, 1]);
    }

    #[test]
    fn going_back_twice_goes_back_two() {
        let all = [(3, Good, Some(2)), (2, Good, Some(1)), (1, Good, None)];
        assert_eq!(target(&[facts(Some(3), &all)], None), Ok(2));
        assert_eq!(target(&[facts(Some(2), &all)], None), Ok(1));
        assert!(
            target(&[facts(Some(1), &all)], None)
                .unwrap_err()
                .contains("no good release before v1")
        );
    }

    #[test]
    fn a_release_that_was_left_by_a_rollback_is_not_gone_back_to() {
        // v3 was rolled back to v2, then v4 came: the way back from v4 is v2.
        let all = [
            (4, Good, Some(2)),
            (3, Good, Some(2)),
            (2, Good, Some(1)),
            (1, Good, None),
        ];
        assert_eq!(target(&[facts(Some(4), &all)], None), Ok(2));
    }

    #[test]
    fn a_bad_release_is_no_target() {
        let all = [(3, Good, Some(1)), (2, Bad, Some(1)), (1, Good, None)];
        assert_eq!(target(&[facts(Some(3), &all)], None), Ok(1));
        assert_eq!(
            target(&[facts(Some(3), &all)], Some(2)),
            Err("v2 is bad on local".into())
        );
        assert_eq!(
            target(&[facts(Some(3), &all)], Some(3)),
            Err("v3 is live already".into())
        );
        assert_eq!(
            target(&[facts(Some(3), &all)], Some(9)),
            Err("v9 is not on local".into())
        );
    }

    #[test]
    fn a_target_is_good_on_every_host() {
        let one = facts(
            Some(3),
            &[(3, Good, Some(2)), (2, Good, Some(1)), (1, Good, None)],
        );
        let other = facts(Some(3), &[(3, Good, Some(1)), (1, Good, None)]);
        assert_eq!(target(&[one, other], None), Ok(1));
    }

    proptest! {
        #[test]
        fn every_host_is_in_exactly_one_wave_in_order(
            count in 0usize..60, size in 1u32..70, percent: bool, kind in 0..3
        ) {
            let batch = if percent { Batch::Percent(size) } else { Batch::Hosts(size) };
            let strategy = match kind {
                0 => Strategy::AllAtOnce,
                1 => Strategy::Rolling { batch },
                _ => Strategy::Canary { batch, bake_ms: 5 },
            };
            let all: Vec<usize> = waves(count, strategy).into_iter().flat_map(|wave| wave.hosts).collect();
            prop_assert_eq!(all, (0..count).collect::<Vec<_>>());
        }
    }
}
