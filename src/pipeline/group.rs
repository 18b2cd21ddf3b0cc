//! A step's process and all its children, as one thing that can be ended.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::process::{Child, Command};
use tokio::time::Instant;

/// How long processes have between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(5);
/// How long killed processes may take to disappear.
const REAPING: Duration = Duration::from_secs(1);
/// How often a group that is being ended is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// A process group (setpgid(2)) with its leader. Dropping it kills what is left of it, unless it
/// was released.
#[derive(Debug)]
pub(super) struct Group {
    leader: Child,
    id: Option<Pid>,
}

impl Group {
    /// Starts `command` as the leader of a new group.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn spawn(mut command: Command) -> io::Result<Self> {
        let leader = command.process_group(0).spawn()?;
        let id = leader
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        Ok(Self { leader, id })
    }

    /// Waits for the leader. Can be cancelled and called again.
    ///
    /// # Errors
    /// What wait(2) says.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.leader.wait().await
    }

    /// Ends the whole group: SIGTERM, and SIGKILL to what is left after 5 s. When it comes back,
    /// nothing of the group runs any more.
    pub(super) async fn end(&mut self) {
        self.signal(Signal::TERM);
        self.gone(GRACE).await;
        self.signal(Signal::KILL);
        // Zombies that nobody reaps (a container without an init) count as alive: no long wait.
        self.gone(REAPING).await;
        self.id = None;
    }

    /// Waits until nothing of the group is left, but no longer than `limit`.
    async fn gone(&mut self, limit: Duration) {
        let deadline = Instant::now() + limit;
        while self.is_alive() && Instant::now() < deadline {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Lets the children that the leader left behind live.
    pub(super) fn release(&mut self) {
        self.id = None;
    }

    fn is_alive(&mut self) -> bool {
        // A leader that is not reaped keeps its group in being.
        let _ = self.leader.try_wait();
        self.id
            .is_some_and(|id| test_kill_process_group(id).is_ok())
    }

    fn signal(&self, signal: Signal) {
        if let Some(id) = self.id {
            // Nobody left to hear it is what was wanted.
            let _ = kill_process_group(id, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}
