//! Taking the lock, and what must hold before it is worth taking.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::contact::Life;
use super::speaker::Speaker;
use crate::agent::before::Befores;
use crate::agent::host::Host;
use crate::agent::listeners::Listener;
use crate::agent::lock::{self, Lock};
use crate::agent::port_holder::PortHolder;
use crate::agent::service::ServiceStatus;
use crate::agent::{facts, listeners, setup};
use crate::model::event::HostEvent;
use crate::model::{Failure, ServiceSpec};
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
        let ci = holder
            .ci
            .as_ref()
            .map(|run| format!(" ({run})"))
            .unwrap_or_default();
        let doing = holder.doing.as_ref();
        let doing = doing.map(|what| format!(": {what}")).unwrap_or_default();
        let text = format!(
            "{} is being done by {} since {}{ci}{doing}",
            holder.what, holder.who, holder.since
        );
        let is_tidying = holder.doing.as_deref() == Some(lock::TIDYING);
        let patience = if is_tidying {
            patience.max(TIDYING)
        } else {
            patience
        };
        if began.elapsed() >= patience || life.stopped() || life.is_abandoned() {
            return Err(Failure::refused(format!("another {text}"))
                .hint("wait for it, or let this command wait: --wait 10m"));
        }
        if !told && begin.wait_ms > 0 {
            speaker.event(HostEvent::Note {
                text: format!("waiting: a {text}"),
            });
            told = true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn not_ready(host: &Host) -> Failure {
    Failure::refused(format!(
        "{} is not set up for {}",
        host.layout.root().display(),
        host.deployment.app
    ))
    .detail(format!(
        "{} and {} must be there and writable for this user",
        host.layout.releases().display(),
        host.layout.state().display()
    ))
    .hint(format!("ship setup {}", host.deployment.environment))
}

/// What is found out about the services while the release is on its way.
pub(super) type Checks = JoinHandle<Result<Befores, Failure>>;

/// Finds out, in a thread of its own, whether `services` can run here (their units and rights are
/// there, and their ports are free), and how they look now.
pub(super) fn check_services(host: &Host, services: &[ServiceSpec]) -> Checks {
    let (deployment, services) = (host.deployment.clone(), services.to_vec());
    std::thread::spawn(move || {
        let host = Host::new(deployment);
        std::thread::scope(|scope| {
            let looked = scope.spawn(|| {
                let befores = Befores::of(&host, &services);
                let stopped = host.manager.statuses(&host.stopped_by(&services));
                let stopped = stopped.unwrap_or_default();
                free_ports(&services, befores.statuses().chain(&stopped)).map(|()| befores)
            });
            setup::ready_for(&host, &services)?;
            let ended = || Failure::unexpected("the look at the services ended early");
            looked.join().unwrap_or_else(|_| Err(ended()))
        })
    })
}

/// Refuses when something that is not this app listens on a port that a service needs. `ours` is
/// how the services look that the switch will restart or stop.
fn free_ports<'a>(
    services: &[ServiceSpec],
    ours: impl Iterator<Item = &'a ServiceStatus>,
) -> Result<(), Failure> {
    let taken = listeners::all();
    let pids: Vec<u32> = ours
        .flat_map(|status| status.pids.iter().copied().chain(status.main_pid))
        .collect();
    for service in services {
        let Some(port) = service.port else { continue };
        let Some(listener) = taken.iter().find(|found| found.port == port) else {
            continue;
        };
        let ours = listeners::of_processes(&taken, &pids)
            .iter()
            .any(|found| found.port == port);
        // uid 0 may be a service manager that holds the socket for the app (systemd.socket(5));
        // not when the app's own sockets may be seen, and it is not among them.
        let of_manager = listener.uid == 0 && !pids.is_empty() && !listeners::are_visible(&pids);
        if ours || of_manager {
            continue;
        }
        return Err(taken_by(service, port, listener));
    }
    Ok(())
}

fn taken_by(service: &ServiceSpec, port: u16, listener: &Listener) -> Failure {
    let name = &service.name;
    let failure = Failure::refused(format!(
        "port {port} of service {name} is taken by another process ({}, user id {})",
        listener.at(),
        listener.uid
    ));
    let holder = PortHolder::of(listener);
    let failure = match holder.told() {
        Some(told) => failure.detail(format!("it is {told}")),
        None => failure,
    };
    let end = match (&holder.unit, holder.pid) {
        (Some(unit), _) => format!("end that service (`{}`)", unit.end()),
        (None, Some(pid)) => format!("end process {pid}"),
        (None, None) => format!("find it with `ss -ltnp 'sport = :{port}'`"),
    };
    failure.hint(format!("{end}, or give {name} another port"))
}
