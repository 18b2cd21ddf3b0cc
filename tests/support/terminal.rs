//! A terminal with a person at it (pty(7)).

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use super::poll::within;

/// The longest that a program may take to say something.
const DEADLINE: Duration = Duration::from_secs(60);

/// A terminal of 40 lines by 100 characters, and the program that runs on it; the program is killed
/// when this is dropped.
pub struct Terminal {
    keys: File,
    shown: Arc<Mutex<Vec<u8>>>,
    /// How much of that was waited for already, bytes.
    seen: usize,
    child: Child,
    /// The program's end, kept open so that how it left the terminal can be looked at.
    other_end: OwnedFd,
}

impl Terminal {
    /// Starts `command` on a terminal of its own.
    pub fn start(mut command: Command) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
            .expect("a terminal");
        grantpt(&ours).expect("grantpt");
        unlockpt(&ours).expect("unlockpt");
        let path = ptsname(&ours, Vec::new()).expect("ptsname");
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let other_end = rustix::fs::open(path, flags, Mode::empty()).expect("open the terminal");
        let twin = || other_end.try_clone().expect("another descriptor");
        command
            .env("TERM", "xterm-256color")
            .stdin(twin())
            .stdout(twin())
            .stderr(twin());
        // SAFETY: setsid(2) and ioctl(2) are async-signal-safe.
        unsafe {
            command.pre_exec(|| {
                rustix::process::setsid()?;
                rustix::process::ioctl_tiocsctty(rustix::stdio::stdin())?;
                Ok(())
            });
        }
        set_size(&ours, 40, 100);
        let child = command.spawn().expect("start a program");
        let keys = File::from(ours);
        let mut screen = keys.try_clone().expect("another descriptor");
        let shown = Arc::<Mutex<Vec<u8>>>::default();
        let sink = Arc::clone(&shown);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = screen.read(&mut bytes) {
                sink.lock().expect("the screen").extend(&bytes[..n]);
            }
        });
        Self {
            keys,
            shown,
            seen: 0,
            child,
            other_end,
        }
    }

    /// Types `keys`.
    pub fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("type");
    }

    /// Waits until this is shown, behind what was waited for before.
    #[track_caller]
    pub fn shows(&mut self, text: &str) {
        let deadline = Instant::now() + DEADLINE;
        let at = within(Duration::MAX, text, || {
            let shown = self.shown.lock().expect("the screen");
            let new = &shown[self.seen..];
            let at = new
                .windows(text.len())
                .position(|window| window == text.as_bytes());
            assert!(
                at.is_some() || Instant::now() < deadline,
                "never showed {text:?}, but {:?}",
                String::from_utf8_lossy(new)
            );
            at
        });
        self.seen += at + text.len();
    }

    /// All that was shown.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().expect("the screen")).into_owned()
    }

    /// The window has another size from now on.
    pub fn resize(&self, rows: u16, columns: u16) {
        set_size(&self.keys, rows, columns);
    }

    /// Sends a signal to the program by its name.
    pub fn signal(&self, name: &str) {
        super::command::attempt("kill", &[format!("-{name}"), self.child.id().to_string()]);
    }

    /// Whether lines are edited and Ctrl-C is a signal, as a shell leaves a terminal.
    pub fn is_ordinary(&self) -> bool {
        let modes = tcgetattr(&self.other_end).expect("the modes of the terminal");
        let ordinary = LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        modes.local_modes.contains(ordinary)
    }

    /// How the program ended.
    #[track_caller]
    pub fn end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + DEADLINE;
        within(Duration::MAX, "the end", || {
            let end = self.child.try_wait().expect("wait for the program");
            assert!(
                end.is_some() || Instant::now() < deadline,
                "still runs after {DEADLINE:?}: {:?}",
                self.text()
            );
            end
        })
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn set_size(terminal: impl std::os::fd::AsFd, rows: u16, columns: u16) {
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(terminal, size).expect("set the size");
}
