//! The runtimes of a project, on this machine: unpacked and ready to be put in front of `PATH`.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use futures_util::future::try_join_all;
use tokio::sync::watch;

use super::cache::Cache;
use super::download::Wanted;
use super::http::Http;
use super::installed::installed;
use super::locked::{archived, check, locked};
use super::registries::Registries;
use super::source::{LAUNCHERS, Source, source};
use super::tool::{Installer, python_in};
use super::trouble;
use crate::model::event::Sink;
use crate::model::runtime::{HostRuntime, Platform, RuntimeArchive, RuntimeSource};
use crate::model::version::Version;
use crate::model::{Failure, FailureKind};
use crate::project::Project;

/// Whose runtimes are wanted, and who wants them.
#[derive(Clone)]
pub struct Wish<'a> {
    /// The project.
    pub project: &'a Project,
    /// The user's cache folder of ship.
    pub cache: Option<&'a Path>,
    /// The environment of whoever started `ship`: mirrors, and the `PATH` that `source = "host"`
    /// runtimes are on.
    pub caller: &'a BTreeMap<OsString, OsString>,
    /// Where progress goes.
    pub sink: &'a Sink,
    /// Ends it when it becomes `true`.
    pub cancel: watch::Receiver<bool>,
}

/// What steps need to run on the pinned runtimes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Provided {
    /// Folders for the front of `PATH`, the first first.
    pub paths: Vec<PathBuf>,
    /// Variables that the runtimes want (`JAVA_HOME`).
    pub env: BTreeMap<String, OsString>,
}

/// Sees to it that every runtime of the project is on this machine. Those that are here cost one
/// stat(2) each; the others are downloaded and unpacked at the same time. Those with
/// `source = "host"` are asked for their version.
///
/// # Errors
/// [`FailureKind::Project`] when `ship.lock` does not answer the manifest, or a `source = "host"`
/// runtime is not here or another one. [`FailureKind::Unreachable`] when a download cannot be had,
/// [`FailureKind::Refused`] when what comes is not what was locked, cannot be kept, or does not
/// start here; [`FailureKind::Interrupted`] when cancelled. What is half done is finished by the
/// next call, or gone.
pub async fn provide(wish: &Wish<'_>) -> Result<Provided, Failure> {
    let Some(platform) = here(wish.project)? else {
        return Ok(Provided::default());
    };
    let (tools, runtimes): (Vec<_>, Vec<_>) = locked(wish.project, platform)?
        .into_iter()
        .partition(|runtime| source(&runtime.name).is_some_and(|s| s.packages.is_some()));
    let is_manager = |runtime: &&HostRuntime| source(&runtime.name).is_some_and(Source::is_manager);
    let (managers, runtimes): (Vec<_>, Vec<_>) = runtimes.iter().partition(is_manager);
    let runtimes = each(wish, wish.caller, &runtimes, platform).await?;
    // Where managers come from, Node's npm may be the one to say.
    let env = runtimes.on_top_of(wish.caller);
    let managers = each(wish, &env, &managers, platform).await?;
    let tools = cancellable(wish, install(wish, &env, &tools)).await?;
    // npm of its own version before the one that Node brings.
    Ok(Provided {
        paths: [tools, managers.paths, runtimes.paths].concat(),
        env: runtimes.env.into_iter().chain(managers.env).collect(),
    })
}

/// The folders of launchers of the `tools`, which run on the `python3` of `env`.
async fn install(
    wish: &Wish<'_>,
    env: &BTreeMap<OsString, OsString>,
    tools: &[HostRuntime],
) -> Result<Vec<PathBuf>, Failure> {
    if tools.is_empty() {
        return Ok(Vec::new());
    }
    let Some(python) = python_in(env) else {
        let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
        let names = names.join(" and ");
        let message = format!("{names} needs Python, and there is no python3 here");
        return Err(Failure::new(FailureKind::Project, message)
            .hint("pin python under [runtimes] and run ship pin, or install Python 3"));
    };
    let (lock, cache) = (check(wish.project)?, Cache::below(wish.cache)?);
    let http = Http::new().at(Registries::of(env, &wish.project.folders()));
    let tools = tools.iter().filter_map(|tool| {
        let installer = Installer {
            source: source(&tool.name)?,
            request: wish.project.runtimes.get(&tool.name),
            cache: &cache,
            caller: env,
            http: &http,
            sink: wish.sink,
        };
        Some((installer, lock.runtimes.get(&tool.name)?))
    });
    let python = &python;
    let each = tools.map(|(installer, pin)| async move { installer.install(pin, python).await });
    let roots = try_join_all(each).await?;
    Ok(roots.into_iter().map(|root| root.join(LAUNCHERS)).collect())
}

