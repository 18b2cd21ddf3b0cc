//! `ship init`: writes a `ship.toml` for what is in the folder.

mod ask;
mod gitignore;
mod outside;
mod questions;
mod report;
#[cfg(test)]
mod tests;
mod typed;

use std::fs::Permissions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::agent::launcher::quote;
use crate::model::{AppName, EnvironmentName, Failure, FailureKind, HostName, ServiceName};
use crate::project::detect::{self, About, Answers, Detected, Reason};
use crate::project::{Diagnostic, Files, MANIFEST, manifest};
use ask::{Ask, Terminal};
pub use outside::{Network, Outside};
use report::brought;
pub use report::{InitReport, Outcome};

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

    /// Shows each line of the manifest with the files that led to it; with a ship.toml that is
    /// there, and without --force, writes nothing
    #[arg(long)]
    pub explain: bool,

    /// Does not look up the exact versions of the runtimes; needs no network
    #[arg(long)]
    pub no_pin: bool,

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

/// Detects, asks when `interactive`, pins what `outside` can pin, and writes `ship.toml` into `dir` (or the folder in `args`).
///
/// # Errors
/// `Refused` when there is a manifest already and no `--force`; `Usage` for a bad name, host or
/// environment in the flags; `Project` when there is no such folder, or nothing in it is
/// recognised and nobody can be asked; `Interrupted` when the questions are broken off.
pub fn run(
    args: &InitArgs,
    dir: &Path,
    interactive: bool,
    outside: &dyn Outside,
) -> Result<InitReport, Failure> {
    if interactive && !args.yes {
        init(args, dir, Some(&mut Terminal), outside)
    } else {
        init(args, dir, None, outside)
    }
}

/// The same with somebody to ask, or nobody.
fn init(
    args: &InitArgs,
    dir: &Path,
    ask: Option<&mut dyn Ask>,
    outside: &dyn Outside,
) -> Result<InitReport, Failure> {
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
    let outcome = match path.symlink_metadata().is_ok() {
        false => Outcome::Wrote,
        true if args.force => Outcome::Replaced,
        true if args.explain => Outcome::Kept,
        true => return Err(taken(&path)),
    };
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
    let here = outside.versions(&detect::unsettled(&detected));
    detect::settle(&mut detected, &here);
    if outcome == Outcome::Replaced
        && let Some(name) = name_before(&path)
    {
        let says = format!("had the name {name}");
        let reason = Reason::new(About::App, "the ship.toml before", says);
        detected.reasons.push(reason.quiet());
        detected.name = name;
    }
    let mut ask = ask.filter(|_| outcome != Outcome::Kept);
    if let Some(ask) = ask.as_deref_mut() {
        if name.is_none() {
            name = Some(questions::name(ask, &detected)?);
        }
        questions::service(ask, &dir, &mut detected)?;
        if hosts.is_empty() {
            hosts = questions::hosts(ask)?;
        }
    }
    detected
        .services
        .retain(|service| service.command.is_some() || service.static_dir.is_some());
    if detected.services.is_empty() {
        return Err(nothing(&dir, &detected));
    }
    fix_service_names(&mut detected);
    detected.reasons.push(
        match (hosts.is_empty(), args.host.is_empty()) {
            (true, _) => Reason::new(About::Hosts, "nobody", "has named a host yet"),
            (_, true) => Reason::new(About::Hosts, "you", "named them"),
            _ => Reason::new(About::Hosts, "--host", "names them"),
        }
        .quiet(),
    );
    let mut answers = Answers {
        name: name.unwrap_or_else(|| detected.name.clone()),
        environment,
        hosts,
        detected,
    };
    let mut manifest = detect::render(&answers);
    let mut ignored = Vec::new();
    if outcome != Outcome::Kept {
        // What the steps write lies where they run.
        let base = answers.detected.source.as_ref();
        let base = base.map_or_else(|| dir.clone(), |source| dir.join(source));
        let missing = gitignore::missing(&base, &answers.detected);
        let consent = gitignore::consent(&missing, ask)?;
        write(&path, &manifest, args.force)?;
        if !args.no_pin && !brought(&answers.detected).is_empty() {
            let obstacles = outside.pin(&dir)?;
            if !obstacles.is_empty() {
                answers.detected.leave_open(&obstacles);
                manifest = detect::render(&answers);
                write(&path, &manifest, true)?;
            }
        }
        match consent && gitignore::append(&base, &missing).is_ok() {
            true => ignored = missing,
            false => answers.detected.notes.extend(gitignore::note(&missing)),
        }
    }
    answers.detected.notes.extend(mistakes(&manifest, &dir));
    let mut report = InitReport::new(
        path,
        outcome,
        manifest,
        answers,
        ignored,
        !args.no_pin,
        args.explain,
    );
    if let Some(sub) = args.dir.as_ref().filter(|sub| sub.as_os_str() != ".") {
        let sub = quote(&sub.display().to_string());
        report
            .next
            .insert(0, format!("cd {sub}: what follows runs there"));
    }
    Ok(report)
}

/// The name of the app in a manifest that is replaced: under another name it would be another app on
/// its hosts, beside the one that runs there.
fn name_before(path: &Path) -> Option<AppName> {
    let table: toml::Table = std::fs::read_to_string(path).ok()?.parse().ok()?;
    let name = table.get("app")?.get("name")?.as_str()?;
    AppName::try_from(name).ok()
}

/// What is wrong with the manifest that was written: what a project is called, or a path of it, may
/// be no such thing for ship.
fn mistakes(manifest: &str, dir: &Path) -> Vec<String> {
    let checked = manifest::parse(manifest, MANIFEST, dir, Files::Ignored);
    let errors = checked.diagnostics.iter().filter(|it| it.is_error());
    let say = |error: &Diagnostic| {
        format!(
            "{MANIFEST} has a mistake, and `ship check` says where: {}",
            error.message
        )
    };
    errors.map(say).collect()
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

/// The indefinite article of `noun`.
fn article(noun: &str) -> &'static str {
    match noun.starts_with(['A', 'E', 'I', 'O']) {
        true => "an",
        false => "a",
    }
}

/// Nothing runs here, as far as anybody can see.
fn nothing(dir: &Path, detected: &Detected) -> Failure {
    let failure = match detected.stack {
        Some(stack) => Failure::new(
            FailureKind::Project,
            format!(
                "{} is {} {} project, but nothing in it runs",
                dir.display(),
                article(stack.as_str()),
                stack.as_str()
            ),
        )
        .details(detected.saw().into_iter().chain(detected.notes.clone())),
        None => Failure::new(
            FailureKind::Project,
            format!("{} holds no project that ship knows", dir.display()),
        )
        .details(detected.notes.clone())
        .detail("looked for:")
        .details(detect::LOOKED_FOR.iter().map(|line| format!("  {line}"))),
    };
    if detected.lacks_a_server {
        return failure.hint("run `ship init` again when it is there");
    }
    let below = detect::projects_below(dir);
    match below.first() {
        Some(first) => failure
            .detail(match below.as_slice() {
                [only] => format!("there is a project in: {only}"),
                all => format!("there are projects, each an app of its own, in: {}", all.join(", ")),
            })
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
