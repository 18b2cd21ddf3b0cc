//! The process that changes a host: detached from the connection, it holds the lock, stages,
//! activates, and commits or reverts. It lives until the transaction has an end, whatever becomes
//! of the connection: without a word from the controller for the length of the lease, what was
//! activated goes back.

mod account;
mod contact;
mod door;
mod ended;
mod entry;
mod kept_events;
mod phase;
mod speaker;
mod work;

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use crate::agent::activate::LEASE_IS_OVER;
use crate::agent::before::Befores;
use crate::agent::host::Host;
use crate::agent::lock::Lock;
use crate::agent::prune::{self, Keep};
use crate::agent::runtimes;
use crate::agent::secrets::Secrets;
use crate::agent::seeds;
use crate::agent::spare::{self, Ahead};
use crate::agent::{
    adopt, as_app, disk, facts, freeze, gate, journal, owner, recover, releases, stage, standby,
    tidy,
};
use crate::model::event::HostEvent;
use crate::model::{Failure, Made};
use crate::wire::{Begin, Facts, Frame, FrameReader, FromAgent, ToAgent};

use account::Account;
use contact::{Heard, Life, beat, keep_lease, listen};
use door::Door;
use entry::{Checks, check_services, take_lock};
use phase::Phase;
use speaker::Speaker;

pub(super) use door::knock;
pub use ended::ended;

/// Frames that may wait for the transaction, 64 kB each when they are content: a sender that is
/// faster than the disk waits. What was packed while the connection was made comes all at once, and is better
/// here than in sshd (see `widen` in `serve.rs`).
const WAITING: usize = 256;

