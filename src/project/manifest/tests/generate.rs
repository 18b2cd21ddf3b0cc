//! Projects of every shape that a manifest can have.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::model::service::{Run, StartType};
use crate::model::version::Grammar;
use crate::model::{
    AppName, EnvironmentName, HealthCheck, HostName, Probe, ServiceManagerKind, ServiceName,
    ServiceSpec, Status, StatusClass,
};
use crate::project::manifest::schema::ALWAYS_EXCLUDED;
use crate::project::model::{
    Batch, Environment, Hook, HookScope, Host, OnFailure, Pipeline, Project, ReleaseRules,
    RolloutRules, RuntimeRequest, Step, Strategy as Order,
};

const DAY_MS: u64 = 86_400_000;

fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,3})?".prop_filter("`local` is special", |name| name != "local")
}

fn command() -> impl Strategy<Value = String> {
    "[^\u{0}]{0,8}[a-z\"'\\\\$\n][^\u{0}]{0,8}"
        .prop_filter("says something", |text| !text.trim().is_empty())
}

fn env() -> impl Strategy<Value = BTreeMap<String, String>> {
    btree_map("E_[A-Za-z0-9_]{0,4}", "[^\u{0}]{0,10}", 0..3)
}

fn pipeline() -> impl Strategy<Value = Pipeline> {
    let step = ("[a-z ]{0,4}[a-z\"']", command(), 1..DAY_MS);
    let step = step.prop_map(|(name, run, timeout_ms)| Step {
        name,
        run,
        timeout_ms,
    });
    (vec(step, 0..3), env(), any::<bool>()).prop_map(|(steps, env, inherit_env)| Pipeline {
        steps,
        env,
        inherit_env,
    })
}

fn hook() -> impl Strategy<Value = Hook> {
    let on = prop::sample::select(vec![HookScope::OneHost, HookScope::EachHost]);
    ("[a-z]{1,4}", command(), on, 1..DAY_MS).prop_map(|(name, run, on, timeout_ms)| Hook {
        name,
        run,
        on,
        timeout_ms,
    })
}

fn runtimes() -> impl Strategy<Value = BTreeMap<String, RuntimeRequest>> {
    let known: Vec<&str> = Grammar::known().collect();
    let mirror = option::of("(https?://|file:///)[a-z\"']{1,9}");
    let brought = (
        prop::sample::select(known),
        "[1-9][0-9]?(\\.[0-9]{1,2}){0,2}",
        mirror,
    );
    let brought = brought.prop_map(|(name, version, mirror)| {
        let request = RuntimeRequest {
            version,
            from_host: false,
            mirror,
        };
        (name.to_owned(), request)
    });
    let installed = (name(), "(>=|<|~|\\^)?[1-9](\\.[0-9x])?( \\|\\| [1-9])?");
    let installed = installed.prop_map(|(name, version)| {
        let request = RuntimeRequest {
            version,
            from_host: true,
            mirror: None,
        };
        (name, request)
    });
    vec(prop_oneof![brought, installed], 0..3).prop_map(BTreeMap::from_iter)
}

fn release() -> impl Strategy<Value = ReleaseRules> {
    let shared = btree_set("[a-z]{3}", 0..3);
    let path = "[a-z\"]{1,4}(/[a-z*]{1,4})?";
    (
        vec(path, 0..3),
        vec("/?(\\*\\*/)?[a-z]{1,3}/?", 0..3),
        shared,
        vec("[a-zA-Z_][a-z.-]{0,3}", 0..3),
        1..1000u32,
        any::<bool>(),
    )
        .prop_map(
            |(mut include, mut exclude, shared, readable_by, keep, gitignore)| {
                include.push(".".to_owned());
                exclude.extend(ALWAYS_EXCLUDED.iter().map(|name| (*name).to_owned()));
                ReleaseRules {
                    include,
                    exclude,
                    gitignore,
                    shared: shared.into_iter().collect(),
                    readable_by,
                    keep,
                }
            },
        )
}

