//! End-to-end tests: `ship` against real hosts. One binary, so that all of it is
//! linked once.

#[path = "../support/mod.rs"]
mod support;

mod hosts;
mod lab;
mod services;
