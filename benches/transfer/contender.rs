//! Who is measured.

use std::path::Path;
use std::process::Command;

use crate::app::App;
use crate::lab::{Lab, Network};
use crate::support::{Controller, Host};

/// A project, and where it goes.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    pub lab: &'a Lab,
    pub app: &'a App,
    pub network: Network,
    pub hosts: &'a [Host],
}

impl Site<'_> {
    pub fn person(&self) -> &Controller {
        self.lab.person(self.network)
    }

    /// What ssh is told: `deploy@web1`, ...
    pub fn destinations(&self) -> Vec<String> {
        let hosts = self.hosts.iter();
        hosts
            .map(|host| format!("deploy@{}", host.name()))
            .collect()
    }
}

/// `remote` on each host, side by side, over one connection each, which reads `input`.
pub fn ssh_each(site: &Site, remote: &str, input: &Path) -> Command {
    let script = r#"config=$1 remote=$2 file=$3; shift 3; for host; do
        ssh -F "$config" "$host" "$remote" < "$file" & jobs="$jobs $!"
    done; for job in $jobs; do wait "$job" || exit; done"#;
    let mut command = site.person().command("sh");
    command.args(["-c", script, "sh"]);
    command.arg(site.person().ssh_config());
    command.arg(remote).arg(input).args(site.destinations());
    command
}

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The first deploy to the host.
    First,
    /// A deploy.
    Deploy,
    /// A deploy that makes a release even of what is live.
    Force,
    /// Back to the previous release.
    Rollback,
}

/// A way to bring a project to hosts. All but [`Self::command`] is not timed.
pub trait Contender {
    /// As the table shows it.
    fn name(&self) -> &'static str;

    /// What is missing on this machine, and could not be installed.
    fn missing(&self) -> Option<String> {
        None
    }

    /// Makes the hosts ready, so that the next thing is the first deploy. On hosts that are in
    /// use, takes everything away that was deployed.
    ///
    /// # Errors
    /// What could not be done.
    fn set_up(&self, site: &Site) -> Result<(), String>;

    /// What has to be there before [`Self::command`].
    ///
    /// # Errors
    /// What could not be done.
    fn prepare(&self, site: &Site, action: Action) -> Result<(), String>;

    /// The command that is timed, from its start to its exit.
    fn command(&self, site: &Site, action: Action) -> Command;

    /// Ends connections that would make the next run faster than a first one.
    fn hang_up(&self, _site: &Site) {}

    /// Where the app answers; `None` when nothing is started.
    fn port(&self, app: &App) -> Option<u16>;
}
