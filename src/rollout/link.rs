//! One host as the controller talks to it: requests and answers, heartbeats, events on the way.

mod again;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::aside::{Asides, Beat};
use super::compare::Comparison;
use super::context::Context;
use super::limit::{self, Wait};
use super::rejoin::{Lost, Rejoining, Talk, Way};
use crate::model::event::{Event, HostEvent};
use crate::model::{Failure, HostName};
use crate::project::Host;
use crate::transport::Link;
use crate::wire::{Facts, Frame, FromAgent, ToAgent};

/// An agent that answers a question is given up after so long a silence, ms.
const SILENCE_MS: u64 = 40_000;

/// The same for a transaction, which says that it lives every 2 s: from then on another connection
/// is tried, ms.
const HUSH_MS: u64 = 7_000;

/// While content travels, a connection that may come back is waited for longer, ms: what is on its
/// way would have to be sent again.
const PATIENCE_MS: u64 = 20_000;

/// How long an end is worth waiting for, ms.
const ENDING_MS: u64 = 10_000;

/// A host with a standing connection.
#[derive(Debug)]
pub struct HostLink {
    /// The host.
    pub host: HostName,
    /// What was found there last.
    pub facts: Facts,
    link: Link,
    way: Way,
    /// What was said in the transaction that was begun on this host.
    talk: Option<Talk>,
    /// The connection that is being made in the place of `link`, which is lost.
    rejoining: Option<Rejoining>,
    asides: Asides,
    /// What it says when it compares itself with the manifest.
    pub(super) comparison: Comparison,
    /// Bytes written on connections that were lost.
    sent_before: u64,
    _beat: Beat,
}

impl HostLink {
    /// Connects to `host`, as `user` when that is not the address's, as root with `sudo`, and
    /// begins the conversation.
    ///
    /// # Errors
    /// As [`crate::transport::connect`]; when the agent fails, or the connection is lost.
    pub async fn connect(
        context: &Context,
        host: HostName,
        user: Option<String>,
        sudo: bool,
    ) -> Result<Self, Failure> {
        Self::connect_by(Way {
            context: Arc::new(context.clone()),
            host,
            user,
            sudo,
            wants: None,
        })
        .await
    }

    /// Connects to a host of the environment, which compares itself with what the manifest wants of
    /// it; [`HostLink::compared`] waits for the answer.
    ///
    /// # Errors
    /// As [`HostLink::connect`].
    pub async fn connect_comparing(context: &Context, host: &Host) -> Result<Self, Failure> {
        Self::connect_by(Way {
            context: Arc::new(context.clone()),
            host: host.name.clone(),
            user: None,
            sudo: false,
            wants: Some(context.wants_of(host)),
        })
        .await
    }

    async fn connect_by(mut way: Way) -> Result<Self, Failure> {
        let started = Instant::now();
        let (link, facts) = way.connect_unless_interrupted().await?;
        // A connection that is made anew asks for nothing.
        let comparison = Comparison::asked_for(way.wants.take().is_some());
        let (context, host) = (Arc::clone(&way.context), way.host.clone());
        context.sink.host(
            &host,
            HostEvent::Connected {
                agent_sent: link.agent_sent,
                current: facts.current,
                ms: millis(started),
            },
        );
        context.remember_releases(&host, &facts);
        for text in &facts.recovered {
            context
                .sink
                .host(&host, HostEvent::Warning { text: text.clone() });
        }
        let mut this = Self::of(way, link, facts);
        this.comparison = comparison;
        Ok(this)
    }

    /// Waits until the host has compared itself with the manifest, if it was asked to. Can be given
    /// up, and waited for again.
    ///
    /// # Errors
    /// As [`HostLink::ask`].
    pub async fn compared(&mut self) -> Result<(), Failure> {
        while self.comparison.is_awaited() {
            let message = self.next().await?;
            if let Some(other) = self.take(message)? {
                return Err(unasked(&self.host, &other));
            }
        }
        Ok(())
    }

    /// A connection that stands.
    pub(super) fn of(way: Way, link: Link, facts: Facts) -> Self {
        Self {
            host: way.host.clone(),
            facts,
            way,
            talk: None,
            rejoining: None,
            asides: Asides::default(),
            comparison: Comparison::default(),
            sent_before: 0,
            _beat: Beat::on(&link),
            link,
        }
    }

    /// A transaction of this name begins with the next request: from then on a lost connection is
    /// made anew, for as long as the host waits (`lease_ms`) and what it did then may be asked.
    pub fn begin(&mut self, transaction: &str, lease_ms: u64) {
        self.talk = Some(Talk::new(transaction, lease_ms));
        self.rejoining = None;
    }

    /// Sends a request; the answer. Events on the way go to the sink. In a transaction a lost
    /// connection is made anew, and what did not arrive is asked again.
    ///
    /// # Errors
    /// What the agent says failed; a lost connection is [`FailureKind::Unreachable`].
    pub async fn ask(&mut self, request: &ToAgent, what: &str) -> Result<FromAgent, Failure> {
        let started = Instant::now();
        let sent = self.send(request).await;
        // Whether it arrived is found out while the answer is waited for.
        if self.talk.is_none() {
            sent?;
        }
        let answer = self.answer_to(request, what).await?;
        self.took(what, started);
        Ok(answer)
    }

