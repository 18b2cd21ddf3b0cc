//! Runs the commands of an app on this host: as its user where that is allowed, in a process that
//! ends with this one in any case.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::client::{AsApp, NoProcess};
use super::right::barred;
use super::{Person, one_before};
use crate::agent::Layout;
use crate::agent::command::{self, NotStarted, Program, Started};
use crate::agent::service::{account, child, systemctl};
use crate::model::{Deployment, Failure};

/// How long sudo may take: a host whose own name does not resolve makes it wait for a name server.
pub(super) const BECOMING: Duration = Duration::from_secs(40);

/// How long a process of this user may take to be ready.
const STARTING: Duration = Duration::from_secs(20);

/// As whom commands run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// As the services' user.
    App(Person),
    /// As this process's user, because that is the same, or has to be.
    Own,
    /// As this process's user, because it has no right to become the services' user; what to do about
    /// it.
    NoRight(String),
}

/// Runs the commands of one app. The process for that is started with the first command.
#[derive(Debug)]
pub struct Commands {
    /// `None` in tests, which start programs themselves.
    app: Option<App>,
    started: Mutex<Option<(AsApp, Way)>>,
    person: OnceLock<Option<Person>>,
}

#[derive(Debug)]
struct App {
    deployment: Deployment,
    layout: Layout,
    /// Whether the process is noted for the next transaction.
    is_noted: std::sync::atomic::AtomicBool,
}

impl Commands {
    /// The commands of `deployment` at `layout`.
    #[must_use]
    pub fn of(deployment: &Deployment, layout: &Layout) -> Self {
        Self {
            app: Some(App {
                deployment: deployment.clone(),
                layout: layout.clone(),
                is_noted: false.into(),
            }),
            started: Mutex::new(None),
            person: OnceLock::new(),
        }
    }

    /// Programs are started by this process itself.
    #[must_use]
    pub fn here() -> Self {
        Self {
            app: None,
            started: Mutex::new(None),
            person: OnceLock::new(),
        }
    }

    /// From now on, the process that runs commands is noted for the next transaction, which waits for
    /// its end. Call it under the lock.
    pub fn note(&self) {
        if let Some(app) = &self.app {
            app.is_noted
                .store(true, std::sync::atomic::Ordering::Relaxed);
        }
    }

    /// The user that commands are to run as, where it is another than this process's; whether sudo
    /// lets it become so is known from the first command on.
    ///
    /// # Errors
    /// When the name service does not answer.
    pub fn person(&self) -> Result<Option<Person>, Failure> {
        let Some(App { deployment, .. }) = &self.app else {
            return Ok(None);
        };
        if let Some(person) = self.person.get() {
            return Ok(person.clone());
        }
        let person = match barred(deployment, &systemctl::user_name())? {
            Some(_) => None,
            None => account::find(&deployment.user)?.map(|account| Person {
                name: account.name,
                home: account.home,
            }),
        };
        Ok(self.person.get_or_init(|| person).clone())
    }

    /// As whom commands ran so far; `None` before the first one.
    #[must_use]
    pub fn way(&self) -> Option<Way> {
        let started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        started.as_ref().map(|(_, way)| way.clone())
    }

    /// Starts `program`.
    ///
    /// # Errors
    /// As [`command::start`]; and when sudo does not answer, or the process cannot be had.
    pub fn start(&self, program: &Program) -> Result<Started, NotStarted> {
        let Some(app) = &self.app else {
            return command::start(program);
        };
        let (process, way) = self.process(app).map_err(|(why, hint)| NotStarted {
            code: 125,
            why,
            hint,
        })?;
        if way == Way::Own || matches!(way, Way::App(_)) {
            return process.run(program);
        }
        process.run(&self.at_home(program))
    }

    /// `program` as this process's user, for whom it was not meant: with the home of that one.
    fn at_home(&self, program: &Program) -> Program {
        let mut program = program.clone();
        let meant = self.person().ok().flatten();
        for (name, of_person) in [
            (
                "HOME",
                meant.as_ref().map(|it| it.home.display().to_string()),
            ),
            ("USER", meant.as_ref().map(|it| it.name.clone())),
            ("LOGNAME", meant.as_ref().map(|it| it.name.clone())),
        ] {
            if program.env.get(name) == of_person.as_ref()
                && let Ok(own) = std::env::var(name)
            {
                program.env.insert(name.to_owned(), own);
            }
        }
        program
    }

