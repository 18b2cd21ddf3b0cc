//! What was asked for on the command line.

use crate::chaos::Scenario;

/// The arguments after `--`.
pub struct Options {
    /// How many scenarios.
    pub faults: usize,
    /// The number of the first.
    pub seed: u64,
    /// How many go on at the same time, each on hosts of its own.
    pub jobs: usize,
    /// Parts of sentences of scenarios; none means all.
    only: Vec<String>,
    /// Only say what would be done.
    pub list: bool,
    /// Measure the figures instead.
    pub figures: bool,
    /// Whether `cargo bench` started this, and not `cargo test --all-targets`.
    pub is_bench: bool,
}

impl Options {
    /// # Errors
    /// A sentence for the person about an argument that is wrong.
    pub fn read() -> Result<Self, String> {
        let mut options = Self {
            faults: 500,
            seed: 0,
            jobs: 2,
            only: Vec::new(),
            list: false,
            figures: false,
            is_bench: false,
        };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            match &*arg {
                "--bench" => options.is_bench = true,
                "--list" => options.list = true,
                "--figures" => options.figures = true,
                "--faults" => options.faults = number(&arg, args.next())?,
                "--seed" => options.seed = number(&arg, args.next())?,
                "--jobs" => options.jobs = number::<usize>(&arg, args.next())?.max(1),
                "--only" => {
                    let text = args
                        .next()
                        .ok_or("--only takes a part of a sentence of --list")?;
                    options.only.push(text);
                }
                other => return Err(format!("unknown option: {other}")),
            }
        }
        Ok(options)
    }

    /// Whether this scenario was asked for, and can be done here.
    pub fn wants(&self, scenario: &Scenario) -> bool {
        let sentence = scenario.sentence();
        let named = self.only.iter().any(|part| sentence.contains(part));
        scenario.is_possible() && (named || self.only.is_empty())
    }
}

fn number<T: std::str::FromStr>(option: &str, value: Option<String>) -> Result<T, String> {
    let number = value.and_then(|value| value.parse().ok());
    number.ok_or_else(|| format!("{option} takes a number"))
}
