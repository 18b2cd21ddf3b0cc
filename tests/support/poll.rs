//! Waiting for a thing by asking for it, with a deadline.

use std::thread;
use std::time::{Duration, Instant};

const INTERVAL: Duration = Duration::from_millis(20);

/// Asks `probe` until it answers, and returns the answer. Panics after
/// `deadline`, naming what was waited for.
#[track_caller]
pub fn within<T>(deadline: Duration, what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = probe() {
            return answer;
        }
        assert!(
            start.elapsed() < deadline,
            "waited {deadline:?} in vain for: {what}"
        );
        thread::sleep(INTERVAL);
    }
}

/// Asks `probe` until it is true, for at most 30 seconds.
#[track_caller]
pub fn eventually(what: &str, mut probe: impl FnMut() -> bool) {
    within(Duration::from_secs(30), what, || probe().then_some(()));
}
