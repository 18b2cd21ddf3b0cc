//! End-to-end tests: `ship` against real hosts. One binary, so that all of it is
//! linked once.

#[path = "../support/mod.rs"]
mod support;

#[path = "../chaos/mod.rs"]
mod chaos;
mod shop;

mod adopt;
mod all_hosts;
mod bad_apps;
mod bad_hosts;
mod before;
mod behind;
mod broken_deploy;
mod cancel;
mod closed;
mod connections;
mod doors;
mod everyday;
mod examples;
mod first_deploy_fails;
mod fleet;
mod freeze;
mod full_disk;
mod hosts;
mod kept_connections;
mod lab;
mod limits;
mod lost_connections;
mod modes;
mod never_half_done;
mod order;
mod power;
mod runtimes;
mod secrets;
mod services;
mod transfer;
mod true_manifest;
mod unchanged;
mod watch;
mod ways;
