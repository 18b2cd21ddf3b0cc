//! How quick the way back is: from "health check failed" to the old release answering, against a
//! restart of the old release by hand and one good answer; and what the journal costs a deploy. See
//! `benches/README.md`.
//!
//! `cargo bench --bench revert [-- --runs N]`

#[path = "../../tests/support/mod.rs"]
mod support;

mod journal;
mod shop;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use shop::Shop;

/// Medians are of this many runs, unless told otherwise.
const RUNS: usize = 7;

/// The way back may take this much of the restart by hand.
const MOST: f64 = 1.2;

/// What the journal may cost a healthy deploy.
const JOURNAL: Duration = Duration::from_millis(30);

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if !args.iter().any(|arg| arg == "--bench") {
        say("nothing is measured here: cargo bench --bench revert");
        return ExitCode::SUCCESS;
    }
    let wanted = args.iter().skip_while(|arg| *arg != "--runs").nth(1);
    let runs = wanted.and_then(|n| n.parse().ok()).unwrap_or(RUNS);
    let Some(()) = support::require_hosts() else {
        return ExitCode::FAILURE;
    };
    let shop = Shop::open();
    let (mut by_root, mut by_sudo, mut back, mut notes) = (vec![], vec![], vec![], vec![]);
    for _ in 0..runs {
        by_root.push(shop.restart_by_hand(""));
        by_sudo.push(shop.restart_by_hand("runuser -u deploy -- sudo -n "));
        back.push(shop.way_back());
        notes.push(journal::of_a_healthy_activation(shop.folder()));
    }
    let yardstick = median(&mut by_root);
    row("restart by hand, as root, and one answer", yardstick, None);
    let sudo = median(&mut by_sudo);
    row("the same through sudo, as who deploys", sudo, None);
    let back = median(&mut back);
    let ratio = back.as_secs_f64() / yardstick.as_secs_f64();
    row(
        "from the failed health check to the old release",
        back,
        Some(ratio),
    );
    let notes = median(&mut notes);
    row("the notes of a healthy activation, synced", notes, None);
    let good = ratio <= MOST && notes <= JOURNAL;
    say(format!(
        "{}: at most {MOST} of the restart by hand, and {} ms for the notes",
        if good { "reached" } else { "MISSED" },
        JOURNAL.as_millis()
    ));
    ExitCode::SUCCESS
}

fn row(what: &str, time: Duration, ratio: Option<f64>) {
    let ratio = ratio.map_or_else(String::new, |ratio| format!("{ratio:>8.2}"));
    say(format!(
        "{what:<50} {:>8.1} ms{ratio}",
        time.as_secs_f64() * 1e3
    ));
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Prints a line on stdout; a closed stdout is no reason to stop measuring.
fn say(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stdout().lock(), "{}", text.as_ref());
}