    /// Sends a request that has no answer of its own.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn send(&mut self, request: &ToAgent) -> Result<(), Failure> {
        self.sends(request);
        let sent = self.link.sender().message(request).await;
        sent.map_err(|_| self.lost())
    }

    /// Takes down that `request` is on its way.
    pub fn sends(&mut self, request: &ToAgent) {
        if let Some(talk) = &mut self.talk
            && request.is_counted()
        {
            talk.requests += 1;
            talk.last = Some(request.clone());
        }
    }

    /// Watches what is proven there for `ms` milliseconds, or until `enough` turns `true`.
    ///
    /// # Errors
    /// As [`HostLink::ask`].
    pub async fn watch(
        &mut self,
        ms: u64,
        enough: watch::Receiver<bool>,
    ) -> Result<FromAgent, Failure> {
        self.asides.watches(Some(enough));
        let answered = self.ask(&ToAgent::Watch { ms }, "watch").await;
        self.asides.watches(None);
        answered
    }

    /// Ends a transaction that activated nothing. A host that does not hear it ends by itself, so a
    /// lost connection is not made anew for this.
    pub async fn end(&mut self) {
        self.talk = None;
        self.rejoining = None;
        let limit = Duration::from_millis(ENDING_MS);
        let _ = tokio::time::timeout(limit, self.ask(&ToAgent::End, "end")).await;
    }

    /// Sends bulk data and its end.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn send_data(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let sender = self.link.sender();
        for piece in bytes.chunks(256 << 10) {
            sender
                .frame(Frame::Data(piece.to_vec()))
                .await
                .map_err(|_| self.lost())?;
        }
        self.send(&ToAgent::DataEnd).await
    }

    /// The sending half, for bulk data from elsewhere.
    #[must_use]
    pub fn sender(&self) -> crate::transport::link::LinkSender {
        self.link.sender()
    }

    /// Bytes written to this host so far.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent_before + self.link.traffic().sent()
    }

    /// Reports a round trip that was begun at `started`.
    pub fn took(&self, what: &str, started: Instant) {
        self.way.context.sink.emit(Event::RoundTrip {
            host: self.host.clone(),
            what: what.to_owned(),
            ms: millis(started),
        });
    }

    /// The answer to `request`, within what that may take; `what` is its word.
    ///
    /// # Errors
    /// As [`HostLink::answer_within`].
    pub async fn answer_to(&mut self, request: &ToAgent, what: &str) -> Result<FromAgent, Failure> {
        let limit = limit::limit(request, &self.way.context);
        self.answer_within(limit, what).await
    }

    /// The next piece of something that streams and may stay silent for any time.
    ///
    /// # Errors
    /// As [`HostLink::answer_within`], without its limit.
    pub async fn answer(&mut self) -> Result<FromAgent, Failure> {
        loop {
            let message = self.next().await?;
            if let Some(answer) = self.take(message)? {
                return Ok(answer);
            }
        }
    }

    /// The next answer, to `what` was asked. Events on the way go to the sink; a cancel goes to the
    /// agent, which then ends what it does in an orderly way. The host may take `limit` from one
    /// event, or one piece of content that is on its way to it, to the next; heartbeats count for
    /// nothing.
    ///
    /// # Errors
    /// What the agent says failed; a lost connection and an answer that does not come are
    /// [`FailureKind::Unreachable`].
    pub async fn answer_within(
        &mut self,
        limit: Duration,
        what: &str,
    ) -> Result<FromAgent, Failure> {
        let mut wait = Wait::of(limit, self.link.traffic().content());
        loop {
            let message = match tokio::time::timeout_at(wait.end(), self.next()).await {
                Ok(message) => message?,
                Err(_) if wait.is_moving(self.link.traffic().content()) => continue,
                Err(_) => return Err(wait.in_vain(&self.host, what)),
            };
            if !matches!(message, FromAgent::Heartbeat) {
                wait.renew();
            }
            if let Some(answer) = self.take(message)? {
                return Ok(answer);
            }
        }
    }

    /// Takes a message down; it, when it is an answer.
    fn take(&mut self, message: FromAgent) -> Result<Option<FromAgent>, Failure> {
        if let Some(talk) = &mut self.talk {
            talk.count(&message);
        }
        match message {
            FromAgent::Failed(failure) => Err(failure.on(&self.host)),
            FromAgent::Event(_) | FromAgent::Heartbeat | FromAgent::CancelAsked { .. } => {
                self.hear(message);
                Ok(None)
            }
            answer => Ok(self.comparison.take(answer)),
        }
    }

    /// Hears what the host says while nothing is asked of it, and makes a connection anew that is
    /// lost: for the lease, a host that waits for others is one that waits. Never ends; may be given
    /// up at any moment.
    pub async fn tend(&mut self) {
        while self.talk.as_ref().is_some_and(|talk| !talk.is_over()) {
            // What is wrong is told to whoever asks next.
            let Ok(message) = self.next().await else {
                break;
            };
            let Some(talk) = &mut self.talk else { break };
            if message.is_answer() || matches!(message, FromAgent::Ended(_)) {
                talk.put_back(message);
                break;
            }
            talk.count(&message);
            self.hear(message);
        }
        std::future::pending().await
    }

    /// What the host has said of its end while it was tended.
    pub fn told(&mut self) -> Option<FromAgent> {
        while let Some(talk) = &mut self.talk {
            let message = talk.missed()?;
            talk.count(&message);
            if message.is_answer() || matches!(message, FromAgent::Ended(_)) {
                return Some(message);
            }
            self.hear(message);
        }
        None
    }

    /// What is said without being asked.
    fn hear(&self, message: FromAgent) {
        match message {
            FromAgent::Event(event) => self.way.context.sink.host(&self.host, event),
            FromAgent::CancelAsked { by } => self.way.context.cancelled_by(&by),
            _ => {}
        }
    }

    /// The next message: one that was missed, or one that comes.
    async fn next(&mut self) -> Result<FromAgent, Failure> {
        if let Some(missed) = self.talk.as_mut().and_then(Talk::missed) {
            return Ok(missed);
        }
        loop {
            let received = match &self.rejoining {
                Some(rejoining) => Err(rejoining.how),
                None => self.receive().await,
            };
            let received = match received {
                Ok(frame) => Some(frame),
                Err(lost) if self.may_rejoin() => self.rejoin(lost).await?,
                Err(_) => return Err(self.lost()),
            };
            if let Some(frame) = received {
                return frame.parse().map_err(|_| self.lost());
            }
            self.ask_again().await;
            if let Some(missed) = self.talk.as_mut().and_then(Talk::missed) {
                return Ok(missed);
            }
        }
    }

    /// The next frame.
    ///
    /// # Errors
    /// A lost connection is [`FailureKind::Unreachable`].
    pub async fn next_frame(&mut self) -> Result<Frame, Failure> {
        self.receive().await.map_err(|_| self.lost())
    }

    /// Waits for a frame as long as it makes sense; a cancel goes out meanwhile.
    async fn receive(&mut self) -> Result<Frame, Lost> {
        let context = Arc::clone(&self.way.context);
        let began = Instant::now();
        let mut hushed = false;
        let frame = loop {
            let limit = match &self.talk {
                None => SILENCE_MS,
                Some(talk) if talk.staging && hushed => PATIENCE_MS,
                Some(_) => HUSH_MS,
            };
            let limit = Duration::from_millis(limit).saturating_sub(began.elapsed());
            tokio::select! {
                biased;
                frame = self.link.frame() => break frame,
                aside = self.asides.next(&context) => {
                    let _ = self.link.sender().message(&aside).await;
                }
                () = tokio::time::sleep(limit) => {
                    let staging = self.talk.as_ref().is_some_and(|talk| talk.staging);
                    if !staging || hushed {
                        return Err(Lost::Silent);
                    }
                    hushed = true;
                    context.sink.host(&self.host, HostEvent::Reconnecting);
                }
            }
        };
        if hushed && matches!(frame, Ok(Some(_))) {
            let ms = millis(began);
            context.sink.host(&self.host, HostEvent::Reconnected { ms });
        }
        match frame {
            Ok(Some(frame)) => Ok(frame),
            Ok(None) | Err(_) => Err(Lost::Closed),
        }
    }

    fn lost(&self) -> Failure {
        lost(&self.host, &self.link)
    }
}