    fn process(&self, app: &App) -> Result<(AsApp, Way), (String, Option<String>)> {
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((process, way)) = started.as_ref() {
            return Ok((process.clone(), way.clone()));
        }
        let (process, way) = self.become_app(app)?;
        if app.is_noted.load(std::sync::atomic::Ordering::Relaxed) {
            one_before::note(&app.layout, process.pid())
                .map_err(|error| (error.to_string(), None))?;
        }
        *started = Some((process.clone(), way.clone()));
        Ok((process, way))
    }

    fn become_app(&self, app: &App) -> Result<(AsApp, Way), (String, Option<String>)> {
        let own = |way| {
            let mut own = Command::new(this_program().map_err(|error| (error.to_string(), None))?);
            own.args(COMMAND);
            match AsApp::start(own, STARTING) {
                Ok(process) => Ok((process, way)),
                Err(why) => Err((said(&why, "it"), None)),
            }
        };
        let person = self.person();
        let Some(person) = person.map_err(|failure| (failure.message(), failure.hint))? else {
            return own(Way::Own);
        };
        let user = &person.name;
        let program = program(&app.layout).map_err(|error| (error.to_string(), None))?;
        let mut sudo = child::command("sudo");
        sudo.args(["-n", "-u", user, "--"]).arg(&program);
        sudo.args(COMMAND);
        let login = systemctl::user_name();
        match AsApp::start(sudo, BECOMING) {
            Ok(process) => Ok((process, Way::App(person))),
            // A command that was meant for one user must not run as the other because a program was slow.
            Err(why @ NoProcess::Silent) => {
                let said = said(&why, "sudo");
                let silent = format!("`sudo -n -u {user}`, which runs the app's commands, {said}");
                Err(match systemctl::why_sudo_is_silent() {
                    Some((known, hint)) => (format!("{silent}; {known}"), Some(hint)),
                    None => (silent, None),
                })
            }
            Err(why) => {
                let setup = systemctl::setup_command(&app.deployment);
                let is_allowed = is_allowed(&why, user)?;
                let said = said(&why, "sudo");
                // The app's user can kill its own processes, or have no room for another one. That
                // must not make a command run as the more powerful user.
                if is_allowed {
                    return Err((
                        format!(
                            "the process that runs the app's commands as {user} ended at once ({said})"
                        ),
                        Some(format!(
                            "try it on the host: sudo -n -u {user} -- {} --version",
                            program.display()
                        )),
                    ));
                }
                own(Way::NoRight(format!(
                    "{login} may not run commands as {user} ({said}): they run as {login}; \
                     `{setup}` gives that right"
                )))
            }
        }
    }
}

/// Whether the right to run commands as `user` is there, though no process came of it. Only sudo is
/// asked, whose answer `user` cannot change.
fn is_allowed(why: &NoProcess, user: &str) -> Result<bool, (String, Option<String>)> {
    if matches!(why, NoProcess::Io(error) if error.kind() == std::io::ErrorKind::NotFound) {
        return Ok(false);
    }
    let mut sudo = child::command("sudo");
    sudo.args(["-n", "-l"]);
    let listed = child::run(&mut sudo, BECOMING).map_err(|why| {
        let failure = systemctl::no_answer_of_sudo(&why, &sudo);
        (failure.message(), failure.hint)
    })?;
    Ok(crate::agent::setup::without_password(&listed.stdout, user).contains("ALL"))
}

/// The hidden command that runs the other end.
const COMMAND: [&str; 2] = ["agent", "as-app"];

fn said(why: &NoProcess, who: &str) -> String {
    match why {
        NoProcess::Refused(said) if said.is_empty() => format!("{who} ended without a word"),
        NoProcess::Refused(said) => said.lines().collect::<Vec<_>>().join("; "),
        NoProcess::Silent => format!("did not answer within {} s", BECOMING.as_secs()),
        NoProcess::Io(error) => error.to_string(),
    }
}

fn this_program() -> std::io::Result<PathBuf> {
    std::env::current_exe()
}

/// This program, in a place where the app's user can run it: root's own is closed to others.
///
/// # Errors
/// When the system does not tell which program this is.
pub fn program(layout: &Layout) -> std::io::Result<PathBuf> {
    let own = this_program()?;
    let shared = layout.recovery_agent();
    Ok(match own.starts_with(layout.root()) || !shared.exists() {
        true => own,
        false => shared,
    })
}
