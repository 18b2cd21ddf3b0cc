//! What Ctrl-C, SIGTERM and SIGHUP mean to a command.

use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};

use super::exit;
use crate::model::event::{Event, Sink};
use crate::model::{Failure, FailureKind};
use crate::rollout::stop::{Stage, Stop};

/// The same signal again within this time is the same wish: a terminal that is closed, or a program
/// in between, may send it twice.
const ECHO: Duration = Duration::from_millis(500);

/// What a signal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// An orderly end.
    Stop,
    /// An end at once: the hosts end it by themselves.
    Leave,
    /// Nothing beyond what was asked for already.
    Echo,
}

/// The last signal that was heard.
#[derive(Debug, Default)]
struct Heard(Option<(SignalKind, Instant)>);

impl Heard {
    /// What `kind` means at `now`. A terminal that is gone is not impatient.
    fn means(&mut self, kind: SignalKind, now: Instant) -> Meaning {
        match self.0.replace((kind, now)) {
            None => Meaning::Stop,
            Some(_) if kind == SignalKind::hangup() => Meaning::Echo,
            Some((last, at)) if last == kind && now.duration_since(at) < ECHO => Meaning::Echo,
            Some(_) => Meaning::Leave,
        }
    }
}

/// Hears signals for as long as the command runs.
pub async fn watch(stop: Stop, sink: Sink) {
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
        signal(SignalKind::hangup()),
    ) else {
        return;
    };
    let mut heard = Heard::default();
    loop {
        let kind = tokio::select! {
            _ = interrupt.recv() => SignalKind::interrupt(),
            _ = terminate.recv() => SignalKind::terminate(),
            _ = hangup.recv() => SignalKind::hangup(),
        };
        match heard.means(kind, Instant::now()) {
            Meaning::Stop => {
                let text = format!("{}; a second Ctrl-C leaves at once", stopping(stop.ask()));
                sink.emit(Event::Note { text });
            }
            Meaning::Leave => {
                let (exit, said) = leaving(stop.stage());
                said.into_iter().for_each(|event| sink.emit(event));
                std::process::exit(i32::from(exit));
            }
            Meaning::Echo => {}
        }
    }
}

/// What becomes of a wish to stop.
fn stopping(stage: Stage) -> String {
    match stage {
        Stage::Open => "stopping in an orderly way".to_owned(),
        Stage::Decided(release) => {
            format!("{release} is proven, and is being made final: it stays")
        }
        Stage::Final(release) => format!("{release} is final: it stays"),
    }
}

/// The exit code of a command that is left, and what is said where that alone would not be true.
fn leaving(stage: Stage) -> (u8, Option<Event>) {
    match stage {
        Stage::Open => (exit::code(FailureKind::Interrupted), None),
        Stage::Decided(release) => {
            let what = format!(
                "stopped while {release} was being made final; not every host has confirmed it"
            );
            let failure = Failure::new(FailureKind::NeedsPerson, what)
                .hint("`ship status` tells what is live, `ship deploy --resume` brings the hosts together");
            let exit = exit::code(failure.kind);
            let failed = Event::Failed {
                failure,
                outcome: None,
                exit,
            };
            (exit, Some(failed))
        }
        Stage::Final(release) => {
            let text = format!("{release} is final");
            (exit::DONE, Some(Event::Note { text }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ReleaseId;

    /// What signals at these milliseconds mean.
    fn meanings(signals: &[(SignalKind, u64)]) -> Vec<Meaning> {
        let begun = Instant::now();
        let mut heard = Heard::default();
        let means =
            |(kind, ms): &(SignalKind, u64)| heard.means(*kind, begun + Duration::from_millis(*ms));
        signals.iter().map(means).collect()
    }

    #[test]
    fn only_a_second_wish_leaves_at_once() {
        use Meaning::{Echo, Leave, Stop};
        let (int, term, hup) = (
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        );
        assert_eq!(
            meanings(&[(int, 0), (int, 3), (int, 900)]),
            [Stop, Echo, Leave]
        );
        assert_eq!(
            meanings(&[(hup, 0), (hup, 3), (hup, 900)]),
            [Stop, Echo, Echo]
        );
        assert_eq!(meanings(&[(int, 0), (hup, 900)]), [Stop, Echo]);
        assert_eq!(meanings(&[(hup, 0), (term, 3)]), [Stop, Leave]);
    }

    #[test]
    fn who_leaves_is_not_told_of_a_way_back_that_there_is_not() {
        let v2 = ReleaseId(2);
        assert_eq!(leaving(Stage::Open).0, 130);
        assert_eq!(leaving(Stage::Decided(v2)).0, 8);
        assert_eq!(leaving(Stage::Final(v2)).0, 0);
        assert_eq!(stopping(Stage::Open), "stopping in an orderly way");
        assert_eq!(
            stopping(Stage::Decided(v2)),
            "v2 is proven, and is being made final: it stays"
        );
        assert_eq!(stopping(Stage::Final(v2)), "v2 is final: it stays");
    }
}
