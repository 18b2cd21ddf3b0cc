//! The vocabulary that every other folder shares: ids, digests, paths, release metadata, events,
//! secrets. Nothing here does I/O.

pub mod app;
mod cause;
pub mod digest;
pub mod event;
pub mod failure;
pub mod freeze;
pub mod installed;
pub mod instance;
pub mod lines;
pub mod name;
pub mod operation;
pub mod redact;
pub mod release;
pub mod runtime;
pub mod secret;
pub mod service;
pub mod site;
pub mod texts;
pub mod version;

pub use app::{Deployment, ServiceManagerKind};
pub use cause::{Cause, OnPath, Running};
pub use digest::Digest;
pub use event::Event;
pub use failure::{Failure, FailureKind};
pub use freeze::Freeze;
pub use instance::{Endpoint, Instance, Slot};
pub use name::{AppName, EnvironmentName, HostName, ServiceName};
pub use operation::{Commit, Made, Operation, OperationKind, OperationOutcome};
pub use redact::Redactor;
pub use release::{Release, ReleaseId, ReleaseState};
pub use runtime::{HostRuntime, Platform, Sha256};
pub use secret::Secret;
pub use service::{HealthCheck, Probe, ServiceSpec, ServiceState, Status, StatusClass};
pub use texts::Texts;
