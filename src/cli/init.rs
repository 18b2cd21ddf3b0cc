//! `ship init`: writes a `ship.toml` for what is in the folder.

mod ask;
#[cfg(test)]
mod tests;

use std::fs::Permissions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::model::version::Grammar;
use crate::model::{AppName, EnvironmentName, Failure, FailureKind, HostName, ServiceName};
use crate::project::detect::{self, Answers, Detected, ServiceGuess};
use ask::{Ask, Terminal};

/// The name of the manifest.
const MANIFEST: &str = "ship.toml";

/// Writes a ship.toml for the project in this folder
///
/// Looks at the files to see what it is (Node, Python, Rust, Go, Ruby, PHP, Java, static files, or
/// a Procfile), and writes how it is built, tested, shipped and run. Asks what it cannot know.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct InitArgs {
    /// Asks nothing: takes what was detected and the flags
    #[arg(long, short)]
    pub yes: bool,

    /// Overwrites a ship.toml that is there
    #[arg(long)]
    pub force: bool,

    /// Name of the app; default: what the project or its folder is called
    #[arg(long)]
    pub name: Option<String>,

    /// Where it runs, as ssh takes it, such as deploy@web1.example.com; may be repeated
    #[arg(long, value_name = "HOST")]
    pub host: Vec<String>,

    /// Environment that the hosts belong to
    #[arg(long, value_name = "NAME", default_value = "production")]
    pub env: String,

    /// Folder of the project; default: this one
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// What `ship init` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitReport {
    /// The file that was written.
    pub path: PathBuf,
    /// Whether a manifest was there before.
    pub replaced: bool,
    /// Its text.
    pub manifest: String,
    /// What kind of project it is: `Node`, `static files`…; `None` when only a person knew.
    pub stack: Option<&'static str>,
    /// What was seen and why it matters, one sentence each.
    pub saw: Vec<String>,
    /// What a person should know or check, one sentence each.
    pub notes: Vec<String>,
    /// What to do next, one sentence each.
    pub next: Vec<String>,
    /// Whether somebody wants the runtimes pinned now.
    pub pin: bool,
}

/// Detects, asks when `interactive`, and writes `ship.toml` into `dir` (or the folder in `args`).
///
/// # Errors
/// `Refused` when there is a manifest already and no `--force`; `Usage` for a bad name, host or
/// environment in the flags; `Project` when there is no such folder, or nothing in it is
/// recognised and nobody can be asked; `Interrupted` when the questions are broken off.
pub fn run(args: &InitArgs, dir: &Path, interactive: bool) -> Result<InitReport, Failure> {
    if interactive && !args.yes {
        init(args, dir, Some(&mut Terminal))
    } else {
        init(args, dir, None)
    }
}

/// The same with somebody to ask, or nobody.
fn init(args: &InitArgs, dir: &Path, ask: Option<&mut dyn Ask>) -> Result<InitReport, Failure> {
    let dir = args
        .dir
        .as_ref()
        .map_or_else(|| dir.to_owned(), |sub| dir.join(sub));
    if !dir.is_dir() {
        return Err(Failure::new(
            FailureKind::Project,
            format!("{} is not a folder", dir.display()),
        ));
    }
    let path = dir.join(MANIFEST);
    let replaced = path.symlink_metadata().is_ok();
    if replaced && !args.force {
        return Err(taken(&path));
    }
    // Flags first: nobody should answer questions for nothing.
    let mut name = args
        .name
        .as_deref()
        .map(|name| flag("--name", name, AppName::try_from))
        .transpose()?;
    let environment = flag("--env", &args.env, EnvironmentName::try_from)?;
    if environment.is_local() {
        return Err(Failure::new(
            FailureKind::Usage,
            "--env local: `local` always exists and has no hosts",
        )
        .hint("name the environment of your hosts, such as production; or leave --env out"));
    }
    let mut hosts = Vec::new();
    for host in &args.host {
        let host = flag("--host", host, HostName::try_from)?;
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }

    let mut detected = detect::detect(&dir);
    let mut pin = false;
    if let Some(ask) = ask {
        if name.is_none() {
            name = Some(ask_name(ask, &detected)?);
        }
        ask_service(ask, &mut detected)?;
        if hosts.is_empty() {
            hosts = ask_hosts(ask)?;
        }
        pin = ask_pin(ask, &detected)?;
    }
    detected
        .services
        .retain(|service| service.command.is_some() || service.static_dir.is_some());
    if detected.services.is_empty() {
        return Err(nothing(&dir, &detected));
    }
    fix_service_names(&mut detected);
    let answers = Answers {
        name: name.unwrap_or_else(|| detected.name.clone()),
        environment,
        hosts,
        detected,
    };
    let manifest = detect::render(&answers);
    write(&path, &manifest, args.force)?;
    Ok(report(path, replaced, manifest, answers, pin))
}

