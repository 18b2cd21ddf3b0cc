//! How a process ended, in words.

/// `exit code 1`, with what systemd means by its own codes (systemd.exec(5), "Process Exit Codes").
#[must_use]
pub fn with_code(code: i32) -> String {
    let meaning = match code {
        126 => "the command cannot be executed",
        127 => "command not found",
        200 => "systemd could not change to the working directory",
        203 => "systemd could not execute the launcher",
        216 | 217 => "systemd does not find the user or group",
        226 => "systemd could not set up the sandbox",
        233 => "systemd could not make the runtime directory",
        _ => return format!("exit code {code}"),
    };
    format!("exit code {code} ({meaning})")
}

/// `killed by signal 9 (SIGKILL)`.
#[must_use]
pub fn by_signal(signal: i32) -> String {
    match name(signal) {
        Some(name) => format!("killed by signal {signal} ({name})"),
        None => format!("killed by signal {signal}"),
    }
}

/// What [`std::process::ExitStatus`] tells.
#[must_use]
pub fn of(status: std::process::ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => with_code(code),
        (None, Some(signal)) => by_signal(signal),
        (None, None) => "ended".to_owned(),
    }
}

fn name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        libc::SIGHUP => "SIGHUP",
        libc::SIGINT => "SIGINT",
        libc::SIGQUIT => "SIGQUIT",
        libc::SIGILL => "SIGILL",
        libc::SIGTRAP => "SIGTRAP",
        libc::SIGABRT => "SIGABRT",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGKILL => "SIGKILL",
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGPIPE => "SIGPIPE",
        libc::SIGALRM => "SIGALRM",
        libc::SIGTERM => "SIGTERM",
        libc::SIGXCPU => "SIGXCPU",
        libc::SIGXFSZ => "SIGXFSZ",
        libc::SIGSYS => "SIGSYS",
        libc::SIGUSR1 => "SIGUSR1",
        libc::SIGUSR2 => "SIGUSR2",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_in_words() {
        assert_eq!(with_code(1), "exit code 1");
        assert_eq!(with_code(127), "exit code 127 (command not found)");
        assert_eq!(by_signal(9), "killed by signal 9 (SIGKILL)");
        assert_eq!(by_signal(64), "killed by signal 64");
    }
}
