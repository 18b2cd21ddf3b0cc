//! A deploy: contact the hosts while building, then lock, stage everywhere, run hooks, switch.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::cache::Remembered;
use super::compare;
use super::conclude::{Ended, HostEnd, outcome};
use super::context::Context;
use super::fleet::{Brings, Compares, Fleet};
use super::freeze;
use super::hook::run_before_switch;
use super::left;
use super::left_out::LeftOut;
use super::link::unasked;
use super::offer::Offers;
use super::payload::Payload;
use super::plan::{Plan, lock_order, next_release, waves};
use super::runtimes::Runtimes;
use super::seed;
use super::switch::Switch;
use super::timings::Timings;
use super::transfer::{Delivery, stage_everywhere};
use crate::model::event::{Event, Outcome, Phase, PlannedHost, Verb};
use crate::model::release::Origin;
use crate::model::{
    Commit, Failure, FailureKind, Made, OperationKind, ReleaseId, ReleaseState, Secret,
};
use crate::pipeline::{self, Remark, StepEnvironment, git};
use crate::project::Host;
use crate::runtime;
use crate::wire::{FromAgent, ToAgent};

/// What the person asked for beyond the environment.
#[derive(Debug, Clone, Default)]
pub struct DeployOptions {
    /// Leave the test steps out; the history says so.
    pub skip_tests: bool,
    /// Make a release even of what is live already.
    pub force: bool,
    /// Go on without the hosts that cannot be reached.
    pub skip_unreachable: bool,
    /// Where the project's content comes from.
    pub origin: Origin,
    /// Values of the secrets that the environment names.
    pub secrets: BTreeMap<String, Secret>,
}

/// Deploys.
///
/// # Errors
/// The failure, with what is true on the hosts when they were touched.
pub async fn deploy(context: &Context, options: &DeployOptions) -> Result<Outcome, Ended> {
    let started = Instant::now();
    let timings = Timings::default();
    let context = &Context {
        sink: timings.listening(context.sink.clone()),
        ..context.clone()
    };
    let (fleet, left_out, mut payload) = build_and_connect(context, options).await?;
    payload.made = Some(Made {
        build_ms: timings.build_ms(),
        test_ms: timings.test_ms(),
        commits: None,
    });
    let rest = left_out.rest(context);
    let result = deploy_to(&rest, fleet, payload, options, started).await;
    if let (
        Ok(Outcome {
            verb,
            release: Some(release),
            ..
        }),
        true,
    ) = (&result, left_out.is_empty())
        && *verb == Verb::Unchanged
    {
        let release = *release;
        context.sink.emit(Event::Unchanged { release });
    }
    left_out.conclude(context, result)
}

/// Deploys to the hosts that were reached.
async fn deploy_to(
    context: &Context,
    mut fleet: Fleet,
    mut payload: Payload,
    options: &DeployOptions,
    started: Instant,
) -> Result<Outcome, Ended> {
    let commits = commits(context, &fleet);
    let platforms = fleet.hosts.iter().map(|host| host.facts.platform.as_str());
    payload.runtimes = Runtimes::locked(context, platforms).await?;
    if fleet
        .hosts
        .iter()
        .all(|host| !host.facts.releases.is_empty())
    {
        payload.packing.end_ahead();
    }
    let asked = async {
        let live = already_live(context, &mut fleet, &payload, options).await;
        // A difference to the manifest explains what failed meanwhile.
        compare::refuse(context, &mut fleet).await?;
        live
    };
    let live = tokio::select! {
        live = asked => live?,
        () = context.interruption() => return Err(Context::interrupted().into()),
    };
    if let Some(release) = live {
        let ends: Vec<_> = fleet
            .hosts
            .iter()
            .map(|host| {
                (
                    host.host.clone(),
                    HostEnd::Untouched {
                        current: host.facts.current,
                    },
                )
            })
            .collect();
        let mut unchanged = outcome(Verb::Unchanged, Some(release), &ends, started, 0);
        for host in &mut unchanged.hosts {
            host.healthy = Some(true);
            host.why = None;
        }
        return Ok(unchanged);
    }
    if let Some(made) = &mut payload.made {
        made.commits = commits.await.unwrap_or_default();
    }
    let offers = Offers::new(&payload);
    let brings = Brings::Offers(&offers);
    fleet.begin(context, OperationKind::Deploy, brings).await?;
    let staged = match freeze::refuse(context, &fleet) {
        Ok(()) => prepare(context, &mut fleet, &payload, &offers).await,
        Err(frozen) => Err(frozen),
    };
    let plan = match context.unless_cancelled(staged) {
        Ok(plan) => plan,
        Err(failure) => {
            fleet.end().await;
            return Err(failure.into());
        }
    };
    let remembering = remember(context, &payload, plan.release, &fleet);
    let switch = Switch {
        context,
        members: &mut fleet.hosts,
        plan: &plan,
        started,
    };
    let switched = switch.run().await;
    // Not worth a wait to whoever wants to leave.
    tokio::select! {
        _ = remembering => {}
        () = context.interruption() => {}
    }
    let result = switched.into_result();
    if result.is_ok() {
        context.remember_fleet();
    }
    result
}