fn report(
    path: PathBuf,
    replaced: bool,
    manifest: String,
    answers: Answers,
    pin: bool,
) -> InitReport {
    let environment = &answers.environment;
    let mut next = vec!["ship check: says whether the manifest is right".to_owned()];
    if !pin && !brought(&answers.detected).is_empty() {
        next.push(
            "ship pin: writes the exact runtimes and their checksums to ship.lock".to_owned(),
        );
    }
    next.push("ship deploy local: builds, tests and runs it on this machine".to_owned());
    if answers.hosts.is_empty() {
        next.push(format!(
            "then uncomment [environments.{environment}] and put your host in"
        ));
    } else {
        next.push(format!(
            "ship setup {environment}: prepares the hosts, once"
        ));
        next.push(format!("ship deploy {environment}"));
    }
    InitReport {
        path,
        replaced,
        manifest,
        stack: answers.detected.stack.map(detect::Stack::as_str),
        saw: answers.detected.saw,
        notes: answers.detected.notes,
        next,
        pin,
    }
}

/// Reads the value of a flag.
fn flag<T>(
    name: &str,
    value: &str,
    read: impl FnOnce(String) -> Result<T, crate::model::name::BadName>,
) -> Result<T, Failure> {
    read(value.to_owned()).map_err(|why| {
        let failure = Failure::new(
            FailureKind::Usage,
            format!("{name} `{}` {why}", value.escape_debug()),
        );
        match detect::app_name(value).filter(|_| name == "--name") {
            Some(better) => failure.hint(format!("--name {better}")),
            None => failure,
        }
    })
}

fn ask_name(ask: &mut dyn Ask, detected: &Detected) -> Result<AppName, Failure> {
    let check = |text: &str| {
        AppName::try_from(text)
            .map(drop)
            .map_err(|why| why.to_string())
    };
    let text = ask.text("name of the app", Some(detected.name.as_str()), &check)?;
    AppName::try_from(text).map_err(|why| Failure::new(FailureKind::Usage, why.to_string()))
}

/// Asks for what runs when nothing was seen, and for a port when a web service has none.
fn ask_service(ask: &mut dyn Ask, detected: &mut Detected) -> Result<(), Failure> {
    if detected.services.is_empty() {
        let check = |text: &str| match text.trim() {
            "" => Err("is empty".to_owned()),
            text if text.chars().any(char::is_control) => Err("is more than a line".to_owned()),
            _ => Ok(()),
        };
        let command = ask.text("command that runs it (in its folder)", None, &check)?;
        let port = ask_port(ask)?;
        detected.services.push(ServiceGuess {
            name: if port.is_some() { "web" } else { "worker" }.to_owned(),
            command: Some(command.trim().to_owned()),
            port,
            ..ServiceGuess::default()
        });
        if detected.include.is_empty() {
            detected.include.push(".".to_owned());
        }
        return Ok(());
    }
    if let [service] = detected.services.as_mut_slice()
        && service.port.is_none()
        && service.static_dir.is_none()
    {
        service.port = ask_port(ask)?;
        if service.port.is_some() {
            service.name = "web".to_owned();
            detected
                .notes
                .retain(|note| !note.starts_with("no port was seen"));
        }
    }
    Ok(())
}

fn ask_port(ask: &mut dyn Ask) -> Result<Option<u16>, Failure> {
    let check = |text: &str| match text.trim().parse::<u16>() {
        _ if text.trim().is_empty() => Ok(()),
        Ok(port) if port > 0 => Ok(()),
        _ => Err("is no port: a number from 1 to 65535".to_owned()),
    };
    let text = ask.text("port that it listens on (empty: none)", Some(""), &check)?;
    Ok(text.trim().parse().ok())
}

