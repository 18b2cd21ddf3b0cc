//! The programs that a release starts on its hosts and that no pinned runtime brings.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use crate::artifact::{found_on_path, found_on_path_of_line};
use crate::model::ServiceSpec;
use crate::model::service::Run;
use crate::model::version::{Grammar, Request};
use crate::pipeline::Remark;
use crate::project::Project;
use crate::project::declared::declared_in;
use crate::runtime;
use crate::wire::HostProgram;

/// Programs that are worth a word about their version: the runtime each belongs to, and the Debian
/// package that has it.
const KNOWN: &[(&str, &str, Option<&str>)] = &[
    ("bun", "bun", None),
    ("bunx", "bun", None),
    ("deno", "deno", None),
    ("dotnet", "dotnet", None),
    ("elixir", "elixir", Some("elixir")),
    ("go", "go", Some("golang-go")),
    ("java", "java", Some("default-jre-headless")),
    ("node", "node", Some("nodejs")),
    ("npm", "node", Some("npm")),
    ("npx", "node", Some("npm")),
    ("perl", "perl", Some("perl")),
    ("php", "php", Some("php-cli")),
    ("pip", "python", Some("python3-pip")),
    ("python", "python", Some("python-is-python3")),
    ("python3", "python", Some("python3")),
    ("ruby", "ruby", Some("ruby")),
];

/// Packages of programs that are no runtimes.
const PACKAGES: &[(&str, &str)] = &[
    ("bundle", "ruby-bundler"),
    ("composer", "composer"),
    ("ffmpeg", "ffmpeg"),
    ("git", "git"),
    ("nginx", "nginx"),
    ("psql", "postgresql-client"),
    ("rake", "rake"),
    ("sqlite3", "sqlite3"),
];

/// What `services` and the hooks of `project` start, without the version of this machine.
#[must_use]
pub fn programs(project: &Project, services: &[ServiceSpec]) -> Vec<HostProgram> {
    // A search path of the app's own may lead into the release.
    let own_path = |service: &&ServiceSpec| !service.env.contains_key("PATH");
    let of_services = services.iter().filter(own_path).flat_map(|service| {
        let by = format!("the service {}", service.name);
        let is_certain = match &service.run {
            Run::Shell(line) => is_one_command(line),
            Run::Argv(_) | Run::Static(_) => true,
        };
        let found = found_on_path(&service.run).into_iter();
        found.map(move |program| (program.to_owned(), by.clone(), is_certain))
    });
    let hooks = project
        .before_activate
        .iter()
        .chain(&project.after_activate);
    let of_hooks = hooks.flat_map(|hook| {
        let by = format!("the hook `{}`", hook.name);
        let is_certain = is_one_command(&hook.run);
        let found = found_on_path_of_line(&hook.run).into_iter();
        found.map(move |program| (program.to_owned(), by.clone(), is_certain))
    });
    let brought = brought(project);
    let asked = asked(project);
    let mut all: BTreeMap<String, HostProgram> = BTreeMap::new();
    for (program, by, is_certain) in of_services.chain(of_hooks) {
        let known = KNOWN.iter().find(|(name, ..)| *name == program);
        let runtime = known.map(|(_, runtime, _)| (*runtime).to_owned());
        let is_brought = brought.contains(program.as_str())
            || runtime
                .as_ref()
                .is_some_and(|name| brought.contains(name.as_str()));
        if is_brought || program == "ship" {
            continue;
        }
        let package = PACKAGES.iter().find(|(name, _)| *name == program);
        let package = known
            .and_then(|(_, _, package)| *package)
            .or(package.map(|(_, package)| *package));
        let entry = all.entry(program.clone()).or_insert_with(|| HostProgram {
            by,
            is_certain,
            asks: runtime.as_ref().and_then(|name| asked.get(name).cloned()),
            package: package.map(str::to_owned),
            // `npm --version` is not Node's.
            runtime: runtime.filter(|runtime| *runtime == program || program == "python3"),
            here: None,
            program,
        });
        entry.is_certain |= is_certain;
    }
    all.into_values().collect()
}

/// Adds to each of `programs` the version that this machine has of it.
pub async fn with_versions_here(
    programs: &mut [HostProgram],
    caller: &BTreeMap<OsString, OsString>,
) {
    let names: BTreeSet<String> = programs.iter().filter_map(|p| p.runtime.clone()).collect();
    let here = runtime::versions_here(names.iter().map(String::as_str), caller).await;
    for program in programs {
        let version = program.runtime.as_ref().and_then(|name| here.get(name));
        program.here = version.map(ToString::to_string);
    }
}

