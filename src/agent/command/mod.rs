//! Commands of a release that run on the host beside its services: hooks and `ship exec`.
//!
//! A [`Program`] says what is run; [`start`] runs it in a session of its own, with pipes or on a
//! terminal; [`Running`] is the handle to it. None of it needs to know which process it is in.

use std::process::Child;

mod hook;
mod output;
mod program;
mod running;
mod session;
mod start;

pub use hook::{Undone, run_hook};
pub use output::Output;
pub use program::{Program, What};
pub use running::{Control, Running, describe, exit_code};
pub use start::{NotStarted, Started, start};

#[cfg(test)]
mod tests;

/// Kills a command with all that it started, and reaps it.
pub fn kill_group(child: &mut Child) {
    if let Some(pid) = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    {
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
    let _ = child.wait();
}
