//! What became of each project, as a table.

use crate::made::cache;
use crate::project::Project;
use crate::story::Told;
use crate::support;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;

/// Rows, and what went wrong.
#[derive(Default)]
pub struct Table {
    rows: String,
    ecosystem: &'static str,
    failed: Vec<String>,
    skipped: Vec<String>,
    served: usize,
}

impl Table {
    /// Adds a project; its row is on the screen at once, because the next may take a while.
    pub fn add(&mut self, project: &Project, told: Result<Told, String>) {
        self.ecosystem = project.ecosystem;
        let edits = project.edits.len();
        let outcome = match told {
            Ok(Told::Served(figures)) => {
                self.served += 1;
                let seconds = figures.time.as_secs_f64();
                format!("{edits:>5}  {seconds:>7.1}  {:>11}  served", figures.bytes)
            }
            Ok(Told::Skipped(why)) => {
                self.skipped.push(format!("{}: {why}", project.name));
                format!("{edits:>5}  {:>7}  {:>11}  skipped: {why}", "-", "-")
            }
            Err(why) => {
                let first = why.lines().next().unwrap_or_default();
                let row = format!("{edits:>5}  {:>7}  {:>11}  failed: {first}", "-", "-");
                self.failed.push(format!("{}: {why}", project.name));
                row
            }
        };
        let row = format!(
            "{:<28}  {:<10}  {outcome}\n",
            project.name, project.ecosystem
        );
        let _ = std::io::stderr().write_all(row.as_bytes());
        let _ = write!(self.rows, "{row}");
    }

    /// Leaves the rows in `target/corpus/rows` for `tests/run corpus`. Panics when a project failed;
    /// the test is skipped when none could be made.
    #[track_caller]
    pub fn publish(self) {
        let folder = cache().join("rows");
        fs::create_dir_all(&folder).expect("create target/corpus/rows");
        fs::write(folder.join(self.ecosystem), &self.rows).expect("write the rows");
        assert!(
            self.failed.is_empty(),
            "{} of the projects failed\n\n{}",
            self.failed.len(),
            self.failed.join("\n\n")
        );
        if self.served == 0 {
            support::skip(&self.skipped.join("; "));
        }
    }
}
