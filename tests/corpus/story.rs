//! What happens to each project: from a clone and a bare host to a served app, and what goes wrong
//! afterwards.

use crate::made::{copy, made, tool_environment};
use crate::project::Project;
use crate::readme;
use crate::support::{Controller, Host, Mirror, Run, Running};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};
use toml::{Table, Value};

/// How a story ended well.
pub enum Told {
    /// The app was served, broken and rolled back.
    Served(Figures),
    /// It could not be told here, and why.
    Skipped(String),
}

/// What was measured on the way.
pub struct Figures {
    /// From `ship init` to the end of the first deploy.
    pub time: Duration,
    /// The size of the release on the host.
    pub bytes: u64,
}

/// The most that a first deploy may take, from `ship init` on.
const FIVE_MINUTES: Duration = Duration::from_secs(300);

/// Tells the whole story of a project; what went wrong otherwise.
pub fn told(project: &Project) -> Result<Told, String> {
    with(project, |person, host| person.story(host))
}

/// Has somebody with a project do what the README says, and nothing else.
pub fn followed(project: &Project) -> Result<Told, String> {
    with(project, |person, host| person.follow_readme(host))
}

/// Makes the project, a bare host, and somebody who has both.
fn with(
    project: &Project,
    tell: impl FnOnce(&Person<'_>, &Host) -> Result<Told, String>,
) -> Result<Told, String> {
    let from = match made(project) {
        Ok(from) => from,
        Err(why) => return Ok(Told::Skipped(why)),
    };
    let mirror = match project.runtimes {
        [] => None,
        wanted => match Mirror::of(wanted) {
            Some(mirror) => Some(mirror),
            None => return Ok(Told::Skipped("a runtime cannot be had".to_owned())),
        },
    };
    let host = Host::boot_having("web1", project.host_packages);
    let person = Person::of(project, &host, mirror);
    copy(&from, &person.controller.project());
    if !person.controller.project().join(".git").exists() {
        person.git(&["init", "--quiet"]);
    }
    person.commit("Begin");
    tell(&person, &host)
}

/// Somebody who has the project and a host.
struct Person<'a> {
    project: &'a Project,
    controller: Controller,
    // Serves as long as somebody may ask.
    _mirror: Option<Mirror>,
}

impl<'a> Person<'a> {
    fn of(project: &'a Project, host: &Host, mirror: Option<Mirror>) -> Self {
        let mut controller = Controller::knowing([host]);
        let own = project
            .env
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        for (name, value) in tool_environment().into_iter().chain(own) {
            controller.set_env(&name, &value);
        }
        for real in project.runtimes {
            let address = mirror.as_ref().map(|mirror| mirror.address(real.name));
            let variable = format!("SHIP_{}_MIRROR", real.name.to_ascii_uppercase());
            controller.set_env(&variable, &address.unwrap_or_default());
        }
        Self {
            project,
            controller,
            _mirror: mirror,
        }
    }

    fn story(&self, host: &Host) -> Result<Told, String> {
        let begun = Instant::now();
        let address = format!("deploy@{}", host.addr());
        let init = ["init", "--yes", "--host", &address];
        let mut said = self.run(&init);
        if !said.status.success() && self.project.edits.iter().any(|edit| edit.is_in(&said)) {
            // init writes nothing for a project that cannot run anywhere, and says what it lacks.
            self.edit(&said)?;
            said = self.ship(&init)?;
        } else {
            self.edit(&said)?;
        }
        if !said.stdout.contains(self.project.varies) {
            return Err(format!("init does not say that builds vary\n{said}"));
        }
        self.follow(&said)?;
        self.ship(&["check"])?;
        self.ship(&["setup", "production", "--as", "root"])?;
        self.ship(&["deploy", "production"])?;
        let time = begun.elapsed();

        let app = App::read(&self.manifest());
        self.ask(host, &app, "the first deploy")?;
        if let Some(writes) = &self.project.writes {
            writes.to(host, app.port)?;
            self.ask(host, &app, "a write")?;
        }
        let bytes = self.size(host, &app);

        let again = self.ship(&["deploy", "production"])?;
        if self.project.varies.is_empty() && !again.stderr.contains("is already live") {
            return Err(format!("the same commit made another release\n{again}"));
        }

        let good = self.manifest();
        self.change(&app.broken(&good), "Break it");
        let bad = self.run(&["deploy", "production"]);
        if bad.status.success() {
            return Err(format!("a broken release went live\n{bad}"));
        }
        self.ask(host, &app, "a broken deploy")?;

        self.change(&app.changed(&good), "Change it");
        self.ship(&["deploy", "production"])?;
        self.ask(host, &app, "a second deploy")?;
        self.ship(&["rollback", "production"])?;
        self.ask(host, &app, "a rollback")?;
        Ok(Told::Served(Figures { time, bytes }))
    }

