//! How fast `ship` moves a release to real hosts, against what people use instead; see
//! `benches/README.md`.
//!
//! `cargo bench --bench transfer [-- [FILTER]... [--runs N] [--only NAME,...] [--list]]`

#[path = "../../tests/support/mod.rs"]
mod support;

mod app;
mod cache;
mod capistrano;
mod cat;
mod contender;
mod host_time;
mod lab;
mod memory;
mod native;
mod node;
mod options;
mod packages;
mod restart;
mod rows;
mod rsync;
mod runner;
mod sample;
mod say;
mod ship;
mod table;
mod target;
mod wire;

use std::process::ExitCode;

use lab::Lab;
use options::Options;
use rows::Row;
use runner::{Outcome, Runner};
use say::say;

fn main() -> ExitCode {
    let options = match Options::read() {
        Ok(options) => options,
        Err(why) => {
            say(&why);
            return ExitCode::from(2);
        }
    };
    let rows = rows::all(options.before.is_some());
    if options.list {
        rows::ids(&rows).for_each(say);
        return ExitCode::SUCCESS;
    }
    if !options.is_bench {
        say("nothing is measured here: cargo bench --bench transfer");
        return ExitCode::SUCCESS;
    }
    let Some(()) = support::require_hosts() else {
        return ExitCode::FAILURE;
    };
    let mut good = measure_rows(rows, &options);
    good &= !options.wants(host_time::ID) || host_time::measure(&options);
    good &= !options.wants(memory::ID) || memory::measure(&options);
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Measures what was asked for and prints the first table; whether everything ran.
fn measure_rows(rows: Vec<Row>, options: &Options) -> bool {
    let rows: Vec<Row> = rows
        .into_iter()
        .filter(|row| options.wants(row.id))
        .collect();
    let Some(size) = rows.iter().map(|row| row.hosts).max() else {
        return true;
    };
    let lab = Lab::boot(size, options);
    let mut runner = Runner::new(&lab, options);
    let mut outcomes = Vec::new();
    for row in rows {
        let outcome = runner.run(row);
        say(table::rows(std::slice::from_ref(&outcome)));
        outcomes.push(outcome);
    }
    say(table::whole(&outcomes));
    outcomes.iter().all(Outcome::is_complete)
}
