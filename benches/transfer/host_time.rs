//! x
pub const ID: &str = "host-time";
use crate::options::Options;
pub fn measure(_: &Options) -> bool {
    true
}
