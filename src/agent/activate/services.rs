//! Services of the live release, restarted, stopped or started without a switch.

use super::together::{prove_all, restart_all, stop_all, worth_telling};
use super::{Activation, all, deadline};
use crate::agent::before::Before;
use crate::agent::fault::Fault;
use crate::agent::host::LoadedRelease;
use crate::agent::prove::{Span, add_log};
use crate::model::event::{Diagnosis, HostEvent};
use crate::model::{Failure, FailureKind, ServiceName, ServiceSpec};
use crate::wire::ServiceAction;

impl Activation<'_> {
    /// Restarts, stops or starts services of the live release; none named means all. What runs
    /// afterwards is proven.
    ///
    /// # Errors
    /// When a service is not of this release, the service manager refuses, or what was started is
    /// not healthy; [`FailureKind::Interrupted`] when the wait for that ended early.
    pub fn act(
        &self,
        live: &LoadedRelease,
        action: ServiceAction,
        names: &[ServiceName],
    ) -> Result<(), Failure> {
        known(live, names)?;
        let mut chosen = live.clone();
        chosen
            .release
            .services
            .retain(|s| names.is_empty() || names.contains(&s.name));
        let services = &chosen.release.services;
        let befores: Vec<Before> = match action {
            ServiceAction::Restart => Before::of_all(self.host, services),
            ServiceAction::Stop | ServiceAction::Start => {
                services.iter().map(|_| Before::default()).collect()
            }
        };
        match action {
            ServiceAction::Stop => return stop_all(self.host, services.iter(), self.emit),
            ServiceAction::Restart => {
                let services: Vec<_> = services.iter().zip(&befores).collect();
                restart_all(self.host, &services, self.emit)?;
            }
            ServiceAction::Start => {
                for service in services {
                    let manager = &self.host.manager;
                    manager.start(&service.instance(), deadline(service))?;
                }
            }
        }
        let proof = prove_all(self.host, &chosen, &befores, false, self.stop, self.emit);
        let times = proof.map_err(|unproven| {
            match self.cancelled() && unproven.iter().all(|found| found.fault == Fault::Stopped) {
                true => {
                    Failure::interrupted("interrupted; the started services keep running, unproven")
                }
                false => self.not_healthy(worth_telling(unproven), services, &befores),
            }
        })?;
        for (service, ms) in services.iter().zip(times) {
            (self.emit)(HostEvent::Proven {
                service: service.name.clone(),
                ms,
                unanswered_ms: None,
                answered: service.health.probe.is_some(),
            });
        }
        Ok(())
    }

    fn not_healthy(
        &self,
        diagnoses: Vec<Diagnosis>,
        services: &[ServiceSpec],
        befores: &[Before],
    ) -> Failure {
        let why = all(&diagnoses);
        for mut diagnosis in diagnoses {
            let mut known = services.iter().zip(befores);
            if let Some((_, before)) = known.find(|(s, _)| s.name == diagnosis.service) {
                let span = Span {
                    cursor: before.cursor.as_ref(),
                    ..Span::default()
                };
                add_log(self.host, &mut diagnosis, &span);
            }
            (self.emit)(HostEvent::Unproven { diagnosis });
        }
        Failure::new(FailureKind::NeedsPerson, format!("not healthy: {why}"))
    }
}

fn known(live: &LoadedRelease, names: &[ServiceName]) -> Result<(), Failure> {
    let all = &live.release.services;
    let unknown = names
        .iter()
        .find(|name| all.iter().all(|s| s.name != **name));
    let Some(unknown) = unknown else {
        return Ok(());
    };
    let there: Vec<&str> = all.iter().map(|service| service.name.as_str()).collect();
    Err(
        Failure::refused(format!("{} has no service {unknown}", live.release.id))
            .hint(format!("its services are: {}", there.join(", "))),
    )
}
