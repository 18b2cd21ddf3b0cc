//! What ssh(1) and login shells say, as failures that say what to do.

use super::super::Target;
use crate::model::{Failure, FailureKind};

pub fn named(mut failure: Failure, target: &Target) -> Failure {
    failure.message = format!("{}: {}", target.host, failure.message);
    failure
}

pub fn unreachable_host(target: &Target, why: &str) -> Failure {
    Failure::new(FailureKind::Unreachable, format!("{}: {why}", target.host))
}

pub fn no_agent(target: &Target, said: &str) -> Failure {
    let lines: Vec<String> = said
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    if target.sudo && lines.iter().any(|line| line.contains("sudo")) {
        return Failure::refused(format!(
            "{}: this user may not use sudo without a password",
            target.host
        ))
        .details(lines)
        .hint("connect as root: ship setup ENV --as root");
    }
    let full = lines.iter().any(|line| line.contains("No space left"));
    let failure =
        unreachable_host(target, "connected, but the agent could not be started").details(lines);
    if full {
        failure.hint("free some space on the host")
    } else {
        failure
    }
}

/// What is said of a host that shows another key than the known one.
const OTHER_KEY: &str = "its host key is not the one that is known";

/// What is said of a host of which no key is known.
const NO_KEY: &str = "its host key is not known";

/// Whether a connection failed because the host did not show the key that is known of it. That is
/// not a host that is down: somebody may be listening in.
#[must_use]
pub fn is_about_key(failure: &Failure) -> bool {
    failure.message.ends_with(OTHER_KEY) || failure.message.ends_with(NO_KEY)
}

/// Turns what ssh(1) said into a sentence and what to do about it.
pub fn explain(target: &Target, error: &openssh::Error) -> Failure {
    use std::error::Error as _;
    let said = error
        .source()
        .map_or_else(|| error.to_string(), |source| source.to_string());
    let host = &target.host;
    let lines = || {
        said.lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('@'))
            .map(str::to_owned)
    };
    if said.contains("REMOTE HOST IDENTIFICATION HAS CHANGED") {
        return unreachable_host(target, OTHER_KEY)
            .details(lines())
            .hint(format!("somebody may be listening in; if the host was really reinstalled: ship host trust {}", host.short()));
    }
    if said.contains("Host key verification failed") {
        return unreachable_host(target, NO_KEY).hint(format!(
            "compare and pin it: ship host trust {}",
            host.short()
        ));
    }
    if said.contains("Permission denied (") {
        return unreachable_host(target, "the host refuses every key that ssh offers")
            .details(lines().filter(|line| line.contains("Permission denied")))
            .hint(format!("try `ssh {host} true`; the public key belongs into ~/.ssh/authorized_keys on the host"));
    }
    let last = lines().next_back().unwrap_or(said.clone());
    let failure = unreachable_host(target, last.strip_prefix("ssh: ").unwrap_or(&last));
    failure.hint(format!("try `ssh {host} true`"))
}
