//! Hosts for tests: each says what a function says of what it is asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncWriteExt, DuplexStream};

use super::cache::Cache;
use super::link::HostLink;
use super::rejoin::Way;
use super::stop::Stop;
use super::{Context, Fleet};
use crate::model::ReleaseId;
use crate::model::event::Sink;
use crate::project::Project;
use crate::transport::{Link, Options};
use crate::wire::frame::FrameBuffer;
use crate::wire::{Activated, Facts, Frame, FromAgent, ToAgent};

/// What the host at a position says when it is asked something.
pub type Answers = fn(usize, &ToAgent) -> Vec<FromAgent>;

/// A fleet on `v1`, and what it is asked.
pub struct Fake {
    pub context: Context,
    pub fleet: Fleet,
    asked: Arc<Mutex<Vec<(usize, ToAgent)>>>,
}

impl Fake {
    /// Hosts `web1`, `web2`, as many as `count`; `tables` are the last ones of the manifest.
    pub fn fleet(count: usize, tables: &str, answers: Answers) -> Self {
        let context = context(count, tables);
        let asked = Arc::<Mutex<Vec<_>>>::default();
        let hosts = context.environment.hosts.iter().enumerate();
        let hosts = hosts.map(|(at, host)| {
            let (near, far) = tokio::io::duplex(64 << 10);
            let asked = Arc::clone(&asked);
            tokio::spawn(speak(far, move |request| {
                let said = answers(at, &request);
                asked.lock().unwrap().push((at, request));
                said
            }));
            let (reader, writer) = tokio::io::split(near);
            let link = Link::new(reader, writer, Box::new(()));
            let way = Way {
                wants: None,
                context: Arc::new(context.clone()),
                host: host.name.clone(),
                user: None,
                sudo: false,
            };
            HostLink::of(way, link, facts())
        });
        let hosts = hosts.collect();
        Self {
            fleet: Fleet { hosts },
            context,
            asked,
        }
    }

    /// Whether the host at this position was asked this, by the name of the request.
    pub fn was_asked(&self, host: usize, name: &str) -> bool {
        let asked = self.asked.lock().unwrap();
        let mut asked = asked.iter();
        asked.any(|(at, request)| *at == host && format!("{request:?}").starts_with(name))
    }
}

/// Answers until the other end is gone.
async fn speak(stream: DuplexStream, answers: impl Fn(ToAgent) -> Vec<FromAgent>) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut buffer = FrameBuffer::default();
    while let Ok(Some(frame)) = buffer.next_frame(&mut reader).await {
        for answer in answers(frame.parse().unwrap()) {
            let frame = Frame::message(&answer).unwrap();
            let _ = writer.write_all(&frame.encode()).await;
        }
    }
}

/// A project whose environment has so many hosts.
pub fn context(count: usize, tables: &str) -> Context {
    let dir = tempfile::tempdir().unwrap();
    let names: Vec<String> = (1..=count).map(|at| format!("\"web{at}\"")).collect();
    let manifest = format!(
        "[app]\nname = \"shop\"\n\n[services.web]\ncommand = \"run\"\nport = 3000\n\n\
         [environments.production]\nhosts = [{}]\n\n{tables}",
        names.join(", ")
    );
    std::fs::write(dir.path().join("ship.toml"), manifest).unwrap();
    let checked = Project::check_text(dir.path());
    let problems = checked.diagnostics;
    let project = checked.project;
    let project = project.unwrap_or_else(|| panic!("{}", problems[0].render(false)));
    let stop = Stop::default();
    Context {
        fleet: Vec::new(),
        environment: project.environments.values().next_back().unwrap().clone(),
        options: Options {
            project: project.dir.clone(),
            ssh_config: None,
            ssh_key: None,
            persist_s: None,
            cache: None,
            timeout: std::time::Duration::from_secs(1),
        },
        project,
        sink: Sink::new(|_| {}),
        cancel: stop.asked(),
        stop,
        who: "ann@laptop".to_owned(),
        ci: None,
        wait_ms: 0,
        cache: Cache::default(),
        asks_only: false,
        history: crate::pipeline::History::default(),
        seeds: crate::pipeline::Seeds::default(),
        caller: BTreeMap::new(),
    }
}

/// Of a host on which `v1` is live.
pub fn facts() -> Facts {
    Facts {
        fleet: Vec::new(),
        hostname: String::new(),
        user: String::new(),
        uid: 0,
        platform: String::new(),
        root: String::new(),
        ready: true,
        current: Some(ReleaseId(1)),
        adoptable: None,
        identity: None,
        last: 1,
        releases: Vec::new(),
        holder: None,
        freeze: None,
        clock_ms: 0,
        recovered: Vec::new(),
        root_id: crate::wire::RootId::default(),
        is_login_old: false,
        bare: Vec::new(),
    }
}

/// `v2` is proven, and not final.
pub fn proven() -> Activated {
    Activated::proven(Some(ReleaseId(1)), ReleaseId(2), None)
}

/// `v2` is final.
pub fn kept() -> Activated {
    Activated {
        committed: true,
        ..proven()
    }
}

/// `v1` serves again.
pub fn back(why: &str) -> Activated {
    Activated {
        is: Some(ReleaseId(1)),
        ok: false,
        why: Some(why.to_owned()),
        ..proven()
    }
}
