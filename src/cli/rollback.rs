//! `ship rollback`.

use clap::Args;

use super::deploy::wait_ms;
use super::globals::Globals;
use super::session::Session;
use crate::model::{Failure, FailureKind, ReleaseId};
use crate::rollout::conclude::Ended;
use crate::rollout::rollback::rollback;

/// Goes back to the good release from before the current one
#[derive(Debug, Clone, Args)]
pub struct RollbackArgs {
    /// Environment; may be left out when there is one besides `local`, or a default
    #[arg(value_name = "ENV")]
    pub environment: Option<String>,

    /// Release to go to, such as v41; default: the one that was live before
    #[arg(long, value_name = "RELEASE")]
    pub to: Option<String>,

    /// Goes on without hosts that cannot be reached; they are named, and the exit code is 9
    #[arg(long)]
    pub skip_unreachable: bool,

    /// Waits this long for another deploy to end, such as 10m; without a value: 30m
    #[arg(long, value_name = "DURATION", num_args = 0..=1, default_missing_value = "30m")]
    pub wait: Option<String>,
}

/// Runs it; the exit code.
pub fn run(globals: &Globals, args: &RollbackArgs) -> u8 {
    let session = match Session::start(globals) {
        Ok(session) => session,
        Err(code) => return code,
    };
    let prepared = || -> Result<_, Failure> {
        let to = args.to.as_deref().map(ReleaseId::parse).transpose();
        let to = to.map_err(|why| Failure::new(FailureKind::Usage, format!("--to: {why}")))?;
        let mut context = session.context(args.environment.as_deref())?;
        context.wait_ms = wait_ms(args.wait.as_deref())?;
        session.say_started("rollback", &context, None);
        Ok((context, to))
    };
    let result = match prepared() {
        Ok((context, to)) => session.block_on(rollback(&context, to, args.skip_unreachable)),
        Err(failure) => Err(Ended::from(failure)),
    };
    session.conclude(result)
}
