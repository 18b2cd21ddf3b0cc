//! Never half-done: one fault each, in the middle of a deploy, and what is promised after it.

use std::time::Duration;

use crate::chaos::{Behaviour, Fault, Ground, LEASE, Manifest, Point, Scenario, Strategy, Trouble};
use crate::support::require_hosts;

/// The proof takes longer than the lease: no host can be done before that is over.
const SLOW: Manifest = Manifest {
    strategy: Strategy::AllAtOnce,
    on_failure: "revert-all",
    settle: LEASE as u32 + 5,
    watch: 0,
};

#[test]
fn a_controller_killed_before_the_switch_changes_nothing() {
    let Some(()) = require_hosts() else { return };
    let mut ground = Ground::boot(1);
    for point in [Point::Connected, Point::Staged, Point::Hook] {
        let report = Scenario::of(Fault::KillController, point).run(&mut ground);
        assert!(report.kept().came && !report.new, "{point}");
    }
}

#[test]
fn after_the_switch_it_means_the_way_back_when_the_lease_has_ended() {
    let Some(()) = require_hosts() else { return };
    let mut ground = Ground::boot(1);
    let report = Scenario::of(Fault::KillController, Point::Proving).run(&mut ground);
    assert!(report.kept().came && !report.new);
    // `benches/chaos --figures` measures how soon: the lease and 2 s at most.
    assert!(report.back.is_some(), "the old release comes back");
}

#[test]
fn a_lost_connection_does_not_end_a_deploy() {
    let Some(()) = require_hosts() else { return };
    let mut ground = Ground::boot(1);
    for fault in [
        Fault::KillSsh,
        Fault::KillSession,
        Fault::KillServe,
        Fault::LinkDown(2),
    ] {
        let report = Scenario::of(fault, Point::Proving).run(&mut ground);
        report.kept().exited(0);
    }
}

#[test]
fn a_killed_activation_is_put_back_at_once() {
    let Some(()) = require_hosts() else { return };
    let mut ground = Ground::boot(1);
    for point in [Point::Staged, Point::Flipped, Point::Proving] {
        let report = Scenario::of(Fault::KillTransaction, point).run(&mut ground);
        assert!(
            report.kept().came && !report.new,
            "{point}: {}",
            report.outcome
        );
    }
    let report = Scenario::of(Fault::KillBoth, Point::Proving).run(&mut ground);
    assert!(report.kept().came && !report.new);
}

#[test]
fn a_network_that_is_gone_for_longer_than_the_lease_means_the_way_back() {
    let Some(()) = require_hosts() else { return };
    let mut ground = Ground::boot(1);
    let report = Scenario {
        manifest: SLOW,
        ..Scenario::of(Fault::LinkDown(LEASE + 4), Point::Flipped)
    };
    let report = report.run(&mut ground);
    assert!(report.kept().came && !report.new);
}

#[test]
fn so_does_a_controller_that_sleeps() {
    let Some(()) = require_hosts() else { return };
    let mut ground = Ground::boot(1);
    let report = Scenario {
        manifest: SLOW,
        ..Scenario::of(Fault::Pause(LEASE + 4), Point::Flipped)
    };
    let report = report.run(&mut ground);
    assert!(report.kept().came && !report.new);
}

#[test]
fn after_a_power_cut_the_good_release_serves() {
    let Some(()) = require_hosts() else { return };
    let mut ground = Ground::boot(1);
    for point in [Point::Staged, Point::Flipped, Point::Proving] {
        let report = Scenario::of(Fault::PowerCut, point).run(&mut ground);
        assert!(report.kept().came && !report.new, "{point}");
    }
}

#[test]
fn a_full_disk_leaves_what_serves() {
    let Some(()) = require_hosts() else { return };
    let mut ground = Ground::boot(1);
    for (fault, point) in [
        (Fault::FullDisk, Point::Started),
        (Fault::FullDisk, Point::Hook),
        // The history tells of it all the same.
        (Fault::FullDisk, Point::Proving),
        (Fault::NoInodes, Point::Connected),
        (Fault::NoInodes, Point::Restarted),
    ] {
        let report = Scenario::of(fault, point).run(&mut ground);
        assert!(report.kept().came, "{fault} at {point}");
    }
}

