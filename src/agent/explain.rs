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

/// The port that a service listens on, for a manifest that names none: nobody asks it whether it is
/// healthy.
#[must_use]
pub fn unnamed_port(service: &ServiceSpec, status: &ServiceStatus) -> Option<String> {
    let ours = listeners::of_processes(&listeners::all(), &processes(status));
    let first = ours.first()?;
    Some(format!(
        "{} listens on {}, and the manifest names no port: with `port = {}` in [services.{}], a \
         deploy asks it whether it is healthy",
        service.name,
        first.at(),
        first.port,
        service.name
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

/// How programs say that they were not allowed to write: the texts of EACCES, EPERM and EROFS
/// (strerror(3)), their names, and those of SQLITE_READONLY and SQLITE_CANTOPEN
/// (<https://www.sqlite.org/rescode.html>).
const REFUSED: &[&str] = &[
    "permission denied",
    "operation not permitted",
    "read-only file system",
    "EACCES",
    "EPERM",
    "EROFS",
];
/// Words of those that were not allowed to listen.
const PORTS: &[&str] = &["address", "bind", "listen", "port", "socket"];

/// How they say it in words of their own.
const IN_WORDS: &[&str] = &[
    "can't write",
    "cannot create",
    "cannot write",
    "could not create",
    "could not write",
    "not writable",
    "not writeable",
    "unable to create",
    "unable to write",
];
const SQLITE_REFUSED: &[&str] = &[
    "attempt to write a readonly database",
    "unable to open database",
];

/// What to know where `who`, a service or a hook, says in its `log` that it could not write into its
/// release, which is below `root`: the path, and where such a path belongs.
#[must_use]
pub fn what_was_refused(who: &str, root: &Path, log: &[String]) -> Option<String> {
    const RULE: &str = "a release is read-only for what runs in it, so what that writes belongs in \
                        `shared` of [release]";
    let says = |line: &str, words: &[&str]| {
        let lower = line.to_ascii_lowercase();
        let mut words = words.iter().map(|word| word.to_ascii_lowercase());
        words.any(|word| lower.contains(&word))
    };
    let refused = log.iter().filter(|line| says(line, REFUSED));
    if let Some(path) = refused.clone().find_map(|line| path_in(root, line)) {
        return Some(format!("{who} may not write {path}: {RULE}"));
    }
    if log.iter().any(|line| says(line, SQLITE_REFUSED)) {
        return Some(format!("SQLite may not write its database: {RULE}"));
    }
    // Rust's errors name no path, and a port has none.
    if refused
        .clone()
        .any(|line| !line.contains('/') && !says(line, PORTS))
    {
        return Some(format!(
            "{who} was not allowed to do something; if that was to write: {RULE}"
        ));
    }
    let in_words = log.iter().any(|line| says(line, IN_WORDS));
    in_words.then(|| format!("{who} says that it could not write: {RULE}"))
}

/// The path in a release that a line of a log names: relative, or in a release below `root`.
fn path_in<'a>(root: &Path, line: &'a str) -> Option<&'a str> {
    let words = line.split(|c: char| c.is_whitespace() || "'\"`()[]{}<>,;".contains(c));
    let mut words = words.map(|word| word.trim_end_matches([':', '.']));
    words.find_map(|word| {
        if let Ok(below) = Path::new(word).strip_prefix(root) {
            let mut parts = below.components();
            let first = parts.next()?.as_os_str();
            if first == "releases" {
                parts.next();
            } else if first != "current" {
                return None;
            }
            return parts.as_path().to_str().filter(|path| !path.is_empty());
        }
        let path = word.strip_prefix("./").unwrap_or(word);
        let is_quoted = || {
            let at = word.as_ptr() as usize - line.as_ptr() as usize;
            let mut before = line[..at].chars();
            let after = &line[at + word.len()..];
            let open = before.next_back().filter(|c| ['\'', '"', '`'].contains(c));
            open.is_some_and(|quote| after.starts_with(quote))
        };
        let is_path =
            word.starts_with("./") || path.contains('/') && !path.contains("//") || is_quoted();
        let is_name = path.contains(char::is_alphabetic) && !path.contains(':');
        let is_below = !path.starts_with(['/', '-']) && !path.starts_with("..");
        (is_path && is_name && is_below).then_some(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_a_service_may_not_write_is_named() {
        let root = Path::new("/srv/shop");
        for (line, path) in [
            (
                "Error: EACCES: permission denied, mkdir '/srv/shop/releases/v2/uploads'",
                Some("uploads"),
            ),
            (
                "Error: EACCES: permission denied, open '/srv/shop/current/data/db.json'",
                Some("data/db.json"),
            ),
            (
                "PermissionError: [Errno 13] Permission denied: 'notes.txt'",
                Some("notes.txt"),
            ),
            (
                "2026/12/01 open data/app.log: permission denied",
                Some("data/app.log"),
            ),
            ("mkdir ./cache: read-only file system", Some("cache")),
            (
                "PHP Warning: fopen(logs/app.log): Failed to open stream: Permission denied",
                Some("logs/app.log"),
            ),
            (
                "Errno::EACCES: Permission denied @ rb_sysopen - tmp/x.pid",
                Some("tmp/x.pid"),
            ),
            ("Error: listen EACCES: permission denied 0.0.0.0:80", None),
            ("open /etc/shadow: permission denied", None),
            (
                "EACCES: permission denied, open '/srv/shop/shared/x.db'",
                None,
            ),
            ("wrote data/app.log", None),
            (
                "[Error: EACCES: permission denied, mkdir 'nodered'] {",
                Some("nodered"),
            ),
            (
                "PermissionError: [Errno 13] Permission denied: '.sesskey'",
                Some(".sesskey"),
            ),
        ] {
            let said = what_was_refused(
                "the service",
                root,
                &["starting".to_owned(), line.to_owned()],
            );
            let begins = path.map(|path| format!("the service may not write {path}: "));
            assert_eq!(said.is_some(), begins.is_some(), "{line}");
            if let (Some(said), Some(begins)) = (said, begins) {
                assert!(said.starts_with(&begins), "{said}");
            }
        }
        let rust = "Error: Os { code: 13, kind: PermissionDenied, message: \"Permission denied\" }";
        let said = what_was_refused("the service", root, &[rust.to_owned()]);
        assert!(said.is_some_and(|said| said.contains("if that was to write")));
        let lines = ["RuntimeException: the folder is not writable".to_owned()];
        let said = what_was_refused("the service", root, &lines);
        assert!(said.is_some_and(|said| said.contains("says that it could not write")));
        let lines = ["sqlite3.OperationalError: unable to open database file".to_owned()];
        assert!(
            what_was_refused("the service", root, &lines)
                .is_some_and(|said| said.starts_with("SQLite"))
        );
    }

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
