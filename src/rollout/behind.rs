//! Which hosts are behind the others, as a value: facts in, plan out, no I/O.
//!
//! Deploys go up in numbers and rollbacks go down, so the live number alone does not tell who is
//! behind: a host that a rollback did not reach has the highest one. How far a host has come is the
//! highest good release on it, and whether it has left that one again. No clock is asked.

use super::left_out::LeftOut;
use crate::model::{Failure, HostName, ReleaseId, ReleaseState};
use crate::wire::{Facts, ReleaseSummary};

/// What brings a fleet together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatchUp {
    /// The release that the others have.
    pub release: ReleaseId,
    /// Hosts that are on it.
    pub done: Vec<HostName>,
    /// Hosts that are not, and have it.
    pub switch: Vec<HostName>,
    /// Hosts that have it not.
    pub bring: Vec<HostName>,
}

impl CatchUp {
    /// Whether `host` is to be brought up.
    #[must_use]
    pub fn concerns(&self, host: &HostName) -> bool {
        !self.done.contains(host)
    }
}

/// How far a host has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Position {
    /// The highest good release there.
    highest: ReleaseId,
    /// Whether it has gone back from that one.
    left: bool,
}

/// What brings the hosts that are behind to the release that the others have: the one that is live
/// and good on the hosts that have come furthest.
///
/// # Errors
/// Refused, when nothing is live anywhere; when the hosts that have come furthest are not on the same
/// release; when a host that is behind has left that release, or has another one of its number; when
/// it was adopted, and is not there to be gone back to.
pub fn catch_up(hosts: &[(&HostName, &Facts)]) -> Result<CatchUp, Failure> {
    let furthest = hosts
        .iter()
        .filter_map(|(_, facts)| position(facts))
        .max()
        .ok_or_else(|| {
            Failure::refused("no good release is live on any host, so there is none to bring")
        })?;
    let mut ahead = hosts
        .iter()
        .filter(|(_, facts)| position(facts) == Some(furthest))
        .filter_map(|(_, facts)| live(facts));
    let Some(target) = ahead.next() else {
        return Err(disagree("no host says which release is right", hosts));
    };
    if ahead.any(|other| !same(other, target)) {
        let why = "the hosts that are furthest ahead have different releases";
        return Err(disagree(why, hosts));
    }
    let mut plan = CatchUp {
        release: target.id,
        done: Vec::new(),
        switch: Vec::new(),
        bring: Vec::new(),
    };
    for (host, facts) in hosts {
        let there = facts.releases.iter().find(|there| there.id == target.id);
        if there.is_some_and(|there| !same(there, target)) {
            let why = format!("{} has another {} than the others", host.short(), target.id);
            return Err(disagree(&why, hosts));
        }
        let name = (*host).clone();
        let is_good = there.is_some_and(|there| there.state == ReleaseState::Good);
        match there {
            Some(there) if there.current && is_good => plan.done.push(name),
            Some(_) if is_good && facts.current.is_some_and(|live| live < target.id) => {
                let why = format!("{} has gone back from {}", host.short(), target.id);
                return Err(disagree(&why, hosts));
            }
            Some(_) => plan.switch.push(name),
            None => plan.bring.push(name),
        }
    }
    if let Some(host) = plan.bring.first().filter(|_| target.id.is_adopted()) {
        let why = format!(
            "{1} on {0} differs from {1} on the other hosts",
            host.short(),
            target.id
        );
        return Err(disagree(&why, hosts));
    }
    Ok(plan)
}

/// The live release, when it is good.
fn live(facts: &Facts) -> Option<&ReleaseSummary> {
    let mut releases = facts.releases.iter();
    releases.find(|there| there.current && there.state == ReleaseState::Good)
}

/// `None` for a host without a good live release: it is behind everyone.
fn position(facts: &Facts) -> Option<Position> {
    let live = live(facts)?;
    let good = facts
        .releases
        .iter()
        .filter(|there| there.state == ReleaseState::Good);
    let highest = good.map(|there| there.id).max()?;
    Some(Position {
        highest,
        left: live.id < highest,
    })
}

/// Whether two hosts' releases come from one deploy: a number is given twice when a deploy leaves a
/// host out that has seen higher ones. What was adopted is the same word for each host's own.
fn same(one: &ReleaseSummary, other: &ReleaseSummary) -> bool {
    one.id == other.id
        && (one.id.is_adopted() || (one.artifact, &one.created) == (other.artifact, &other.created))
}

fn disagree(why: &str, hosts: &[(&HostName, &Facts)]) -> Failure {
    let row = |(host, facts): &(&HostName, &Facts)| {
        let live = facts.releases.iter().find(|there| there.current);
        match live {
            Some(live) => format!(
                "{}: {} ({}), staged {} by {}",
                host.short(),
                live.id,
                live.state.as_str(),
                live.created,
                live.who
            ),
            None => format!("{}: nothing is live", host.short()),
        }
    };
    Failure::refused(format!("{why}: the right release is not known"))
        .details(hosts.iter().map(row))
        .hint("a deploy, or `ship rollback --to`, brings all of them together")
}

