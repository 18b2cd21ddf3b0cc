//! Brings hosts what the project has for shared places that are bare there.

use std::fs;
use std::path::Path;

use super::context::Context;
use super::fleet::{Fleet, on_each};
use super::link::{HostLink, unasked};
use crate::model::event::HostEvent;
use crate::model::{Failure, FailureKind};
use crate::pipeline::Place;
use crate::wire::{FromAgent, Seed, ToAgent};

/// Fills the shared places that were bare when the hosts were reached. What cannot be filled is a
/// warning: the app may do without.
///
/// # Errors
/// When a connection is lost.
pub async fn bring(context: &Context, fleet: &mut Fleet) -> Result<(), Failure> {
    let dir = &context.project.source;
    let brought = on_each(&mut fleet.hosts, async |_, host| {
        for place in context.seeds.places() {
            if !host.facts.bare.contains(&place.name) {
                continue;
            }
            let event = match fill(host, dir, place).await {
                Ok(()) => HostEvent::Note {
                    text: format!("copied {} to shared/, where nothing was", place.name),
                },
                Err(failure) if failure.kind == FailureKind::Unexpected => HostEvent::Warning {
                    text: failure.message(),
                },
                Err(failure) => return Err(failure),
            };
            context.sink.host(&host.host, event);
        }
        Ok(())
    });
    brought.await.into_iter().collect()
}

async fn fill(host: &mut HostLink, dir: &Path, place: &Place) -> Result<(), Failure> {
    let last = place.files.len() - 1;
    for (number, file) in place.files.iter().enumerate() {
        let seed = Seed {
            place: place.name.clone(),
            path: file.to.to_string(),
            mode: file.mode,
            content: fs::read(file.from.below(dir))?,
            is_last: number == last,
        };
        match host.ask(&ToAgent::Seed(seed), "seed").await? {
            FromAgent::Done => {}
            other => return Err(unasked(&host.host, &other)),
        }
    }
    Ok(())
}
