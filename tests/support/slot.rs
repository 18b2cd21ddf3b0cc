//! A number that is one host's alone on this machine, and what hangs on it.
//!
//! Test processes share `/run/ship-tests`: a lock, and a file per slot in use that
//! names its owner. All that a host takes from this machine is named after its
//! slot, so a host of a dead process can be removed knowing only the number.

use super::command::attempt;
use super::machine;
use super::net::{self, Net};
use super::owner::Owner;
use super::temp;
use super::tree;
use std::fs::{self, File};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Once;

const STATE: &str = "/run/ship-tests";

/// Addresses are 10.87.0.10 to 10.87.39.209.
const SLOTS: u16 = 8000;

pub struct Slot {
    number: u16,
    dir: PathBuf,
}

impl Slot {
    /// Takes the lowest free slot. The first call of a process sweeps first.
    pub fn take() -> Self {
        static SWEPT: Once = Once::new();
        SWEPT.call_once(sweep);
        let _lock = lock();
        let number = (0..SLOTS)
            .find(|number| !state_file(*number).exists())
            .expect("a free slot");
        let slot = Self::numbered(number, &work_dir());
        let state = format!("{}\n{}\n", Owner::me(), slot.dir.display());
        fs::write(state_file(number), state).expect("write the slot's state file");
        fs::create_dir_all(&slot.dir).expect("create the slot's folder");
        slot
    }

    fn numbered(number: u16, work: &Path) -> Self {
        let dir = work.join(format!("host-{number}"));
        Self { number, dir }
    }

    /// Where this host's tree lives.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The name of the machine, of its network namespace and of its cgroup.
    pub fn machine(&self) -> String {
        format!("ship-test-{}", self.number)
    }

    /// The end of its cable on the bridge (at most 15 characters, `IFNAMSIZ`).
    pub fn cable(&self) -> String {
        format!("shipv{}", self.number)
    }

    pub fn addr(&self) -> Ipv4Addr {
        let [high, low] = [self.number / 200, self.number % 200 + 10];
        Ipv4Addr::new(10, 87, high as u8, low as u8)
    }

    /// The same for every host that ever has this address, so that no ARP cache
    /// is ever wrong.
    pub fn mac(&self) -> String {
        let [high, low] = self.number.to_be_bytes();
        format!("02:73:68:70:{high:02x}:{low:02x}")
    }

    /// Removes everything of this slot; fine with what is not there.
    fn tear_down(&self) {
        machine::kill(&self.machine());
        Net::of(self).remove();
        machine::remove_traces(&self.machine(), &self.dir.join("root"));
        tree::remove(&self.dir);
        let _ = fs::remove_file(state_file(self.number));
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.tear_down();
        let _lock = lock();
        remove_shared();
    }
}

/// Removes the hosts and temporary directories of test processes that are dead.
pub fn sweep() {
    temp::sweep();
    if !Path::new(STATE).exists() {
        return;
    }
    let _lock = lock();
    for number in slots_in_use() {
        let state = fs::read_to_string(state_file(number)).unwrap_or_default();
        let mut lines = state.lines();
        let owner = lines.next().and_then(|line| line.parse::<Owner>().ok());
        if owner.is_some_and(Owner::lives) {
            continue;
        }
        let work = lines.next().and_then(|dir| Path::new(dir).parent());
        let work = work.map_or_else(work_dir, Path::to_owned);
        // Its drop takes the lock itself, so this one is not dropped.
        let slot = std::mem::ManuallyDrop::new(Slot::numbered(number, &work));
        slot.tear_down();
    }
    remove_shared();
}

/// Serialises the test processes of this machine, and the threads of each, until
/// it is dropped.
pub fn lock() -> File {
    fs::create_dir_all(format!("{STATE}/slots")).expect("create /run/ship-tests");
    let file = File::create(format!("{STATE}/lock")).expect("create the lock file");
    file.lock().expect("take the lock");
    file
}

/// Removes what hosts share once there is none; called under [`lock`].
fn remove_shared() {
    if slots_in_use().is_empty() {
        net::remove_bridge();
        machine::remove_group();
    }
}

fn slots_in_use() -> Vec<u16> {
    let entries = fs::read_dir(format!("{STATE}/slots")).expect("read the slots");
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

fn state_file(number: u16) -> PathBuf {
    format!("{STATE}/slots/{number}").into()
}

fn work_dir() -> PathBuf {
    std::env::var_os("SHIP_TEST_DIR").map_or_else(|| "/var/lib/ship-tests".into(), PathBuf::from)
}
