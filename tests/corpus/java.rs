//! Java. Maven Central cannot be had where these tests run: what is here needs the JDK alone.

use crate::ask::Ask;
use crate::project::Project;

pub const PROJECTS: &[Project] = &[
    // By hand, as `gradle init --type java-application` of Debian's Gradle writes it, without tests.
    Project {
        name: "gradle-application",
        ecosystem: "Java",
        files: "gradle-application",
        needs: &["gradle", "javac"],
        host_packages: &["openjdk-17-jre-headless"],
        asks: &[
            Ask::Page("/", "The shop is open"),
            Ask::Deep("/a/b", "/a/b"),
        ],
        ..Project::PLAIN
    },
];
