//! Package managers from npm's registry: npm, pnpm and Yarn. Except for pnpm from version 12 on,
//! they are programs for Node, the same for every platform; what starts them is a launcher.
//!
//! A mirror holds:
//!
//! ```text
//! pnpm.json                         what the registry tells of the package `pnpm`
//! pnpm/-/pnpm-9.15.0.tgz
//! ```

use std::collections::BTreeMap;

use super::registry::{npm, npm_archive, npm_offers};
use super::{Layout, Source, needs};
use crate::model::runtime::{ArchiveFormat, Platform};
use crate::model::version::{Request, Version};

/// npm, of another version than the one that comes with Node.
pub(super) static NPM: Source = Source {
    name: "npm",
    title: "npm",
    programs: &["npm", "npx"],
    packages: None,
    index: npm!("npm"),
    places: &[(npm!("npm/-/"), "npm/-/"), (npm!("npm"), "npm.json")],
    lists: None,
    offers: |_, list| npm_offers(list, |_, _, _| Some("npm")),
    marks: |version, _| vec![npm_archive("npm", version)],
    layout: |_, _| script(&[("npm", "bin/npm-cli.js"), ("npx", "bin/npx-cli.js")]),
};

/// pnpm.
pub(super) static PNPM: Source = Source {
    name: "pnpm",
    title: "pnpm",
    programs: &["pnpm", "pnpx"],
    packages: None,
    index: npm!("pnpm"),
    places: &[
        (npm!("pnpm/-/"), "pnpm/-/"),
        (npm!("@pnpm/"), "@pnpm/"),
        (npm!("@pnpm%2f"), "@pnpm/"),
        (npm!("pnpm"), "pnpm.json"),
    ],
    lists: None,
    offers: |_, list| {
        npm_offers(list, |_, version, platform| {
            Some(pnpm_of(version, platform))
        })
    },
    marks: |version, platform| vec![npm_archive(pnpm_of(version, platform), version)],
    layout: pnpm_layout,
};

/// From version 12 on, pnpm is a native program.
const NATIVE: u64 = 12;

fn pnpm_of(version: &Version, platform: Platform) -> &'static str {
    match platform {
        _ if version.number(0) < NATIVE => "pnpm",
        Platform::Aarch64Linux => "@pnpm/exe.linux-arm64",
        Platform::Aarch64Macos => "@pnpm/exe.darwin-arm64",
        Platform::X86_64Linux => "@pnpm/exe.linux-x64",
        Platform::X86_64Macos => "@pnpm/exe.darwin-x64",
    }
}

fn pnpm_layout(version: &Version, _: Platform) -> Layout {
    let layout = match version.number(0) {
        0..=5 => script(&[("pnpm", "bin/pnpm.js"), ("pnpx", "bin/pnpx.js")]),
        6..=10 => script(&[("pnpm", "bin/pnpm.cjs"), ("pnpx", "bin/pnpx.cjs")]),
        11 => script(&[("pnpm", "bin/pnpm.mjs"), ("pnpx", "bin/pnpx.mjs")]),
        _ => Layout {
            needs: needs((2, 17), &[]),
            ..Layout::of(ArchiveFormat::TarGz, 1, "")
        },
    };
    Layout {
        // It would fetch the version that `packageManager` names, where that is another one
        // (pnpm's documentation, `managePackageManagerVersions`).
        settings: ["npm_config", "pnpm_config"]
            .map(|prefix| {
                let name = format!("{prefix}_manage_package_manager_versions");
                (name, "false".to_owned())
            })
            .into(),
        ..layout
    }
}

/// Yarn: version 1, and what came after it, from a package of its own.
pub(super) static YARN: Source = Source {
    name: "yarn",
    title: "Yarn",
    programs: &["yarn", "yarnpkg"],
    packages: None,
    index: npm!("yarn"),
    places: &[
        (npm!("yarn/-/"), "yarn/-/"),
        (npm!("@yarnpkg/cli-dist/-/"), "@yarnpkg/cli-dist/-/"),
        (npm!("@yarnpkg%2fcli-dist"), "@yarnpkg/cli-dist.json"),
        (npm!("yarn"), "yarn.json"),
    ],
    lists: Some(yarn_lists),
    offers: |_, list| npm_offers(list, yarn_of),
    marks: |version, _| vec![npm_archive(yarn_package(version), version)],
    layout: |_, _| script(&[("yarn", "bin/yarn.js"), ("yarnpkg", "bin/yarn.js")]),
};

fn yarn_lists(_: &str, wanted: &Request) -> Result<Vec<String>, String> {
    let classic = npm!("yarn").to_owned();
    let modern = npm!("@yarnpkg%2fcli-dist").to_owned();
    let first = Version::parse("1.22.22");
    // Most projects want one of the two.
    Ok(match first.is_some_and(|first| wanted.matches(&first)) {
        true if !wanted.is_alias() => vec![classic, modern],
        _ => vec![modern, classic],
    })
}

const MODERN: &str = "@yarnpkg/cli-dist";

fn yarn_package(version: &Version) -> &'static str {
    match version.number(0) {
        0..=1 => "yarn",
        _ => MODERN,
    }
}

/// The earlier package has two releases of version 2 as well.
fn yarn_of(listed: &str, version: &Version, _: Platform) -> Option<&'static str> {
    Some(yarn_package(version)).filter(|package| *package == listed)
}

/// A package whose programs Node runs.
fn script(programs: &[(&str, &str)]) -> Layout {
    let launchers = programs.iter().map(|(program, file)| {
        let path = format!("{LAUNCHERS}/{program}");
        (path, launcher("node", program, file))
    });
    Layout {
        launchers: launchers.collect::<BTreeMap<_, _>>(),
        ..Layout::of(ArchiveFormat::TarGz, 1, LAUNCHERS)
    }
}

/// The folder of launchers.
pub(in crate::runtime) const LAUNCHERS: &str = "ship-bin";

/// A script that has `runner` run `file` of the archive.
pub(super) fn launcher(runner: &str, program: &str, file: &str) -> String {
    format!(
        "#!/bin/sh\n\
         command -v {runner} >/dev/null || {{\n\
         \x20 echo '{program} needs {runner}: pin it under [runtimes], or install it here' >&2\n\
         \x20 exit 127\n\
         }}\n\
         exec {runner} \"${{0%/*}}/../{file}\" \"$@\"\n"
    )
}
