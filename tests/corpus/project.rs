//! One project of the corpus, as data.

use crate::ask::{Ask, Write};
use crate::support::Run;
use crate::support::runtimes::Real;
use std::env;

/// A project that somebody else might have. Entries begin with `..Project::PLAIN`.
#[derive(Debug, Clone)]
pub struct Project {
    /// What it is called in the table, and what `tests/run corpus NAME` chooses.
    pub name: &'static str,
    /// The family that it stands for: `Node`, `Python`, `static`.
    pub ecosystem: &'static str,
    /// A script for `sh -eu` that makes the project in an empty folder, each version pinned: a
    /// generator, or files written here as the generator writes them. Runs once; see [`crate::made`].
    pub make: &'static str,
    /// A folder below `tests/corpus/files` that is copied in before the script runs.
    pub files: &'static str,
    /// Programs that this machine needs for it; where one is missing, the project is skipped.
    pub needs: &'static [&'static str],
    /// What the mirror of runtimes has. Nothing else can be had, so a project that asks for
    /// another version has to run on the host's own.
    pub runtimes: &'static [Real],
    /// Debian packages that its host has beside those of every host (`Base` in `tests/support`).
    pub host_packages: &'static [&'static str],
    /// Where in the repository the app is: `init` and all else run there. Empty: at the top.
    pub dir: &'static str,
    /// What a person has to do that `init` does not do by itself; empty for most.
    pub edits: &'static [Edit],
    /// Part of the sentence with which `init` says that each build is another one, so that a second
    /// deploy of one commit is a new release; empty for most.
    pub varies: &'static str,
    /// Variables of the person who deploys: the values of secrets.
    pub env: &'static [(&'static str, &'static str)],
    /// What a visitor asks: a page, an asset, a deep link.
    pub asks: &'static [Ask],
    /// What a visitor writes, where the app keeps something.
    pub writes: Option<Write>,
    /// Whether it belongs to every test run. Those of all ecosystems together take at most three
    /// minutes on two cores.
    pub fixed: bool,
}

/// A thing that a person has to do, and the sentence of `init` that says so.
#[derive(Debug, Clone)]
pub struct Edit {
    /// Part of what `init` prints.
    pub says: &'static str,
    /// What the person does then, as a script for `sh -eu` in the folder of the app.
    pub does: &'static str,
}

impl Edit {
    /// Whether `init` says so.
    pub fn is_in(&self, init: &Run) -> bool {
        init.stdout.contains(self.says) || init.stderr.contains(self.says)
    }
}

impl Project {
    pub const PLAIN: Self = Self {
        name: "",
        ecosystem: "",
        make: "",
        files: "",
        needs: &[],
        runtimes: &[],
        host_packages: &[],
        dir: "",
        edits: &[],
        varies: "",
        env: &[],
        asks: &[],
        writes: None,
        fixed: false,
    };

    /// Whether this run is about it: `SHIP_CORPUS` is `all`, or names of projects and ecosystems
    /// with commas between; without it, the fixed ones are chosen.
    pub fn is_chosen(&self) -> bool {
        match env::var("SHIP_CORPUS") {
            Ok(wish) => wish.split(',').any(|word| {
                word == "all" || word == self.name || word.eq_ignore_ascii_case(self.ecosystem)
            }),
            Err(_) => self.fixed,
        }
    }
}
