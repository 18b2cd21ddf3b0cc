//! A connection that was lost in the middle of a transaction is made anew, and the conversation
//! goes on where it was: the transaction on the host does not depend on it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::context::Context;
use super::limit::{self, Wait};
use super::link::{lost, unasked};
use crate::model::{Failure, FailureKind, HostName};
use crate::transport::{self, Link, Target};
use crate::wire::{Attach, Facts, Frame, FromAgent, Open, ToAgent, Wants};

/// How long an agent may be silent before its first word, ms.
const OPENING_MS: u64 = 40_000;

/// The pause between two attempts to reach a host again, ms.
const PAUSE_MS: u64 = 500;

/// How long at least a host is tried to be reached again, ms. It has gone back by itself long before
/// that; but what is true there is worth waiting for.
const AT_LEAST_MS: u64 = 90_000;

/// How a host is reached.
#[derive(Debug, Clone)]
pub struct Way {
    /// The context.
    pub context: Arc<Context>,
    /// The host.
    pub host: HostName,
    /// Another user than the address names.
    pub user: Option<String>,
    /// Whether the agent runs as root.
    pub sudo: bool,
    /// What the host compares itself with, when it is asked to.
    pub wants: Option<Wants>,
}

/// How a connection was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// It was closed.
    Closed,
    /// Nothing is heard any more; it may come back.
    Silent,
}

/// What came of a connection that was lost.
#[derive(Debug)]
pub enum Rejoined {
    /// It came back by itself, with this.
    Old(Frame),
    /// Another one stands; [`Talk::goes_on`] takes it.
    New(Box<Back>),
}

/// What was said in a transaction so far.
#[derive(Debug, Default)]
pub struct Talk {
    name: String,
    lease_ms: u64,
    events: u64,
    answers: u64,
    /// Requests that were sent ([`ToAgent::is_counted`]).
    pub requests: u64,
    /// Those of them that had arrived when the connection was made anew.
    pub arrived: u64,
    /// The last of them.
    pub last: Option<ToAgent>,
    /// Whether content is on its way.
    pub staging: bool,
    /// Whether the connection was made anew since that was last asked.
    pub rejoined: bool,
    /// What the agent said while nobody heard it.
    missed: VecDeque<FromAgent>,
    over: bool,
}

impl Talk {
    /// Nothing was said yet.
    #[must_use]
    pub fn new(name: &str, lease_ms: u64) -> Self {
        Self {
            name: name.to_owned(),
            lease_ms,
            ..Self::default()
        }
    }

    /// Takes down that `message` was heard.
    pub fn count(&mut self, message: &FromAgent) {
        if matches!(message, FromAgent::Event(_)) {
            self.events += 1;
        } else if message.is_answer() {
            self.answers += 1;
        }
    }

    /// What was missed, in its order. How the transaction ended without us answers everything that
    /// is asked from then on.
    pub fn missed(&mut self) -> Option<FromAgent> {
        match self.missed.front() {
            Some(ended @ FromAgent::Ended(_)) if self.over => Some(ended.clone()),
            _ => self.missed.pop_front(),
        }
    }

    /// This is what will be asked for next.
    pub fn put_back(&mut self, message: FromAgent) {
        self.missed.push_front(message);
    }

    /// What was missed is worth nothing any more.
    pub fn forget_missed(&mut self) {
        for message in std::mem::take(&mut self.missed) {
            self.count(&message);
        }
    }

    /// Goes on over a connection that was made anew.
    pub fn goes_on(&mut self, back: Back) -> Link {
        self.missed = back.missed;
        self.over = back.arrived.is_none();
        self.arrived = back.arrived.unwrap_or(self.arrived);
        self.rejoined = true;
        back.link
    }

    /// Whether the transaction has ended without us.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Whether the last request was to publish.
    #[must_use]
    pub fn last_is_publish(&self) -> bool {
        matches!(self.last, Some(ToAgent::Publish(_)))
    }
}

impl Way {
    /// Connects; what the agent finds on its host.
    ///
    /// # Errors
    /// As [`transport::connect`]; when the agent fails, or the connection is lost.
    pub async fn connect(&self) -> Result<(Link, Facts), Failure> {
        let (link, facts) = self.connect_over(false).await?;
        // What it lacks, services may need: their logs are for members of a group only.
        match facts.is_login_old {
            true => self.connect_over(true).await,
            false => Ok((link, facts)),
        }
    }

    /// Connects, with a login of its own if `anew` says so.
    async fn connect_over(&self, anew: bool) -> Result<(Link, Facts), Failure> {
        let deployment = self.context.deployment();
        let target = Target {
            host: self.host.clone(),
            user: self.user.clone(),
            sudo: self.sudo,
            root: deployment.root_folder(),
            anew,
        };
        let open = Open {
            deployment,
            is_kept: false,
            wants: self.wants.as_ref().map(Wants::for_an_argument),
        };
        let mut link = transport::connect(&target, &self.context.options, &open).await?;
        let limit = limit::opening(&self.context);
        match hear(&self.host, &mut link, limit).await? {
            FromAgent::Opened(facts) => Ok((link, *facts)),
            FromAgent::Failed(failure) => Err(failure.on(&self.host)),
            other => Err(unasked(&self.host, &other)),
        }
    }

    /// The same, unless the command is interrupted meanwhile.
    ///
    /// # Errors
    /// As [`Way::connect`]; when it is interrupted.
    pub async fn connect_unless_interrupted(&self) -> Result<(Link, Facts), Failure> {
        tokio::select! {
            connected = self.connect() => connected,
            () = self.context.interruption() => Err(Context::interrupted()),
        }
    }

