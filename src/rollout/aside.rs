//! What is said to a host beside the requests: that the controller lives, and that what was asked
//! for shall come to its end early.

use std::time::Duration;

use tokio::sync::watch;

use super::context::Context;
use crate::transport::Link;
use crate::wire::ToAgent;

/// How often the controller says that it lives, ms.
pub const HEARTBEAT_MS: u64 = 2_000;

/// Ends the heartbeats with the link.
#[derive(Debug)]
pub struct Beat(tokio::task::JoinHandle<()>);

impl Beat {
    /// Says on `link` that the controller lives.
    pub fn on(link: &Link) -> Self {
        let sender = link.sender();
        Self(tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(HEARTBEAT_MS)).await;
                if sender.message(&ToAgent::Heartbeat).await.is_err() {
                    return;
                }
            }
        }))
    }
}

impl Drop for Beat {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What ends a request early. Each is said once on a connection, and again on the next one: nobody
/// knows whether it had arrived.
#[derive(Debug, Default)]
pub struct Asides {
    cancel_said: bool,
    /// Turns `true` when what is watched was watched long enough.
    enough: Option<watch::Receiver<bool>>,
    enough_said: bool,
}

impl Asides {
    /// A watch is asked for, or ends: `enough` turns `true` when it was long enough.
    pub fn watches(&mut self, enough: Option<watch::Receiver<bool>>) {
        self.enough = enough;
        self.enough_said = false;
    }

    /// The connection is another one.
    pub fn begin_anew(&mut self) {
        self.cancel_said = false;
        self.enough_said = false;
    }

    /// Waits for the next thing to say. May be given up at any moment.
    pub async fn next(&mut self, context: &Context) -> ToAgent {
        tokio::select! {
            () = context.interruption(), if !self.cancel_said => {
                self.cancel_said = true;
                ToAgent::Cancel
            }
            () = turned(self.enough.as_mut()), if !self.enough_said => {
                self.enough_said = true;
                ToAgent::EndWatch
            }
            else => std::future::pending().await,
        }
    }
}

/// Waits until `signal` is `true`; for ever where there is none.
async fn turned(signal: Option<&mut watch::Receiver<bool>>) {
    let is_on = match signal {
        Some(signal) => signal.wait_for(|on| *on).await.is_ok(),
        None => false,
    };
    if !is_on {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::fake;
    use futures_util::FutureExt;

    /// What is to be said right now.
    fn now(asides: &mut Asides, context: &Context) -> Option<String> {
        let said = asides.next(context).now_or_never();
        said.map(|message| format!("{message:?}"))
    }

    #[test]
    fn what_ends_a_request_early_is_said_again_on_another_connection() {
        let context = fake::context(1, "");
        let (bad, enough) = watch::channel(false);
        let mut asides = Asides::default();
        asides.watches(Some(enough));
        assert_eq!(now(&mut asides, &context), None);
        bad.send_replace(true);
        assert_eq!(now(&mut asides, &context), Some("EndWatch".to_owned()));
        assert_eq!(now(&mut asides, &context), None);
        asides.begin_anew();
        assert_eq!(now(&mut asides, &context), Some("EndWatch".to_owned()));
        asides.watches(None);
        asides.begin_anew();
        assert_eq!(now(&mut asides, &context), None);
        context.stop.ask();
        assert_eq!(now(&mut asides, &context), Some("Cancel".to_owned()));
        assert_eq!(now(&mut asides, &context), None);
    }
}
