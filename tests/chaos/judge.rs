//! Holds what was seen on the hosts, and what the deploy said of it, against the promises.

use serde_json::Value;

use super::look::Look;
use super::scenario::{Scenario, Trouble};
use super::story::Told;

/// All that is known of a scenario that has ended.
pub struct Case<'a> {
    pub scenario: &'a Scenario,
    /// Whether the fault came.
    pub came: bool,
    pub told: &'a Told,
    /// Somebody else's deploy, and its version.
    pub second: Option<(&'a Told, &'a str)>,
    pub old: &'a str,
    pub new: &'a str,
    pub before: &'a [Look],
    /// What answered on each host when the deploy ended.
    pub at_exit: &'a [Result<String, String>],
    /// The hosts, once they were at rest or the time for it was over.
    pub after: &'a [Look],
}

/// What is to be said about it.
#[derive(Default)]
pub struct Verdict {
    /// What no promise allows.
    pub violations: Vec<String>,
    /// What is true and could be better.
    pub remarks: Vec<String>,
}

impl Verdict {
    fn violation(&mut self, text: impl Into<String>) {
        self.violations.push(text.into());
    }
}

pub fn judge(case: &Case) -> Verdict {
    let mut verdict = Verdict::default();
    hosts_serve(case, &mut verdict);
    fleet_is_one(case, &mut verdict);
    match case.second {
        None => {
            exit_is_true(case, &mut verdict);
            table_is_true(case, &mut verdict);
        }
        Some((second, version)) => one_of_two_won(case, second, version, &mut verdict),
    }
    history_tells(case, &mut verdict);
    verdict
}

/// Every host is at rest on a good release. Only a deploy that says that a person is needed may
/// leave one that serves nothing, and only where nothing good could be started.
fn hosts_serve(case: &Case, verdict: &mut Verdict) {
    let scenario = case.scenario;
    let could_not = scenario.trouble == Trouble::BothRefused
        || (case.came && scenario.fault.is_some_and(|f| f.hinders_serving()));
    let excused = |host: usize| {
        let said_so = case.told.exit().is_none_or(|exit| exit == 8);
        could_not && said_so && host == scenario.host
    };
    for (host, look) in case.after.iter().enumerate() {
        if let Some(lock) = &look.lock {
            verdict.violation(format!("host {}: the lock is held by {lock}", host + 1));
        }
        for why in look.not_serving() {
            let why = format!("host {}: {why}", host + 1);
            if excused(host) {
                verdict.remarks.push(why);
            } else {
                verdict.violation(why);
            }
        }
        for why in look.leftovers() {
            verdict.violation(format!("host {}: {why}", host + 1));
        }
        if look.staging.len() > 1 {
            verdict.violation(format!("host {}: staging {:?}", host + 1, look.staging));
        }
    }
}

fn fleet_is_one(case: &Case, verdict: &mut Verdict) {
    let mut versions: Vec<_> = case.after.iter().map(Look::version).collect();
    versions.dedup();
    if versions.len() < 2 || case.scenario.manifest.on_failure != "revert-all" {
        return;
    }
    match died_deciding(case) {
        true => verdict.remarks.push(format!(
            "of two minds: the controller died while it told the hosts its decision: {versions:?}"
        )),
        false => verdict.violation(format!("the fleet is mixed: {versions:?}")),
    }
}

/// Whether the controller was killed after all hosts had proven the release, and when some of them,
/// but not all, had been told so: what no protocol of two ends can exclude (docs/faults.md).
fn died_deciding(case: &Case) -> bool {
    let knew = |look: &Look| {
        let last = look.history.last();
        let why = last.and_then(|entry| entry["why"].as_str());
        why.is_some_and(|why| why.contains("every host had proven it"))
    };
    let is_right = |(host, look): (usize, &Look)| {
        let proven = case.told.has("proven", &format!("deploy@web{}", host + 1));
        let version = look.version();
        proven && (version == Some(case.old) || version == Some(case.new) && knew(look))
    };
    case.told.exit().is_none() && case.after.iter().enumerate().all(is_right)
}

/// Whether `host` may be booting when the deploy ends. Its power was cut, and either ship says that
/// it cannot be reached, or the cut came when the deploy was over: the host itself had noted its end,
/// and ship, which tells of every connection that it loses, lost none there.
fn may_be_booting(case: &Case, host: usize) -> bool {
    let name = format!("deploy@web{}", host + 1);
    let is_cut = case.came && case.scenario.fault == Some(super::Fault::PowerCut);
    let last = case.after.get(host).and_then(|look| look.history.last());
    let had_ended = last.is_some_and(|entry| entry["what"] == "deploy");
    let is_late = had_ended && !case.told.has("reconnecting", &name);
    is_cut && host == case.scenario.host && (case.told.exit() == Some(6) || is_late)
}

