//! stub
use super::host::Host;
use crate::model::{Failure, ServiceSpec};
use crate::wire::{Finding, SetupRequest};
/// x
pub fn setup(_h: &Host, _r: &SetupRequest) -> Result<Vec<String>, Failure> { Ok(Vec::new()) }
/// x
pub fn check(_h: &Host, _s: &[ServiceSpec]) -> Vec<Finding> { Vec::new() }
/// x
pub fn ready_for(_h: &Host, _s: &[ServiceSpec]) -> Result<(), Failure> { Ok(()) }
