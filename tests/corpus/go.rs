//! Go. By hand, with the standard library alone: Go has no generator but `go mod init`.

use crate::ask::{Ask, Write};
use crate::project::Project;
use crate::support::runtimes::{GO_1, NODE_20_LAST};

pub const PROJECTS: &[Project] = &[
    Project {
        name: "go-root",
        ecosystem: "Go",
        files: "go-root",
        runtimes: &[GO_1],
        asks: &[
            Ask::Page("/", "Guests"),
            Ask::Asset("/", ".css"),
            Ask::Deep("/healthz", "ok"),
        ],
        writes: Some(Write {
            path: "/",
            media: "application/x-www-form-urlencoded",
            body: "name=Ada",
            then: Ask::Page("/", "Ada"),
        }),
        fixed: true,
        ..Project::PLAIN
    },
    Project {
        name: "go-commands",
        ecosystem: "Go",
        files: "go-commands",
        runtimes: &[GO_1],
        asks: &[
            Ask::Page("/", "The shop is open"),
            Ask::Asset("/", ".css"),
            Ask::Deep("/a/b", "/a/b"),
        ],
        ..Project::PLAIN
    },
    Project {
        name: "go-workspace",
        ecosystem: "Go",
        files: "go-workspace",
        runtimes: &[GO_1],
        asks: &[
            Ask::Page("/", "From another module"),
            Ask::Deep("/a/b", "/a/b"),
        ],
        ..Project::PLAIN
    },
    // The front end is what its generator writes; the program hands it out.
    Project {
        name: "go-vue",
        ecosystem: "Go",
        files: "go-vue",
        make: "mv web/embed.go . && rmdir web && \
               npx --yes create-vite@6.0.1 web --template vue-ts && mv embed.go web/ && \
               cd web && npm install --package-lock-only",
        needs: &["npm"],
        runtimes: &[GO_1, NODE_20_LAST],
        asks: &[Ask::Page("/", "Vite + Vue"), Ask::Asset("/", ".js")],
        ..Project::PLAIN
    },
];
