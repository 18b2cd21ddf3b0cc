//! Starting a process that outlives this one and its session, as daemon(7) describes for SysV.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::agent::signals::hear_all;

/// Starts `program` in a session of its own, as nobody's child, with no stdin, stdout and stderr,
/// with no other file of this process open, and hearing every signal.
///
/// # Errors
/// Those of fork(2) and exec(2).
pub fn detached(program: &Path, args: &[OsString]) -> io::Result<()> {
    let mut command = Command::new(program);
    command
        .args(args)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // SAFETY: between fork and exec only async-signal-safe functions are called
    // (signal-safety(7)): signal, setsid, fork, _exit, fcntl and close_range, none of which allocate.
    unsafe {
        command.pre_exec(|| {
            hear_all();
            if libc::setsid() == -1 {
                return Err(io::Error::last_os_error());
            }
            match libc::fork() {
                -1 => Err(io::Error::last_os_error()),
                0 => {
                    close_all_on_exec();
                    Ok(())
                }
                // The child that std waits for; its own child goes on to exec.
                _ => libc::_exit(0),
            }
        });
    }
    command.spawn()?.wait()?;
    Ok(())
}

/// Marks all files but the first three to be closed by exec, also those that were inherited.
/// std's own pipe, which tells whether exec worked, is among them and must stay open until then.
fn close_all_on_exec() {
    const FIRST: libc::c_int = 3;
    const MOST: libc::c_int = 4096;
    #[cfg(target_os = "linux")]
    {
        // SAFETY: close_range(2) with this flag only sets flags of descriptors.
        let done = unsafe {
            libc::syscall(
                libc::SYS_close_range,
                FIRST,
                libc::c_uint::MAX,
                libc::CLOSE_RANGE_CLOEXEC,
            )
        };
        if done == 0 {
            return;
        }
    }
    for fd in FIRST..MOST {
        // SAFETY: a descriptor that is not open is an error, which is ignored.
        unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
}
