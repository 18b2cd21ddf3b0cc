//! Whole deploys on this machine: the environment `local`, real processes, real ports, no host.

#[path = "support/mod.rs"]
mod support;

#[path = "local/adopt.rs"]
mod adopt;
#[path = "local/apps.rs"]
mod apps;
#[path = "local/bad_apps.rs"]
mod bad_apps;
#[path = "local/bad_projects.rs"]
mod bad_projects;
#[path = "local/contents.rs"]
mod contents;
#[path = "local/damaged.rs"]
mod damaged;
#[path = "local/deaths.rs"]
mod deaths;
#[path = "local/ended.rs"]
mod ended;
#[path = "local/exec.rs"]
mod exec;
#[path = "local/freeze.rs"]
mod freeze;
#[path = "local/git.rs"]
mod git;
#[path = "local/history.rs"]
mod history;
#[path = "local/inert.rs"]
mod inert;
#[path = "local/logs.rs"]
mod logs;
#[path = "local/nobody_there.rs"]
mod nobody_there;
#[path = "local/odd_trees.rs"]
mod odd_trees;
#[path = "local/output.rs"]
mod output;
#[path = "local/pin.rs"]
mod pin;
#[path = "local/remove.rs"]
mod remove;
#[path = "local/rollback.rs"]
mod rollback;
#[path = "local/runtimes.rs"]
mod runtimes;
#[path = "local/secrets.rs"]
mod secrets;
#[path = "local/shop.rs"]
mod shop;
#[path = "local/signals.rs"]
mod signals;
#[path = "local/two_at_once.rs"]
mod two_at_once;
#[path = "local/watch.rs"]
mod watch;
