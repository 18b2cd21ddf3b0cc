//! Rust.

use crate::ask::Ask;
use crate::project::Project;

pub const PROJECTS: &[Project] = &[
    // By hand, as `cargo new` writes the crates of a workspace; axum comes from its registry.
    Project {
        name: "axum-workspace",
        ecosystem: "Rust",
        files: "axum-workspace",
        make: "cargo generate-lockfile",
        needs: &["cargo"],
        asks: &[
            Ask::Page("/", "Ada, Grace"),
            Ask::Asset("/", ".css"),
            Ask::Deep("/guests/Ada", "Hello Ada"),
        ],
        fixed: true,
        ..Project::PLAIN
    },
];
