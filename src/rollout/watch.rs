//! Watching hosts whose release is proven and not final yet.

use tokio::sync::watch;

use super::fleet::on_each;
use super::link::HostLink;
use super::switch::{Answer, Switch};
use crate::model::event::Event;
use crate::project::OnFailure;
use crate::wire::ToAgent;

impl Switch<'_> {
    /// Watches the hosts of the first wave before the others follow.
    pub(super) async fn bake(&mut self, first: Vec<usize>, ms: u64) -> Vec<(usize, Answer)> {
        let hosts = match first.len() {
            1 => "the first host is".to_owned(),
            many => format!("the first {many} hosts are"),
        };
        self.context.sink.emit(Event::Note {
            text: format!(
                "{hosts} watched for {} s before the others follow",
                ms / 1000
            ),
        });
        self.watched(first, ms).await
    }

    /// Watches `hosts`, which are all that will stay, before the release counts as good.
    pub(super) async fn watch(&mut self, hosts: Vec<usize>, ms: u64) -> Vec<(usize, Answer)> {
        if !hosts.is_empty() {
            let release = self.release;
            self.context.sink.emit(Event::Note {
                text: format!(
                    "{release} is watched for {} s before it counts as good",
                    ms / 1000
                ),
            });
        }
        self.watched(hosts, ms).await
    }

    /// Watches `hosts` side by side for `ms` milliseconds. Where one that turns bad takes all of
    /// them with it, the others are not watched to the end.
    async fn watched(&mut self, hosts: Vec<usize>, ms: u64) -> Vec<(usize, Answer)> {
        let (bad, turned_bad) = watch::channel(false);
        let together = self.on_failure == OnFailure::RevertAll;
        let (bad, hosts) = (&bad, &hosts);
        let watched = on_each(&mut self.fleet.hosts, async |at, host| {
            if !hosts.contains(&at) {
                return None;
            }
            let answer = watch_one(host, ms, turned_bad.clone()).await;
            if together && !matches!(&answer, Answer::Ended(activated) if activated.ok) {
                bad.send_replace(true);
            }
            Some((at, answer))
        });
        watched.await.into_iter().flatten().collect()
    }
}

/// Watches a host until it answers; asks it to make an end when another one `turned_bad`.
async fn watch_one(host: &mut HostLink, ms: u64, mut turned_bad: watch::Receiver<bool>) -> Answer {
    // Reading an answer must not be dropped half way: the end is asked for beside it.
    let sender = host.sender();
    let name = host.host.clone();
    let request = ToAgent::Watch { ms };
    let asked = host.ask(&request, "watch");
    tokio::pin!(asked);
    let mut told = false;
    let answered = loop {
        tokio::select! {
            answered = &mut asked => break answered,
            bad = turned_bad.wait_for(|bad| *bad), if !told => {
                told = true;
                if bad.is_ok() {
                    let _ = sender.message(&ToAgent::EndWatch).await;
                }
            }
        }
    };
    Answer::of(&name, answered)
}
