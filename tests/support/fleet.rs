//! Several hosts at once.

use super::host::{Host, HostOptions};
use std::ops::{Deref, DerefMut};
use std::thread;

/// Hosts `web1`, `web2`, ... in this order; a slice of them.
pub struct Fleet(Vec<Host>);

impl Fleet {
    /// Boots them side by side.
    pub fn boot(size: usize) -> Self {
        Self::boot_with(size, &HostOptions::default())
    }

    pub fn boot_with(size: usize, options: &HostOptions) -> Self {
        Self(thread::scope(|scope| {
            let boots: Vec<_> = (1..=size)
                .map(|number| {
                    scope.spawn(move || Host::boot_with(&format!("web{number}"), options))
                })
                .collect();
            let hosts = boots.into_iter().map(|boot| boot.join());
            hosts.map(|host| host.expect("a host boots")).collect()
        }))
    }
}

impl Deref for Fleet {
    type Target = [Host];

    fn deref(&self) -> &[Host] {
        &self.0
    }
}

impl DerefMut for Fleet {
    fn deref_mut(&mut self) -> &mut [Host] {
        &mut self.0
    }
}