/// Runs a transaction over the socket that this process has as its standard input. The first two
/// frames are `Open` and `Begin`.
///
/// # Errors
/// When the socket is not one, or its first frames are not as they should be.
pub fn run() -> std::io::Result<()> {
    // A session of our own: the end of the SSH session is not ours.
    let _ = rustix::process::setsid();
    let socket = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    socket.set_write_timeout(Some(door::SENDING))?;
    let mut reader = FrameReader::new(socket.try_clone()?);
    let (Some(open), Some(begin)) = (reader.next_frame()?, reader.next_frame()?) else {
        return Ok(());
    };
    let (ToAgent::Open(open), ToAgent::Begin(begin)) = (open.parse()?, begin.parse()?) else {
        return Err(std::io::Error::other(
            "a transaction starts with Open and Begin",
        ));
    };
    let host = Host::new(open.deployment);
    let speaker = Speaker::new(socket.try_clone()?, Secrets::of(&host.layout));
    let life = Arc::new(Life::new(begin.lease_ms));
    let (sender, incoming) = mpsc::sync_channel(WAITING);
    let listener = listen(socket.try_clone()?, Arc::clone(&life), sender.clone());
    keep_lease(Arc::clone(&life));
    beat(speaker.clone());
    let lock = match take_lock(&host, &begin, &speaker, &life) {
        Ok(lock) => lock,
        Err(failure) => {
            speaker.say(&FromAgent::Failed(failure));
            return Ok(());
        }
    };
    let account = Account::default();
    let kept = kept_events::subscriber(&host.layout, &begin.transaction);
    for subscriber in kept.into_iter().chain([account.subscriber()]) {
        speaker.subscribe(subscriber);
    }
    // Where the door stays shut, a channel whose last sender is gone would not be waited for.
    let _keeps_waiting = sender.clone();
    let door = Door {
        transaction: begin.transaction.clone(),
        speaker: speaker.clone(),
        life: Arc::clone(&life),
        sender,
        heard: Mutex::new(Some((socket, listener))),
    };
    // Where there is no inode for it, nobody can come back: still better than not to go on.
    let opened = door.open(&host.layout).ok();
    let mut transaction = Transaction {
        host,
        lock,
        begin: *begin,
        speaker,
        life,
        checks: None,
        befores: None,
        ahead: None,
        phase: Phase::Idle,
        told_the_way: AtomicBool::new(false),
        started: disk::now(),
        account,
        made: None,
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
    transaction.life.answered.fetch_add(1, Ordering::Relaxed);
    if transaction.begin.services.is_some() {
        transaction.ahead = spare::look(&transaction.host.layout);
    }
    transaction.serve(&incoming);
    drop(opened);
    let Transaction { host, lock, .. } = transaction;
    drop(lock);
    tidy::start(&host.layout);
    Ok(())
}

struct Transaction {
    host: Host,
    lock: Lock,
    begin: Begin,
    speaker: Speaker,
    life: Arc<Life>,
    /// Whether the services can run here: found out while the release is on its way.
    checks: Option<Checks>,
    /// How the services looked when that was found out.
    befores: Option<Befores>,
    /// The spare, which the release will be made of.
    ahead: Option<Ahead>,
    phase: Phase,
    /// Whether it was said as whom commands run.
    told_the_way: AtomicBool,
    /// When the lock was taken, RFC 3339.
    started: String,
    account: Account,
    /// What the release is made of, once it is published.
    made: Option<Made>,
}

impl Transaction {
    /// The lock is held: repairs what an earlier one left, and looks whether this one may go on.
    fn start(&mut self) -> Result<Facts, Failure> {
        let speaker = self.speaker.clone();
        let emit = move |event| speaker.event(event);
        let journal = journal::mend(&self.host.layout);
        let recovered = recover::recover(&self.host, &emit);
        stage::clean(&self.host.layout);
        as_app::wait_for_the_one_before(&self.host.layout, &self.host.deployment.user)?;
        let damaged = owner::claim(&self.host, &self.begin.history)?;
        gate::close_own(&self.host)?;
        let mended = releases::mend(&self.host.layout);
        for text in journal.into_iter().chain(damaged).chain(mended) {
            self.speaker.event(HostEvent::Warning { text });
        }
        if let Err(error) = standby::keep(&self.host) {
            self.speaker.event(HostEvent::Warning {
                text: format!(
                    "after a power cut, only the next contact would repair this host: {error}"
                ),
            });
        }
        if self.begin.services.is_some() {
            adopt::check(&self.host)?;
            freeze::sweep(&self.host.layout)?;
        }
        let mut facts = facts::gather(&self.host, recovered.into_iter().collect())?;
        facts.bare = seeds::bare(&self.host.layout, &self.begin.seeded);
        if let Some(services) = &self.begin.services {
            self.checks = Some(check_services(&self.host, services, self.begin.compared));
        }
        Ok(facts)
    }

    fn serve(&mut self, incoming: &mpsc::Receiver<Heard>) {
        let mut attached = 0;
        loop {
            let done = match incoming.recv_timeout(Duration::from_millis(100)) {
                Ok(Heard::Frame(frame)) if self.life.is_void(&frame, attached) => false,
                Ok(Heard::Frame(frame)) => self.handle(&frame),
                Ok(Heard::Attached { told }) => {
                    attached += 1;
                    self.start_over();
                    if !told {
                        door::tell(&self.speaker, &self.life);
                    }
                    false
                }
                Err(_) => self.is_left(),
            };
            if done {
                return;
            }
        }
    }

    /// What becomes of this when nothing is asked; `true` when the transaction has ended.
    fn is_left(&mut self) -> bool {
        let life = &self.life;
        let why = if life.lease_is_over() {
            LEASE_IS_OVER.to_owned()
        } else if self.phase.proven().is_err() && life.is_abandoned() {
            "the connection was lost".to_owned()
        } else if let Some(by) = self.speaker.cancelled_by().filter(|_| !life.is_near()) {
            format!("cancelled by {by}")
        } else {
            return false;
        };
        if let Some(answer) = self.give_up(&why) {
            self.speaker.say(&answer);
        }
        true
    }

    /// Answers one frame; `true` when the transaction has ended.
    fn handle(&mut self, frame: &Frame) -> bool {
        let result = match frame {
            Frame::Data(bytes) => {
                self.account.came(bytes.len());
                self.phase.data(bytes)
            }
            Frame::Message(_) => match frame.parse() {
                Ok(message) => return self.message(message),
                Err(error) => Err(error.into()),
            },
        };
        if let Err(failure) = result {
            self.fail(failure);
        }
        false
    }

    fn message(&mut self, message: ToAgent) -> bool {
        if let Some(doing) = self.doing(&message) {
            self.lock.doing(&doing);
        }
        let counted = message.is_counted();
        let done = self.carry_out(message);
        if counted {
            self.life.answered.fetch_add(1, Ordering::Relaxed);
        }
        done
    }

    fn carry_out(&mut self, message: ToAgent) -> bool {
        if let Err(refused) = self.phase.check(&message) {
            self.fail(refused);
            return false;
        }
        let result = match message {
            ToAgent::Offer(offer) => self.begin_offer(offer).map(|()| None),
            ToAgent::Archive { sha256, from } => self.begin_archive(sha256, from).map(|()| None),
            ToAgent::Content => Ok(None),
            ToAgent::DataEnd => self.data_end(),
            ToAgent::Publish(publish) => self.publish(&publish).map(Some),
            ToAgent::Seed(seed) => self.seed(&seed).map(Some),
            ToAgent::Hook(request) => self.hook(&request).map(Some),
            ToAgent::Activate(request) => {
                let result = self.activate(&request);
                let committed = result.as_ref().is_ok_and(|activated| activated.committed);
                let answer = |activated| Some(FromAgent::Activated(Box::new(activated)));
                if committed {
                    self.lock.tidying();
                }
                self.answer(result.map(answer));
                if let (true, Some(keep)) = (committed, request.commit) {
                    self.prune(keep);
                }
                return committed;
            }
            ToAgent::Present => self.present().map(Some),
            ToAgent::Precommit => self.precommit().map(Some),
            ToAgent::Watch { ms } => self
                .watch(ms)
                .map(|activated| Some(FromAgent::Activated(Box::new(activated)))),
            ToAgent::Commit { keep } => {
                let result = self.commit(None);
                let ok = result.is_ok();
                if ok {
                    self.lock.tidying();
                }
                self.answer(result.map(Some));
                if ok {
                    self.prune(keep);
                }
                return ok;
            }
            ToAgent::Revert { why } => {
                let answer = self.revert(&why);
                self.lock.tidying();
                self.speaker.say(&answer);
                return true;
            }
            ToAgent::End => {
                let answer = self.give_up("the controller ended it");
                self.lock.tidying();
                self.speaker.say(&answer.unwrap_or(FromAgent::Done));
                return true;
            }
            ToAgent::Service { action, services } => self
                .service(action, &services)
                .map(|()| Some(FromAgent::Done)),
            _ => Err(Failure::unexpected(
                "this request does not belong to a transaction",
            )),
        };
        self.answer(result);
        false
    }

    /// What a request makes this transaction do, for whoever comes second.
    fn doing(&self, request: &ToAgent) -> Option<String> {
        let proven = self.phase.proven().ok();
        Some(match request {
            ToAgent::Offer(_) => "receiving a release".to_owned(),
            ToAgent::Publish(publish) => format!("staging {}", publish.release.id),
            ToAgent::Seed(seed) => format!("filling {}", seed.place),
            ToAgent::Hook(hook) => format!("running hook {}", hook.name),
            ToAgent::Activate(request) => format!("activating {}", request.release),
            ToAgent::Watch { .. } => format!("watching {}", proven?.pending.to),
            ToAgent::Commit { .. } => format!("making {} final", proven?.pending.to),
            ToAgent::Revert { .. } => format!("going back from {}", proven?.pending.to),
            ToAgent::Service { action, .. } => format!("{} of services", action.as_str()),
            _ => return None,
        })
    }

    fn prune(&self, keep: u32) {
        let gone = prune::prune(&self.host.layout, Keep::after_success(keep));
        runtimes::sweep(&self.host.layout);
        if !gone.is_empty() {
            self.speaker.event(HostEvent::Pruned { releases: gone });
        }
    }

    fn answer(&mut self, result: Result<Option<FromAgent>, Failure>) {
        match result {
            Ok(Some(answer)) => self.speaker.say(&answer),
            Ok(None) => {}
            Err(failure) => self.fail(failure),
        }
    }

    /// What was offered comes to nothing.
    fn fail(&mut self, failure: Failure) {
        self.phase.fail();
        self.speaker.say(&FromAgent::Failed(failure));
    }
}
