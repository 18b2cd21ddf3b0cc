//! The same work on many files, by a few threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Calls `work` on each of `items` with 2 to 8 threads, and returns what it gave in the order of
/// `items`.
pub(super) fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(2, |n| n.get().clamp(2, 8));
    let next = AtomicUsize::new(0);
    let run = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            match items.get(at) {
                Some(item) => done.push((at, work(item))),
                None => return done,
            }
        }
    };
    let mut done = thread::scope(|scope| {
        let helpers: Vec<_> = (1..threads.min(items.len()))
            .filter_map(|_| thread::Builder::new().spawn_scoped(scope, run).ok())
            .collect();
        let mut done = run();
        for helper in helpers {
            match helper.join() {
                Ok(more) => done.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Calls `work` on each of `items`, which are few, all at once: for work that waits.
pub(super) fn at_once<T: Sync, E: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let work = &work;
    thread::scope(|scope| {
        let mut waiting = Vec::with_capacity(items.len());
        let mut result = Ok(());
        for item in items {
            match thread::Builder::new().spawn_scoped(scope, move || work(item)) {
                Ok(thread) => waiting.push(thread),
                Err(_) => result = result.and(work(item)),
            }
        }
        for thread in waiting {
            match thread.join() {
                Ok(one) => result = result.and(one),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        result
    })
}
