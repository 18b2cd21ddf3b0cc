//! Watching hosts whose release is proven and not final yet.

use tokio::sync::watch;

use super::fleet::on_each;
use super::member::{Answer, Member};
use super::switch::Switch;
use crate::model::event::Event;
use crate::project::OnFailure;

impl<M: Member> Switch<'_, M> {
    /// Watches the hosts of the first wave before the others follow.
    pub(super) async fn bake(&mut self, first: Vec<usize>, ms: u64) -> Vec<(usize, Answer)> {
        let hosts = match first.len() {
            // All of them failed, and the policy goes on.
            0 => return Vec::new(),
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
            let release = self.plan.release;
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
        let together = self.plan.on_failure == OnFailure::RevertAll;
        let (bad, hosts) = (&bad, &hosts);
        let watched = on_each(self.members.iter_mut(), async |at, member: &mut M| {
            if !hosts.contains(&at) {
                return None;
            }
            let answer = member.watch(ms, turned_bad.clone()).await;
            if together && !matches!(&answer, Answer::Ended(activated) if activated.ok) {
                bad.send_replace(true);
            }
            Some((at, answer))
        });
        watched.await.into_iter().flatten().collect()
    }
}