/// The commits that the live release lacks: git is asked while the hosts are.
fn commits(context: &Context, fleet: &Fleet) -> JoinHandle<Option<Vec<Commit>>> {
    let live = fleet.hosts.iter().find_map(|host| {
        let mut releases = host.facts.releases.iter();
        releases.find(|release| release.current)?.commit.clone()
    });
    let project = context.project.source.clone();
    tokio::task::spawn_blocking(move || git::commits_since(&project, &live?, Made::MAX_COMMITS))
}

/// Remembers for the next deploy what this one brought, while the services restart.
fn remember(
    context: &Context,
    payload: &Payload,
    release: ReleaseId,
    fleet: &Fleet,
) -> JoinHandle<()> {
    for (host, link) in context.environment.hosts.iter().zip(&fleet.hosts) {
        let services = context.services_of(host);
        let identity = payload.identity(&services, &link.facts.platform);
        let remembered = Remembered {
            artifact: Some(payload.artifact),
            release: Some((release, identity)),
            ..context.remember_of(&host.name)
        };
        context.remember(&host.name, remembered);
    }
    let (cache, index) = (context.cache.clone(), Arc::clone(&payload.index));
    let (artifact, dir) = (payload.artifact, payload.dir.clone());
    tokio::task::spawn_blocking(move || {
        if let Ok(encoded) = index.encode() {
            cache.keep_index(&artifact, &encoded);
        }
        cache.keep_contents(&dir, &index);
    })
}

/// Builds and tests here while the hosts are being contacted: an unreachable host is reported
/// before minutes are spent, and ends the build; nothing on the hosts changes meanwhile. What was
/// built is read at once, as the connections may take longer.
async fn build_and_connect(
    context: &Context,
    options: &DeployOptions,
) -> Result<(Fleet, LeftOut, Payload), Failure> {
    let (stop, stopped) = watch::channel(false);
    let (built, is_built) = watch::channel(false);
    let connecting = async {
        let connected = connect(context, options.skip_unreachable, is_built).await;
        if connected.is_err() {
            let _ = stop.send(true);
        }
        connected
    };
    let mut cancel = context.cancel.clone();
    let cancelling = async {
        let _ = cancel.wait_for(|on| *on).await;
        let _ = stop.send(true);
        std::future::pending::<()>().await;
    };
    let building = async {
        run_pipeline(context, options.skip_tests, stopped).await?;
        let read = Payload::read(context, &options.origin, &options.secrets).await;
        let _ = built.send(true);
        read
    };
    let both = async { tokio::join!(connecting, building) };
    let (connected, built) = tokio::select! {
        both = both => both,
        () = cancelling => return Err(Context::interrupted()),
    };
    if context.cancelled() {
        return Err(Context::interrupted());
    }
    let (fleet, left_out) = connected?;
    Ok((fleet, left_out, built?))
}

/// Connects to the hosts. A host that would refuse the release is heard now: that needs no build.
/// Once all is built, the next questions do not wait for that.
async fn connect(
    context: &Context,
    skip_unreachable: bool,
    mut is_built: watch::Receiver<bool>,
) -> Result<(Fleet, LeftOut), Failure> {
    let compares = Compares::WithManifest;
    let (mut fleet, left_out) = LeftOut::connect(context, skip_unreachable, compares).await?;
    freeze::refuse(context, &fleet)?;
    lock_order(&fleet.facts())?;
    left::warn(context, &fleet);
    tokio::select! {
        biased;
        compared = compare::refuse(context, &mut fleet) => compared?,
        _ = is_built.wait_for(|on| *on) => {}
    }
    Ok((fleet, left_out))
}

