//! Real folders and repositories.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::{When, review};
use crate::artifact::survey;
use crate::pipeline::files;
use crate::project::{Files, Project, manifest};

const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----\n";
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMIIEvQ\n-----END CERTIFICATE-----\n";

fn write(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn link(dir: &Path, name: &str, target: &str) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    symlink(target, path).unwrap();
}

fn git(dir: &Path, args: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "user.name=A", "-c", "user.email=a@example.com"])
        .args(args)
        .current_dir(dir)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn commit_all(dir: &Path) {
    git(dir, &["init", "-q"]);
    git(dir, &["add", "."]);
    git(dir, &["commit", "-q", "-m", "All"]);
}

fn project(dir: &Path, command: &str, release: &str) -> Project {
    let text = format!(
        "[app]\nname = \"shop\"\n[services.web]\ncommand = {command:?}\n[release]\n{release}\n"
    );
    let checked = manifest::parse(&text, "ship.toml", dir, Files::Ignored);
    checked
        .project
        .unwrap_or_else(|| panic!("{:?}", checked.diagnostics))
}

/// What is said of the release, hints as lines of their own.
fn said_of(dir: &Path, command: &str, release: &str) -> Vec<String> {
    said_when(When::Built, dir, command, release)
}

fn said_when(when: When, dir: &Path, command: &str, release: &str) -> Vec<String> {
    let project = project(dir, command, release);
    let rules = &project.release;
    let found = survey(dir, &rules.include, &rules.left_out());
    assert_eq!(found.problems, [""; 0]);
    let remarks = review(&project, &found.selection, when, true);
    let lines = remarks
        .into_iter()
        .flat_map(|remark| [Some(remark.text), remark.hint]);
    lines.flatten().collect()
}

fn said(dir: &Path, release: &str) -> Vec<String> {
    said_of(dir, "node app.js", release)
}

