//! What a host answers without changing anything.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use super::health::{CommandContext, Prober};
use super::host::Host;
use super::lock::Lock;
use super::runtimes::RuntimeEnvironment;
use super::service::ServiceState;
use super::{adopt, careful, freeze, releases};
use crate::artifact::{Index, distrust, full_verify};
use crate::model::{Failure, ReleaseId};
use crate::wire::{Finding, HostStatus, Level, Preflight, ServiceReport};

/// What is live, since when, and is it healthy right now.
///
/// # Errors
/// When `current` is not ours, or the service manager does not answer.
pub fn status(host: &Host) -> Result<HostStatus, Failure> {
    let layout = &host.layout;
    let holder = Lock::holder(layout)?;
    let freeze = freeze::read(layout);
    let adoptable = adopt::find(layout)?.map(|foreign| foreign.shown());
    let live = match adoptable {
        Some(_) => None,
        None => releases::current(layout)?,
    };
    let Some(id) = live else {
        return Ok(HostStatus {
            current: None,
            adoptable,
            since: None,
            services: Vec::new(),
            holder,
            freeze,
        });
    };
    let live = host.release(id)?;
    let since = fs::symlink_metadata(layout.current())
        .ok()
        .and_then(|found| {
            jiff::Timestamp::from_second(found.mtime())
                .ok()
                .map(|time| time.to_string())
        });
    let prober = Prober::new()?;
    let mut services = Vec::new();
    for service in &live.release.services {
        let status = host.manager.status(&service.instance())?;
        let running = status.state == ServiceState::Running;
        let (healthy, seen) = match &service.probe_at(service.endpoint()) {
            _ if !running => (Some(false), String::new()),
            None => (None, String::new()),
            Some(probe) => {
                let env = || host.service_env(&live, service);
                let context = CommandContext {
                    commands: &host.commands,
                    dir: &live.dir,
                    env: &env,
                };
                let answer = prober.ask(probe, Duration::from_secs(3), context);
                (Some(answer.ok), answer.seen)
            }
        };
        services.push(ServiceReport {
            service: service.name.clone(),
            state: status.state,
            healthy,
            seen,
            restarts: status.restarts,
            uptime_ms: status.uptime_ms,
            memory: status.memory,
            pid: status.main_pid,
        });
    }
    let current = Some(releases::summary(layout, live.release, Some(id)));
    Ok(HostStatus {
        current,
        adoptable: None,
        since,
        services,
        holder,
        freeze,
    })
}

/// Everything that `ship check ENV` looks at on a host.
#[must_use]
pub fn preflight(host: &Host, asked: &Preflight) -> Vec<Finding> {
    let mut findings = super::setup::check(host, &asked.wants);
    findings.extend(super::runtimes::findings(host, &asked.runtimes));
    findings.extend(super::runtimes::programs(host, &asked.wants.programs, true));
    findings.extend(freeze::finding(&host.layout));
    findings
}

/// Differences that are named per release; the rest is counted.
const NAMED: usize = 5;

/// Reads every kept release and compares it with what was deployed. Of the runtimes that it runs on
/// only the folders are looked for.
///
/// # Errors
/// When the releases cannot be listed.
pub fn verify(host: &Host) -> Result<Vec<Finding>, Failure> {
    let layout = &host.layout;
    let current = releases::current(layout).ok().flatten();
    let finding = |id: ReleaseId| {
        if adopt::is_adopted(layout, id) {
            return Finding {
                level: Level::Ok,
                subject: id.to_string(),
                text: "was adopted: there is nothing to compare it with".to_owned(),
                hint: None,
            };
        }
        let (level, text) = match verify_release(host, id) {
            Ok(None) => (Level::Ok, "is as it was deployed".to_owned()),
            Ok(Some(text)) => (Level::Failure, text),
            Err(why) => (Level::Failure, why.to_string()),
        };
        let again = "ship deploy --force makes a new release without the damage";
        Finding {
            level,
            subject: id.to_string(),
            text,
            hint: (level == Level::Failure && current == Some(id)).then(|| again.to_owned()),
        }
    };
    Ok(releases::ids(layout)?.into_iter().map(finding).collect())
}

/// How the release differs from what was deployed; `None` when it does not.
fn verify_release(host: &Host, id: ReleaseId) -> Result<Option<String>, Failure> {
    let layout = &host.layout;
    let path = releases::index_path(layout, id);
    let bytes = careful::read(&path, careful::INDEX)?;
    let index = Index::decode(&bytes)?;
    let release = releases::read(layout, id)?;
    let shared = releases::shared_paths(&release);
    let differences = full_verify(&layout.release(id), &index, &shared)
        .map_err(|error| Failure::unexpected(error.to_string()))?;
    if differences.is_empty() {
        let runtimes = RuntimeEnvironment::of(layout, &release.runtimes);
        return runtimes.present().map(|()| None);
    }
    for difference in &differences {
        // Its time may say that it is as it was, on a disk that fails; and what cannot be marked
        // is not ours, and not trusted for that reason.
        let _ = distrust(&difference.path.below(&layout.release(id)));
    }
    let mut lines: Vec<String> = differences
        .iter()
        .take(NAMED)
        .map(|difference| format!("{} {}", difference.path, difference.what))
        .collect();
    if differences.len() > NAMED {
        lines.push(format!("and {} more", differences.len() - NAMED));
    }
    Ok(Some(lines.join("; ")))
}
