//! Taking the lock, and what must hold before it is worth taking.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::contact::Life;
use super::speaker::Speaker;
use crate::agent::before::Befores;
use crate::agent::host::Host;
use crate::agent::lock::Lock;
use crate::agent::{disk, facts, setup};
use crate::model::event::HostEvent;
use crate::model::{Cause, Failure, FailureKind, Running, ServiceSpec};
use crate::wire::Begin;

/// How long the lock is waited for in any case, ms.
const LEAST_MS: u64 = 1_000;
/// How long, when its holder has answered and is tidying up: on a busy disk that takes a while.
const TIDYING: Duration = Duration::from_secs(30);

/// Takes the lock, waiting as long as the controller said.
///
/// # Errors
/// Refused when somebody else has it, or the host is not set up.
pub(super) fn take_lock(
    host: &Host,
    begin: &Begin,
    speaker: &Speaker,
    life: &Life,
) -> Result<Lock, Failure> {
    facts::prepare(host)?;
    if let Some(why) = disk::unusable_mount(host.layout.root()) {
        return Err(Failure::refused(why).hint(disk::REMOUNT));
    }
    if !facts::ready(host) {
        return Err(not_ready(host));
    }
    // The one before may have answered and be tidying up: not a reason to refuse the next command
    // of a script.
    let began = Instant::now();
    let patience = Duration::from_millis(begin.wait_ms.max(LEAST_MS));
    let mut told = false;
    loop {
        if let Some(lock) = Lock::take(&host.layout, &begin.holder)? {
            return Ok(lock);
        }
        let Some(holder) = Lock::holder(&host.layout)? else {
            continue;
        };
        let patience = if holder.is_tidying {
            patience.max(TIDYING)
        } else {
            patience
        };
        let running = Running {
            what: holder.what.to_string(),
            who: holder.who,
            since: holder.since,
            ci: holder.ci,
            doing: holder.doing,
        };
        if began.elapsed() >= patience || life.stopped() || life.is_abandoned() {
            return Err(Failure::from(Cause::Locked(running))
                .hint("wait for it, or let this command wait: --wait 10m"));
        }
        if !told && begin.wait_ms > 0 {
            speaker.event(HostEvent::Note {
                text: format!("waiting: a {running}"),
            });
            told = true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn not_ready(host: &Host) -> Failure {
    let root = host.layout.root().display();
    let why = format!("{root} is not set up for {}", host.deployment.app);
    Failure::from(Cause::NotSetUp { why })
        .detail(format!(
            "{} and {} must be there and writable for this user",
            host.layout.releases().display(),
            host.layout.state().display()
        ))
        .hint(format!("ship setup {}", host.deployment.environment))
}

/// `failure` as a reason to change nothing.
fn refusal(failure: Failure) -> Failure {
    failure.as_kind(FailureKind::Refused)
}

/// What is found out about the services while the release is on its way.
pub(super) type Checks = JoinHandle<Result<Befores, Failure>>;

/// Finds out, in a thread of its own, whether `services` can run here (their units and rights are
/// there, and their ports are free), and how they look now. What was `compared` with the manifest a
/// moment ago is not looked at again.
pub(super) fn check_services(host: &Host, services: &[ServiceSpec], compared: bool) -> Checks {
    let (deployment, services) = (host.deployment.clone(), services.to_vec());
    std::thread::spawn(move || {
        let host = Host::new(deployment);
        std::thread::scope(|scope| {
            let looked = scope.spawn(|| {
                let befores = Befores::of(&host, &services);
                let stopped = host.manager.statuses(&host.stopped_by(&services));
                // Where the service manager does not answer, nobody knows whose a listener is.
                if let Some(failure) = befores.silent() {
                    return Err(refusal(failure.clone()));
                }
                let stopped = stopped.map_err(refusal)?;
                setup::free_ports(&services, befores.statuses().chain(&stopped)).map(|()| befores)
            });
            setup::has_units(&host, &services)?;
            if !compared {
                setup::ready_for(&host, &services)?;
            }
            let ended = || Failure::unexpected("the look at the services ended early");
            looked.join().unwrap_or_else(|_| Err(ended()))
        })
    })
}
