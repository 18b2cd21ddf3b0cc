//! PHP. Packages of Packagist cannot be had where these tests run.

use crate::ask::{Ask, Write};
use crate::project::Project;

const HAS: &[&str] = &["php-cli", "php-sqlite3"];

pub const PROJECTS: &[Project] = &[
    // By hand: pages beside each other, as people write them.
    Project {
        name: "php-folder",
        ecosystem: "PHP",
        files: "php-folder",
        host_packages: HAS,
        asks: &[
            Ask::Page("/", "Guests"),
            Ask::Asset("/", ".css"),
            Ask::Deep("/about.php", "About the guests"),
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
    // By hand, as `composer init` writes it: one script answers everything in public/.
    Project {
        name: "php-composer",
        ecosystem: "PHP",
        files: "php-composer",
        make: "composer update --quiet --no-install",
        needs: &["composer"],
        host_packages: HAS,
        asks: &[
            Ask::Page("/", "Autoloaded"),
            Ask::Asset("/", ".css"),
            Ask::Deep("/guests/1", "/guests/1"),
        ],
        ..Project::PLAIN
    },
];
