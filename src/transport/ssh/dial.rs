//! The TCP connection of a login, made by us and handed over to ssh(1), which sets `TCP_NODELAY` only
//! once a session runs. Until then each of its small messages waits for the acknowledgement of the
//! one before (RFC 896), and that one is delayed by the other end (RFC 1122, 4.2.3.2): twice 40 ms in
//! each login. With `ProxyUseFdpass` (ssh_config(5)), ssh takes a socket from a command; ours has
//! `TCP_NODELAY` set, and acknowledges at once while ssh logs in, as the host's sshd waits in the
//! same way.
//!
//! ```text
//! ship ── ssh ── $SHELL -c ── ship dial HOST PORT     connects, passes the socket to ssh, ends
//!                               └── ship acknowledge  keeps TCP_QUICKACK set for two seconds
//! ```

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};

use super::super::resolve::addresses;
use super::effective::Effective;
use super::master::NotConnected;

/// How long an address of a host may take. Whoever takes longer is left to ssh(1).
const PATIENCE: Duration = Duration::from_secs(3);

/// How long all of them may take: ssh(1) needs time, too.
const PATIENCE_FOR_ALL: Duration = Duration::from_secs(5);

/// Shells that read little or nothing before a `-c` command.
const QUICK_SHELLS: [&str; 6] = ["sh", "bash", "dash", "ash", "ksh", "zsh"];

/// Options that say how ssh(1) is to connect, each with the value that says nothing.
const SAYS_HOW: [(&str, &str); 9] = [
    ("proxycommand", "none"),
    ("proxyjump", "none"),
    ("addressfamily", "any"),
    ("bindaddress", "none"),
    ("bindinterface", "none"),
    ("checkhostip", "no"),
    ("tcpkeepalive", "yes"),
    ("verifyhostkeydns", "false"),
    // With a `ProxyCommand`, as we are one, it is left out.
    ("canonicalizehostname", "false"),
];

/// Whether we may dial in ssh's place: the configuration says nothing of how to connect, and the
/// shell that ssh starts us with is a quick one.
pub fn suits(effect: &Effective) -> bool {
    let shell = std::env::var("SHELL").unwrap_or_else(|_| "/bin/sh".to_owned());
    let name = shell.rsplit('/').next().unwrap_or_default();
    QUICK_SHELLS.contains(&name) && !says_how(effect)
}

fn says_how(effect: &Effective) -> bool {
    SAYS_HOW.iter().any(|(keyword, nothing)| {
        let value = effect.value(keyword);
        value.is_some_and(|value| value != *nothing)
    })
}

/// The lines of ssh_config(5) that let us dial.
///
/// # Errors
/// When nobody knows where this program is, or its path cannot be quoted.
pub fn config() -> io::Result<String> {
    let own = std::env::current_exe()?;
    lines(&own).ok_or_else(|| io::Error::other("this program's path cannot be quoted"))
}

/// These lines for the program at `own`. ssh(1) looks for quotes and backslashes before sh(1) does.
fn lines(own: &Path) -> Option<String> {
    let own = own.to_str()?;
    if own.contains(['\'', '\\', '\n', '\r']) {
        return None;
    }
    // `%` begins a token there.
    let own = own.replace('%', "%%");
    Some(format!(
        "Host *\n  ProxyCommand '{own}' dial -- '%h' %p\n  ProxyUseFdpass yes\n"
    ))
}

/// Whether ssh(1) got no connection from us.
pub fn has_failed(why: &NotConnected) -> bool {
    let NotConnected::Failed(said) = why else {
        return false;
    };
    [
        "proxy dialer did not pass back a connection",
        "mm_receive_fd",
    ]
    .iter()
    .any(|word| said.own.contains(word))
}

