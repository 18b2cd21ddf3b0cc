//! Go. By hand, with the standard library alone: Go has no generator but `go mod init`.

use crate::ask::{Ask, Write};
use crate::project::Project;
use crate::support::runtimes::GO_1;

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
];
