//! What goes over the cables of the hosts.

use std::fs;
use std::time::Duration;

use crate::support::Host;

/// How long the last packets of a connection that ends may take to arrive.
const CLOSING: Duration = Duration::from_millis(80);

/// Bytes and connections since a moment.
pub struct Meter<'a> {
    hosts: &'a [Host],
    before: Counters,
}

/// Since the hosts were booted; of all hosts together.
#[derive(Clone, Copy, Default)]
pub struct Counters {
    /// Bytes to the hosts, headers of Ethernet, IP and TCP included.
    pub sent: u64,
    /// Bytes from the hosts.
    pub received: u64,
    /// Connections that sshd let in.
    pub connections: u64,
}

impl<'a> Meter<'a> {
    pub fn start(hosts: &'a [Host]) -> Self {
        let before = count(hosts);
        Self { hosts, before }
    }

    /// What came since the start.
    pub fn stop(self) -> Counters {
        std::thread::sleep(CLOSING);
        let now = count(self.hosts);
        Counters {
            sent: now.sent - self.before.sent,
            received: now.received - self.before.received,
            connections: now.connections - self.before.connections,
        }
    }
}

fn count(hosts: &[Host]) -> Counters {
    let mut sum = Counters::default();
    for host in hosts {
        // This machine's end of the cable sends what the host receives.
        sum.sent += statistic(host, "tx_bytes");
        sum.received += statistic(host, "rx_bytes");
        sum.connections += connections(host);
    }
    sum
}

fn statistic(host: &Host, name: &str) -> u64 {
    let file = format!("/sys/class/net/{}/statistics/{name}", host.cable());
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    text.trim().parse().expect("a number of bytes")
}

fn connections(host: &Host) -> u64 {
    let count = host.sh("journalctl -q --no-pager -t sshd | grep -c 'Accepted publickey' || true");
    count.parse().expect("a number of connections")
}
