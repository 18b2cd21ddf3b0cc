//! What becomes a release, read from the project.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use foldhash::HashMap;

use super::cache::Cache;
use super::changes::Changes;
use super::context::Context;
use super::deltas::Deltas;
use super::identity::identity;
use super::packing::Packing;
use super::runtimes::Runtimes;
use crate::artifact::{DigestSource, Digests, Held, Index, NoCache, scan};
use crate::model::event::Event;
use crate::model::release::Origin;
use crate::model::{Digest, Failure, FailureKind, Made, Release, ReleaseId, Secret, ServiceSpec};
use crate::pipeline::{Remark, When, files, review};
use crate::project::Project;
use crate::wire::{Exported, Publish, ToAgent};

/// Contents in memory.
type Contents = HashMap<Digest, Arc<Vec<u8>>>;

/// What becomes a release: the same for all hosts, but for the services that run there.
#[derive(Debug)]
pub struct Payload {
    /// The project's folder.
    pub dir: PathBuf,
    /// Its tree.
    pub index: Arc<Index>,
    /// The tree's digest.
    pub artifact: Digest,
    /// The index as it travels.
    pub changes: Changes,
    /// Large files as differences to what they were before.
    pub deltas: Deltas,
    /// Its contents as they travel.
    pub packing: Packing,
    /// Environment and secrets.
    env: BTreeMap<String, Secret>,
    /// What it runs on: known when the hosts' platforms are.
    pub runtimes: Runtimes,
    /// Paths below `shared/`.
    shared: Vec<String>,
    /// Names of the secrets in `env`, where they are known.
    secrets: Option<Vec<String>>,
    /// Good releases that stay on a host.
    pub keep: u32,
    /// Where it comes from.
    origin: Origin,
    /// When it was put together, RFC 3339, UTC.
    created: String,
    /// For the history.
    pub made: Option<Made>,
}

impl Payload {
    /// Reads the project's files. Unchanged ones are not read again, differences of large ones
    /// are begun to be worked out, and the index is made ready to travel to hosts that have what
    /// was brought to them last. Where nothing was brought to them from here, all contents are begun
    /// to be packed.
    ///
    /// # Errors
    /// When files cannot be chosen or read, all problems at once.
    pub async fn read(
        context: &Context,
        origin: &Origin,
        secrets: &BTreeMap<String, Secret>,
    ) -> Result<Self, Failure> {
        let (project, cache) = (context.project.clone(), context.cache.clone());
        let artifacts: BTreeSet<Digest> = context
            .remembered()
            .filter_map(|host| host.artifact)
            .collect();
        let is_new_to_all = context.is_new_to_all();
        let on_hosts = !context.environment.name.is_local();
        let read = tokio::task::spawn_blocking(move || {
            let (index, held, remarks) = tree(&project, &cache, is_new_to_all, on_hosts)?;
            let changes = Changes::new(Arc::clone(&index), cache);
            let artifact = index.digest();
            for other in artifacts.into_iter().filter(|other| *other != artifact) {
                changes.of(Some(other))?;
            }
            Ok::<_, Failure>((index, held, remarks, artifact, changes))
        });
        let (index, held, remarks, artifact, changes) = read
            .await
            .map_err(|error| Failure::unexpected(error.to_string()))??;
        for Remark { text, hint } in remarks {
            context.sink.emit(Event::Warning { text, hint });
        }
        let mut env: BTreeMap<String, Secret> = context
            .environment
            .env
            .iter()
            .map(|(key, value)| (key.clone(), Secret::new(value.clone())))
            .collect();
        env.extend(secrets.clone());
        let names = secrets.keys().cloned().collect();
        let dir = context.project.source.clone();
        let packing = Packing::of(context, &dir, &index);
        if is_new_to_all {
            // Where there is no room for it, who needs it will say so.
            let _ = packing.begin_ahead(&held);
        }
        let now = jiff::Timestamp::now();
        Ok(Self {
            deltas: Deltas::start(context, &dir, &index),
            packing,
            dir,
            artifact,
            index,
            changes,
            env,
            runtimes: Runtimes::default(),
            shared: context.project.release.shared.clone(),
            secrets: Some(names),
            keep: context.project.release.keep,
            origin: origin.clone(),
            created: now.round(jiff::Unit::Second).unwrap_or(now).to_string(),
            made: None,
        })
    }

