//! The `ship` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    ship::cli::main()
}
