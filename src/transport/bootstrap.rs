//! First contact: a line of POSIX sh that becomes the agent of exactly this build, or asks for it.
//!
//! The line reaches `sh` through whatever login shell the user has (bash, fish, csh, …): it stands
//! in single quotes and holds no single quote, newline, exclamation mark or double backslash, each
//! of which one of those shells reads its own way. What rc files print before it is passed over
//! until a marker comes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};

use super::agents::Agent;
use crate::wire::{MARKER, Open, agent_name, argument};

/// What the line prints when the host lacks the agent; `uname -s` and `uname -m` follow, and a
/// newline.
pub const NEED: &[u8] = b"\xffship-need\xfe";

/// Noise that is passed over before a marker, bytes.
const MAX_NOISE: usize = 256 << 10;

/// What to do with an agent that the host has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtHand {
    /// It is started.
    Use,
    /// It does not start: another takes its place.
    Replace,
}

/// Where root's agents lie on a host: programs of a package's own that it brings itself are part of
/// its state (hier(7), `/var/lib`), and root alone writes there.
const ROOTS_OWN: &str = "/var/lib/ship/bin";

/// Functions of sh that tell whether a folder is safe to run an agent from: `s FOLDER` says so, and
/// leaves its real path in `p`. The folder, each one above it up to the home folder (whose owner
/// could change what the login itself runs) or to `/`, and the agent in it if there is one, belong
/// to this user or to root, and nobody else may write them: else somebody could have put another
/// program there. The sticky bit of a folder above keeps what lies in it. A group that nobody else
/// is in (`a GID`) is the user's own; a folder that an access control list opens to more (`+` behind
/// its mode, ls(1)) is not.
///
/// The real path holds no link. While only this user and root can write there, what was looked at
/// is what is run. One `ls` looks at all of it, by names that hold no space (`..`, `../..`); the rest
/// is built into the shell, because a connection waits for each process that is started here.
const SAFE: &str = "\
    a() { x=$(id -un); case $(getent group $1) in $x:*:|$x:*:$x) ;; *) return 1;; esac; \
    [ $(cut -d: -f4 /etc/passwd | grep -cx $1) -le 1 ]; }; \
    s() { [ -n \"$1\" ] && cd -P -- \"$1\" 2>/dev/null || return 1; \
    p=$PWD; q=${p%/*}; q=${q:-/}; y=..; set -- .; \
    until [ \"$q\" = \"$h\" ]; do set -- \"$@\" $y; [ \"$q\" = / ] && break; q=${q%/*}; q=${q:-/}; y=$y/..; done; \
    [ -x ./$n ] && set -- \"$@\" ./$n; k=0; \
    for w in $(LC_ALL=C ls -ldn -- \"$@\" 2>/dev/null); do case $w in \
    [a-z-][r-][w-][xsS-][r-][w-][xsS-][r-][w-][xtT-]*) m=$w; u=-; g=-; f=0;; \
    .|..*|./*) k=$((k+1)); case $u in 0|$i) ;; *) return 1;; esac; \
    case $m in [d-]????-??-*) ;; d????????[tT]*) case $w in ..*) ;; *) return 1;; esac;; \
    ??????????+*) return 1;; [d-]????w??-*) a $g || return 1;; *) return 1;; esac;; \
    *) f=$((f+1)); case $f in 2) u=$w;; 3) g=$w;; esac;; esac; done; [ $k = $# ] && cd -- \"${h:-/}\"; }; ";

/// The command line for the login shell. `root` is the app's root folder (`~/` is the login's
/// home), where an agent is looked for and put first; then come the login's own folders. Only one
/// that is safe to run a program from is used. The agent answers `open` without being sent it again.
/// Asked for the agent, send its compressed length in decimal digits, a newline, and the bytes. With
/// `sudo` the agent runs as root; `at_hand` says whether one that is there will do.
///
/// # Errors
/// When `open` does not serialize.
pub fn command_line(
    agent: &Agent,
    root: Option<&str>,
    sudo: bool,
    open: &Open,
    at_hand: AtHand,
) -> io::Result<String> {
    let script = script(agent, root, open, at_hand, ROOTS_OWN)?;
    let sudo = if sudo { "sudo -n -H " } else { "" };
    Ok(format!("{sudo}sh -c '{script}'"))
}