/// Connects to `host` and passes the socket over standard output, a Unix socket, with `SCM_RIGHTS`
/// (unix(7)), as ssh(1) expects it from a `ProxyCommand` with `ProxyUseFdpass`.
///
/// # Errors
/// When there is no such host, or it cannot be reached.
pub fn dial(host: &str, port: u16) -> io::Result<()> {
    let stream = connect(&addresses(host)?, port)?;
    stream.set_nodelay(true)?;
    // As `TCPKeepAlive` has it by default.
    rustix::net::sockopt::set_socket_keepalive(&stream, true)?;
    if cfg!(target_os = "linux") {
        // Without it everything works, only later.
        let _ = start_acknowledging(&stream);
    }
    let sockets = [stream.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut rights = SendAncillaryBuffer::new(&mut space);
    rights.push(SendAncillaryMessage::ScmRights(&sockets));
    rustix::net::sendmsg(
        io::stdout().as_fd(),
        &[IoSlice::new(&[0])],
        &mut rights,
        SendFlags::empty(),
    )?;
    Ok(())
}

fn connect(addresses: &[IpAddr], port: u16) -> io::Result<TcpStream> {
    let mut last = io::Error::other("the host has no address");
    let since = Instant::now();
    for address in addresses {
        let left = PATIENCE_FOR_ALL.saturating_sub(since.elapsed());
        if left.is_zero() {
            break;
        }
        let address = SocketAddr::new(*address, port);
        match TcpStream::connect_timeout(&address, PATIENCE.min(left)) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Starts [`acknowledge`] as a process of its own: ssh(1) waits for this one's end.
fn start_acknowledging(stream: &TcpStream) -> io::Result<()> {
    Command::new(std::env::current_exe()?)
        .arg("acknowledge")
        .stdin(Stdio::from(OwnedFd::from(stream.try_clone()?)))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(drop)
}

/// Acknowledges at once whatever arrives on the socket that is the standard input, for as long as a
/// login takes, or until it is closed. The kernel forgets `TCP_QUICKACK` again and again (tcp(7)).
///
/// # Errors
/// When it is no such socket.
#[cfg(target_os = "linux")]
pub fn acknowledge() -> io::Result<()> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    const LOGIN: Duration = Duration::from_secs(2);
    let pause = Timespec {
        tv_sec: 0,
        tv_nsec: 2_000_000,
    };
    let input = io::stdin();
    let since = Instant::now();
    while since.elapsed() < LOGIN {
        rustix::net::sockopt::set_tcp_quickack(input.as_fd(), true)?;
        let mut socket = [PollFd::new(&input, PollFlags::RDHUP)];
        if poll(&mut socket, Some(&pause))? > 0 {
            break;
        }
    }
    Ok(())
}

/// Other systems have no such option.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn acknowledge() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_says_how_to_connect_is_obeyed() {
        // As `ssh -G` of OpenSSH 9 says it of a host without any configuration.
        let plain = "host web1\nhostname web1\naddressfamily any\ncheckhostip no\n\
                     canonicalizehostname false\ntcpkeepalive yes\nverifyhostkeydns false\n\
                     proxyusefdpass no\n";
        assert!(!says_how(&Effective::from_text(plain)));
        for line in [
            "proxycommand nc %h %p\n",
            "proxyjump bastion\n",
            "addressfamily inet6\n",
            "bindaddress 192.0.2.1\n",
            "canonicalizehostname true\n",
        ] {
            let text = line.to_owned() + plain;
            assert!(says_how(&Effective::from_text(&text)), "{line}");
        }
    }

    #[test]
    fn the_path_of_this_program_reaches_the_shell_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config");
        for own in ["/ship", "/a b/50%/#1/$HOME/\"x\"/ship", "/é/~/*/%h/ship"] {
            std::fs::write(&config, lines(Path::new(own)).unwrap()).unwrap();
            let mut ssh = Command::new("ssh");
            ssh.args(["-G", "-F"]).arg(&config).args(["--", "web1"]);
            let said = String::from_utf8(ssh.output().unwrap().stdout).unwrap();
            let effect = Effective::from_text(&said);
            assert_eq!(effect.value("proxyusefdpass"), Some("yes"));
            // As ssh(1) puts its own words in.
            let command = effect.value("proxycommand").unwrap();
            let command = command.replace("'%h' %p", "'web1' 22").replace("%%", "%");
            let words = format!("for word in {command}; do printf '%s\\n' \"$word\"; done");
            let said = Command::new("/bin/sh")
                .args(["-c", &words])
                .output()
                .unwrap();
            let said = String::from_utf8(said.stdout).unwrap();
            assert_eq!(said, format!("{own}\ndial\n--\nweb1\n22\n"));
        }
        for own in ["it's", "back\\slash", "two\nlines"] {
            assert_eq!(lines(Path::new(own)), None, "{own}");
        }
    }
}
