//! The ports that services need, and who has them.

use crate::agent::host::Host;
use crate::agent::listeners::{self, Listener};
use crate::agent::port_holder::PortHolder;
use crate::agent::service::{ServiceStatus, account};
use crate::model::{Failure, Instance, ServiceSpec};

/// Whether the ports of some services can be had.
#[derive(Debug)]
pub enum Ports {
    /// They are free, or the app's own.
    Free,
    /// One is not, as this says.
    Taken(Failure),
    /// Something listens there, and why nobody knows whose it is.
    Unknown(String),
}

/// Looks who has the ports of `services`.
pub fn look(host: &Host, services: &[ServiceSpec]) -> Ports {
    look_at(host, services, |_| false)
}

/// Like [`look`], and takes what listens as the app's own user for the app: where only that listens,
/// the service manager is not asked.
pub fn glance(host: &Host, services: &[ServiceSpec]) -> Ports {
    let user = account::by_name(&host.deployment.user).map(|it| it.uid);
    // Of the deploying user and of root there are other processes.
    let user = user.filter(|uid| *uid != 0 && *uid != rustix::process::geteuid().as_raw());
    look_at(host, services, |found| Some(found.uid) == user)
}

fn look_at(host: &Host, services: &[ServiceSpec], is_of_app: impl Fn(&Listener) -> bool) -> Ports {
    let mut listening = listeners::all();
    listening.retain(|found| !is_of_app(found));
    let is_taken = |port: u16| listening.iter().any(|found| found.port == port);
    if !services
        .iter()
        .filter_map(|service| service.endpoint().port)
        .any(is_taken)
    {
        return Ports::Free;
    }
    let mut instances: Vec<Instance> = services.iter().map(ServiceSpec::instance).collect();
    instances.extend(host.stopped_by(services));
    match host.manager.statuses(&instances) {
        Ok(statuses) => match free_ports(services, statuses.iter()) {
            Ok(()) => Ports::Free,
            Err(failure) => Ports::Taken(failure),
        },
        Err(failure) => Ports::Unknown(failure.message()),
    }
}

/// Refuses when something that is not this app listens on a port that a service needs. `ours` is
/// how the services look that the switch will restart or stop.
///
/// # Errors
/// `Refused`, naming the port and who has it.
pub fn free_ports<'a>(
    services: &[ServiceSpec],
    ours: impl Iterator<Item = &'a ServiceStatus>,
) -> Result<(), Failure> {
    let taken = listeners::all();
    let pids: Vec<u32> = ours
        .flat_map(|status| status.pids.iter().copied().chain(status.main_pid))
        .collect();
    for service in services {
        let Some(port) = service.endpoint().port else {
            continue;
        };
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
        (Some(unit), _) => format!("; if that service is not needed: {}", unit.end()),
        (None, Some(_)) => ", or end that process if it is not needed".to_owned(),
        (None, None) => format!("; who has it: ss -ltnp 'sport = :{port}'"),
    };
    failure.hint(format!("give {name} another `port` in ship.toml{end}"))
}