fn probe() -> impl Strategy<Value = Probe> {
    let class = select(&StatusClass::NAMES[..]).prop_map(|name| StatusClass::named(name).unwrap());
    let status = prop_oneof![
        (100..600u16).prop_map(Status::Code),
        class.prop_map(Status::Class)
    ];
    let status = vec(status, 0..3);
    let headers = btree_map("[A-Za-z.!-]{1,6}", "[ -~]{0,6}", 0..3);
    let body = option::of("[^\u{0}]{1,6}");
    prop_oneof![
        (1..=u16::MAX).prop_map(|port| Probe::Tcp { port }),
        command().prop_map(|run| Probe::Command { run }),
        ("/[a-z?=/\"]{0,6}", 1..=u16::MAX, status, body, headers).prop_map(
            |(path, port, status, body, headers)| Probe::Http {
                path,
                port,
                status,
                body,
                headers,
            }
        ),
    ]
}

fn health() -> impl Strategy<Value = HealthCheck> {
    (
        option::of(probe()),
        10_000..DAY_MS,
        1..1_000u64,
        1..10u32,
        0..10_000u64,
    )
        .prop_map(
            |(probe, timeout_ms, interval_ms, successes, settle_ms)| HealthCheck {
                probe,
                timeout_ms,
                interval_ms,
                successes,
                settle_ms,
            },
        )
}

fn run() -> impl Strategy<Value = Run> {
    let argv = (command(), vec("[^\u{0}]{0,6}", 0..3));
    prop_oneof![
        command().prop_map(Run::Shell),
        argv.prop_map(|(program, words)| {
            Run::Argv(std::iter::once(program).chain(words).collect())
        }),
        "[a-z]{1,5}(/[a-z]{1,3})?".prop_map(Run::Static),
        Just(Run::Static(".".to_owned())),
    ]
}

fn services() -> impl Strategy<Value = Vec<ServiceSpec>> {
    let one = (
        run(),
        any::<bool>(),
        env(),
        health(),
        any::<bool>(),
        1..DAY_MS,
    );
    btree_map(name(), one, 1..4).prop_shuffle_values()
}

/// The values of a map with their keys, as services with ports of their own, in some order.
trait Shuffle {
    fn prop_shuffle_values(self) -> BoxedStrategy<Vec<ServiceSpec>>;
}

type One = (Run, bool, BTreeMap<String, String>, HealthCheck, bool, u64);

impl<S: Strategy<Value = BTreeMap<String, One>> + 'static> Shuffle for S {
    fn prop_shuffle_values(self) -> BoxedStrategy<Vec<ServiceSpec>> {
        self.prop_map(|map| {
            let numbered = map.into_iter().zip(3000u16..);
            let services = numbered.map(|((name, one), port)| {
                let (run, has_port, env, health, notify, stop_timeout_ms) = one;
                let is_static = matches!(run, Run::Static(_));
                ServiceSpec {
                    name: ServiceName::try_from(name).unwrap(),
                    run,
                    fallback: (has_port && is_static).then(|| "app/200.html".to_owned()),
                    port: (has_port || is_static).then_some(port),
                    env,
                    health,
                    start_type: match notify && !is_static {
                        true => StartType::Notify,
                        false => StartType::Simple,
                    },
                    stop_timeout_ms,
                }
            });
            services.collect::<Vec<_>>()
        })
        .prop_shuffle()
        .boxed()
    }
}

fn rollout() -> impl Strategy<Value = RolloutRules> {
    let batch = || {
        prop_oneof![
            (1..=10_000u32).prop_map(Batch::Hosts),
            (1..=100u32).prop_map(Batch::Percent)
        ]
    };
    let strategy = prop_oneof![
        Just(Order::AllAtOnce),
        batch().prop_map(|batch| Order::Rolling { batch }),
        (batch(), 0..DAY_MS).prop_map(|(batch, bake_ms)| Order::Canary { batch, bake_ms }),
    ];
    let on_failure = prop_oneof![
        Just((OnFailure::RevertAll, 0)),
        Just((OnFailure::Stop, 0)),
        (1..1000u32).prop_map(|most| (OnFailure::Continue, most)),
    ];
    (strategy, on_failure, 5_000..DAY_MS, 0..DAY_MS).prop_map(
        |(strategy, (on_failure, max_failures), lease_ms, watch_ms)| RolloutRules {
            strategy,
            on_failure,
            max_failures,
            lease_ms,
            watch_ms,
        },
    )
}

