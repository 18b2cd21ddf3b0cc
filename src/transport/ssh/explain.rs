//! What ssh(1) and login shells say, as failures that say what to do.

use std::io;

use super::super::Target;
use super::effective::Effective;
use super::master::{NotConnected, Said};
use crate::model::{Cause, Failure};

pub fn unreachable_host(target: &Target, why: &str) -> Failure {
    let why = why.to_owned();
    Failure::from(Cause::Connection { why }).on(&target.host)
}

pub fn no_agent(target: &Target, said: &str) -> Failure {
    let lines: Vec<String> = lines(said).collect();
    if target.sudo && lines.iter().any(|line| line.contains("sudo")) {
        return Failure::refused("this user may not use sudo without a password")
            .on(&target.host)
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

/// Why a session on a standing connection failed.
pub fn session_failed(target: &Target, error: &openssh::Error) -> Failure {
    use std::error::Error as _;
    let said = error
        .source()
        .map_or_else(|| error.to_string(), |source| source.to_string());
    let last = lines(&said).next_back();
    let last = last.unwrap_or_else(|| "the session could not be started".to_owned());
    unreachable_host(target, &last).hint(try_by_hand(target))
}

/// Why there is no connection to `target`, whose configuration is `effect`, within `limit_s`
/// seconds.
pub fn not_connected(
    target: &Target,
    effect: Option<&Effective>,
    why: NotConnected,
    limit_s: u64,
) -> Failure {
    match why {
        NotConnected::Unstarted(error) if error.kind() == io::ErrorKind::NotFound => {
            unreachable_host(target, &format!("cannot run ssh ({error})"))
                .hint("install the OpenSSH client, and see that it is in the PATH")
        }
        NotConnected::Unstarted(error) => unreachable_host(target, &error.to_string()),
        NotConnected::Late(said) => {
            let late = format!("no connection within {limit_s} s");
            unreachable_host(target, &late).details(said.lines())
        }
        NotConnected::Failed(said) => explain(target, effect, &said),
    }
}

/// What a program that connects complains about.
enum Complaint {
    OtherKey,
    NoKey,
    Login,
    Else(String),
}

/// Turns what ssh(1) and the programs on the way said into a sentence and what to do about it.
fn explain(target: &Target, effect: Option<&Effective>, said: &Said) -> Failure {
    let on_the_way = lines(&said.way).next_back().is_some();
    let own = complaint(&said.own);
    let failure = match own {
        // When the way ends early, all that ssh(1) itself knows is that it ended.
        Complaint::Else(_) if on_the_way => way_failed(target, effect, &said.way),
        own => host_failed(target, own),
    };
    match *failure.cause {
        // All of it is in the sentence.
        Cause::Connection { .. } if said.lines().count() < 2 => failure,
        _ => failure.details(said.lines()),
    }
}

/// Why `target` itself cannot be used.
fn host_failed(target: &Target, complaint: Complaint) -> Failure {
    let short = target.host.short();
    match complaint {
        Complaint::OtherKey => {
            let why = "its host key is not the one that is known".to_owned();
            let hint = format!(
                "somebody may be listening in; if the host was really reinstalled: \
                 ship host trust {short} --replace"
            );
            let failure = Failure::from(Cause::HostKeyChanged { why });
            failure.on(&target.host).hint(hint)
        }
        Complaint::NoKey => {
            let why = "its host key is not known".to_owned();
            let failure = Failure::from(Cause::HostKeyUnknown { why });
            failure.on(&target.host).hint(trust(short))
        }
        Complaint::Login => {
            let why = "the host refuses every key that ssh offers".to_owned();
            let failure = Failure::from(Cause::Login { why });
            failure.on(&target.host).hint(format!(
                "{}; the public key belongs into ~/.ssh/authorized_keys on the host",
                try_by_hand(target)
            ))
        }
        Complaint::Else(last) => unreachable_host(target, &last).hint(try_by_hand(target)),
    }
}

/// How a host's key comes to be known.
fn trust(host: &str) -> String {
    format!(
        "compare its fingerprint and pin it: ship host trust {host}; without a terminal: \
         ship host trust {host} --fingerprint SHA256:…"
    )
}

/// Why the way to `target` ends early, by what the programs on it said.
fn way_failed(target: &Target, effect: Option<&Effective>, said: &str) -> Failure {
    let jump = effect.and_then(jump_hosts);
    // Without a jump host these are the words of a `ProxyCommand`, or of an ssh(1) that did not
    // get as far as its own log.
    let through = match (
        &jump,
        effect.and_then(|effect| effect.value("proxycommand")),
    ) {
        (Some(jump), _) => format!("its jump host {jump}"),
        (None, Some(command)) if command != "none" => "its ProxyCommand".to_owned(),
        (None, _) => return host_failed(target, complaint(said)),
    };
    match complaint(said) {
        Complaint::OtherKey => {
            let why = format!("the host key of {through} is not the one that is known");
            let hint = "somebody may be listening in; if that machine was really reinstalled";
            let failure = Failure::from(Cause::HostKeyChanged { why }).on(&target.host);
            match jump {
                Some(jump) => failure.hint(format!("{hint}: ship host trust {jump} --replace")),
                None => failure.hint(format!("{hint}, replace its key in your known_hosts")),
            }
        }
        Complaint::NoKey => {
            let why = format!("the host key of {through} is not known");
            let failure = Failure::from(Cause::HostKeyUnknown { why }).on(&target.host);
            match jump {
                Some(jump) => failure.hint(trust(&jump)),
                None => failure,
            }
        }
        Complaint::Login => {
            let why = format!("{through} refuses every key that ssh offers");
            let failure = Failure::from(Cause::Login { why });
            failure.on(&target.host).hint(try_by_hand(target))
        }
        Complaint::Else(last) => {
            unreachable_host(target, &format!("no way through {through}: {last}"))
                .hint(try_by_hand(target))
        }
    }
}

/// The machines that a connection leads through, as the configuration names them.
fn jump_hosts(effect: &Effective) -> Option<String> {
    let jump = effect.value("proxyjump")?;
    (jump != "none").then(|| jump.to_owned())
}

/// The words of ssh(1) that tell what it complains about (sshconnect.c and sshconnect2.c of
/// OpenSSH; in English, as it knows no other language).
fn complaint(said: &str) -> Complaint {
    if said.contains("REMOTE HOST IDENTIFICATION HAS CHANGED") {
        return Complaint::OtherKey;
    }
    if said.contains("Host key verification failed") {
        return Complaint::NoKey;
    }
    if said.contains("Permission denied (") {
        return Complaint::Login;
    }
    let last = lines(said).next_back();
    let last = last.unwrap_or_else(|| "ssh gave up without a word".to_owned());
    Complaint::Else(last.strip_prefix("ssh: ").unwrap_or(&last).to_owned())
}

fn try_by_hand(target: &Target) -> String {
    format!("try `ssh {} true`", target.host)
}

/// The lines of `text` that say something, without ssh's frames of `@`.
fn lines(text: &str) -> impl DoubleEndedIterator<Item = String> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("@@@"))
        .map(|line| line.trim_matches('@').trim().to_owned())
}

impl Said {
    /// What was said, a line each: the programs on the way first.
    fn lines(&self) -> impl Iterator<Item = String> {
        lines(&self.way).chain(lines(&self.own))
    }
}