    /// What a host gave away whole: its tree is the one of `index` in `dir`.
    #[must_use]
    pub fn exported(
        context: &Context,
        exported: Exported,
        index: Arc<Index>,
        dir: PathBuf,
        runtimes: Runtimes,
    ) -> Self {
        let Exported { release, env } = exported;
        Self {
            packing: Packing::of(context, &dir, &index),
            dir,
            artifact: release.artifact,
            changes: Changes::new(Arc::clone(&index), context.cache.clone()),
            index,
            deltas: Deltas::default(),
            env,
            runtimes,
            shared: release.shared,
            secrets: release.secrets,
            keep: context.project.release.keep,
            origin: release.origin,
            created: release.created,
            made: None,
        }
    }

    /// What makes the release what it is on a host of `platform` with `services`.
    #[must_use]
    pub fn identity(&self, services: &[ServiceSpec], platform: &str) -> Digest {
        identity(
            self.artifact,
            services,
            &self.env,
            self.runtimes.of(platform),
            &self.shared,
            self.secrets.as_deref().unwrap_or_default(),
        )
    }

    /// The request that makes it release `id` on a host of `platform` with `services`.
    #[must_use]
    pub fn publish(&self, id: ReleaseId, services: Vec<ServiceSpec>, platform: &str) -> ToAgent {
        ToAgent::Publish(Box::new(Publish {
            identity: self.identity(&services, platform),
            release: Release {
                id,
                artifact: self.artifact,
                created: self.created.clone(),
                origin: self.origin.clone(),
                services,
                runtimes: self.runtimes.of(platform).to_vec(),
                shared: self.shared.clone(),
                secrets: self.secrets.clone(),
            },
            env: self.env.clone(),
            made: self.made.clone(),
        }))
    }
}

/// The tree of `project`, small contents of it if `holds`, and what is worth a word about it.
fn tree(
    project: &Project,
    cache: &Cache,
    holds: bool,
    on_hosts: bool,
) -> Result<(Arc<Index>, Contents, Vec<Remark>), Failure> {
    let dir = &project.source;
    let selection = files::select(project)?;
    let unreadable = |error: &dyn ToString| {
        invalid(
            "the files of the release cannot be read",
            &error.to_string(),
        )
    };
    let read = |digests: &dyn DigestSource| {
        let held = Held::beside(digests);
        let index = match holds {
            true => scan(dir, &selection, &held),
            false => scan(dir, &selection, digests),
        };
        let index = index.map_err(|error| unreadable(&error))?;
        Ok::<_, Failure>((index, held.into_contents()))
    };
    let scanned = || match cache.digests(dir) {
        None => read(&NoCache),
        Some(file) => {
            let digests = Digests::open(&file);
            let read = read(&digests)?;
            // A cache that cannot be written costs the next deploy some time.
            let _ = digests.save(read.0.files().map(|file| file.0));
            Ok(read)
        }
    };
    let (scanned, remarks) = std::thread::scope(|scope| {
        let remarks = scope.spawn(|| review(project, &selection, When::Built, on_hosts));
        (scanned(), remarks.join().unwrap_or_default())
    });
    let (index, held) = scanned?;
    Ok((Arc::new(index), held, remarks))
}

fn invalid(what: &str, why: &str) -> Failure {
    let mut lines = why.lines().map(str::to_owned);
    let first = lines.next().unwrap_or_default();
    Failure::new(FailureKind::Project, format!("{what}: {first}")).details(lines)
}