/// An environment without a name, whose hosts are called after it when it has one.
fn environment(services: Vec<ServiceName>) -> impl Strategy<Value = Environment> {
    let most = services.len();
    let some = option::of(prop::sample::subsequence(services, 1..=most));
    let manager = prop::sample::select(vec![
        ServiceManagerKind::Systemd,
        ServiceManagerKind::SystemdUser,
        ServiceManagerKind::Supervisor,
    ]);
    let root = option::of(prop::sample::select(vec!["/srv/a", "~/b", "/home/c/d"]));
    let secrets = btree_set("S_[A-Z]{1,3}", 0..3);
    let user = option::of("[a-z_][a-z0-9_-]{0,6}");
    let hosts = vec(some, 1..4);
    (
        name(),
        hosts,
        root,
        manager,
        user,
        env(),
        secrets,
        rollout(),
    )
        .prop_map(
            |(app, hosts, root, manager, user, env, secrets, rollout)| Environment {
                name: EnvironmentName::try_from("unnamed").unwrap(),
                hosts: hosts
                    .into_iter()
                    .map(|services| Host {
                        name: HostName::local(),
                        services,
                    })
                    .collect(),
                user_is_named: manager.is_system_wide() && user.is_some(),
                user: match (manager, user) {
                    (ServiceManagerKind::Systemd, Some(user)) => user,
                    _ => app.clone(),
                },
                app: AppName::try_from(app).unwrap(),
                root: root.map(str::to_owned),
                manager,
                env,
                secrets: secrets.into_iter().collect(),
                rollout,
            },
        )
}

/// Gives the hosts of an environment their addresses; `local` is what it must be.
fn settle(name: &str, mut environment: Environment) -> (EnvironmentName, Environment) {
    environment.name = EnvironmentName::try_from(name).unwrap();
    if environment.name.is_local() {
        environment.hosts.truncate(1);
        environment.hosts[0].services = None;
        environment.manager = ServiceManagerKind::Supervisor;
        environment.user = environment.app.to_string();
        environment.user_is_named = false;
    } else {
        for (nth, host) in environment.hosts.iter_mut().enumerate() {
            host.name = HostName::try_from(format!("deploy@{name}-{nth}")).unwrap();
        }
    }
    (environment.name.clone(), environment)
}

/// A valid project.
pub(super) fn project() -> impl Strategy<Value = Project> {
    let environments = services().prop_flat_map(|services| {
        let names: BTreeSet<_> = services.iter().map(|s| s.name.clone()).collect();
        let names: Vec<_> = names.into_iter().collect();
        let remote = btree_map(name(), environment(names.clone()), 0..3);
        (Just(services), remote, environment(names))
    });
    let hooks = (vec(hook(), 0..3), vec(hook(), 0..3));
    let rest = (runtimes(), pipeline(), pipeline(), release(), hooks);
    (
        name(),
        1usize..4,
        environments,
        rest,
        any::<prop::sample::Index>(),
    )
        .prop_map(|(app, depth, (services, remote, local), rest, chosen)| {
            let (runtimes, build, test, release, (before_activate, after_activate)) = rest;
            let names: Vec<String> = remote.keys().cloned().collect();
            let default_environment = match names.as_slice() {
                [only] => Some(only.clone()),
                names => names.get(chosen.index(names.len() + 1)).cloned(),
            };
            let remote = remote.into_iter().map(|(name, e)| settle(&name, e));
            Project {
                dir: PathBuf::from("/project/apps/web"),
                source: ["/project", "apps", "web"][..depth].iter().collect(),
                app: AppName::try_from(app).unwrap(),
                runtimes,
                build,
                test,
                release,
                services,
                before_activate,
                after_activate,
                environments: remote.chain([settle("local", local)]).collect(),
                default_environment: default_environment
                    .map(|name| EnvironmentName::try_from(name).unwrap()),
            }
        })
}
