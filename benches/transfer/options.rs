//! What was asked for on the command line and in the environment.

use std::path::PathBuf;

/// Medians are of this many runs, unless told otherwise.
const RUNS: usize = 5;

/// The arguments after `--`, and the variables.
pub struct Options {
    /// Parts of row names; none means all rows.
    filters: Vec<String>,
    /// Names of contenders; none means all.
    contenders: Vec<String>,
    /// How often each row is run.
    pub runs: usize,
    /// Tell of each run, too.
    pub each: bool,
    /// Only name the rows.
    pub list: bool,
    /// Whether `cargo bench` started this, and not `cargo test --all-targets`.
    pub is_bench: bool,
    /// The `ship` to measure: `$SHIP_BENCH_BINARY`, else the one that cargo built with the bench.
    pub ship: PathBuf,
    /// An older `ship` to measure beside it: `$SHIP_BENCH_BEFORE`.
    pub before: Option<PathBuf>,
}

impl Options {
    /// # Errors
    /// A sentence for the person about an argument that is wrong.
    pub fn read() -> Result<Self, String> {
        let ship = std::env::var_os("SHIP_BENCH_BINARY");
        let mut options = Self {
            filters: Vec::new(),
            contenders: Vec::new(),
            runs: RUNS,
            each: false,
            list: false,
            is_bench: false,
            ship: ship.map_or_else(|| env!("CARGO_BIN_EXE_ship").into(), PathBuf::from),
            before: std::env::var_os("SHIP_BENCH_BEFORE").map(PathBuf::from),
        };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            match &*arg {
                "--bench" => options.is_bench = true,
                "--each" => options.each = true,
                "--list" => options.list = true,
                "--only" => options.contenders = names(args.next())?,
                "--runs" => options.runs = runs(args.next())?,
                flag if flag.starts_with("--") => return Err(format!("unknown option: {flag}")),
                _ => options.filters.push(arg),
            }
        }
        Ok(options)
    }

    /// Whether the row of this name was asked for. A filter is a part of a name, or with a `=` in
    /// front a whole one.
    pub fn wants(&self, id: &str) -> bool {
        let matches = |filter: &String| match filter.strip_prefix('=') {
            Some(whole) => id == whole,
            None => id.contains(filter.as_str()),
        };
        self.filters.is_empty() || self.filters.iter().any(matches)
    }

    /// Whether this contender was asked for.
    pub fn wants_contender(&self, name: &str) -> bool {
        self.contenders.is_empty() || self.contenders.iter().any(|wanted| wanted == name)
    }
}

fn names(value: Option<String>) -> Result<Vec<String>, String> {
    let value = value.ok_or("--only takes names of contenders, with commas between them")?;
    Ok(value.split(',').map(str::to_owned).collect())
}

fn runs(value: Option<String>) -> Result<usize, String> {
    let number = value.and_then(|value| value.parse().ok());
    number
        .filter(|runs| *runs > 0)
        .ok_or_else(|| "--runs takes a number from 1".to_owned())
}
