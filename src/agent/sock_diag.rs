//! Listening TCP sockets, asked of the kernel: sock_diag(7), which knows them without going through
//! every connection of the host.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink};

use super::listeners::Listener;

/// `SOCK_DIAG_BY_FAMILY` of linux/sock_diag.h.
const BY_FAMILY: u16 = 20;
/// `NLM_F_REQUEST | NLM_F_DUMP` of linux/netlink.h.
const DUMP: u16 = 0x301;
/// `NLMSG_ERROR` and `NLMSG_DONE` there.
const ERROR: u16 = 2;
const DONE: u16 = 3;
/// `AF_INET`, `AF_INET6` and `IPPROTO_TCP`.
const FAMILIES: [u8; 2] = [2, 10];
const TCP: u8 = 6;
/// `1 << TCP_LISTEN` of net/tcp_states.h.
const LISTENING: u32 = 1 << 10;
/// Sizes of `nlmsghdr` and `inet_diag_msg`, bytes.
const HEADER: usize = 16;
const MESSAGE: usize = 72;

/// All listening TCP sockets.
///
/// # Errors
/// When the kernel does not know the question, or its answer is not understood.
pub(super) fn listeners() -> io::Result<Vec<Listener>> {
    let flags = SocketFlags::CLOEXEC;
    let protocol = Some(netlink::SOCK_DIAG);
    let socket =
        rustix::net::socket_with(AddressFamily::NETLINK, SocketType::DGRAM, flags, protocol)?;
    let mut all = Vec::new();
    let mut buffer = vec![0; 32 << 10];
    for family in FAMILIES {
        rustix::net::send(&socket, &request(family), SendFlags::empty())?;
        loop {
            let (_, length) = rustix::net::recv(&socket, &mut buffer[..], RecvFlags::empty())?;
            if length == 0 || length > buffer.len() {
                return Err(io::ErrorKind::InvalidData.into());
            }
            if read(&buffer[..length], &mut all)? {
                break;
            }
        }
    }
    Ok(all)
}

/// A `nlmsghdr` and an `inet_diag_req_v2` that asks for all listeners of a family.
fn request(family: u8) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(MESSAGE);
    bytes.extend(u32::to_ne_bytes(MESSAGE as u32));
    bytes.extend(BY_FAMILY.to_ne_bytes());
    bytes.extend(DUMP.to_ne_bytes());
    bytes.extend([0; 8]);
    bytes.extend([family, TCP, 0, 0]);
    bytes.extend(LISTENING.to_ne_bytes());
    // Any socket: an empty `inet_diag_sockid`.
    bytes.resize(MESSAGE, 0);
    bytes
}

/// Reads the messages of an answer; whether it was the last one.
fn read(mut bytes: &[u8], all: &mut Vec<Listener>) -> io::Result<bool> {
    let damaged = || io::Error::from(io::ErrorKind::InvalidData);
    while bytes.len() >= HEADER {
        let length = number(bytes, 0).ok_or_else(damaged)? as usize;
        let kind = u16::from_ne_bytes([bytes[4], bytes[5]]);
        let message = bytes.get(HEADER..length).ok_or_else(damaged)?;
        match kind {
            DONE => return Ok(true),
            ERROR => return Err(io::ErrorKind::Unsupported.into()),
            _ => all.push(listener(message).ok_or_else(damaged)?),
        }
        // Messages begin at multiples of four.
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(false)
}

/// Reads an `inet_diag_msg` of linux/inet_diag.h.
fn listener(message: &[u8]) -> Option<Listener> {
    let family = *message.first()?;
    let port = u16::from_be_bytes([*message.get(4)?, *message.get(5)?]);
    let mut address = [0; 16];
    address.copy_from_slice(message.get(8..24)?);
    let address = if family == FAMILIES[0] {
        let [a, b, c, d, ..] = address;
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    } else {
        let address = Ipv6Addr::from(address);
        let mapped = address.to_ipv4_mapped();
        mapped.map_or(IpAddr::V6(address), IpAddr::V4)
    };
    Some(Listener {
        address,
        port,
        uid: number(message, 64)?,
        inode: u64::from(number(message, 68)?),
    })
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    Some(u32::from_ne_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn the_kernel_tells_what_proc_tells() {
        let v4 = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = v4.local_addr().unwrap().port();
        // A kernel without sock_diag is served by /proc.
        let Ok(all) = listeners() else { return };
        let found = all.iter().find(|found| found.port == port).unwrap();
        assert_eq!(found.address, IpAddr::V4(Ipv4Addr::LOCALHOST));
        assert_eq!(found.uid, rustix::process::geteuid().as_raw());
        let ours = super::super::listeners::sockets_of(std::process::id()).unwrap();
        assert!(ours.contains(&found.inode));
    }

    #[test]
    fn an_answer_that_is_cut_is_an_error() {
        let message = request(2);
        for end in HEADER..message.len() {
            assert!(read(&message[..end], &mut Vec::new()).is_err(), "{end}");
        }
        let mut done = message[..HEADER].to_vec();
        done[..4].copy_from_slice(&16_u32.to_ne_bytes());
        done[4..6].copy_from_slice(&DONE.to_ne_bytes());
        assert!(read(&done, &mut Vec::new()).unwrap());
    }
}
