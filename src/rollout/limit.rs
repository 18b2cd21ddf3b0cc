//! How long a host may take to answer. A heartbeat says that an agent lives, and nothing of whether
//! it will ever answer: only an answer, an event of the work or content that moves counts.

use std::time::{Duration, Instant};

use super::context::Context;
use crate::model::{Failure, HostName};
use crate::wire::ToAgent;

/// How long an agent may take to its first word, when it is only asked something. It may be repairing
/// what a transaction left.
const OPENING: Duration = Duration::from_secs(30);

/// How long a question may take that changes nothing.
const QUESTION: Duration = Duration::from_secs(30);

/// How long a preflight may take: some twenty questions to programs of the host, of up to 10 s each
/// where one hangs.
const PREFLIGHT: Duration = Duration::from_secs(120);

/// How long setup may take on one host.
const SETUP: Duration = Duration::from_secs(300);

/// How long reading and hashing all kept releases may take.
const VERIFY: Duration = Duration::from_secs(3600);

/// How long a host may take to the next line of its logs: where few lines match, it reads many that
/// nobody sees.
const LOGS: Duration = Duration::from_secs(120);

/// How long the disk of a host may take over a request that writes.
const WRITING: Duration = Duration::from_secs(120);

/// The least that a switch may take between two events. What the manifest says of its services may be
/// less than what an older release needs.
const SWITCH: Duration = Duration::from_secs(900);

/// What a service manager may take beyond the service's own stop timeout, as on the host.
const GRACE: Duration = Duration::from_secs(30);

/// How long the host may take to say anything of `request` but that it lives.
#[must_use]
pub fn limit(request: &ToAgent, context: &Context) -> Duration {
    match request {
        ToAgent::Status
        | ToAgent::Releases
        | ToAgent::History { .. }
        | ToAgent::Present
        | ToAgent::CancelRunning { .. } => QUESTION,
        ToAgent::Preflight(_) => PREFLIGHT,
        ToAgent::Verify => VERIFY,
        ToAgent::Logs(_) => LOGS,
        ToAgent::Setup(_) => SETUP,
        ToAgent::Precommit
        | ToAgent::Commit { .. }
        | ToAgent::End
        | ToAgent::Freeze { .. }
        | ToAgent::Thaw { .. } => WRITING,
        // A repair may come first.
        ToAgent::Begin(begin) => switch(context) + Duration::from_millis(begin.wait_ms),
        ToAgent::Hook(hook) => Duration::from_millis(hook.timeout_ms) + WRITING,
        // What turns bad goes back.
        ToAgent::Watch { ms } => Duration::from_millis(*ms) + switch(context),
        _ => switch(context),
    }
}

/// How long an agent may take to its first word.
#[must_use]
pub fn opening(context: &Context) -> Duration {
    match context.asks_only {
        true => OPENING,
        false => switch(context),
    }
}

/// What a switch, or the way back, may take between two events: the slowest service is stopped,
/// started and proven.
fn switch(context: &Context) -> Duration {
    let services = context.project.services.iter();
    let slowest = services.map(|service| {
        let health = &service.health;
        service.stop_timeout_ms + health.timeout_ms + health.settle_ms
    });
    let slowest = Duration::from_millis(slowest.max().unwrap_or_default());
    (2 * (slowest + GRACE)).max(SWITCH)
}

/// A wait for an answer.
#[derive(Debug)]
pub struct Wait {
    limit: Duration,
    end: Instant,
    content: u64,
}

impl Wait {
    /// A wait of at most `limit`, which begins now; `content` bytes of it went to the host before.
    #[must_use]
    pub fn of(limit: Duration, content: u64) -> Self {
        Self {
            limit,
            end: Instant::now() + limit,
            content,
        }
    }

    /// The end of the wait.
    #[must_use]
    pub fn end(&self) -> tokio::time::Instant {
        self.end.into()
    }

    /// The host told something of its work: it has the whole limit again.
    pub fn renew(&mut self) {
        self.end = Instant::now() + self.limit;
    }

    /// Whether content moved since the wait was begun or renewed; the wait is renewed then.
    /// A connection that was made anew counts from zero.
    pub fn is_moving(&mut self, content: u64) -> bool {
        let is_moving = content != self.content;
        self.content = content;
        if is_moving {
            self.renew();
        }
        is_moving
    }

    /// What a wait without an answer is to a person. `what` was asked.
    #[must_use]
    pub fn in_vain(&self, host: &HostName, what: &str) -> Failure {
        let limit = self.limit.as_secs();
        Failure::connection(format!(
            "the agent is alive but has not answered ({what}) within {limit} s"
        ))
        .on(host)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;
    use crate::model::FailureKind;
    use crate::model::event::HostEvent;
    use crate::rollout::link::HostLink;
    use crate::rollout::rejoin::Way;
    use crate::rollout::{aside, fake};
    use crate::transport::Link;
    use crate::wire::{Frame, FromAgent};

    /// A host that says this every 20 ms, as often as `times`, and never an answer.
    fn says(message: &FromAgent, times: usize) -> HostLink {
        let (near, far) = tokio::io::duplex(64 << 10);
        let frame = Frame::message(message).unwrap().encode();
        tokio::spawn(async move {
            let (_reader, mut writer) = tokio::io::split(far);
            for _ in 0..times {
                tokio::time::sleep(Duration::from_millis(20)).await;
                if writer.write_all(&frame).await.is_err() {
                    return;
                }
            }
            std::future::pending::<()>().await;
        });
        let context = fake::context(1, "");
        let way = Way {
            host: context.environment.hosts[0].name.clone(),
            context: std::sync::Arc::new(context),
            user: None,
            sudo: false,
            wants: None,
        };
        let (reader, writer) = tokio::io::split(near);
        HostLink::of(way, Link::new(reader, writer, Box::new(())), fake::facts())
    }

    #[tokio::test]
    async fn heartbeats_do_not_extend_the_wait_for_an_answer() {
        let mut host = says(&FromAgent::Heartbeat, usize::MAX);
        // Longer than from one heartbeat of the controller to the next: that, and the request, are
        // sent while the answer is waited for.
        let limit = Duration::from_millis(2 * aside::HEARTBEAT_MS);
        host.send(&ToAgent::Status).await.unwrap();
        let answer = host.answer_within(limit, "status");
        let answered = tokio::time::timeout(limit.mul_f64(1.5), answer).await;
        let failure = answered.expect("it ends").unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unreachable);
        let expected = "web1: the agent is alive but has not answered (status) within 4 s";
        assert_eq!(failure.message(), expected);
    }

    #[tokio::test]
    async fn what_happens_on_the_host_extends_it() {
        let text = "still at it".to_owned();
        let mut host = says(&FromAgent::Event(HostEvent::Note { text }), 50);
        let limit = Duration::from_millis(500);
        let began = Instant::now();
        host.answer_within(limit, "activate").await.unwrap_err();
        assert!(began.elapsed() >= Duration::from_millis(50 * 20) + limit);
    }

    #[test]
    fn the_limit_follows_from_what_is_asked() {
        let mut context = fake::context(1, "");
        let of = |context: &Context, request| limit(&request, context).as_secs();
        assert_eq!(of(&context, ToAgent::Status), 30);
        assert_eq!(of(&context, ToAgent::Watch { ms: 60_000 }), 960);
        context.project.services[0].health.timeout_ms = 3_600_000;
        assert!(of(&context, ToAgent::Watch { ms: 60_000 }) > 7_200);
        assert_eq!(opening(&context.quiet()).as_secs(), 30);
        assert!(opening(&context).as_secs() > 7_200);
    }
}
