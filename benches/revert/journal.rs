//! What the journal costs.

use std::path::Path;
use std::time::{Duration, Instant};

use ship::agent::Layout;
use ship::agent::journal::{Entry, boot, note};
use ship::agent::switch_plan::{Step, SwitchPlan};
use ship::model::ReleaseId;

/// The time of all notes of an activation that goes well, each with its fsync, on the disk that
/// `folder` is on.
pub fn of_a_healthy_activation(folder: &Path) -> Duration {
    let layout = Layout::at(folder);
    std::fs::create_dir_all(layout.state()).expect("create a state folder");
    let steps = [
        Step::Flipping,
        Step::Restarting,
        Step::Proven,
        Step::Precommitted,
        Step::Committed,
    ];
    let started = Instant::now();
    for step in steps {
        let entry = Entry {
            step,
            plan: SwitchPlan::InPlace,
            from: Some(ReleaseId(1)),
            to: ReleaseId(2),
            boot: boot(),
            transaction: Some("0".repeat(32)),
        };
        note(&layout, &entry).expect("a note");
    }
    started.elapsed()
}
