//! What no table of its own holds: Procfiles, scripts, native programs, Elixir.

use crate::ask::Ask;
use crate::project::Project;

pub const PROJECTS: &[Project] = &[
    // By hand: a line that migrates before it serves, and a process beside it.
    Project {
        name: "procfile-migrate",
        ecosystem: "Procfile",
        files: "procfile-migrate",
        asks: &[
            Ask::Page("/", "From a Procfile"),
            Ask::Asset("/", ".css"),
            Ask::Deep("/style.css", "serif"),
        ],
        fixed: true,
        ..Project::PLAIN
    },
    // By hand.
    Project {
        name: "shell-start",
        ecosystem: "shell",
        files: "shell-start",
        asks: &[
            Ask::Page("/", "From a script"),
            Ask::Asset("/", ".css"),
            Ask::Deep("/style.css", "serif"),
        ],
        ..Project::PLAIN
    },
    // By hand.
    Project {
        name: "c-make",
        ecosystem: "native",
        files: "c-make",
        needs: &["cc", "make"],
        asks: &[
            Ask::Page("/", "Hello from C"),
            Ask::Deep("/a/b", "Hello from C"),
        ],
        ..Project::PLAIN
    },
    // `mix new` makes it; what answers requests is by hand, because Phoenix cannot be had here.
    Project {
        name: "elixir-sup",
        ecosystem: "Elixir",
        files: "elixir-sup",
        make: "mix new new --app guests --sup && cp -rn new/. . && rm -r new",
        needs: &["mix"],
        asks: &[
            Ask::Page("/", "Guests of Elixir"),
            Ask::Deep("/a/b", "/a/b"),
        ],
        ..Project::PLAIN
    },
];
