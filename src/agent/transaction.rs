//! The process that changes a host: detached from the connection, it holds the lock, stages,
//! activates, and commits or reverts. It lives until the transaction has an end, whatever becomes
//! of the connection: without a word from the controller for the length of the lease, what was
//! activated goes back.

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use super::activate::{Activation, Pending};
use super::host::Host;
use super::lock::Lock;
use super::stage::Stage;
use super::{command, disk, facts, history, journal, listeners, prune, recover, releases, stage};
use crate::model::event::HostEvent;
use crate::model::{Failure, ReleaseId, ServiceSpec};
use crate::wire::{
    ActivateRequest, Begin, Facts, Frame, FrameReader, FrameWriter, FromAgent, HistoryEntry,
    HookRequest, Publish, ServiceAction, ToAgent,
};

/// How often the agent says that it lives, ms.
const HEARTBEAT_MS: u64 = 5_000;

/// How long the lock is waited for in any case, ms.
const TIDYING_MS: u64 = 1_000;

/// Why a host went back by itself.
const LEASE_IS_OVER: &str = "the controller was not heard of for the length of the lease";

/// Runs a transaction over the socket that this process has as its standard input. The first two
/// frames are `Open` and `Begin`.
///
/// # Errors
/// When the socket is not one, or its first frames are not as they should be.
pub fn run() -> std::io::Result<()> {
    // A session of our own: the end of the SSH session is not ours.
    let _ = rustix::process::setsid();
    let socket = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    socket.set_write_timeout(Some(Duration::from_secs(10)))?;
    let mut reader = FrameReader::new(socket.try_clone()?);
    let speaker = Speaker::new(socket);
    let (Some(open), Some(begin)) = (reader.next_frame()?, reader.next_frame()?) else {
        return Ok(());
    };
    let (ToAgent::Open(open), ToAgent::Begin(begin)) = (open.parse()?, begin.parse()?) else {
        return Err(std::io::Error::other(
            "a transaction starts with Open and Begin",
        ));
    };
    let host = Host::new(open.deployment);
    let life = Arc::new(Life::new(begin.lease_ms));
    let incoming = listen(reader, Arc::clone(&life));
    beat(speaker.clone(), Arc::clone(&life));
    let lock = match take_lock(&host, &begin, &speaker, &life) {
        Ok(lock) => lock,
        Err(failure) => {
            speaker.say(&FromAgent::Failed(failure));
            return Ok(());
        }
    };
    let mut transaction = Transaction {
        host,
        begin: *begin,
        speaker,
        life,
        offer: None,
        stage: None,
        staged: None,
        pending: None,
    };
    match transaction.start() {
        Ok(facts) => transaction.speaker.say(&FromAgent::Begun {
            facts: Box::new(facts),
        }),
        Err(failure) => {
            transaction.speaker.say(&FromAgent::Failed(failure));
            return Ok(());
        }
    }
    transaction.serve(&incoming);
    drop(lock);
    Ok(())
}

/// What is known of the controller.
struct Life {
    started: Instant,
    heard_ms: AtomicU64,
    lease_ms: u64,
    gone: AtomicBool,
    /// Cancelled by the controller, or the lease ended.
    stop: AtomicBool,
}