    /// Begins to make a lost connection anew, on which `talk` goes on.
    #[must_use]
    pub fn rejoin(&self, talk: &Talk, how: Lost) -> Rejoining {
        let way = self.clone();
        let attach = Attach {
            transaction: talk.name.clone(),
            events: talk.events,
            answers: talk.answers,
        };
        let limit = Duration::from_millis((2 * talk.lease_ms).max(AT_LEAST_MS));
        let mut attempt = JoinSet::new();
        attempt.spawn(async move { way.again(&attach, limit).await });
        Rejoining {
            how,
            began: Instant::now(),
            attempt,
        }
    }

    /// Connects until it works or `limit` is over, and attaches to the transaction.
    async fn again(&self, attach: &Attach, limit: Duration) -> Result<Back, Failure> {
        let began = Instant::now();
        loop {
            let failure = match self.attach(attach).await {
                Ok(back) => return Ok(back),
                Err(failure) if failure.kind != FailureKind::Unreachable => return Err(failure),
                Err(failure) => failure,
            };
            if began.elapsed() >= limit {
                return Err(failure);
            }
            tokio::time::sleep(Duration::from_millis(PAUSE_MS)).await;
        }
    }

    /// Connects and attaches to the transaction.
    async fn attach(&self, attach: &Attach) -> Result<Back, Failure> {
        let (mut link, _) = self.connect().await?;
        let sent = link
            .sender()
            .message(&ToAgent::Attach(attach.clone()))
            .await;
        sent.map_err(|_| lost(&self.host, &link))?;
        let mut missed = VecDeque::new();
        let arrived = loop {
            match hear(&self.host, &mut link, limit::opening(&self.context)).await? {
                FromAgent::Attached(attached) => break Some(attached.requests),
                FromAgent::Ended(how) => {
                    missed.push_back(FromAgent::Ended(how));
                    break None;
                }
                message => missed.push_back(message),
            }
        };
        Ok(Back {
            link,
            missed,
            arrived,
        })
    }
}

/// A connection that is being made anew. It goes on whether somebody waits for it or not: the host
/// does not wait longer for a machine that has begun to do something else. Ends when it is dropped.
#[derive(Debug)]
pub struct Rejoining {
    /// How the connection before was lost.
    pub how: Lost,
    /// When that was found out.
    pub began: Instant,
    attempt: JoinSet<Result<Back, Failure>>,
}

impl Rejoining {
    /// Waits until the old connection comes back or a new one stands. Can be given up, and waited
    /// for again.
    ///
    /// # Errors
    /// When neither happens in time.
    pub async fn ends(&mut self, old: &mut Link) -> Result<Rejoined, Failure> {
        if self.how == Lost::Silent {
            tokio::select! {
                biased;
                new = join(&mut self.attempt) => return new,
                frame = old.frame() => match frame {
                    Ok(Some(frame)) => return Ok(Rejoined::Old(frame)),
                    _ => self.how = Lost::Closed,
                },
            }
        }
        join(&mut self.attempt).await
    }
}

async fn join(attempt: &mut JoinSet<Result<Back, Failure>>) -> Result<Rejoined, Failure> {
    match attempt.join_next().await {
        Some(Ok(back)) => back.map(|back| Rejoined::New(Box::new(back))),
        Some(Err(error)) => Err(Failure::unexpected(error.to_string())),
        None => Err(Failure::unexpected("no connection is being made")),
    }
}

/// A connection that was made anew, and what was missed meanwhile.
#[derive(Debug)]
pub struct Back {
    link: Link,
    missed: VecDeque<FromAgent>,
    /// Requests that had arrived; `None` where the transaction has ended.
    arrived: Option<u64>,
}

/// The next word of an agent, which may be at a repair and say that it lives for up to `limit`.
async fn hear(host: &HostName, link: &mut Link, limit: Duration) -> Result<FromAgent, Failure> {
    let wait = Wait::of(limit, 0);
    loop {
        let silence = tokio::time::Instant::now() + Duration::from_millis(OPENING_MS);
        let end = silence.min(wait.end());
        match tokio::time::timeout_at(end, link.message()).await {
            Ok(Ok(Some(FromAgent::Heartbeat))) => {}
            Ok(Ok(Some(message))) => return Ok(message),
            Ok(_) => return Err(lost(host, link)),
            Err(_) if end == wait.end() => {
                return Err(wait.in_vain(host, "what is live there?"));
            }
            Err(_) => {
                let silent = "the agent does not answer";
                return Err(Failure::connection(silent).on(host));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repair that took longer than an answer is waited for passed for a dead agent.
    #[tokio::test]
    async fn an_agent_that_repairs_is_heard_before_its_first_word() {
        let first = [FromAgent::Heartbeat, FromAgent::Heartbeat, FromAgent::Done];
        let frames = first.map(|message| Frame::message(&message).unwrap().encode());
        let said = std::io::Cursor::new(frames.concat());
        let mut link = Link::new(said, tokio::io::sink(), Box::new(()));
        let host = "web1.example.com".try_into().unwrap();
        let long = Duration::from_secs(20);
        let heard = hear(&host, &mut link, long).await.unwrap();
        assert!(matches!(heard, FromAgent::Done));
        let failure = hear(&host, &mut link, long).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unreachable);
    }
}
