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

/// The command line for the login shell. `root` is the app's root folder (`~/` is the login's
/// home); without one the agent is the login's alone. It answers `open` without being sent it again.
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
    let name = agent_name(&agent.digest);
    let open = argument::encode(open)?;
    let in_home = root.and_then(|root| root.strip_prefix("~/"));
    let bin = match (in_home, root) {
        (Some(rest), _) => format!("\"$HOME\"/{}/.ship/bin", escape(rest)),
        (None, Some(root)) => format!("{}/.ship/bin", escape(root)),
        (None, None) => "\"$c\"".to_owned(),
    };
    let start = match at_hand {
        AtHand::Use => {
            "for b in \"$d\" \"$c\"; do [ -x \"$b/$n\" ] && \
             exec \"$b/$n\" agent serve --open $o; done; "
        }
        AtHand::Replace => "",
    };
    let script = format!(
        "umask 022; n={name}; o={open}; c=${{XDG_CACHE_HOME:-$HOME/.cache}}/ship; d={bin}; {start}\
         [ -w \"$d\" ] || d=$c; t=\"$d/.$n.$$\"; \
         mkdir -p \"$d\" && printf \"\\377ship-need\\376%s %s\\n\" \"$(uname -s)\" \"$(uname -m)\" && \
         read -r l && head -c \"$l\" | gzip -dc > \"$t\" && chmod 755 \"$t\" && mv -f \"$t\" \"$d/$n\" && \
         exec \"$d/$n\" agent serve --open $o; rm -f \"$t\"; exit 97"
    );
    let sudo = if sudo { "sudo -n -H " } else { "" };
    Ok(format!("{sudo}sh -c '{script}'"))
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
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> First {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(first(&mut &bytes[..]))
            .unwrap()
    }

    #[test]
    fn noise_before_the_marker_is_passed_over() {
        let mut stream = b"Welcome!\nyou have mail\n".to_vec();
        stream.extend_from_slice(MARKER);
        assert_eq!(read(&stream), First::Running);
        let mut stream = b"motd ".to_vec();
        stream.extend_from_slice(NEED);
        stream.extend_from_slice(b"Linux x86_64\n");
        assert_eq!(read(&stream), First::Need("Linux".into(), "x86_64".into()));
        assert_eq!(
            read(b"This account is currently not available.\n"),
            First::Ended("This account is currently not available.".into())
        );
    }

    #[test]
    fn the_line_holds_nothing_that_a_login_shell_reads_its_own_way() {
        let agent = super::super::agents::for_platform(&super::super::agents::own_platform(), None)
            .unwrap();
        let open = Open {
            deployment: crate::model::Deployment {
                app: "shop".try_into().unwrap(),
                environment: "production".try_into().unwrap(),
                root: Some("/srv/it's !\\\\".into()),
                manager: crate::model::ServiceManagerKind::Systemd,
                user: "shop".into(),
            },
        };
        for root in [
            Some("/srv/shop"),
            Some("~/apps/my shop"),
            Some("/srv/it$HOME"),
            None,
        ] {
            let line = command_line(&agent, root, false, &open, AtHand::Use).unwrap();
            let inside = line
                .strip_prefix("sh -c '")
                .unwrap()
                .strip_suffix('\'')
                .unwrap();
            for bad in ["'", "\n", "!", "\\\\"] {
                assert!(!inside.contains(bad), "{bad:?} in {inside}");
            }
        }
        assert_eq!(escape("a b$c"), "a\\ b\\$c");
    }
}
