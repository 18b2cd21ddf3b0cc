//! A clock that jumps: all hosts share this machine's, which nobody may set. So programs that are
//! linked dynamically are told another time, by a library that is loaded in front of libc.

use super::host::Host;
use super::temp::TempDir;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// Adds the seconds in the file `$CLOCK_OFFSET` to `CLOCK_REALTIME`, and leaves all other clocks as
/// they are, as a clock that is set does.
const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long offset(void) {
    const char *path = getenv("CLOCK_OFFSET");
    char text[32] = {0};
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return 0;
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    return length > 0 ? atol(text) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && clock == CLOCK_REALTIME) now->tv_sec += offset();
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec exact;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &exact)) return -1;
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *result) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (result) *result = exact.tv_sec;
    return exact.tv_sec;
}
"#;

const LIBRARY: &str = "/usr/local/lib/clock.so";
const OFFSET: &str = "/var/lib/clock-offset";

/// The library, and the clock of the person's machine.
pub struct Clock(TempDir);

impl Clock {
    /// Whether `ship` is linked so that it can be told another time.
    pub fn works() -> bool {
        static WORKS: OnceLock<bool> = OnceLock::new();
        *WORKS.get_or_init(|| {
            let ship = fs::read(env!("CARGO_BIN_EXE_ship")).expect("read ship");
            ship.windows(9).any(|window| window == b"/ld-linux")
        })
    }

    /// Builds it. `None` where `ship` is linked statically, or there is no C compiler: then nothing
    /// can tell it another time.
    pub fn make() -> Option<Self> {
        if !Self::works() {
            return None;
        }
        let folder = TempDir::new();
        let source = folder.path().join("clock.c");
        fs::write(&source, SOURCE).expect("write the clock");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(folder.path().join("clock.so"))
            .arg(source);
        let made = cc.status().is_ok_and(|status| status.success());
        made.then_some(Self(folder))
    }

    /// What a program of this machine needs in its environment.
    pub fn variables(&self) -> [(&'static str, PathBuf); 2] {
        [
            ("LD_PRELOAD", self.0.path().join("clock.so")),
            ("CLOCK_OFFSET", self.offset()),
        ]
    }

    /// Lets the clock of those programs jump to so many seconds from the true time.
    pub fn set(&self, seconds: i64) {
        let new = self.0.path().join("offset.new");
        fs::write(&new, seconds.to_string()).expect("write the offset");
        fs::rename(new, self.offset()).expect("set the clock");
    }

    fn offset(&self) -> PathBuf {
        self.0.path().join("offset")
    }

    /// Puts the clock into a host: every session of sshd has it from now on (pam_env(8)).
    pub fn install(&self, host: &Host) {
        let library = fs::read(self.0.path().join("clock.so")).expect("read the clock");
        host.write(LIBRARY, library);
        host.write(
            "/etc/environment",
            format!("LD_PRELOAD={LIBRARY}\nCLOCK_OFFSET={OFFSET}\n"),
        );
    }

    /// Lets the clock of a host's sessions jump.
    pub fn set_on(host: &Host, seconds: i64) {
        host.sh(&format!(
            "echo {seconds} > {OFFSET}.new && mv {OFFSET}.new {OFFSET}"
        ));
    }
}
