//! Short ways to make an event.

use crate::model::event::{Event, HostEvent, HostOutcome, Outcome, Phase, Verb};
use crate::model::{HostName, ReleaseId, ServiceName};

pub fn host(name: &str) -> HostName {
    HostName::try_from(name).unwrap()
}

pub fn service(name: &str) -> ServiceName {
    ServiceName::try_from(name).unwrap()
}

pub fn started(hosts: &[&str]) -> Event {
    Event::Started {
        command: "deploy".to_owned(),
        app: "shop".try_into().unwrap(),
        environment: "production".try_into().unwrap(),
        hosts: hosts.iter().map(|name| host(name)).collect(),
        commit: Some("3f2a91c".to_owned()),
    }
}

pub fn on(name: &str, what: HostEvent) -> Event {
    Event::Host {
        host: host(name),
        what,
    }
}

pub fn said(phase: Phase, name: &str, line: &str) -> Event {
    Event::StepOutput {
        phase,
        name: name.to_owned(),
        line: line.to_owned(),
    }
}

pub fn began(phase: Phase, name: &str) -> Event {
    Event::StepStarted {
        phase,
        name: name.to_owned(),
    }
}

pub fn ended(phase: Phase, name: &str, ms: u64, why: Option<&str>) -> Event {
    Event::StepFinished {
        phase,
        name: name.to_owned(),
        ok: why.is_none(),
        why: why.map(str::to_owned),
        is_stopped: why == Some("interrupted"),
        ms,
        log: Some(format!(
            ".ship/logs/{}-1-{}.log",
            phase.as_str(),
            name.replace(' ', "-")
        )),
    }
}

pub fn connected(name: &str, current: Option<u32>) -> Event {
    on(
        name,
        HostEvent::Connected {
            agent_sent: false,
            current: current.map(ReleaseId),
            ms: 45,
        },
    )
}

pub fn sending(name: &str, done: u64) -> Event {
    on(
        name,
        HostEvent::Transferring {
            done,
            total: 40_000_000,
            sent: done / 4,
            runtime: None,
        },
    )
}

pub fn row(name: &str, was: u32, is: u32, healthy: bool) -> HostOutcome {
    HostOutcome {
        host: host(name),
        was: Some(ReleaseId(was)),
        is: Some(ReleaseId(is)),
        healthy: Some(healthy),
        why: None,
        unanswered_ms: None,
        by_hand: Vec::new(),
    }
}

pub fn outcome(verb: Verb, release: u32, hosts: Vec<HostOutcome>) -> Outcome {
    Outcome {
        verb,
        release: Some(ReleaseId(release)),
        hosts,
        ms: 3_240,
        sent: 48_000,
        unanswered_ms: Some(40),
    }
}