/// Says what the plan will do, for people.
#[must_use]
pub fn sentence(plan: &CatchUp, left_out: &LeftOut) -> String {
    let names = |hosts: &[HostName]| {
        let names: Vec<&str> = hosts.iter().map(HostName::short).collect();
        names.join(", ")
    };
    let mut behind = plan.switch.clone();
    behind.extend(plan.bring.clone());
    match (behind.is_empty(), left_out.is_empty()) {
        (true, true) => "no host is behind".to_owned(),
        (true, false) => "no host that was reached is behind".to_owned(),
        (false, _) => format!("bringing {} to {}", names(&behind), plan.release),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Digest;
    use crate::rollout::fake;
    use ReleaseState::{Bad, Good};
    use std::collections::BTreeMap;

    /// A host whose live release is `live`.
    fn host(live: u32, releases: &[(u32, ReleaseState)]) -> Facts {
        let summary = |&(id, state): &(u32, ReleaseState)| ReleaseSummary {
            id: ReleaseId(id),
            state,
            after: None,
            current: id == live,
            created: format!("2026-01-{id:02}T00:00:00Z"),
            who: "ann@laptop".to_owned(),
            commit: None,
            subject: None,
            runtimes: BTreeMap::new(),
            artifact: Digest::of(&id.to_le_bytes()),
        };
        Facts {
            current: (live > 0).then_some(ReleaseId(live)),
            releases: releases.iter().map(summary).collect(),
            ..fake::facts()
        }
    }

    /// The release, and what happens to each host: `-`, `switch` or `bring`.
    fn plan(facts: &[Facts]) -> Result<String, String> {
        let names: Vec<HostName> = (1..=facts.len())
            .map(|at| HostName::try_from(format!("web{at}")).unwrap())
            .collect();
        let hosts: Vec<_> = names.iter().zip(facts).collect();
        let plan = catch_up(&hosts).map_err(|failure| failure.message())?;
        let words = names.iter().map(|name| match name {
            name if plan.done.contains(name) => "-",
            name if plan.switch.contains(name) => "switch",
            name if plan.bring.contains(name) => "bring",
            _ => "lost",
        });
        let words: Vec<&str> = words.collect();
        Ok(format!("{}: {}", plan.release, words.join(" ")))
    }

    #[test]
    fn a_host_that_a_deploy_did_not_reach_is_brought_up() {
        let new = host(2, &[(2, Good), (1, Good)]);
        let old = host(1, &[(1, Good)]);
        let plan = plan(&[new.clone(), old, new, host(0, &[])]);
        assert_eq!(plan, Ok("v2: - bring - bring".to_owned()));
    }

    #[test]
    fn a_host_that_went_back_by_itself_has_it_already() {
        let new = host(2, &[(2, Good), (1, Good)]);
        let back = host(1, &[(2, Bad), (1, Good)]);
        assert_eq!(plan(&[back, new]), Ok("v2: switch -".to_owned()));
    }

    #[test]
    fn a_host_that_a_rollback_did_not_reach_goes_back_too() {
        let back = host(1, &[(3, Good), (1, Good)]);
        let ahead = host(3, &[(3, Good), (1, Good)]);
        let plan = plan(&[ahead, back.clone(), back]);
        assert_eq!(plan, Ok("v1: switch - -".to_owned()));
    }

    #[test]
    fn a_host_that_neither_the_deploy_nor_the_rollback_reached() {
        let back = host(1, &[(3, Good), (2, Good), (1, Good)]);
        let lagging = host(2, &[(2, Good), (1, Good)]);
        assert_eq!(plan(&[back, lagging]), Ok("v1: - switch".to_owned()));
    }

    #[test]
    fn nothing_behind() {
        let one = host(2, &[(2, Good), (1, Good)]);
        assert_eq!(plan(&[one.clone(), one]), Ok("v2: - -".to_owned()));
    }

    #[test]
    fn what_cannot_be_told_is_refused() {
        assert_eq!(
            plan(&[host(0, &[]), host(1, &[(1, Bad)])]),
            Err("no good release is live on any host, so there is none to bring".to_owned())
        );
        // Two went back, to different releases.
        let all = [(3, Good), (2, Good), (1, Good)];
        let refused = plan(&[host(1, &all), host(2, &all)]).unwrap_err();
        assert!(refused.contains("furthest"), "{refused}");
        // One left the release of the others.
        let two = [(2, Good), (1, Good)];
        let refused = plan(&[host(2, &all), host(1, &two)]).unwrap_err();
        assert!(refused.contains("web2 has gone back from v2"), "{refused}");
    }

    #[test]
    fn what_was_adopted_is_each_hosts_own() {
        let mut back = host(0, &[(1, Good), (0, Good)]);
        back.current = Some(ReleaseId(0));
        let mut ahead = host(1, &[(1, Good), (0, Good)]);
        ahead.releases[1].artifact = Digest::of(b"another");
        assert_eq!(plan(&[back.clone(), ahead]), Ok("v0: - switch".to_owned()));
        let new = host(1, &[(1, Good)]);
        let refused = plan(&[back, new]).unwrap_err();
        assert!(refused.contains("v0 on web2 differs"), "{refused}");
    }

    #[test]
    fn the_same_number_is_not_the_same_release() {
        let one = host(2, &[(2, Good), (1, Good)]);
        let mut other = one.clone();
        other.releases[0].created = "2026-06-01T00:00:00Z".to_owned();
        assert!(plan(&[one.clone(), other.clone()]).is_err());
        // Nor when it is not live there.
        other.current = Some(ReleaseId(1));
        other.releases[0].state = Bad;
        other.releases[0].current = false;
        other.releases[1].current = true;
        let refused = plan(&[one, other]).unwrap_err();
        assert!(refused.contains("web2 has another v2"), "{refused}");
    }
}
