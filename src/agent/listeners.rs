//! Who listens where on this host: asked of the kernel (sock_diag(7)), else read from
//! `/proc/net/tcp` and `/proc/net/tcp6` (proc(5)), which lists every connection on the way and takes
//! long for that. Elsewhere than on Linux nothing is known, and nothing is said.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A listening TCP socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// The address it is bound to.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
    /// The user id that made it.
    pub uid: u32,
    /// Its inode, by which a process is found.
    pub inode: u64,
}

impl Listener {
    /// `127.0.0.1:3000`.
    #[must_use]
    pub fn at(&self) -> String {
        std::net::SocketAddr::new(self.address, self.port).to_string()
    }

    /// Whether it is reached at 127.0.0.1 or ::1.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let address = self.address.to_canonical();
        address.is_unspecified()
            || address == IpAddr::from(Ipv4Addr::LOCALHOST)
            || address == IpAddr::from(Ipv6Addr::LOCALHOST)
    }
}

/// All listening TCP sockets.
#[must_use]
pub fn all() -> Vec<Listener> {
    #[cfg(target_os = "linux")]
    if let Ok(all) = super::sock_diag::listeners() {
        return all;
    }
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .flat_map(|text| text.lines().filter_map(parse).collect::<Vec<_>>())
        .collect()
}

/// A line of `/proc/net/tcp`; `None` for what is not a listener.
fn parse(line: &str) -> Option<Listener> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
    if *fields.get(3)? != "0A" {
        return None;
    }
    let (address, port) = fields.get(1)?.split_once(':')?;
    Some(Listener {
        address: parse_address(address)?,
        port: u16::from_str_radix(port, 16).ok()?,
        uid: fields.get(7)?.parse().ok()?,
        inode: fields.get(9)?.parse().ok()?,
    })
}

/// The kernel prints an address as 32-bit words in the machine's byte order.
fn parse_address(hex: &str) -> Option<IpAddr> {
    if !hex.is_ascii() {
        return None;
    }
    let word = |at: usize| {
        hex.get(at * 8..at * 8 + 8)
            .and_then(|word| u32::from_str_radix(word, 16).ok())
            .map(u32::to_ne_bytes)
    };
    match hex.len() {
        8 => Some(IpAddr::V4(Ipv4Addr::from(word(0)?))),
        32 => {
            let mut bytes = [0u8; 16];
            for at in 0..4 {
                bytes[at * 4..at * 4 + 4].copy_from_slice(&word(at)?);
            }
            let address = Ipv6Addr::from(bytes);
            Some(
                address
                    .to_ipv4_mapped()
                    .map_or(IpAddr::V6(address), IpAddr::V4),
            )
        }
        _ => None,
    }
}

/// The inodes of the sockets that process `pid` has open; `None` when that may not be seen
/// (another user's process).
#[must_use]
pub fn sockets_of(pid: u32) -> Option<Vec<u64>> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    Some(
        entries
            .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
            .filter_map(|target| {
                target
                    .to_str()?
                    .strip_prefix("socket:[")?
                    .strip_suffix(']')?
                    .parse()
                    .ok()
            })
            .collect(),
    )
}

/// Whether the open sockets of all these processes may be seen.
#[must_use]
pub fn are_visible(pids: &[u32]) -> bool {
    pids.iter().all(|pid| sockets_of(*pid).is_some())
}

/// The user id that process `pid` runs as.
#[must_use]
pub fn uid_of(pid: u32) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(format!("/proc/{pid}"))
        .ok()
        .map(|found| found.uid())
}

/// Those of `all` that belong to a service with the processes `pids`: by their open sockets where
/// that may be seen, else by the user that they run as (a system user of the app's own).
#[must_use]
pub fn of_processes(all: &[Listener], pids: &[u32]) -> Vec<Listener> {
    let seen: Vec<Option<Vec<u64>>> = pids.iter().map(|pid| sockets_of(*pid)).collect();
    let inodes: Vec<u64> = seen.iter().flatten().flatten().copied().collect();
    let uids: Vec<u32> = pids
        .iter()
        .zip(&seen)
        .filter(|(_, sockets)| sockets.is_none())
        .filter_map(|(pid, _)| uid_of(*pid))
        .collect();
    all.iter()
        .filter(|listener| inodes.contains(&listener.inode) || uids.contains(&listener.uid))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_of_this_process_is_found() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let mine = of_processes(&all(), &[std::process::id()]);
        assert!(
            mine.iter()
                .any(|found| found.at() == format!("127.0.0.1:{port}")),
            "{mine:?}"
        );
    }

    #[test]
    fn lines_that_are_not_listeners_are_passed_over() {
        assert_eq!(parse("  sl  local_address rem_address   st"), None);
        assert_eq!(parse("0: 0100007F:1F90 00000000:0000 01 x x x 0 0 5"), None);
        let found = parse("0: 0100007F:1F90 00000000:0000 0A 0:0 0:0 0 1000 0 55 1").unwrap();
        assert_eq!(
            (found.at().as_str(), found.uid, found.inode),
            ("127.0.0.1:8080", 1000, 55)
        );
    }
}
