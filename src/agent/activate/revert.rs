//! The way back: the release from before, proven too; and what a person types where that fails.

use std::sync::atomic::AtomicBool;

use super::{Activation, Pending};
use crate::agent::before::Before;
use crate::agent::journal::{self, Entry, Step};
use crate::agent::{launcher, releases};
use crate::model::event::HostEvent;
use crate::model::{Failure, ReleaseId, ReleaseState};
use crate::wire::Activated;

impl Activation<'_> {
    /// Puts the host back to the release from before `pending`, proves that, and records the
    /// failed one as bad (unless it was merely cancelled). Never gives up half way: what fails is
    /// in the result.
    pub fn revert(&self, pending: Pending, why: &str, cancelled: bool) -> Activated {
        let Pending { from, to } = pending;
        let layout = &self.host.layout;
        let _ = journal::note(
            layout,
            &Entry {
                step: Step::Reverting,
                from,
                to,
            },
        );
        let was_good = releases::state(layout, to) == ReleaseState::Good;
        if !was_good && Some(to) != from {
            let state = if cancelled {
                ReleaseState::Staged
            } else {
                ReleaseState::Bad
            };
            let _ = releases::set_state(layout, to, state);
        }
        let back = self.put_back(from, to);
        let healthy = back.is_ok();
        (self.emit)(HostEvent::Reverted { to: from, healthy });
        let _ = journal::note(
            layout,
            &Entry {
                step: Step::Reverted,
                from,
                to,
            },
        );
        let (why, by_hand) = match back {
            Ok(()) => (why.to_owned(), Vec::new()),
            Err(failure) => (
                format!("{why}; and putting {} back failed: {failure}", name(from)),
                self.by_hand(from),
            ),
        };
        Activated {
            was: from,
            is: releases::current(layout).unwrap_or_default(),
            healthy,
            ok: false,
            committed: false,
            why: Some(why),
            diagnoses: Vec::new(),
            unanswered_ms: None,
            by_hand,
        }
    }

    /// Points `current` back to `from`, restarts its services and proves them; with no `from`,
    /// stops everything of the failed release.
    fn put_back(&self, from: Option<ReleaseId>, to: ReleaseId) -> Result<(), Failure> {
        let failed = self.host.release(to).ok();
        let Some(from) = from else {
            if let Some(failed) = &failed {
                self.stop_those_not_in(failed, &[])?;
            }
            releases::flip(&self.host.layout, None)?;
            return Ok(());
        };
        let old = self.host.release(from)?;
        let befores = Before::of_all(self.host, &old.release.services);
        releases::flip(&self.host.layout, Some(from))?;
        (self.emit)(HostEvent::Flipped {
            from: Some(to),
            to: from,
        });
        let stopped = match &failed {
            Some(failed) => self.stop_those_not_in(failed, &old.release.services),
            None => Ok(()),
        };
        self.restart_all(&old.release.services, &befores)?;
        let never = AtomicBool::new(false);
        let again = Activation {
            host: self.host,
            stop: &never,
            emit: self.emit,
        };
        again
            .prove_all(&old, &befores, false)
            .map_err(|mut diagnoses| {
                self.tell(&mut diagnoses, &old.release.services, &befores, None);
                let why: Vec<String> = diagnoses
                    .iter()
                    .map(|d| format!("{}: {}", d.service, d.reason))
                    .collect();
                Failure::unexpected(format!("{from} is not healthy either ({})", why.join("; ")))
            })?;
        stopped
    }

    /// What a person types on the host to do what could not be done.
    fn by_hand(&self, from: Option<ReleaseId>) -> Vec<String> {
        let root = launcher::quote(&self.host.layout.root().display().to_string());
        let mut lines = match from {
            Some(from) => {
                vec![format!(
                    "cd {root} && ln -sfn releases/{from} .current.hand && mv -T .current.hand current"
                )]
            }
            None => vec![format!("rm -f {root}/current")],
        };
        let services = from
            .and_then(|id| self.host.release(id).ok())
            .map(|loaded| loaded.release.services)
            .unwrap_or_default();
        lines.extend(
            services
                .iter()
                .map(|service| self.host.by_hand_restart(&service.name)),
        );
        lines
    }
}

fn name(id: Option<ReleaseId>) -> String {
    id.map_or_else(|| "the empty state".to_owned(), |id| id.to_string())
}
