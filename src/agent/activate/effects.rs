//! What an activation does to a host, an effect at a time: the host itself does these, and in the
//! tests a model of one, which fails and dies wherever it likes.

use super::Pending;
use crate::agent::fault::Fault;
use crate::agent::journal::Entry;
use crate::agent::switch_plan::Step;
use crate::model::{Failure, OperationOutcome, ReleaseId, ReleaseState};

/// Where an effect belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To the new release.
    Forth,
    /// Back to the one before.
    Back,
}

/// Why an effect did not come about. It may have happened all the same, or in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What to tell.
    pub failure: Failure,
    /// Whose fault it is.
    pub fault: Fault,
}

impl Trouble {
    /// The release's own fault.
    #[must_use]
    pub fn own(why: impl Into<String>) -> Self {
        Self {
            failure: Failure::unexpected(why),
            fault: Fault::Release,
        }
    }

    /// It was told to stop.
    #[must_use]
    pub fn stopped() -> Self {
        Self {
            failure: Failure::unexpected("cancelled"),
            fault: Fault::Stopped,
        }
    }

    /// Whether it is the release's own fault.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.fault == Fault::Release
    }

    /// Not the release's fault.
    #[must_use]
    pub fn other(why: impl Into<String>) -> Self {
        Failure::unexpected(why).into()
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            fault: Fault::Host,
        }
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Failure::from(error).into()
    }
}

/// How it ended, for the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The release is good.
    Good,
    /// The release before is back.
    Reverted,
    /// The release before could not be put back, or does not serve either.
    Failed,
}

impl From<Ending> for OperationOutcome {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Good => Self::Good,
            Ending::Reverted => Self::Reverted,
            Ending::Failed => Self::Failed,
        }
    }
}

/// The effects. Each is done when it returns `Ok`; those on the journal, `current` and the states
/// last through a power cut then. After an error they may be done, or not.
pub trait Effects {
    /// The activation that the journal says did not come to an end.
    ///
    /// # Errors
    /// When the journal cannot be read.
    fn unfinished(&self) -> Result<Option<Entry>, Trouble>;

    /// The live release.
    ///
    /// # Errors
    /// When that cannot be told, or is no release.
    fn current(&self) -> Result<Option<ReleaseId>, Trouble>;

    /// Makes all that the flips, forth and back, will need, so that they need nothing more.
    ///
    /// # Errors
    /// When something cannot be made: then nothing was changed.
    fn prepare(&mut self, pending: Pending) -> Result<(), Trouble>;

    /// Takes back what [`prepare`](Self::prepare) made.
    fn forget(&mut self, pending: Pending);

    /// Writes an intention into the journal.
    ///
    /// # Errors
    /// When it cannot be written.
    fn note(&mut self, pending: Pending, step: Step) -> Result<(), Trouble>;

    /// Points `current` to a release, or takes it away.
    ///
    /// # Errors
    /// When the file system refuses.
    fn flip(&mut self, to: Option<ReleaseId>) -> Result<(), Trouble>;

    /// Stops the services of a release that the one which is kept does not have.
    ///
    /// # Errors
    /// When the service manager refuses.
    fn stop(&mut self, of: ReleaseId, kept: Option<ReleaseId>) -> Result<(), Trouble>;

    /// Restarts the services of the live release that are switched in their place. On the way back,
    /// those that were never touched are left alone.
    ///
    /// # Errors
    /// When the service manager refuses, or what it started ended at once.
    fn restart(&mut self, of: ReleaseId, way: Way) -> Result<(), Trouble>;

    /// Proves that the services run this release and are healthy.
    ///
    /// # Errors
    /// When they are not, or that cannot be told.
    fn prove(&mut self, of: ReleaseId, way: Way) -> Result<(), Trouble>;

    /// Starts the instances of a release beside those that run, where they do not run already.
    /// Nobody asks them yet.
    ///
    /// # Errors
    /// When the service manager refuses, or what it started ended at once.
    fn start(&mut self, of: ReleaseId) -> Result<(), Trouble>;

    /// Proves the instances that [`start`](Self::start) started.
    ///
    /// # Errors
    /// When they are not healthy, or that cannot be told.
    fn prove_beside(&mut self, of: ReleaseId, way: Way) -> Result<(), Trouble>;

    /// Sends new requests to the instances of a release, which run; to none without one.
    ///
    /// # Errors
    /// When the file system refuses.
    fn route(&mut self, to: Option<ReleaseId>) -> Result<(), Trouble>;

    /// Lets instances that get no new requests finish those that they have, up to a limit.
    ///
    /// # Errors
    /// When it cannot be told how many they have.
    fn drain(&mut self, of: ReleaseId) -> Result<(), Trouble>;

    /// Stops instances that get no requests.
    ///
    /// # Errors
    /// When the service manager refuses.
    fn retire(&mut self, of: ReleaseId) -> Result<(), Trouble>;

    /// How far a release got.
    fn state(&self, of: ReleaseId) -> ReleaseState;

    /// Records how far a release got.
    ///
    /// # Errors
    /// When it cannot be written.
    fn set_state(&mut self, of: ReleaseId, state: ReleaseState) -> Result<(), Trouble>;

    /// Writes the end into the history; what cannot be written is not.
    fn record(&mut self, pending: Pending, ending: Ending, why: Option<&str>);
}
