//! Why a service is not healthy, as what is found on the host tells it.

use super::listeners;
use super::service::{ServiceState, ServiceStatus};
use crate::model::{Probe, ServiceSpec};

/// How the main process of a service with this `status` ended, `otherwise` where that is not known.
#[must_use]
pub fn how_it_ended(status: &ServiceStatus, otherwise: &str) -> String {
    let mut text = match &status.last_exit {
        Some(exit) => format!("the process ended: {exit}"),
        None => otherwise.to_owned(),
    };
    match status.restarts {
        0 => {}
        1 => text.push_str(", and was restarted once"),
        n => text.push_str(&format!(", and was restarted {n} times")),
    }
    text
}

/// All processes that are known of a service.
#[must_use]
pub fn processes(status: &ServiceStatus) -> Vec<u32> {
    let mut pids = status.pids.clone();
    if let Some(main) = status.main_pid
        && !pids.contains(&main)
    {
        pids.push(main);
    }
    pids
}

/// `the process listens on 127.0.0.1:3001, expected 3000`: only worth saying while it runs.
#[must_use]
pub fn what_listens(service: &ServiceSpec, status: &ServiceStatus) -> Option<String> {
    let port = match service.health.probe.as_ref()? {
        Probe::Http { port, .. } | Probe::Tcp { port } => *port,
        Probe::Command { .. } => return None,
    };
    if status.state != ServiceState::Running || !cfg!(target_os = "linux") {
        return None;
    }
    let ours = listeners::of_processes(&listeners::all(), &processes(status));
    if ours.iter().any(|found| found.port == port) {
        return None;
    }
    if ours.is_empty() {
        return Some(format!(
            "the process listens on no TCP port, expected {port}"
        ));
    }
    let places: Vec<String> = ours.iter().map(listeners::Listener::at).collect();
    Some(format!(
        "the process listens on {}, expected {port}",
        places.join(", ")
    ))
}
