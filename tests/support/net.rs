//! The network between this machine and its hosts: one bridge, and per host a
//! network namespace and a cable.

use super::command::{attempt, run};
use super::slot::{self, Slot};
use std::path::Path;

const BRIDGE: &str = "shipbr0";
const GATEWAY: &str = "10.87.0.1";

/// The bridge's own hardware address. Without one, the kernel gives it the lowest of its ports', and
/// another one when the host of that port ends. The hosts would then answer to an address that
/// nobody has, until they ask for it again: up to 45 s.
const GATEWAY_MAC: &str = "02:87:00:00:00:01";

/// One host's connection.
pub struct Net {
    namespace: String,
    cable: String,
    addr: String,
    mac: String,
}

impl Net {
    pub fn of(slot: &Slot) -> Self {
        Self {
            namespace: slot.machine(),
            cable: slot.cable(),
            addr: format!("{}/16", slot.addr()),
            mac: slot.mac(),
        }
    }

    /// Plugs the host in: a fresh network namespace, so that no connection of an
    /// earlier boot lives on in it.
    pub fn create(&self) {
        {
            let _lock = slot::lock();
            if !Path::new("/sys/class/net").join(BRIDGE).exists() {
                ip(&format!(
                    "link add {BRIDGE} address {GATEWAY_MAC} type bridge"
                ));
                ip(&format!("addr add {GATEWAY}/16 dev {BRIDGE}"));
                ip(&format!("link set {BRIDGE} up"));
            }
        }
        let Self {
            namespace,
            cable,
            addr,
            mac,
        } = self;
        ip(&format!("netns add {namespace}"));
        ip(&format!(
            "link add {cable} type veth peer name host0 address {mac} netns {namespace}"
        ));
        ip(&format!("link set {cable} master {BRIDGE} up"));
        ip(&format!("-n {namespace} link set lo up"));
        ip(&format!("-n {namespace} addr add {addr} dev host0"));
        ip(&format!("-n {namespace} link set host0 up"));
        ip(&format!(
            "-n {namespace} route add default via {GATEWAY} dev host0"
        ));
    }

    /// Unplugs the cable: packets vanish both ways, and nobody is told.
    pub fn link_down(&self) {
        ip(&format!("link set {} down", self.cable));
    }

    pub fn link_up(&self) {
        ip(&format!("link set {} up", self.cable));
    }

    /// Limits both directions to this many Mbit/s (a token bucket, tc-tbf(8)), or
    /// lifts the limit.
    pub fn limit_rate(&self, mbit: Option<u32>) {
        for (namespace, device) in [(None, &*self.cable), (Some(&*self.namespace), "host0")] {
            let namespace = namespace.map(|name| format!("-n {name} "));
            let namespace = namespace.as_deref().unwrap_or_default();
            if let Some(mbit) = mbit {
                tc(&format!(
                    "{namespace}qdisc replace dev {device} root tbf \
                     rate {mbit}mbit burst 64kb latency 400ms"
                ));
            } else {
                tc(&format!("{namespace}qdisc del dev {device} root"));
            }
        }
    }

    /// Takes the connection away; fine when there is none.
    pub fn remove(&self) {
        // Without its cable the bridge would keep the port until the last socket
        // of the namespace is closed.
        attempt("ip", &["link", "del", &self.cable]);
        attempt("ip", &["netns", "del", &self.namespace]);
    }
}

/// Removes the bridge, when nobody has a host.
pub fn remove_bridge() {
    attempt("ip", &["link", "del", BRIDGE]);
}

#[track_caller]
fn ip(args: &str) {
    run("ip", &args.split_ascii_whitespace().collect::<Vec<_>>());
}

#[track_caller]
fn tc(args: &str) {
    run("tc", &args.split_ascii_whitespace().collect::<Vec<_>>());
}
