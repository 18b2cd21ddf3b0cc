//! Why a service is not healthy, as what is found on the host tells it.

use std::path::Path;

use super::listeners;
use super::service::{ServiceState, ServiceStatus};
use crate::artifact::{Shebang, programs};
use crate::model::service::Run;
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

/// What `service` said when its health check failed, a fact per line.
pub fn what_was_said<'a>(
    service: &ServiceSpec,
    lines: &'a [String],
) -> impl Iterator<Item = String> + use<'a> {
    let who = match service.health.probe {
        Some(Probe::Command { .. }) => "the health command",
        _ => "the page",
    };
    lines.iter().map(move |line| format!("{who} said: {line}"))
}

/// `the process listens on 127.0.0.1:3001, expected 3000`: only worth saying while it runs.
#[must_use]
pub fn what_listens(service: &ServiceSpec, status: &ServiceStatus) -> Option<String> {
    let port = service.probe_at(service.endpoint())?.port()?;
    if status.state != ServiceState::Running || !cfg!(target_os = "linux") {
        return None;
    }
    let ours = listeners::of_processes(&listeners::all(), &processes(status));
    let on_port = ours.iter().filter(|found| found.port == port);
    let elsewhere: Vec<String> = on_port.clone().map(listeners::Listener::at).collect();
    if on_port.clone().any(listeners::Listener::is_local) {
        return None;
    }
    if !elsewhere.is_empty() {
        return Some(format!(
            "the process listens on {} only, and the health check asks 127.0.0.1:{port} and \
             [::1]:{port}: listen on 127.0.0.1 or on all addresses",
            elsewhere.join(", ")
        ));
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

/// Why a program that `run` names by a path in the release at `dir` cannot start here: sh(1) says
/// "not found" (exit code 127) of a script that is there when its interpreter is not.
#[must_use]
pub fn what_cannot_start(dir: &Path, run: &Run) -> Option<String> {
    programs(run).into_iter().find_map(|program| {
        let file = dir.join(program);
        if !file.exists() {
            return Some(format!("{program} is not in the release"));
        }
        let Shebang {
            interpreter,
            has_carriage_return,
        } = Shebang::of(&file)?;
        if has_carriage_return {
            return Some(format!(
                "{program} is there, but its first line ends as on Windows, so its interpreter \
                 {interpreter} is not found: save it with Unix line ends"
            ));
        }
        (!dir.join(&interpreter).exists()).then(|| {
            format!(
                "{program} is there, but it is a script for {interpreter}, which this host does not have"
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_another_address_of_the_port_is_named() {
        // Of the loopback network, and not the address that is asked.
        let listener = std::net::TcpListener::bind("127.0.0.2:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut service = ServiceSpec::example(port);
        let status = ServiceStatus {
            state: ServiceState::Running,
            main_pid: Some(std::process::id()),
            ..ServiceStatus::default()
        };
        let said = what_listens(&service, &status).unwrap();
        let expected =
            format!("the process listens on 127.0.0.2:{port} only, and the health check");
        assert!(said.starts_with(&expected), "{said}");
        for address in ["127.0.0.1:0", "0.0.0.0:0", "[::1]:0"] {
            let Ok(listener) = std::net::TcpListener::bind(address) else {
                continue;
            };
            let port = listener.local_addr().unwrap().port();
            service.health.probe = Some(Probe::Tcp { port });
            assert_eq!(what_listens(&service, &status), None, "{address}");
        }
    }

    #[test]
    fn the_interpreter_is_said_to_be_missing_and_not_the_script() {
        let dir = tempfile::tempdir().unwrap();
        let says = |line: &str| what_cannot_start(dir.path(), &Run::Shell(line.to_owned()));
        for (name, head) in [
            ("app", "#!/nowhere/.venv/bin/python\n"),
            ("dos", "#!/bin/sh\r\n"),
            ("fine", "#!/bin/sh\n"),
            ("binary", "\u{7f}ELF"),
        ] {
            std::fs::write(dir.path().join(name), head).unwrap();
        }
        assert_eq!(
            says("A=1 exec ./app --port 1").as_deref(),
            Some(
                "app is there, but it is a script for /nowhere/.venv/bin/python, which this host \
                 does not have"
            )
        );
        assert!(says("./dos").is_some_and(|said| said.contains("ends as on Windows")));
        assert_eq!(
            says("./gone").as_deref(),
            Some("gone is not in the release")
        );
        for line in ["./fine", "./binary", "node app", "/nowhere/at/all"] {
            assert_eq!(says(line), None, "{line}");
        }
    }
}