fn ask_hosts(ask: &mut dyn Ask) -> Result<Vec<HostName>, Failure> {
    let split = |text: &str| -> Result<Vec<HostName>, String> {
        text.split([',', ' '])
            .map(str::trim)
            .filter(|host| !host.is_empty())
            .map(|host| HostName::try_from(host).map_err(|why| format!("`{host}` {why}")))
            .collect()
    };
    let check = |text: &str| split(text).map(drop);
    let prompt = "hosts, such as deploy@web1.example.com (empty: later)";
    let mut hosts = split(&ask.text(prompt, Some(""), &check)?).unwrap_or_default();
    let mut seen = std::collections::BTreeSet::new();
    hosts.retain(|host| seen.insert(host.clone()));
    Ok(hosts)
}

/// The runtimes that ship would bring, as written: `node 20`.
fn brought(detected: &Detected) -> Vec<String> {
    let runtimes = detected.runtimes.iter();
    runtimes
        .filter(|(name, _)| Grammar::known().any(|known| known == name.as_str()))
        .map(|(name, version)| format!("{name} {version}"))
        .collect()
}

fn ask_pin(ask: &mut dyn Ask, detected: &Detected) -> Result<bool, Failure> {
    match brought(detected).as_slice() {
        [] => Ok(false),
        runtimes => ask.confirm(&format!(
            "pin {} now? asks the publishers for the exact versions",
            runtimes.join(" and ")
        )),
    }
}

/// A Procfile may name processes as no service can be named.
fn fix_service_names(detected: &mut Detected) {
    let mut taken: Vec<String> = Vec::new();
    for service in &mut detected.services {
        let valid = ServiceName::try_from(service.name.as_str()).is_ok();
        let base = if valid {
            service.name.clone()
        } else {
            "service".to_owned()
        };
        let mut name = base.clone();
        let mut number = 2;
        while taken.contains(&name) {
            let room = 31 - number.to_string().len() - 1;
            let stem = base.get(..room).unwrap_or(&base).trim_end_matches('-');
            name = format!("{stem}-{number}");
            number += 1;
        }
        taken.push(name.clone());
        service.name = name;
    }
}

fn taken(path: &Path) -> Failure {
    Failure::refused(format!("{} is there already", path.display()))
        .hint("ship check says whether it is right; ship init --force writes a new one over it")
}

/// Nothing runs here, as far as anybody can see.
fn nothing(dir: &Path, detected: &Detected) -> Failure {
    let failure = match detected.stack {
        Some(stack) => Failure::new(
            FailureKind::Project,
            format!(
                "{} is a {} project, but nothing in it runs",
                dir.display(),
                stack.as_str()
            ),
        )
        .details(detected.saw.iter().chain(&detected.notes).cloned()),
        None => Failure::new(
            FailureKind::Project,
            format!("{} holds no project that ship knows", dir.display()),
        )
        .detail("looked for:")
        .details(detect::LOOKED_FOR.iter().map(|line| format!("  {line}"))),
    };
    let below = detect::projects_below(dir);
    match below.first() {
        Some(first) => failure
            .detail(format!("there is a project in: {}", below.join(", ")))
            .hint(format!("ship init {first}")),
        None => failure.hint(
            "write a Procfile with the line `web: <your command>`, or run `ship init` in a terminal to be asked",
        ),
    }
}

/// Publishes the manifest whole, or not at all; one that appears meanwhile is kept.
fn write(path: &Path, text: &str, force: bool) -> Result<(), Failure> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let problem = |error: &std::io::Error| {
        Failure::new(
            FailureKind::Project,
            format!("{} cannot be written: {error}", path.display()),
        )
    };
    let mut file = tempfile::Builder::new()
        .prefix(".ship.toml.")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(dir)
        .map_err(|error| problem(&error))?;
    file.write_all(text.as_bytes())
        .map_err(|error| problem(&error))?;
    let done = if force {
        file.persist(path)
    } else {
        file.persist_noclobber(path)
    };
    match done {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Err(taken(path)),
        Err(error) => Err(problem(&error.error)),
    }
}
