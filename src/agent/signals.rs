//! What a process passes on to those that it starts, of signals.

/// Takes back what whoever started this process had it ignore, as sshd(8) does: exec passes that on,
/// and a job in the background of a script ignores SIGINT (signal(7), POSIX XCU 2.11).
pub fn hear_all() {
    for signal in 1..32 {
        // SAFETY: the default is no code of ours. SIGKILL and SIGSTOP refuse, and have it anyway.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}
