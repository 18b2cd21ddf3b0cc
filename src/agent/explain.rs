//! Why a service is not healthy, as what is found on the host tells it.

use std::time::{Duration, Instant};

use super::before::Before;
use super::host::Host;
use super::listeners;
use super::service::{ServiceState, ServiceStatus};
use crate::model::event::Diagnosis;
use crate::model::{Probe, ServiceSpec};

/// Log lines that a diagnosis shows.
const LOG_LINES: usize = 20;

/// How long a log that is empty is asked for again.
const LOG_PATIENCE: Duration = Duration::from_millis(600);

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

/// Adds what the service itself said since `before`, up to `until` (what a later process says is
/// not this one's). Logs arrive a moment after they are written: an empty one is asked for again.
pub fn add_log(
    host: &Host,
    diagnosis: &mut Diagnosis,
    before: &Before,
    until: Option<jiff::Timestamp>,
) {
    let asked = Instant::now();
    loop {
        match host
            .manager
            .log_since(&diagnosis.service, before.cursor.as_ref(), LOG_LINES * 4)
        {
            Ok(lines) => {
                let own = lines.into_iter().filter(|line| {
                    until.is_none_or(|until| {
                        line.time
                            .parse()
                            .is_ok_and(|time: jiff::Timestamp| time <= until)
                    })
                });
                diagnosis.log = folded(own.map(|line| line.text));
                let surplus = diagnosis.log.len().saturating_sub(LOG_LINES);
                diagnosis.log.drain(..surplus);
            }
            Err(failure) => {
                diagnosis.log = vec![format!("(no log: {})", failure.message)];
                return;
            }
        }
        if !diagnosis.log.is_empty() || asked.elapsed() >= LOG_PATIENCE {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Lines that are said again and again are shown once, with a count.
fn folded(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut folded: Vec<(String, usize)> = Vec::new();
    for line in lines {
        match folded.last_mut() {
            Some((last, count)) if *last == line => *count += 1,
            _ => folded.push((line, 1)),
        }
    }
    let shown = folded.into_iter().map(|(line, count)| match count {
        1 => line,
        _ => format!("{line}  ({count} times)"),
    });
    shown.collect()
}
