//! What ssh(1) starts to be connected; hidden from help.

use clap::Args;

use crate::transport::ssh::dial;

/// Connects for ssh(1)
#[derive(Debug, Clone, Args)]
pub struct DialArgs {
    host: String,
    port: u16,
}

/// Passes a connection to ssh(1); the exit code. Nothing is printed: ssh connects by itself then,
/// and says what is wrong.
pub fn run(args: &DialArgs) -> u8 {
    u8::from(dial::dial(&args.host, args.port).is_err())
}

/// Acknowledges on the socket that is the standard input; the exit code.
pub fn acknowledge() -> u8 {
    u8::from(dial::acknowledge().is_err())
}
