//! One host as the controller talks to it: requests and answers, heartbeats, events on the way.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::model::event::{Event, HostEvent, Sink};
use crate::model::{Failure, FailureKind, HostName};
use crate::transport::Link;
use crate::wire::{Facts, Frame, FromAgent, ToAgent};

/// How often the controller says that it lives, ms.
const HEARTBEAT_MS: u64 = 3_000;

/// A silent agent is given up after this long, ms: it says that it lives every 5 s.
const SILENCE_MS: u64 = 40_000;

/// A host with a standing connection.
#[derive(Debug)]
pub struct HostLink {
    /// The host.
    pub host: HostName,
    /// What was found there last.
    pub facts: Facts,
    link: Link,
    sink: Sink,
    cancel: watch::Receiver<bool>,
    cancel_sent: bool,
    _beat: Beat,
}

/// Ends the heartbeats with the link.
#[derive(Debug)]
struct Beat(tokio::task::JoinHandle<()>);

impl Drop for Beat {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl HostLink {
    /// Begins the conversation on `link`, with the answer to the `Open` that it was connected with.
    ///
    /// # Errors
    /// When the agent fails, or the connection is lost.
    pub async fn open(
        host: HostName,
        link: Link,
        sink: Sink,
        cancel: watch::Receiver<bool>,
        started: Instant,
    ) -> Result<Self, Failure> {
        let sender = link.sender();
        let beat = tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(HEARTBEAT_MS)).await;
                if sender.message(&ToAgent::Heartbeat).await.is_err() {
                    return;
                }
            }
        });
        let agent_sent = link.agent_sent;
        let mut opening = Opening {
            host,
            link,
            sink,
            cancel,
        };
        let facts = match opening.answer().await? {
            FromAgent::Opened(facts) => *facts,
            FromAgent::Failed(failure) => return Err(named(failure, &opening.host)),
            other => return Err(unasked(&opening.host, &other)),
        };
        let Opening {
            host,
            link,
            sink,
            cancel,
        } = opening;
        sink.host(
            &host,
            HostEvent::Connected {
                agent_sent,
                current: facts.current,
                ms: millis(started),
            },
        );
        for text in &facts.recovered {
            sink.host(&host, HostEvent::Warning { text: text.clone() });
        }
        Ok(Self {
            host,
            facts,
            link,
            sink,
            cancel,
            cancel_sent: false,
            _beat: Beat(beat),
        })
    }

    /// Sends a request; the answer. Events on the way go to the sink.
    ///
    /// # Errors
    /// What the agent says failed; a lost connection is [`FailureKind::Unreachable`].
    pub async fn ask(&mut self, request: &ToAgent, what: &str) -> Result<FromAgent, Failure> {
        let started = Instant::now();
        self.send(request).await?;
        let answer = self.answer().await?;
        self.took(what, started);
        Ok(answer)
    }

    /// Sends a request that has no answer of its own.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn send(&mut self, request: &ToAgent) -> Result<(), Failure> {
        self.link
            .sender()
            .message(request)
            .await
            .map_err(|_| self.lost())
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
        self.link.traffic().sent()
    }

    /// Reports a round trip that was begun at `started`.
    pub fn took(&self, what: &str, started: Instant) {
        self.sink.emit(Event::RoundTrip {
            host: self.host.clone(),
            what: what.to_owned(),
            ms: millis(started),
        });
    }

    /// The next answer. Events on the way go to the sink; a cancel goes to the agent, which then
    /// ends what it does in an orderly way.
    ///
    /// # Errors
    /// What the agent says failed; a lost connection is [`FailureKind::Unreachable`].
    pub async fn answer(&mut self) -> Result<FromAgent, Failure> {
        loop {
            match self.next().await? {
                FromAgent::Failed(failure) => return Err(named(failure, &self.host)),
                FromAgent::Event(event) => self.sink.host(&self.host, event),
                FromAgent::Heartbeat => {}
                answer => return Ok(answer),
            }
        }
    }

    /// The next message, whatever it is.
    ///
    /// # Errors
    /// A lost connection is [`FailureKind::Unreachable`].
    pub async fn next(&mut self) -> Result<FromAgent, Failure> {
        let frame = self.next_frame().await?;
        frame.parse().map_err(|_| self.lost())
    }

    /// The next frame.
    ///
    /// # Errors
    /// A lost connection is [`FailureKind::Unreachable`].
    pub async fn next_frame(&mut self) -> Result<Frame, Failure> {
        if *self.cancel.borrow() && !self.cancel_sent {
            self.cancel_sent = true;
            self.send(&ToAgent::Cancel).await?;
        }
        // Reading a frame must not be dropped half way: the cancel is sent beside it.
        let sender = self.link.sender();
        let mut cancel = self.cancel.clone();
        let mut told = self.cancel_sent;
        let silence = Duration::from_millis(SILENCE_MS);
        let frame = {
            let read = tokio::time::timeout(silence, self.link.frame());
            tokio::pin!(read);
            loop {
                tokio::select! {
                    frame = &mut read => break frame,
                    cancelled = cancel.wait_for(|on| *on), if !told => {
                        told = true;
                        if cancelled.is_ok() {
                            let _ = sender.message(&ToAgent::Cancel).await;
                        }
                    }
                }
            }
        };
        self.cancel_sent = told;
        match frame {
            Ok(Ok(Some(frame))) => Ok(frame),
            Ok(Ok(None)) | Ok(Err(_)) => Err(self.lost()),
            Err(_) => Err(Failure::new(
                FailureKind::Unreachable,
                format!(
                    "{}: nothing was heard of the host for {} s",
                    self.host,
                    SILENCE_MS / 1000
                ),
            )),
        }
    }

    fn lost(&self) -> Failure {
        lost(&self.host, &self.link)
    }
}

struct Opening {
    host: HostName,
    link: Link,
    sink: Sink,
    cancel: watch::Receiver<bool>,
}

impl Opening {
    async fn answer(&mut self) -> Result<FromAgent, Failure> {
        let answer =
            tokio::time::timeout(Duration::from_millis(SILENCE_MS), self.link.message()).await;
        match answer {
            Ok(Ok(Some(answer))) => Ok(answer),
            Ok(_) => Err(lost(&self.host, &self.link)),
            Err(_) => Err(Failure::new(
                FailureKind::Unreachable,
                format!("{}: the agent does not answer", self.host),
            )),
        }
    }
}

fn lost(host: &HostName, link: &Link) -> Failure {
    let said = link.stderr();
    Failure::new(
        FailureKind::Unreachable,
        format!("{host}: the connection was lost"),
    )
    .details(said.lines().map(str::to_owned))
}

/// An answer that does not belong to the question.
#[must_use]
pub fn unasked(host: &HostName, answer: &FromAgent) -> Failure {
    let text = format!("{answer:?}");
    let word = text
        .split(['(', ' ', '{'])
        .next()
        .unwrap_or_default()
        .to_owned();
    Failure::unexpected(format!(
        "{host}: the agent answered `{word}`, which was not asked for"
    ))
}

/// Puts the host in front of what failed there.
#[must_use]
pub fn named(mut failure: Failure, host: &HostName) -> Failure {
    let prefix = format!("{host}: ");
    if !failure.message.starts_with(&prefix) {
        failure.message.insert_str(0, &prefix);
    }
    failure
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