/// The exit code says what is true on the hosts, at once.
fn exit_is_true(case: &Case, verdict: &mut Verdict) {
    let answered = |version: &str, (host, answer): (usize, &Result<String, String>)| {
        answer.as_deref() == Ok(version) || answer.is_err() && may_be_booting(case, host)
    };
    let all_serve = |version: &str| {
        case.at_exit
            .iter()
            .enumerate()
            .all(|at| answered(version, at))
            && case
                .after
                .iter()
                .all(|look| look.version() == Some(version))
    };
    let scenario = case.scenario;
    let seen = || format!("{:?} answered at the exit", case.at_exit);
    match case.told.exit() {
        None => {}
        Some(0) if all_serve(case.new) => {}
        Some(5 | 6 | 7 | 130) if all_serve(case.old) => {}
        Some(8) => {
            if case.told.by_hand() == 0 {
                verdict.violation("exit 8 without a command for a person");
            }
            if case.after.iter().all(|look| look.not_serving().is_empty()) {
                let what = format!("exit 8 and all hosts serve: {}", case.told.failure());
                verdict.remarks.push(what);
            }
        }
        Some(9) if scenario.manifest.on_failure != "revert-all" && is_mixed(case) => {}
        Some(code @ (0 | 5 | 6 | 7 | 9 | 130)) => {
            verdict.violation(format!("exit {code} is not true: {}", seen()));
        }
        Some(code) => verdict.violation(format!("exit {code}: {}", case.told.failure())),
    }
    let whole = scenario.trouble.spares_the_release();
    let undisturbed = !case.came || scenario.fault.is_none_or(|f| f.spares_both_ends());
    let begun = scenario.point >= super::Point::Staged;
    if whole && undisturbed && (begun || !case.came) && case.told.exit() != Some(0) {
        let what = if case.came { "goes on" } else { "works" };
        verdict.violation(format!(
            "a deploy that {what} was promised: {}",
            case.told.failure()
        ));
    }
    if !scenario.trouble.spares_the_release() && case.told.exit() == Some(0) {
        verdict.violation("a release that does not serve was called good");
    }
}

/// Whether some hosts are on the new release, and others not.
fn is_mixed(case: &Case) -> bool {
    let is_new = |look: &Look| look.version() == Some(case.new);
    case.after.iter().any(is_new) && !case.after.iter().all(is_new)
}

/// A host that the deploy's last table calls healthy served the release that the table names, then
/// and afterwards.
fn table_is_true(case: &Case, verdict: &mut Verdict) {
    for (host, (look, answer)) in case.after.iter().zip(case.at_exit).enumerate() {
        let Some(row) = case.told.row(&format!("deploy@web{}", host + 1)) else {
            continue;
        };
        let release = row["is"].as_u64().map(|number| format!("v{number}"));
        let version = release.and_then(|release| look.releases.get(&release));
        let answered =
            answer.as_ref().ok() == version || answer.is_err() && may_be_booting(case, host);
        let serves = look.version() == version.map(String::as_str) && answered;
        if row["healthy"] == true && !serves {
            verdict.violation(format!(
                "host {}: the table says {row}, {answer:?} answered at the exit, {:?} is live",
                host + 1,
                look.release()
            ));
        }
    }
}

/// Of two deploys one wins; the other is told so, or comes after it.
fn one_of_two_won(case: &Case, second: &Told, theirs: &str, verdict: &mut Verdict) {
    let won = match (case.told.exit(), second.exit()) {
        (Some(0), Some(5)) => vec![case.new],
        (Some(5), Some(0)) => vec![theirs],
        (Some(0), Some(0)) => vec![case.new, theirs],
        (first, second) => {
            verdict.violation(format!("two deploys ended with {first:?} and {second:?}"));
            return;
        }
    };
    let serves = |look: &Look| look.version().is_some_and(|v| won.contains(&v));
    if !case.after.iter().all(serves) {
        verdict.violation(format!("{won:?} won and does not serve"));
    }
    let loser = [case.told, second]
        .into_iter()
        .find(|t| t.exit() == Some(5));
    if let Some(loser) = loser.filter(|loser| !loser.failure().contains("deploy")) {
        verdict.violation(format!("the loser is told: {}", loser.failure()));
    }
}

/// Where a host was switched, its history says how that ended.
fn history_tells(case: &Case, verdict: &mut Verdict) {
    let Some(number) = case.told.release() else {
        return;
    };
    let release = format!("v{number}");
    for (host, (before, after)) in case.before.iter().zip(case.after).enumerate() {
        let entries = after.history.get(before.history.len()..).unwrap_or(&[]);
        let about = |entry: &&Value| entry["release"].as_u64() == Some(number);
        let ends: Vec<&str> = entries
            .iter()
            .filter(about)
            .filter_map(|entry| entry["outcome"].as_str())
            .collect();
        let destination = format!("deploy@web{}", host + 1);
        let switched = case.told.has("flipped", &destination);
        if case.second.is_some() {
            continue;
        }
        if after.release() == Some(&*release) {
            let failed = case.told.exit() == Some(8) && ends.last() == Some(&"failed");
            if ends.last() != Some(&"good") && !failed {
                verdict.violation(format!(
                    "host {}: {release} is live, and its history says {ends:?}",
                    host + 1
                ));
            }
        } else if switched {
            let told = ends.iter().any(|end| ["reverted", "failed"].contains(end));
            if !told {
                verdict.violation(format!(
                    "host {}: it went back from {release}, and its history says {ends:?}",
                    host + 1
                ));
            }
            let reasons = entries.iter().filter(about);
            if told && reasons.into_iter().all(|entry| entry["why"].is_null()) {
                verdict.violation(format!("host {}: its history has no reason", host + 1));
            }
        }
    }
}