/// Every kind of key, tracked or not.
fn keys(dir: &Path) {
    for (name, text) in [
        ("app.js", "const key = 1"),
        ("keys/index.js", KEY),
        ("config/master.key", "0123456789abcdef0123456789abcdef"),
        ("config/credentials/production.key", "0123456789abcdef"),
        ("config/credentials.yml.enc", "c2VjcmV0"),
        ("certs/server.pem", KEY),
        ("certs/ca.pem", CERTIFICATE),
        ("certs/Client.P12", "0\u{82}\u{1}"),
        ("deploy_key", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n"),
        (
            "shop-0123456789ab.json",
            "{\"private_key\": \"-----BEGIN PRIVATE KEY-----\\nMI\"}",
        ),
        ("package.json", "{}"),
        (".npmrc", "//registry.example.com/:_authToken=npm_0123\n"),
        (
            "lib/.npmrc",
            "//registry.example.com/:_authToken=${NPM_TOKEN}\n",
        ),
        (".env.production", "A=1\n"),
        (".env.example", "A=\n"),
        (".env", "A=1\n"),
        ("node_modules/x/test/server.key", KEY),
        ("vendor/y/id_rsa", KEY),
        ("empty.key", ""),
    ] {
        write(dir, name, text);
    }
}

#[test]
fn keys_that_git_does_not_have_are_named() {
    let place = TempDir::new().unwrap();
    let dir = place.path();
    keys(dir);
    write(dir, ".gitignore", "*.key\n.env*\nnode_modules\n");
    commit_all(dir);
    assert_eq!(
        said(dir, ""),
        [
            "the release holds files that look secret: .env.production (not in git), \
             .npmrc (with a token), certs/Client.P12 (a key store), certs/server.pem (a private \
             key), config/credentials/production.key (not in git) and 3 more",
            "leave them out with exclude = [\"/.env.production\", \"/.npmrc\", \
             \"/certs/Client.P12\", \"/certs/server.pem\", \
             \"/config/credentials/production.key\"]; if the app needs one, name exactly that file \
             in `include`",
        ]
    );
}

#[test]
fn who_names_a_key_exactly_is_asked_no_more() {
    let place = TempDir::new().unwrap();
    let dir = place.path();
    write(dir, "app.js", "");
    write(dir, "config/master.key", "0123456789abcdef");
    write(dir, "config/tracked.key", "not a private key");
    write(dir, ".gitignore", "master.key\n");
    commit_all(dir);
    let one = "the release holds files that look secret: config/master.key (not in git)";
    assert_eq!(said(dir, "include = [\"app.js\", \"config\"]")[0], one);
    assert_eq!(
        said(dir, "include = [\"app.js\", \"config/*.key\"]")[0],
        one
    );
    for quiet in [
        "include = [\"app.js\"]",
        "include = [\"config\", \"config/master.key\"]",
        "exclude = [\"*.key\"]",
        "shared = [\"config/master.key\"]",
    ] {
        assert_eq!(said(dir, quiet), [""; 0], "{quiet}");
    }
}

#[test]
fn without_git_a_name_is_enough() {
    let place = TempDir::new().unwrap();
    write(place.path(), "config/master.key", "0123456789abcdef");
    write(place.path(), "certs/ca.pem", CERTIFICATE);
    assert_eq!(
        said(place.path(), "")[0],
        "the release holds files that look secret: config/master.key (by its name)"
    );
}

#[test]
fn what_shared_hides_is_named() {
    let place = TempDir::new().unwrap();
    let dir = place.path();
    for name in [
        "app.js",
        "public/uploads/seed.png",
        "public/uploads/.gitkeep",
        "public/uploads/mine/x.png",
        "database.yml",
        "log/development.log",
    ] {
        write(dir, name, name);
    }
    write(dir, "log/empty", "");
    let shared = "shared = [\"public/uploads\", \"database.yml\", \"log\", \"gone\"]";
    let without_git = said(dir, shared);
    assert_eq!(
        without_git[0],
        "database.yml, log/development.log, public/uploads/mine/x.png, public/uploads/seed.png \
         are not released: `shared` puts the host's own files there"
    );
    write(dir, ".gitignore", "mine\n*.log\n");
    commit_all(dir);
    assert_eq!(said(dir, shared), [""; 0]);
    assert_eq!(
        said_when(When::BeforeBuild, dir, "node app.js", shared),
        [
            "database.yml, public/uploads/seed.png are brought to a host once, where `shared/` has \
             nothing there: later changes stay here",
            "exclude = [\"/public/uploads\", \"/database.yml\", \"/log\"] leaves it out, as data of \
             this machine",
        ]
    );
    // What git does not know yet is not brought.
    write(dir, "public/uploads/new.png", "new");
    assert!(said(dir, shared)[0].starts_with("public/uploads/new.png is not released"));
    for quiet in [
        "exclude = [\"/public/uploads\", \"/database.yml\"]",
        "include = [\"app.js\"]\nexclude = [\"/public/*\", \"/database.yml\"]",
    ] {
        assert_eq!(said(dir, &format!("{quiet}\n{shared}")), [""; 0], "{quiet}");
    }
}

#[test]
fn links_out_of_the_release_are_named_with_what_to_include() {
    let place = TempDir::new().unwrap();
    let dir = place.path();
    let store = "node_modules/.pnpm/ms@2.1.3/node_modules/ms";
    write(dir, &format!("{store}/index.js"), "");
    write(dir, "packages/app/app.js", "");
    write(dir, "packages/lib/lib.js", "");
    write(dir, "storage/a", "a");
    link(
        dir,
        "packages/app/node_modules/ms",
        &format!("../../../{store}"),
    );
    link(dir, "packages/app/node_modules/lib", "../../lib");
    link(dir, "packages/app/node_modules/x/test/broken", "nowhere");
    link(dir, "packages/app/gone", "nowhere");
    link(dir, "packages/app/files", "../../storage");
    let rules = "include = [\"packages/app\"]\nshared = [\"storage\"]";
    let said = |rules: &str| said_of(dir, "node packages/app/app.js", rules);
    assert_eq!(
        said(rules),
        [
            format!(
                "links lead to what is not in the release: packages/app/node_modules/lib -> \
                 packages/lib, packages/app/node_modules/ms -> {store}"
            ),
            "add to `include`: [\"packages/lib\", \"node_modules\"]".to_owned(),
            "links lead to nothing: packages/app/gone -> packages/app/nowhere".to_owned(),
        ]
    );
    let whole =
        "include = [\"packages\", \"node_modules\"]\nexclude = [\"gone\"]\nshared = [\"storage\"]";
    assert_eq!(said(whole), [""; 0]);
    let excluded = "include = [\"packages\", \"node_modules\"]\nexclude = [\"gone\", \"packages/lib\"]\nshared = [\"storage\"]";
    assert_eq!(said(excluded)[1], "`exclude` leaves packages/lib out");
}

#[test]
fn a_program_that_no_host_can_start_is_named() {
    let place = TempDir::new().unwrap();
    let dir = place.path();
    let python = dir.join(".venv/bin/python").display().to_string();
    for (name, text) in [
        ("bin/serve", format!("#!{python}\nimport app\n")),
        ("bin/dos", "#!/bin/sh\r\nexit\r\n".to_owned()),
        ("bin/env", "#!/usr/bin/env python3\n".to_owned()),
        ("bin/plain", "#!/bin/sh\n".to_owned()),
        ("other/tool", "#!/bin/sh\n".to_owned()),
    ] {
        write(dir, name, &text);
        fs::set_permissions(dir.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::set_permissions(dir.join("bin/plain"), fs::Permissions::from_mode(0o644)).unwrap();
    let said = |command: &str| said_of(dir, command, "include = [\"bin\"]").join("|");
    assert_eq!(
        said("A=1 exec bin/serve --port $PORT"),
        format!(
            "the command of web starts bin/serve, a script for {python}: that interpreter is on \
             this machine only|name an interpreter that the hosts have in the command: python \
             bin/serve"
        )
    );
    assert!(said("./bin/dos").contains("ends as on Windows"));
    assert!(said("./bin/plain").contains("not executable|chmod +x bin/plain"));
    assert!(said("other/tool").contains("which is not in the release|add \"other/tool\""));
    assert!(said("bin/gone").contains("starts bin/gone, which does not exist"));
    for fine in ["bin/env", "python3 bin/serve", "sh bin/plain"] {
        assert_eq!(said(fine), "", "{fine}");
    }
    // Where the project itself is, it all works.
    let project = project(dir, "bin/serve", "include = [\"bin\"]");
    let found = survey(dir, &project.release.include, &[]);
    assert_eq!(review(&project, &found.selection, When::Built, false), []);
}

/// What `ship check` says of a project with a site in `dist` and these build steps.
fn said_before(dir: &Path, steps: &str) -> Vec<String> {
    let text = format!(
        "[app]\nname = \"shop\"\n[services.web]\nstatic = \"dist\"\nport = 80\n\
         [build]\nsteps = {steps}\n[release]\ninclude = [\"dist\"]\n"
    );
    let checked = manifest::parse(&text, "ship.toml", dir, Files::Ignored);
    let project = checked.project.unwrap();
    let found = survey(dir, &project.release.include, &[]);
    let remarks = review(&project, &found.selection, When::BeforeBuild, true);
    remarks.into_iter().map(|remark| remark.text).collect()
}

#[test]
fn lines_that_a_site_has_and_ship_does_not_follow_are_named() {
    let place = TempDir::new().unwrap();
    let dir = place.path();
    write(dir, "public/_redirects", "/a /b\n/c /d Country=us\n");
    let of = |path: &str| {
        format!(
            "ship does not follow a line of {path}: line 2: the condition `Country=us` is not followed"
        )
    };
    assert_eq!(said_before(dir, "[]"), [of("public/_redirects")]);
    write(dir, "dist/_redirects", "/a /b\n");
    write(dir, "dist/_headers", "/a\n  nonsense\n");
    let headers =
        "ship does not follow a line of dist/_headers: line 2: `nonsense` is not a header";
    assert_eq!(said_before(dir, "[]"), [headers]);
}

#[test]
fn what_the_build_made_and_the_release_lacks_is_named() {
    let place = TempDir::new().unwrap();
    let dir = place.path();
    write(dir, "app.js", "");
    write(dir, ".gitignore", "dist\n");
    commit_all(dir);
    let said = |release: &str| {
        let steps = "[build]\nsteps = [\"true\"]";
        let project = project(dir, "node app.js", &format!("{release}\n{steps}"));
        let found = files::survey(&project).unwrap();
        let remarks = review(&project, &found.selection, When::Built, true).into_iter();
        let lines = remarks.flat_map(|remark| [Some(remark.text), remark.hint]);
        lines.flatten().collect::<Vec<String>>()
    };
    let all = "include = [\".\"]\ngitignore = true";
    assert_eq!(said(all), [""; 0]);
    write(dir, "dist/main.js", "");
    assert_eq!(
        said(all),
        [
            "the build made dist, which git ignores, so the release leaves that out",
            "add \"dist\" to `include` if the app needs it"
        ]
    );
    let without = "include = [\".\"]\nexclude = [\"/dist\"]\ngitignore = true";
    assert_eq!(said(without), [""; 0]);
    let with = "include = [\".\", \"dist\"]\ngitignore = true";
    assert_eq!(said(with), [""; 0]);
}

#[test]
fn a_site_without_a_first_page_is_told_once_it_is_built() {
    let place = TempDir::new().unwrap();
    let dir = place.path();
    write(dir, "dist/main.js", "");
    let text = "[app]\nname = \"shop\"\n[services.web]\nstatic = \"dist\"\nport = 80\n\
                [release]\ninclude = [\"dist\"]\n";
    let checked = manifest::parse(text, "ship.toml", dir, Files::Ignored);
    let project = checked.project.unwrap();
    let said = || {
        let found = survey(dir, &project.release.include, &[]);
        review(&project, &found.selection, When::Built, true)
    };
    let told = said();
    assert_eq!(told.len(), 1);
    assert!(told[0].text.starts_with("there is no dist/index.html"));
    write(dir, "dist/index.html", "");
    assert_eq!(said(), []);
}

#[test]
fn programs_that_the_steps_miss_are_named() {
    let place = TempDir::new().unwrap();
    let said = |steps: &str| said_before(place.path(), steps);
    assert_eq!(
        said("[\"no-such-tool --minify\", \"sh -c true\"]"),
        ["`no-such-tool` is not on this machine, and a build or test step starts it"]
    );
    assert_eq!(
        said("[\"true install no-such-tool\", \"no-such-tool --minify\"]"),
        [""; 0]
    );
}