    /// The commands of the README, as they stand there but for the name of the host.
    fn follow_readme(&self, host: &Host) -> Result<Told, String> {
        let commands = readme::commands();
        if commands.len() > 6 {
            return Err(format!("more than six commands: {commands:?}"));
        }
        let begun = Instant::now();
        for line in &commands {
            // ssh knows the host, and nobody is here to compare keys.
            if line.starts_with("ship host trust") {
                continue;
            }
            let line = line
                .replace("web1.example.com", &host.addr().to_string())
                .replace("ship ", concat!(env!("CARGO_BIN_EXE_ship"), " "));
            let run = Running::start(self.command("sh").args(["-euc", &line])).wait();
            if !run.status.success() {
                return Err(run.to_string());
            }
        }
        let time = begun.elapsed();
        let app = App::read(&self.manifest());
        self.ask(host, &app, "the first deploy")?;
        let bytes = self.size(host, &app);
        match time < FIVE_MINUTES {
            true => Ok(Told::Served(Figures { time, bytes })),
            false => Err(format!("the five minutes took {time:.0?}")),
        }
    }

    /// The size of the first release on the host.
    fn size(&self, host: &Host, app: &App) -> u64 {
        let script = format!(
            "du -sb --exclude=.ship /srv/{}/releases/v1 | cut -f1",
            app.name
        );
        host.sh(&script).parse().unwrap_or(0)
    }

    /// Makes the edits that `init` asked for.
    fn edit(&self, init: &Run) -> Result<(), String> {
        for edit in self.project.edits {
            if !edit.is_in(init) {
                return Err(format!("init does not say {:?}\n{init}", edit.says));
            }
            self.sh(edit.does);
            self.sh("git commit -qam 'Edit for ship'");
        }
        Ok(())
    }

    /// Does what `init` says comes next: its line for git.
    fn follow(&self, init: &Run) -> Result<(), String> {
        for line in init.stdout.lines() {
            let Some(next) = line.strip_prefix("next: git ") else {
                continue;
            };
            // Behind the command it says why.
            let command = next.rsplit_once(": ").map_or(next, |(command, _)| command);
            self.sh(&format!("git {command}"));
        }
        Ok(())
    }

    fn ask(&self, host: &Host, app: &App, after: &str) -> Result<(), String> {
        let written = self.project.writes.as_ref().map(|writes| writes.then);
        let asks = self.project.asks.iter().copied();
        // What was written is asked for only once it was.
        let written = written.filter(|_| after != "the first deploy");
        for ask in asks.chain(written) {
            ask.of(host, app.port).map_err(|wrong| {
                let log = self.run(&["logs", "production"]);
                format!("after {after}: {wrong}\n{}", log.stdout)
            })?;
        }
        Ok(())
    }

    fn here(&self) -> PathBuf {
        self.controller.project().join(self.project.dir)
    }

    fn manifest(&self) -> String {
        fs::read_to_string(self.here().join("ship.toml")).expect("a manifest")
    }

    /// Writes another manifest and commits it.
    fn change(&self, manifest: &str, why: &str) {
        fs::write(self.here().join("ship.toml"), manifest).expect("write the manifest");
        self.commit(why);
    }

    fn commit(&self, why: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", why]);
    }

    fn git(&self, args: &[&str]) {
        self.controller.git(args);
    }

    fn command(&self, program: &str) -> Command {
        let mut command = self.controller.command(program);
        command.current_dir(self.here());
        command
    }

    fn sh(&self, script: &str) {
        Running::start(self.command("sh").args(["-euc", script]))
            .wait()
            .ok();
    }

    fn run(&self, args: &[&str]) -> Run {
        Running::start(self.command(env!("CARGO_BIN_EXE_ship")).args(args)).wait()
    }

    /// Runs ship; an error with everything it said when it fails.
    fn ship(&self, args: &[&str]) -> Result<Run, String> {
        let run = self.run(args);
        match run.status.success() {
            true => Ok(run),
            false => Err(run.to_string()),
        }
    }
}

/// What the manifest says about the app.
struct App {
    name: String,
    /// The service that listens, and its port.
    service: String,
    port: u16,
    is_static: bool,
}

impl App {
    #[track_caller]
    fn read(manifest: &str) -> Self {
        let table: Table = manifest.parse().expect("a manifest");
        let services = table["services"].as_table().expect("services");
        let port = |service: &Value| service.get("port")?.as_integer();
        let (service, found) = services
            .iter()
            .find(|(_, service)| port(service).is_some())
            .expect("a service with a port");
        Self {
            name: table["app"]["name"].as_str().expect("a name").to_owned(),
            service: service.clone(),
            port: port(found)
                .and_then(|port| port.try_into().ok())
                .expect("a port"),
            is_static: found.get("static").is_some(),
        }
    }

    /// A manifest whose service ends at once, or whose page is not there.
    fn broken(&self, manifest: &str) -> String {
        match self.is_static {
            true => {
                let health = Table::from_iter([
                    ("path".to_owned(), Value::from("/is-not-there.txt")),
                    ("timeout".to_owned(), Value::from("2s")),
                ]);
                self.with(manifest, "health", Value::from(health))
            }
            false => self.with(manifest, "command", Value::from("exit 3")),
        }
    }

    /// A manifest that makes another release, as good as the first.
    fn changed(&self, manifest: &str) -> String {
        self.with(manifest, "settle", Value::from("1s"))
    }

    fn with(&self, manifest: &str, key: &str, value: Value) -> String {
        let mut table: Table = manifest.parse().expect("a manifest");
        let service = table["services"][self.service.as_str()].as_table_mut();
        service.expect("a service").insert(key.to_owned(), value);
        table.to_string()
    }
}