/// What a lost connection is to a person.
#[must_use]
pub fn lost(host: &HostName, link: &Link) -> Failure {
    let said = link.stderr();
    Failure::connection("the connection was lost")
        .on(host)
        .details(said.lines().map(str::to_owned))
}

/// An answer that does not belong to the question.
#[must_use]
pub fn unasked(host: &HostName, answer: &FromAgent) -> Failure {
    if matches!(answer, FromAgent::Ended(_)) {
        return Failure::connection("the connection was lost, and the operation there has ended")
            .on(host);
    }
    let text = format!("{answer:?}");
    let word = text
        .split(['(', ' ', '{'])
        .next()
        .unwrap_or_default()
        .to_owned();
    Failure::unexpected(format!(
        "the agent answered `{word}`, which does not fit the request"
    ))
    .on(host)
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::fake::Fake;

    /// It passed for the answer to the next offer, and each answer after it for one to the request
    /// before.
    #[tokio::test]
    async fn what_answered_the_offer_of_a_lost_connection_is_forgotten() {
        let mut fake = Fake::fleet(1, "", |_, _| Vec::new());
        let host = &mut fake.fleet.hosts[0];
        host.begin("name", 1000);
        let talk = host.talk.as_mut().unwrap();
        talk.put_back(FromAgent::NeedIndex);
        talk.rejoined = true;
        assert!(host.stages());
        assert!(host.talk.as_mut().unwrap().missed().is_none());
    }
}