/// What to say of the programs of this machine that build and test steps start: no pinned runtime
/// brings them, and the project asks for other versions.
pub async fn unfit_here(project: &Project, caller: &BTreeMap<OsString, OsString>) -> Vec<Remark> {
    let brought = brought(project);
    let asked = asked(project);
    let steps = project.build.steps.iter().chain(&project.test.steps);
    let started: BTreeSet<&str> = steps
        .flat_map(|step| found_on_path_of_line(&step.run))
        .filter_map(|program| KNOWN.iter().find(|(name, ..)| *name == program))
        .map(|(_, runtime, _)| *runtime)
        .filter(|runtime| !brought.contains(runtime) && asked.contains_key(*runtime))
        .collect();
    let here = runtime::versions_here(started, caller).await;
    let unfit = here.iter().filter_map(|(name, version)| {
        let (request, file) = asked.get(name)?;
        let wanted = Request::parse(Grammar::of(name), request).ok()?;
        (!wanted.is_alias() && !wanted.matches(version)).then(|| Remark {
            text: format!(
                "build and test steps run {name} {version} of this machine, but {file} asks for {request}"
            ),
            hint: Some(format!(
                "install the {name} that the project asks for, or pin {name} under [runtimes] in \
                 ship.toml"
            )),
        })
    });
    unfit.collect()
}

/// A line that the shell has nothing to decide about.
fn is_one_command(line: &str) -> bool {
    !line.contains(['\n', ';', '&', '|', '(', '`', '{'])
}

/// The names in `[runtimes]`, and the programs of the package managers among them.
fn brought(project: &Project) -> BTreeSet<&str> {
    let names = project.runtimes.keys().map(String::as_str);
    let programs = project
        .runtimes
        .keys()
        .filter_map(|name| runtime::source::source(name));
    names
        .chain(programs.flat_map(|source| source.programs.iter().copied()))
        .collect()
}

/// What the version files of the project ask for, and which file does; the first that does counts.
fn asked(project: &Project) -> BTreeMap<String, (String, String)> {
    let mut asked = BTreeMap::new();
    for found in declared_in(&project.dir) {
        if found.request.is_some() {
            let file = found.source.name.clone();
            asked.entry(found.runtime).or_insert((found.asks, file));
        }
    }
    asked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::start::write_program;

    fn seen(manifest: &str, package: &str) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let head = "[app]\nname = \"shop\"\n";
        std::fs::write(dir.path().join("ship.toml"), format!("{head}{manifest}")).unwrap();
        std::fs::write(dir.path().join("package.json"), package).unwrap();
        let project = Project::check_text(dir.path()).project.unwrap();
        let found = programs(&project, &project.services);
        let told = found.into_iter().map(|found| {
            let sure = if found.is_certain { "" } else { " perhaps" };
            let asks = found
                .asks
                .map(|(asks, _)| format!(" asks {asks}"))
                .unwrap_or_default();
            format!("{}:{sure} by {}{asks}", found.program, found.by)
        });
        told.collect()
    }

    #[test]
    fn programs_are_those_that_no_pinned_runtime_brings() {
        let services = "[services.web]\ncommand = \"NODE_ENV=x node server.js\"\nport = 3000\n\
                        [services.worker]\ncommand = \"cd jobs && bundle exec sidekiq\"\n\
                        [services.site]\nstatic = \"public\"\nport = 3001\n\
                        [hooks]\nbefore-activate = [\"mkdir -p tmp\"]\n";
        let engines = r#"{"engines":{"node":">=20"}}"#;
        assert_eq!(
            seen(services, engines),
            [
                "bundle: perhaps by the service worker",
                "mkdir: by the hook `mkdir -p tmp`",
                "node: by the service web asks >=20",
            ]
        );
        let pinned = format!("[runtimes]\nnode = \"20\"\n{services}");
        assert!(
            !seen(&pinned, "{}")
                .iter()
                .any(|line| line.starts_with("node"))
        );
    }

    #[tokio::test]
    async fn what_steps_start_on_this_machine_is_compared_with_the_project() {
        let dir = tempfile::tempdir().unwrap();
        let text = "[app]\nname = \"shop\"\n[build]\nsteps = [\"cd web && npm ci\"]\n\
                    [services.site]\nstatic = \"public\"\nport = 3001\n";
        std::fs::write(dir.path().join("ship.toml"), text).unwrap();
        let bin = dir.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        write_program(&bin.join("node"), "#!/bin/sh\necho v20.20.2\n");
        let path = std::env::join_paths([bin.as_path(), std::path::Path::new("/bin")]).unwrap();
        let caller = BTreeMap::from([(OsString::from("PATH"), path)]);
        for (request, is_told) in [("^22.18.0 || >=24.12.0", true), (">=20", false)] {
            let package = format!(r#"{{"engines":{{"node":"{request}"}}}}"#);
            std::fs::write(dir.path().join("package.json"), package).unwrap();
            let project = Project::check_text(dir.path()).project.unwrap();
            let told = unfit_here(&project, &caller).await;
            let told: Vec<&str> = told.iter().map(|remark| remark.text.as_str()).collect();
            let said = format!(
                "build and test steps run node 20.20.2 of this machine, but package.json asks for {request}"
            );
            assert_eq!(told, [said.as_str()][..usize::from(is_told)]);
        }
    }
}