/// Provides some of the project's runtimes, at the same time, with the registries that tools use in
/// the environment `env`.
async fn each(
    wish: &Wish<'_>,
    env: &BTreeMap<OsString, OsString>,
    runtimes: &[&HostRuntime],
    platform: Platform,
) -> Result<Provided, Failure> {
    let http = Http::new().at(Registries::of(env, &wish.project.folders()));
    let each = runtimes.iter().map(|runtime| async {
        match &runtime.source {
            RuntimeSource::Host => installed(runtime, wish.caller).await.map(|_| None),
            RuntimeSource::Archive(archive) => {
                let root = unpacked(wish, &http, runtime, archive, platform).await?;
                Ok(Some((archive, root)))
            }
        }
    });
    let roots = cancellable(wish, try_join_all(each)).await?;
    let mut provided = Provided::default();
    for (archive, root) in roots.into_iter().flatten() {
        // `""` is the root itself, without a slash behind it.
        let below = |folder: &str| match folder {
            "" => root.clone(),
            folder => root.join(folder),
        };
        provided
            .paths
            .extend(archive.bin.iter().map(|bin| below(bin)));
        let env = archive.env.iter();
        provided
            .env
            .extend(env.map(|(name, folder)| (name.clone(), below(folder).into())));
        let settings = archive.settings.iter();
        provided
            .env
            .extend(settings.map(|(name, value)| (name.clone(), value.into())));
    }
    Ok(provided)
}

impl Provided {
    /// The environment `env` with this in it.
    fn on_top_of(&self, env: &BTreeMap<OsString, OsString>) -> BTreeMap<OsString, OsString> {
        let mut env = env.clone();
        let before = env.remove(OsStr::new("PATH")).unwrap_or_default();
        let paths = self
            .paths
            .iter()
            .cloned()
            .chain(std::env::split_paths(&before));
        env.insert(
            "PATH".into(),
            std::env::join_paths(paths).unwrap_or(before.clone()),
        );
        let own = self.env.iter();
        env.extend(own.map(|(name, value)| (name.into(), value.clone())));
        env
    }
}

/// The archive of a locked `runtime` for `platform`, whole and verified, in the cache; downloaded
/// when it is not there. It is what a host of that platform gets.
///
/// # Errors
/// As [`provide`]; [`FailureKind::Unexpected`] for a runtime that the host brings.
pub async fn archive(
    wish: &Wish<'_>,
    runtime: &HostRuntime,
    platform: Platform,
) -> Result<PathBuf, Failure> {
    let RuntimeSource::Archive(archive) = &runtime.source else {
        let message = format!("{} has no archive: the host brings it", runtime.name);
        return Err(Failure::unexpected(message));
    };
    let http = Http::new().at(Registries::of(wish.caller, &wish.project.folders()));
    let cache = Cache::below(wish.cache)?;
    let wanted = wanted(wish, runtime, archive, platform)?;
    cancellable(wish, cache.archive(&http, &wanted, wish.sink)).await
}

/// The platform of this machine; `None` where it does not matter.
fn here(project: &Project) -> Result<Option<Platform>, Failure> {
    if let Some(platform) = Platform::here() {
        return Ok(Some(platform));
    }
    if project.runtimes.is_empty() {
        return Ok(None);
    }
    let (arch, system) = (std::env::consts::ARCH, std::env::consts::OS);
    let message = format!("there are no builds of runtimes for {arch}-{system}");
    Err(Failure::new(FailureKind::Project, message)
        .hint("`source = \"host\"` under [runtimes] takes what is installed"))
}

async fn unpacked(
    wish: &Wish<'_>,
    http: &Http,
    runtime: &HostRuntime,
    archive: &RuntimeArchive,
    platform: Platform,
) -> Result<PathBuf, Failure> {
    let cache = Cache::below(wish.cache)?;
    let folder = runtime.folder().unwrap_or_default();
    if let Some(root) = cache.unpacked(&folder) {
        return Ok(root);
    }
    let wanted = wanted(wish, runtime, archive, platform)?;
    let (what, name, about) = (wanted.what.clone(), runtime.name.clone(), archive.clone());
    let guards = guards(runtime, platform);
    let starts = move |root: &Path| {
        crate::artifact::starts(&what, &name, &about, root)?;
        let mut guards = guards.iter().map(|(below, text)| (root.join(below), text));
        guards.try_for_each(|(path, text)| {
            std::fs::write(&path, text).map_err(|error| trouble::cache("write", &path, &error))
        })
    };
    cache
        .unpack(http, &wanted, (&folder, archive), starts, wish.sink)
        .await
}

/// What keeps builds from changing a runtime that all of them share.
fn guards(runtime: &HostRuntime, platform: Platform) -> BTreeMap<String, String> {
    source(&runtime.name)
        .zip(Version::parse(&runtime.version))
        .map(|(source, version)| (source.layout)(&version, platform).guards)
        .unwrap_or_default()
}

fn wanted(
    wish: &Wish<'_>,
    runtime: &HostRuntime,
    archive: &RuntimeArchive,
    platform: Platform,
) -> Result<Wanted, Failure> {
    let from = archived(wish.project, &runtime.name, platform, wish.caller)?;
    Ok(Wanted {
        what: format!("{} {}", runtime.name, runtime.version),
        address: from.address,
        sha256: archive.sha256,
        size: archive.size,
    })
}

/// Lets go of `work` when a stop is asked for.
async fn cancellable<T>(
    wish: &Wish<'_>,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let mut cancel = wish.cancel.clone();
    let cancelled = async {
        if cancel.wait_for(|on| *on).await.is_err() {
            // Nobody is there any more who could ask for it.
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        done = work => done,
        () = cancelled => Err(Failure::interrupted("interrupted while runtimes were made ready",
        )
        .detail("the downloaded part is kept; the next download continues from it")),
    }
}
