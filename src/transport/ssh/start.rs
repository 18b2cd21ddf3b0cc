//! The agent's start over a connection: the line of sh, its first word, the agent if it is asked
//! for.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use openssh::{Child, ChildStderr, ChildStdin, ChildStdout, Session, Stdio};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};

use super::super::agents::{self, Agent};
use super::super::bootstrap::{AtHand, First, command_line, first};
use super::super::{Link, Options, Target};
use super::explain::{no_agent, session_failed, unreachable_host};
use super::folder::Folder;
use crate::model::Failure;
use crate::wire::Open;

/// A line of sh that was started on a host, and what it said first.
pub struct Started {
    /// What it said first.
    pub first: First,
    agent: Agent,
    session: Arc<Session>,
    child: Child<Arc<Session>>,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    said: Arc<Mutex<String>>,
}

impl Started {
    /// Starts the line on the host behind `session`, and waits for its first word. A host of
    /// another platform than this machine's says so, and gets its own agent in a second try.
    ///
    /// # Errors
    /// When the connection fails, or there is no agent for the host's platform.
    pub async fn on(
        session: &Arc<Session>,
        target: &Target,
        options: &Options,
        open: &Open,
    ) -> Result<Self, Failure> {
        let ours = agents::own_platform();
        let started = Self::with_agent_for(&ours, session, target, options, open).await?;
        match started.asked_for() {
            Some(theirs) if theirs != ours => {
                let started = Self::with_agent_for(&theirs, session, target, options, open).await?;
                match started.asked_for() {
                    Some(other) if other != theirs => {
                        Err(no_agent(target, "it changes its mind about its platform"))
                    }
                    _ => Ok(started),
                }
            }
            _ => Ok(started),
        }
    }

    /// A host where the agent that is there does not start asks for another: a power cut or a full
    /// disk may have left it damaged.
    async fn with_agent_for(
        platform: &str,
        session: &Arc<Session>,
        target: &Target,
        options: &Options,
        open: &Open,
    ) -> Result<Self, Failure> {
        let begin = |at_hand| Self::begin(platform, session, target, options, open, at_hand);
        let started = begin(AtHand::Use).await?;
        if !matches!(started.first, First::Ended(_)) {
            return Ok(started);
        }
        match begin(AtHand::Replace).await? {
            again if matches!(again.first, First::Need(..)) => Ok(again),
            _ => Ok(started),
        }
    }

    async fn begin(
        platform: &str,
        session: &Arc<Session>,
        target: &Target,
        options: &Options,
        open: &Open,
        at_hand: AtHand,
    ) -> Result<Self, Failure> {
        let agent = agents::for_platform(platform, options.cache.as_deref())
            .map_err(|failure| failure.on(&target.host))?;
        let line = command_line(&agent, target.own_root(), target.sudo, open, at_hand)?;
        let mut child = Arc::clone(session)
            .arc_raw_command(line)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .await
            .map_err(|error| session_failed(target, &error))?;
        let (Some(stdin), Some(stdout), Some(stderr)) = (
            child.stdin().take(),
            child.stdout().take(),
            child.stderr().take(),
        ) else {
            return Err(Failure::unexpected("the channel has no pipes"));
        };
        let said = keep_stderr(stderr);
        let mut stdout = BufReader::with_capacity(64 << 10, stdout);
        let first = first_word(&mut stdout, target).await?;
        Ok(Self {
            first,
            agent,
            session: Arc::clone(session),
            child,
            stdin,
            stdout,
            said,
        })
    }

    /// The platform of a host that asks for an agent.
    fn asked_for(&self) -> Option<String> {
        match &self.first {
            First::Need(system, machine) => Some(agents::platform(system, machine)),
            First::Running | First::Ended(_) => None,
        }
    }

    /// The link to the agent, which is sent first if the host asks for it. `folder` is that of the
    /// connection, and lives as long as the link.
    ///
    /// # Errors
    /// When it does not run in the end; what the host said is in the details.
    pub async fn link(mut self, target: &Target, folder: Folder) -> Result<Link, Failure> {
        let agent_sent = matches!(self.first, First::Need(..));
        if agent_sent {
            self.send_agent(target).await?;
        }
        match self.first {
            First::Running => {
                let guard = Box::new((self.child, self.session, folder));
                let mut link = Link::new(self.stdout, self.stdin, guard).with_stderr(self.said);
                link.agent_sent = agent_sent;
                Ok(link)
            }
            First::Need(..) => Err(no_agent(target, "it asks for the agent again and again")),
            First::Ended(noise) => {
                // Standard error may come a moment later.
                tokio::time::sleep(Duration::from_millis(100)).await;
                let said = self.said.lock().map(|text| text.clone());
                let said = said.unwrap_or_default();
                Err(no_agent(target, &format!("{noise}\n{said}")))
            }
        }
    }

    async fn send_agent(&mut self, target: &Target) -> Result<(), Failure> {
        let agent = self.agent.clone();
        let binary = tokio::task::spawn_blocking(move || agent.compressed()).await;
        let binary = binary.map_err(|error| Failure::unexpected(error.to_string()))??;
        // A line that broke ends its input too: what it said is the better reason.
        let _ = send(&mut self.stdin, &binary).await;
        self.first = first_word(&mut self.stdout, target).await?;
        Ok(())
    }
}

async fn first_word(
    stdout: &mut BufReader<ChildStdout>,
    target: &Target,
) -> Result<First, Failure> {
    first(stdout)
        .await
        .map_err(|error| unreachable_host(target, &error.to_string()))
}

async fn send(stdin: &mut ChildStdin, binary: &[u8]) -> std::io::Result<()> {
    let length = format!("{}\n", binary.len());
    stdin.write_all(length.as_bytes()).await?;
    stdin.write_all(binary).await?;
    stdin.flush().await
}

fn keep_stderr(mut stderr: ChildStderr) -> Arc<Mutex<String>> {
    let said = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&said);
    tokio::spawn(async move {
        let mut bytes = vec![0u8; 4096];
        while let Ok(n) = stderr.read(&mut bytes).await {
            if n == 0 {
                return;
            }
            if let Ok(mut text) = kept.lock()
                && text.len() < 64 << 10
            {
                text.push_str(&String::from_utf8_lossy(&bytes[..n]));
            }
        }
    });
    said
}