/// The script of [`command_line`], with root's own folder at `roots_own`.
fn script(
    agent: &Agent,
    root: Option<&str>,
    open: &Open,
    at_hand: AtHand,
    roots_own: &str,
) -> io::Result<String> {
    let name = agent_name(&agent.digest);
    let open = argument::encode(open)?;
    let in_home = root.and_then(|root| root.strip_prefix("~/"));
    let app = match (in_home, root) {
        (Some(rest), _) => format!("\"$HOME\"/{}/.ship/bin", escape(rest)),
        (None, Some(root)) => format!("{}/.ship/bin", escape(root)),
        (None, None) => String::new(),
    };
    let start = match at_hand {
        AtHand::Use => format!(
            "for b in {app} \"$@\"; do s \"$b\" && [ -x \"$p/$n\" ] && \
             exec \"$p/$n\" agent serve --open $o; done; "
        ),
        AtHand::Replace => String::new(),
    };
    // A file system may let nobody run programs (`noexec`): that is tried before the agent is sent.
    Ok(format!(
        "umask 022; n={name}; o={open}; i=$(id -u); c=${{XDG_CACHE_HOME:-$HOME/.cache}}/ship; \
         h=; cd -P -- \"$HOME\" 2>/dev/null && h=$PWD; {SAFE}\
         set -- \"$c\"; [ \"$i\" = 0 ] && set -- {roots_own} \"$c\"; {start}\
         d=; w() {{ s \"$1\" || return 1; t=\"$p/.$n.$$\"; \
         ( : > \"$t\" && chmod 755 \"$t\" ) 2>/dev/null && [ -x \"$t\" ] && d=$p || rm -f \"$t\"; [ -n \"$d\" ]; }}; \
         w {app} || for b in \"$@\"; do mkdir -p -- \"$b\" 2>/dev/null; w \"$b\" && break; done; \
         [ -n \"$d\" ] || {{ echo \"$(id -un) has no folder to run programs from that nobody else can write:\" {app} \"$@\" >&2; exit 97; }}; \
         printf \"\\377ship-need\\376%s %s\\n\" \"$(uname -s)\" \"$(uname -m)\" && \
         read -r l && head -c \"$l\" | gzip -dc > \"$t\" && mv -f \"$t\" \"$d/$n\" && \
         exec \"$d/$n\" agent serve --open $o; rm -f \"$t\"; exit 97"
    ))
}

/// `text` as part of a word of sh, without quotes of any kind.
fn escape(text: &str) -> String {
    let mut word = String::new();
    for c in text.chars() {
        if !(c.is_ascii_alphanumeric() || "/._-".contains(c) || !c.is_ascii()) {
            word.push('\\');
        }
        word.push(c);
    }
    word
}

/// What came first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum First {
    /// The agent runs.
    Running,
    /// The agent is asked for: `uname -s`, `uname -m`.
    Need(String, String),
    /// The stream ended before either; what it held, for an error message.
    Ended(String),
}

/// Reads up to the first marker, byte by byte so that nothing behind it is consumed (give it a
/// buffered reader).
///
/// # Errors
/// When the stream fails, or more noise comes than any rc file prints.
pub async fn first<R: AsyncRead + Unpin>(reader: &mut R) -> io::Result<First> {
    let mut noise = Vec::new();
    loop {
        match super::local::read_byte(reader).await? {
            None => {
                return Ok(First::Ended(
                    String::from_utf8_lossy(&noise).trim().to_owned(),
                ));
            }
            Some(byte) => noise.push(byte),
        }
        if noise.ends_with(MARKER) {
            return Ok(First::Running);
        }
        if noise.ends_with(NEED) {
            let mut line = Vec::new();
            while let Some(byte) = super::local::read_byte(reader).await? {
                if byte == b'\n' || line.len() > 200 {
                    break;
                }
                line.push(byte);
            }
            let line = String::from_utf8_lossy(&line).into_owned();
            let (system, machine) = line.split_once(' ').unwrap_or((&line, ""));
            return Ok(First::Need(system.to_owned(), machine.to_owned()));
        }
        if noise.len() > MAX_NOISE {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the login shell prints without end before the agent starts",
            ));
        }
    }
}

/// A reader that passes over everything up to the agent's marker.
#[derive(Debug)]
pub struct SkipMarker<R> {
    inner: R,
    seen: usize,
}

impl<R> SkipMarker<R> {
    /// Passes over the marker of the agent behind `inner`.
    pub fn new(inner: R) -> Self {
        Self { inner, seen: 0 }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for SkipMarker<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.seen < MARKER.len() {
            let mut byte = [0u8; 1];
            let mut one = ReadBuf::new(&mut byte);
            match Pin::new(&mut self.inner).poll_read(cx, &mut one) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) if one.filled().is_empty() => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(())) => {
                    self.seen = if one.filled()[0] == MARKER[self.seen] {
                        self.seen + 1
                    } else {
                        0
                    };
                }
            }
        }
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

#[cfg(test)]
mod tests;