#[test]
fn a_systemctl_that_fails_is_not_called_success() {
    let Some(()) = require_hosts() else { return };
    let mut ground = Ground::boot(1);
    for fault in [Fault::SystemctlFails(2), Fault::SystemctlFails(0)] {
        let report = Scenario::of(fault, Point::Hook).run(&mut ground);
        assert!(report.kept().came && report.exit != Some(0));
    }
    // Whoever finds that first, nothing has changed yet.
    for delay in [0, 100].map(Duration::from_millis) {
        let scenario = Scenario {
            delay,
            ..Scenario::of(Fault::SystemctlFails(0), Point::Started)
        };
        let report = scenario.run(&mut ground);
        assert!(report.kept().exited(5).came);
    }
}

#[test]
fn a_release_that_crashes_sooner_or_later_goes_back() {
    let Some(()) = require_hosts() else { return };
    let mut ground = Ground::boot(1);
    for seconds in [0, 1, 5] {
        let trouble = Trouble::Release(Behaviour::Crashes(seconds));
        let scenario = Scenario {
            manifest: Manifest {
                settle: seconds + 1,
                ..Manifest::default()
            },
            ..Scenario::in_trouble(trouble)
        };
        scenario.run(&mut ground).kept().exited(7);
    }
}

#[test]
fn a_service_that_does_not_stop_is_replaced() {
    let Some(()) = require_hosts() else { return };
    let mut ground = Ground::boot(1);
    let report = Scenario::in_trouble(Trouble::StubbornBefore).run(&mut ground);
    report.kept().exited(0);
}

#[test]
fn where_the_old_release_is_broken_too_a_person_is_called() {
    let Some(()) = require_hosts() else { return };
    let mut ground = Ground::boot(1);
    let report = Scenario::in_trouble(Trouble::BothRefused).run(&mut ground);
    report.kept().exited(8);
}

#[test]
fn a_clock_that_jumps_changes_nothing() {
    let Some(()) = require_hosts() else { return };
    if !Fault::HostClock(1).is_possible() {
        crate::support::skip("ship is linked statically: its clock cannot be set");
        return;
    }
    let mut ground = Ground::boot(1);
    for fault in [Fault::HostClock(86_400), Fault::ControllerClock(-86_400)] {
        let report = Scenario::of(fault, Point::Proving).run(&mut ground);
        assert!(report.kept().exited(0).came);
    }
    let days =
        ground.fleet[0].sh(r#"grep -o '"time":"[^T]*' /srv/shop/.ship/history.jsonl | uniq"#);
    assert!(days.lines().count() > 1, "the host's clock jumped: {days}");
}

#[test]
fn of_two_deploys_in_the_same_moment_one_wins() {
    let Some(()) = require_hosts() else { return };
    let mut ground = Ground::boot(3);
    let scenario = Scenario {
        hosts: 3,
        ..Scenario::of(Fault::Second, Point::Spawned)
    };
    let report = scenario.run(&mut ground);
    assert!(report.kept().came);
}

#[test]
fn one_host_of_three_fails_in_each_role_and_all_go_back() {
    let Some(()) = require_hosts() else { return };
    let mut ground = Ground::boot(3);
    for (host, strategy) in [
        (0, Strategy::AllAtOnce),
        (1, Strategy::OneByOne),
        (2, Strategy::AllAtOnce),
        (0, Strategy::Canary),
    ] {
        let scenario = Scenario {
            hosts: 3,
            host,
            manifest: Manifest {
                strategy,
                ..Manifest::default()
            },
            ..Scenario::in_trouble(Trouble::Refused)
        };
        scenario.run(&mut ground).kept().exited(7);
    }
}