/// Runs the build steps, then the test steps, on the pinned runtimes.
///
/// # Errors
/// [`FailureKind::Build`] for the first step that fails; what [`runtime::provide`] says.
pub async fn run_pipeline(
    context: &Context,
    skip_tests: bool,
    stop: watch::Receiver<bool>,
) -> Result<(), Failure> {
    let project = &context.project;
    if let Some(Remark { text, hint }) = pipeline::submodules(project) {
        context.sink.emit(Event::Warning { text, hint });
    }
    let provided = runtime::provide(&context.wish(stop.clone())).await?;
    if project.build.steps.is_empty() && project.test.steps.is_empty() {
        return Ok(());
    }
    let environment = {
        let redactor = project.redactor(&context.caller);
        StepEnvironment::on(project, context.caller.clone(), provided, redactor)
    };
    let run = |phase, steps| {
        pipeline::run_steps(
            phase,
            steps,
            &environment,
            &project.dir,
            &project.source,
            &context.sink,
            stop.clone(),
        )
    };
    run(Phase::Build, &project.build).await?;
    if skip_tests {
        if !project.test.steps.is_empty() {
            context.sink.emit(Event::Warning {
                text: "the tests are skipped; the history will say so".to_owned(),
                hint: None,
            });
        }
        return Ok(());
    }
    run(Phase::Test, &project.test).await.map_err(|failure| {
        let is_plain = failure.kind == FailureKind::Build && failure.hint.is_none();
        match is_plain {
            true => failure.hint("--skip-tests leaves the tests out, and the history says so"),
            false => failure,
        }
    })
}

/// The live release, when it is the same on every host as what would be deployed, and healthy.
async fn already_live(
    context: &Context,
    fleet: &mut Fleet,
    payload: &Payload,
    options: &DeployOptions,
) -> Result<Option<ReleaseId>, Failure> {
    if options.force {
        return Ok(None);
    }
    let mut live = None;
    for (link, host) in fleet.hosts.iter().zip(&context.environment.hosts) {
        let Some(current) = link.facts.current else {
            return Ok(None);
        };
        let good = link
            .facts
            .releases
            .iter()
            .any(|release| release.id == current && release.state == ReleaseState::Good);
        let services = context.services_of(host);
        let identity = payload.identity(&services, &link.facts.platform);
        let same = link.facts.identity == Some(identity);
        if !good || !same || live.is_some_and(|other| other != current) {
            return Ok(None);
        }
        live = Some(current);
    }
    let serve = fleet.hosts.iter_mut().map(async |link| {
        match link.ask(&ToAgent::Status, "status").await? {
            FromAgent::Status(status) => Ok(status.serves()),
            other => Err(unasked(&link.host, &other)),
        }
    });
    let serve: Vec<bool> = join_all(serve)
        .await
        .into_iter()
        .collect::<Result<_, Failure>>()?;
    Ok(live.filter(|_| !serve.contains(&false)))
}

/// Stages everywhere and runs the hooks that come before the switch.
async fn prepare(
    context: &Context,
    fleet: &mut Fleet,
    payload: &Payload,
    offers: &Offers<'_>,
) -> Result<Plan, Failure> {
    let plan = plan(context, fleet);
    let release = plan.release;
    context.sink.emit(Event::Numbered { release });
    context
        .sink
        .emit(plan.told(hosts(context, fleet, payload, &plan)));
    let services = |host: &Host| context.services_of(host);
    let delivery = Delivery {
        release,
        payload,
        offers,
        offered: true,
        services: &services,
    };
    stage_everywhere(context, fleet, &delivery).await?;
    seed::bring(context, fleet).await?;
    run_before_switch(fleet, &plan.before, release).await?;
    Ok(plan)
}

/// What will be done.
fn plan(context: &Context, fleet: &Fleet) -> Plan {
    let (project, rules) = (&context.project, &context.environment.rollout);
    let facts: Vec<_> = fleet.hosts.iter().map(|host| &host.facts).collect();
    Plan {
        verb: Verb::Deployed,
        release: next_release(&facts),
        waves: waves(fleet.hosts.len(), rules.strategy),
        before: project.before_activate.clone(),
        after: project.after_activate.clone(),
        settle: true,
        watch_ms: rules.watch_ms,
        on_failure: rules.on_failure,
        keep: project.release.keep,
    }
}

/// The hosts of a plan, with what they will run.
fn hosts(context: &Context, fleet: &Fleet, payload: &Payload, plan: &Plan) -> Vec<PlannedHost> {
    let each = context.environment.hosts.iter().zip(&fleet.hosts);
    let planned = each.enumerate().map(|(at, (host, link))| PlannedHost {
        host: host.name.clone(),
        from: link.facts.current,
        wave: plan.wave_of(at),
        services: context
            .services_of(host)
            .into_iter()
            .map(|service| service.name)
            .collect(),
        runtimes: payload
            .runtimes
            .of(&link.facts.platform)
            .iter()
            .map(|runtime| format!("{} {}", runtime.name, runtime.version))
            .collect(),
    });
    planned.collect()
}
