//! What a preflight says of each runtime.

use super::{Problem, archive, installed, is_here, needs};
use crate::agent::host::Host;
use crate::model::HostRuntime;
use crate::wire::{Finding, Level};

/// A finding per runtime of a release that would be deployed, and one per further problem.
#[must_use]
pub fn findings(host: &Host, runtimes: &[HostRuntime]) -> Vec<Finding> {
    let of = |runtime: &HostRuntime| {
        let mut problems = needs::problems(&[runtime]);
        let manager = host.deployment.manager;
        problems.extend(installed::problems(std::slice::from_ref(runtime), manager));
        let failure = |problem: Problem| Finding {
            level: Level::Failure,
            subject: runtime.name.clone(),
            text: problem.text,
            hint: Some(problem.hint),
        };
        if problems.is_empty() {
            return vec![fine(host, runtime)];
        }
        problems.into_iter().map(failure).collect()
    };
    runtimes.iter().flat_map(of).collect()
}

fn fine(host: &Host, runtime: &HostRuntime) -> Finding {
    let version = &runtime.version;
    let text = match archive(runtime) {
        None => format!("{version} is installed, as on the machine that deploys"),
        Some(_) if is_here(&host.layout, runtime) => format!("{version} is there"),
        Some(archive) => {
            let megabytes = archive.size.div_ceil(1_000_000);
            format!("{version} will be sent ({megabytes} MB)")
        }
    };
    Finding {
        level: Level::Ok,
        subject: runtime.name.clone(),
        text,
        hint: None,
    }
}
