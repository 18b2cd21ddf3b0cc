//! Programs that services and hooks start, and that no pinned runtime brings: are they on this host,
//! and are they what the project asks for.

use std::ffi::OsString;

use super::installed::{find, search_path, version_of};
use crate::agent::host::Host;
use crate::model::version::{Grammar, Request, Version};
use crate::wire::{Finding, HostProgram, Level};

/// What is to be said of `programs`. Their versions are asked only where `with_versions` says so: that
/// takes a process each.
#[must_use]
pub fn programs(host: &Host, programs: &[HostProgram], with_versions: bool) -> Vec<Finding> {
    let path = search_path(host.deployment.manager);
    let of = |program: &HostProgram| finding(program, &path, with_versions);
    programs.iter().filter_map(of).collect()
}

fn finding(program: &HostProgram, path: &OsString, with_versions: bool) -> Option<Finding> {
    let name = &program.program;
    let say = |level, text: String, hint: Option<String>| {
        Some(Finding {
            level,
            subject: name.clone(),
            text,
            hint,
        })
    };
    let Some(file) = find(name, path) else {
        let level = match program.is_certain {
            true => Level::Failure,
            false => Level::Warning,
        };
        let text = format!("{} starts `{name}`, which is not on this host", program.by);
        return say(level, text, Some(to_install(program)));
    };
    let runtime = program.runtime.as_deref().filter(|_| with_versions)?;
    let found = version_of(runtime, &file, path).ok()??;
    let version = Version::parse(&found)?;
    if let Some((request, asking)) = &program.asks {
        let wanted = Request::parse(Grammar::of(runtime), request).ok();
        if wanted.is_some_and(|wanted| !wanted.is_alias() && !wanted.matches(&version)) {
            let text = format!(
                "{runtime} is {found} on this host ({}), and {asking} asks for {request}",
                file.display()
            );
            return say(Level::Failure, text, Some(to_pin(program)));
        }
    }
    let there = program.here.as_deref().and_then(Version::parse);
    match there {
        Some(there) if !is_same_line(runtime, &version, &there) => {
            let text = format!(
                "{runtime} is {found} on this host ({}) and {there} on the machine that deploys",
                file.display()
            );
            say(Level::Warning, text, Some(to_pin(program)))
        }
        _ => say(Level::Ok, format!("{found} is installed"), None),
    }
}

/// Whether two versions are of one feature release: `20` of Node, `3.12` of Python.
fn is_same_line(runtime: &str, one: &Version, other: &Version) -> bool {
    let numbers = match runtime {
        "node" | "java" | "deno" => 1,
        _ => 2,
    };
    (0..numbers).all(|place| one.number(place) == other.number(place))
}

fn to_pin(program: &HostProgram) -> String {
    let runtime = program.runtime.as_deref().unwrap_or(&program.program);
    match Grammar::of(runtime) {
        Grammar::Other => format!("install the {runtime} that the project runs on"),
        _ => format!("pin it: {runtime} under [runtimes] in ship.toml, then ship pin"),
    }
}

fn to_install(program: &HostProgram) -> String {
    let name = &program.program;
    let package = program.package.as_deref();
    let install = match package {
        Some(package) => format!("install it on the host (Debian: apt-get install {package})"),
        None => format!("install {name} on the host"),
    };
    match program.runtime.as_deref() {
        Some(runtime) if Grammar::of(runtime) != Grammar::Other => {
            format!("{install}, or pin {runtime} under [runtimes] in ship.toml")
        }
        _ => install,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::start::write_program;

    fn node() -> HostProgram {
        HostProgram {
            program: "node".to_owned(),
            by: "the service web".to_owned(),
            is_certain: true,
            runtime: Some("node".to_owned()),
            package: Some("nodejs".to_owned()),
            here: None,
            asks: None,
        }
    }

    #[test]
    fn a_host_is_compared_with_this_machine_and_with_the_project() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().as_os_str().to_owned();
        let missing = finding(&node(), &own, true).unwrap();
        assert_eq!(missing.level, Level::Failure);
        assert_eq!(
            missing.text,
            "the service web starts `node`, which is not on this host"
        );
        assert_eq!(
            missing.hint.as_deref(),
            Some(
                "install it on the host (Debian: apt-get install nodejs), or pin node under [runtimes] \
                 in ship.toml"
            )
        );
        let program = folder.path().join("node");
        write_program(&program, "#!/bin/sh\necho v18.19.0\n");
        let path = std::env::join_paths([folder.path(), std::path::Path::new("/bin")]).unwrap();
        let told = |here: Option<&str>, asks: Option<&str>| {
            let found = HostProgram {
                here: here.map(str::to_owned),
                asks: asks.map(|asks| (asks.to_owned(), "package.json".to_owned())),
                ..node()
            };
            let finding = finding(&found, &path, true).unwrap();
            (
                finding.level,
                finding
                    .text
                    .replace(&*folder.path().to_string_lossy(), "DIR"),
            )
        };
        assert_eq!(
            told(Some("18.1.0"), Some(">=18")),
            (Level::Ok, "18.19.0 is installed".to_owned())
        );
        assert_eq!(
            told(Some("20.11.1"), Some(">=18")),
            (
                Level::Warning,
                "node is 18.19.0 on this host (DIR/node) and 20.11.1 on the machine that deploys"
                    .to_owned()
            )
        );
        assert_eq!(
            told(None, Some(">=20")),
            (
                Level::Failure,
                "node is 18.19.0 on this host (DIR/node), and package.json asks for >=20"
                    .to_owned()
            )
        );
        assert_eq!(finding(&node(), &path, false), None);
    }
}