impl Life {
    fn new(lease_ms: u64) -> Self {
        Self {
            started: Instant::now(),
            heard_ms: AtomicU64::new(0),
            lease_ms,
            gone: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn heard(&self) {
        self.heard_ms.store(self.now_ms(), Ordering::Relaxed);
    }

    fn lease_is_over(&self) -> bool {
        self.now_ms()
            .saturating_sub(self.heard_ms.load(Ordering::Relaxed))
            > self.lease_ms
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Says things to the controller; once that failed, it keeps silent.
#[derive(Clone)]
struct Speaker(Arc<Mutex<Option<FrameWriter<UnixStream>>>>);

impl Speaker {
    fn new(socket: UnixStream) -> Self {
        Self(Arc::new(Mutex::new(Some(FrameWriter::new(socket)))))
    }

    fn say(&self, message: &FromAgent) {
        let mut writer = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(open) = writer.as_mut()
            && open.send(message).is_err()
        {
            *writer = None;
        }
    }

    fn event(&self, event: HostEvent) {
        self.say(&FromAgent::Event(event));
    }
}

/// Reads frames in a thread of its own, so that heartbeats and a cancel are heard during long
/// work. The channel is bounded: a sender that is faster than the disk waits.
fn listen(mut reader: FrameReader<UnixStream>, life: Arc<Life>) -> mpsc::Receiver<Frame> {
    let (sender, receiver) = mpsc::sync_channel(64);
    std::thread::spawn(move || {
        while let Ok(Some(frame)) = reader.next_frame() {
            life.heard();
            match &frame {
                Frame::Message(_) => match frame.parse::<ToAgent>() {
                    Ok(ToAgent::Heartbeat) => continue,
                    Ok(ToAgent::Cancel) => {
                        life.stop.store(true, Ordering::Relaxed);
                        continue;
                    }
                    Ok(_) => {}
                    Err(_) => break,
                },
                Frame::Data(_) => {}
            }
            if sender.send(frame).is_err() {
                return;
            }
        }
        life.gone.store(true, Ordering::Relaxed);
    });
    receiver
}

fn beat(speaker: Speaker, life: Arc<Life>) {
    std::thread::spawn(move || {
        let mut since = Instant::now();
        loop {
            std::thread::sleep(Duration::from_millis(100));
            if life.lease_is_over() {
                life.stop.store(true, Ordering::Relaxed);
            }
            if since.elapsed() >= Duration::from_millis(HEARTBEAT_MS) {
                speaker.say(&FromAgent::Heartbeat);
                since = Instant::now();
            }
        }
    });
}

fn take_lock(host: &Host, begin: &Begin, speaker: &Speaker, life: &Life) -> Result<Lock, Failure> {
    if !facts::ready(host) {
        return Err(not_ready(host));
    }
    // The one before may have answered and be tidying up: not a reason to refuse the next command
    // of a script.
    let deadline = Instant::now() + Duration::from_millis(begin.wait_ms.max(TIDYING_MS));
    let mut told = false;
    loop {
        if let Some(lock) = Lock::take(&host.layout, &begin.holder)? {
            return Ok(lock);
        }
        let Some(holder) = Lock::holder(&host.layout)? else {
            continue;
        };
        let ci = holder
            .ci
            .as_ref()
            .map(|run| format!(" ({run})"))
            .unwrap_or_default();
        let text = format!(
            "{} is being done by {} since {}{ci}",
            holder.what, holder.who, holder.since
        );
        if Instant::now() >= deadline || life.stopped() || life.gone.load(Ordering::Relaxed) {
            return Err(Failure::refused(format!("another {text}"))
                .hint("wait for it, or let this command wait: --wait 10m"));
        }
        if !told && begin.wait_ms > 0 {
            speaker.event(HostEvent::Note {
                text: format!("waiting: a {text}"),
            });
            told = true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn not_ready(host: &Host) -> Failure {
    Failure::refused(format!(
        "{} is not set up for {}",
        host.layout.root().display(),
        host.deployment.app
    ))
    .detail(format!(
        "{} and {} must be there and writable for this user",
        host.layout.releases().display(),
        host.layout.state().display()
    ))
    .hint(format!("ship setup {}", host.deployment.environment))
}

struct Transaction {
    host: Host,
    begin: Begin,
    speaker: Speaker,
    life: Arc<Life>,
    /// The index that is being offered.
    offer: Option<Vec<u8>>,
    stage: Option<Stage>,
    /// Published here and not yet switched to.
    staged: Option<ReleaseId>,
    pending: Option<Pending>,
}

impl Transaction {
    /// The lock is held: repairs what an earlier one left, and looks whether this one may go on.
    fn start(&mut self) -> Result<Facts, Failure> {
        let speaker = self.speaker.clone();
        let emit = move |event| speaker.event(event);
        let recovered = recover::recover(&self.host, &emit);
        stage::clean(&self.host);
        facts::claim(&self.host)?;
        let facts = facts::gather(&self.host, recovered.into_iter().collect())?;
        if let Some(services) = &self.begin.services {
            super::setup::ready_for(&self.host, services)?;
            free_ports(&self.host, services)?;
        }
        Ok(facts)
    }

    fn serve(&mut self, incoming: &mpsc::Receiver<Frame>) {
        loop {
            let frame = match incoming.recv_timeout(Duration::from_millis(100)) {
                Ok(frame) => Some(frame),
                Err(mpsc::RecvTimeoutError::Timeout) => None,
                // Gone: only the lease decides about what is activated.
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    std::thread::sleep(Duration::from_millis(50));
                    None
                }
            };
            let done = match frame {
                Some(frame) => self.handle(&frame),
                None if self.life.lease_is_over() => {
                    self.give_up(LEASE_IS_OVER);
                    true
                }
                None if self.life.gone.load(Ordering::Relaxed) && self.pending.is_none() => {
                    self.give_up("the connection was lost");
                    true
                }
                None => false,
            };
            if done {
                return;
            }
        }
    }

    /// Answers one frame; `true` when the transaction has ended.
    fn handle(&mut self, frame: &Frame) -> bool {
        let result = match frame {
            Frame::Data(bytes) => self.data(bytes),
            Frame::Message(_) => match frame.parse() {
                Ok(message) => return self.message(message),
                Err(error) => Err(error.into()),
            },
        };
        if let Err(failure) = result {
            self.stage = None;
            self.speaker.say(&FromAgent::Failed(failure));
        }
        false
    }

    fn message(&mut self, message: ToAgent) -> bool {
        let result = match message {
            ToAgent::Offer => {
                self.offer = Some(Vec::new());
                Ok(None)
            }
            ToAgent::Content => Ok(None),
            ToAgent::DataEnd => self.data_end(),
            ToAgent::Publish(publish) => self.publish(&publish).map(Some),
            ToAgent::Hook(request) => self.hook(&request).map(Some),
            ToAgent::Activate(request) => self.activate(&request).map(Some),
            ToAgent::Commit { keep } => {
                let result = self.commit();
                let ok = result.is_ok();
                self.answer(result.map(Some));
                if ok {
                    let gone = prune::prune(&self.host.layout, keep);
                    if !gone.is_empty() {
                        self.speaker.event(HostEvent::Pruned { releases: gone });
                    }
                    return true;
                }
                return false;
            }
            ToAgent::Revert { why } => {
                let answer = self.revert(&why);
                self.speaker.say(&answer);
                return true;
            }
            ToAgent::End => {
                self.drop_staged();
                self.speaker.say(&FromAgent::Done);
                return true;
            }
            ToAgent::Service { action, services } => self
                .service(action, &services)
                .map(|()| Some(FromAgent::Done)),
            _ => Err(Failure::unexpected(
                "that is not a request of a transaction",
            )),
        };
        self.answer(result);
        false
    }

    fn answer(&mut self, result: Result<Option<FromAgent>, Failure>) {
        match result {
            Ok(Some(answer)) => self.speaker.say(&answer),
            Ok(None) => {}
            Err(failure) => {
                self.stage = None;
                self.speaker.say(&FromAgent::Failed(failure));
            }
        }
    }
}

/// The largest index that is taken, bytes: some millions of files.
const MAX_INDEX: usize = 512 << 20;

/// The work of each request.
impl Transaction {
    fn data(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if let Some(index) = &mut self.offer {
            if index.len() + bytes.len() > MAX_INDEX {
                return Err(Failure::unexpected("the artifact's index is too large"));
            }
            index.extend_from_slice(bytes);
            return Ok(());
        }
        // After a failure the rest of the content is on its way still, and is passed over.
        self.stage
            .as_mut()
            .map_or(Ok(()), |stage| stage.push(bytes))
    }

    fn data_end(&mut self) -> Result<Option<FromAgent>, Failure> {
        if let Some(index) = self.offer.take() {
            let (stage, missing) = Stage::begin(&self.host, &index)?;
            self.stage = Some(stage);
            return Ok(Some(FromAgent::Need { missing }));
        }
        if let Some(stage) = &mut self.stage {
            stage.end_content()?;
        }
        Ok(None)
    }

    fn publish(&mut self, publish: &Publish) -> Result<FromAgent, Failure> {
        let stage = self
            .stage
            .take()
            .ok_or_else(|| Failure::unexpected("nothing was offered"))?;
        stage.publish(&self.host, publish)?;
        self.staged = Some(publish.release.id);
        Ok(FromAgent::Published)
    }

    fn hook(&self, request: &HookRequest) -> Result<FromAgent, Failure> {
        let release = self.host.release(request.release)?;
        let name = request.name.clone();
        self.speaker
            .event(HostEvent::HookStarted { name: name.clone() });
        let started = Instant::now();
        let ended = command::run_hook(
            &release,
            &request.run,
            Duration::from_millis(request.timeout_ms),
            // Before the switch a controller that is gone has nothing to come back to.
            &|| self.life.stopped() || self.life.gone.load(Ordering::Relaxed),
            &mut |line| {
                self.speaker.event(HostEvent::HookOutput {
                    name: name.clone(),
                    line,
                })
            },
        );
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let why = ended.clone().err();
        self.speaker.event(HostEvent::HookFinished {
            name: name.clone(),
            ok: ended.is_ok(),
            why,
            ms,
        });
        match ended {
            Ok(()) => Ok(FromAgent::Done),
            Err(why) => Err(Failure::unexpected(format!("hook `{name}` failed: {why}"))),
        }
    }

    fn activate(&mut self, request: &ActivateRequest) -> Result<FromAgent, Failure> {
        let speaker = self.speaker.clone();
        let emit = move |event| speaker.event(event);
        let activation = Activation {
            host: &self.host,
            stop: &self.life.stop,
            emit: &emit,
        };
        let (mut activated, pending) = activation.run(request.release, request.settle)?;
        let cancelled = activated
            .why
            .as_ref()
            .is_some_and(|why| why.ends_with("cancelled"));
        if pending.is_none() && cancelled && self.life.lease_is_over() {
            activated.why = Some(LEASE_IS_OVER.to_owned());
        }
        self.staged = None;
        if pending.is_none() {
            self.record(
                Some(request.release),
                activated.was,
                outcome(activated.healthy),
                activated.why.clone(),
            );
        }
        self.pending = pending;
        Ok(FromAgent::Activated(Box::new(activated)))
    }

    fn commit(&mut self) -> Result<FromAgent, Failure> {
        if let Some(Pending { from, to }) = self.pending {
            let layout = &self.host.layout;
            releases::set_state(layout, to, crate::model::ReleaseState::Good)?;
            journal::note(
                layout,
                &journal::Entry {
                    step: journal::Step::Committed,
                    from,
                    to,
                },
            )?;
            self.pending = None;
            self.record(Some(to), from, "good", None);
        }
        Ok(FromAgent::Done)
    }

    fn revert(&mut self, why: &str) -> FromAgent {
        let Some(pending) = self.pending.take() else {
            self.drop_staged();
            return FromAgent::Done;
        };
        let speaker = self.speaker.clone();
        let emit = move |event| speaker.event(event);
        let activation = Activation {
            host: &self.host,
            stop: &self.life.stop,
            emit: &emit,
        };
        // It was proven here: not its fault, unless this is the host where it failed.
        let activated = activation.revert(pending, why, true);
        self.record(
            Some(pending.to),
            pending.from,
            outcome(activated.healthy),
            activated.why.clone(),
        );
        FromAgent::Activated(Box::new(activated))
    }

    /// The controller is gone: back to where the host was.
    fn give_up(&mut self, why: &str) {
        if self.pending.is_some() {
            self.revert(why);
        } else {
            self.drop_staged();
        }
    }

    /// A release that nobody switched to leaves no trace.
    fn drop_staged(&mut self) {
        self.stage = None;
        if let Some(id) = self.staged.take() {
            stage::unstage(&self.host, id);
        }
    }

    fn service(
        &self,
        action: ServiceAction,
        names: &[crate::model::ServiceName],
    ) -> Result<(), Failure> {
        let id = releases::current(&self.host.layout)?
            .ok_or_else(|| Failure::refused("nothing is deployed here"))?;
        let live = self.host.release(id)?;
        let speaker = self.speaker.clone();
        let emit = move |event| speaker.event(event);
        let activation = Activation {
            host: &self.host,
            stop: &self.life.stop,
            emit: &emit,
        };
        let result = activation.act(&live, action, names);
        let why = result.as_ref().err().map(|failure| failure.message.clone());
        let outcome = if result.is_ok() { "good" } else { "failed" };
        self.record(Some(id), Some(id), outcome, why);
        result
    }

    fn record(
        &self,
        release: Option<ReleaseId>,
        from: Option<ReleaseId>,
        outcome: &str,
        why: Option<String>,
    ) {
        let origin = release
            .and_then(|id| releases::read(&self.host.layout, id).ok())
            .map(|release| release.origin)
            .unwrap_or_default();
        let holder = &self.begin.holder;
        let entry = HistoryEntry {
            time: disk::now(),
            what: holder.what.clone(),
            release,
            from,
            outcome: outcome.to_owned(),
            why,
            who: holder.who.clone(),
            ci: holder.ci.clone(),
            commit: origin.commit,
            tests_skipped: origin.tests_skipped,
        };
        if let Err(error) = history::append(&self.host.layout, &entry) {
            self.speaker.event(HostEvent::Warning {
                text: format!("the history was not written: {error}"),
            });
        }
    }
}

fn outcome(healthy: bool) -> &'static str {
    if healthy { "reverted" } else { "failed" }
}

/// Refuses when something that is not this app listens on a port that a service needs.
fn free_ports(host: &Host, services: &[ServiceSpec]) -> Result<(), Failure> {
    let taken = listeners::all();
    for service in services {
        let Some(port) = service.port else { continue };
        let Some(listener) = taken.iter().find(|found| found.port == port) else {
            continue;
        };
        let pids: Vec<u32> = services
            .iter()
            .filter_map(|service| host.manager.status(&service.name).ok())
            .flat_map(|status| status.pids.into_iter().chain(status.main_pid))
            .collect();
        let ours = listeners::of_processes(&pids)
            .iter()
            .any(|found| found.port == port);
        // uid 0 may be a service manager that holds the socket for the app (systemd.socket(5));
        // not when the app's own sockets may be seen, and it is not among them.
        let of_manager = listener.uid == 0 && !pids.is_empty() && !listeners::are_visible(&pids);
        if ours || of_manager {
            continue;
        }
        return Err(Failure::refused(format!(
            "port {port} of service {} is taken by another process ({}, user id {})",
            service.name,
            listener.at(),
            listener.uid
        ))
        .hint(format!(
            "find it with `ss -ltnp 'sport = :{port}'`, or give {} another port",
            service.name
        )));
    }
    Ok(())
}
