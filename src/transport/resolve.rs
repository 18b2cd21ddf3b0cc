//! Addresses of hosts, as the system has them: its files, name servers and whatever else
//! nsswitch.conf(5) says.

use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::process::{Command, Stdio};

/// The addresses of `host`, in the order in which the system would try them. Waits for name
/// servers.
///
/// # Errors
/// When there is no such host, or nobody who could be asked.
pub fn addresses(host: &str) -> io::Result<Vec<IpAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![address]);
    }
    if cfg!(target_feature = "crt-static") {
        return ask_getent(host);
    }
    let found = (host, 0).to_socket_addrs()?;
    Ok(found.map(|address| address.ip()).collect())
}

/// A static program has only a part of the system's resolver: getent(1) has all of it.
fn ask_getent(host: &str) -> io::Result<Vec<IpAddr>> {
    let output = Command::new("getent")
        .args(["ahosts", host])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .map_err(|error| io::Error::new(error.kind(), format!("cannot run getent: {error}")))?;
    let found: Vec<IpAddr> = of_streams(&String::from_utf8_lossy(&output.stdout)).collect();
    if found.is_empty() {
        return Err(io::Error::other("no such host, or no name server answers"));
    }
    Ok(found)
}

/// Lines of getent(1): `192.0.2.1 STREAM web1.example.com`, and the same for other socket types.
fn of_streams(text: &str) -> impl Iterator<Item = IpAddr> {
    text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let address = words.next()?.parse().ok()?;
        (words.next()? == "STREAM").then_some(address)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_getent_and_the_real_one() {
        let text = "::1             STREAM localhost\n::1             DGRAM\n\
                    127.0.0.1       STREAM\nnonsense\n";
        let found: Vec<String> = of_streams(text).map(|a| a.to_string()).collect();
        assert_eq!(found, ["::1", "127.0.0.1"]);
        for found in [addresses("localhost"), ask_getent("localhost")] {
            assert!(found.unwrap().iter().all(IpAddr::is_loopback));
        }
        assert_eq!(addresses("192.0.2.1").unwrap().len(), 1);
        assert!(ask_getent("no-such-host.invalid").is_err());
    }
}
