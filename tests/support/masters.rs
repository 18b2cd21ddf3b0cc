//! The ssh masters that a controller's commands left behind: kept connections.

use super::command::attempt;
use super::poll::eventually;
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// The kept connections below a runtime folder; dropped, it ends them.
pub struct Masters(PathBuf);

impl Masters {
    pub fn below(runtime: &Path) -> Self {
        Self(runtime.join("ship"))
    }

    /// The folder that holds them.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Their folders, of dead ones too.
    pub fn folders(&self) -> Vec<PathBuf> {
        let found = entries(&self.0).into_iter();
        found
            .filter(|path| path.is_dir() && !path.is_symlink())
            .collect()
    }

    /// Their control sockets.
    pub fn sockets(&self) -> Vec<PathBuf> {
        let folders = self.folders();
        let inner = folders.iter().flat_map(|folder| entries(folder));
        let sockets = inner.map(|path| path.join("master"));
        sockets.filter(|path| path.exists()).collect()
    }

    /// The processes behind them. ssh(1) has the socket's path in its title, so a master that hangs
    /// or has no socket any more is found too.
    fn pids(&self) -> Vec<String> {
        let mut pids = Vec::new();
        for process in entries(Path::new("/proc")) {
            let title = fs::read(process.join("cmdline")).unwrap_or_default();
            let title = String::from_utf8_lossy(&title);
            if title.starts_with("ssh") && title.contains(&*self.0.to_string_lossy()) {
                let name = process.file_name().unwrap_or_default();
                pids.push(name.to_string_lossy().into_owned());
            }
        }
        pids
    }

    /// Kills all of them, and waits until none answers: their sockets stay behind.
    #[track_caller]
    pub fn kill(&self) {
        self.signal("KILL");
        eventually("the masters to be dead", || {
            let answers = |socket: &PathBuf| UnixStream::connect(socket).is_ok();
            !self.sockets().iter().any(answers)
        });
    }

    /// Sends a signal to all of them.
    pub fn signal(&self, name: &str) {
        for pid in self.pids() {
            attempt("kill", &[format!("-{name}"), pid]);
        }
    }
}

impl Drop for Masters {
    fn drop(&mut self) {
        self.signal("KILL");
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}
