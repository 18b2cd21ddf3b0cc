//! Who listens on which TCP port of this host (proc(5), `/proc/net/tcp`).

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A listening TCP socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Where it listens; `0.0.0.0` and `::` are all addresses.
    pub addr: SocketAddr,
    /// The user that made it.
    pub uid: u32,
    inode: u64,
}

/// The state `LISTEN` of tcp(7), as the table writes it.
const LISTEN: &str = "0A";

/// All listening TCP sockets of this network namespace; none where there is no `/proc`.
#[must_use]
pub fn listeners() -> Vec<Listener> {
    let table = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let mut all = parse(&table("/proc/net/tcp"));
    all.extend(parse(&table("/proc/net/tcp6")));
    all
}

/// The process that holds this socket, where this user may know: its own processes, or as root.
#[must_use]
pub fn holder(listener: &Listener) -> Option<u32> {
    let wanted = format!("socket:[{}]", listener.inode);
    let processes = fs::read_dir("/proc").ok()?.flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .find(|pid| {
            let fds = fs::read_dir(format!("/proc/{pid}/fd"))
                .into_iter()
                .flatten();
            fds.flatten().any(|fd| {
                fs::read_link(fd.path()).is_ok_and(|link| link.as_os_str() == wanted.as_str())
            })
        })
}

fn parse(table: &str) -> Vec<Listener> {
    table.lines().skip(1).filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Listener> {
    let fields: Vec<_> = line.split_ascii_whitespace().collect();
    if *fields.get(3)? != LISTEN {
        return None;
    }
    let (ip, port) = fields.get(1)?.split_once(':')?;
    Some(Listener {
        addr: SocketAddr::new(parse_ip(ip)?, u16::from_str_radix(port, 16).ok()?),
        uid: fields.get(7)?.parse().ok()?,
        inode: fields.get(9)?.parse().ok()?,
    })
}

/// The kernel prints the address as 32-bit words in the byte order of the machine.
fn parse_ip(hex: &str) -> Option<IpAddr> {
    let mut bytes = Vec::new();
    for word in hex.as_bytes().chunks(8) {
        let word = u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok()?;
        bytes.extend(word.to_ne_bytes());
    }
    match bytes.len() {
        4 => Some(IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?))),
        16 => Some(IpAddr::V6(Ipv6Addr::from(
            <[u8; 16]>::try_from(bytes).ok()?,
        ))),
        _ => None,
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_listener_and_its_process_are_found() {
        for addr in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(socket) = TcpListener::bind(addr) else {
                continue;
            };
            let addr = socket.local_addr().unwrap();
            let all = listeners();
            let found = all.iter().find(|listener| listener.addr == addr).unwrap();
            assert_eq!(found.uid, rustix::process::geteuid().as_raw());
            assert_eq!(holder(found), Some(std::process::id()));
        }
    }
}
