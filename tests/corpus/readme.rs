//! "Your first deploy, in five minutes" of README.md, to the letter.

use crate::ask::Ask;
use crate::project::Project;
use crate::support::runtimes::{GO_1, NODE_20_LAST};

/// Who follows it.
pub const PROJECTS: &[Project] = &[
    Project {
        name: "readme-go",
        ecosystem: "README",
        files: "go-root",
        runtimes: &[GO_1],
        asks: &[Ask::Page("/", "Guests"), Ask::Asset("/", ".css")],
        fixed: true,
        ..Project::PLAIN
    },
    Project {
        name: "readme-django",
        ecosystem: "README",
        // The host is asked by its address, so that has to be allowed, as a domain has to be.
        make: "python3 -m pip install --quiet --target \"$HOME/django\" Django==5.1.4
            PYTHONPATH=$HOME/django python3 -m django startproject shop .
            sed -i 's/^ALLOWED_HOSTS = .*/ALLOWED_HOSTS = [\"*\"]/' shop/settings.py
            printf 'Django==5.1.4\\ngunicorn==23.0.0\\n' > requirements.txt",
        needs: &["python3"],
        asks: &[Ask::Page("/admin/login/", "Django administration")],
        ..Project::PLAIN
    },
    Project {
        name: "readme-next",
        ecosystem: "README",
        make: "npx create-next-app@14.2.15 . --ts --app --no-eslint --no-tailwind --no-src-dir \
            --import-alias '@/*' --use-npm --skip-install
            npm install --package-lock-only
            rm -rf .git",
        needs: &["npm"],
        runtimes: &[NODE_20_LAST],
        asks: &[Ask::Page("/", "Next"), Ask::Asset("/", ".js")],
        ..Project::PLAIN
    },
];

/// The commands of the section, without their comments; `cd my-app` was done before.
pub fn commands() -> Vec<String> {
    let readme = include_str!("../../README.md");
    let (_, section) = readme
        .split_once("## Your first deploy, in five minutes")
        .expect("the section");
    let section = section.split("\n## ").next().expect("a section");
    let lines = section
        .lines()
        .skip_while(|line| !line.contains("ship init"));
    lines
        .take_while(|line| line.starts_with("    "))
        .map(|line| line.split("  #").next().unwrap_or(line).trim().to_owned())
        .collect()
}
