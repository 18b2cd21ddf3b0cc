//! `ship.toml` → a validated [`Project`]; diagnostics with spans; stack detection for `init`.

pub mod declared;
pub mod detect;
pub mod diagnostic;
mod load;
pub mod manifest;
pub mod model;
mod names;
mod print;
pub mod submodules;

pub use diagnostic::{Diagnostic, Severity, render_all};
pub use load::{MANIFEST, find};
pub use manifest::duration::{duration_ms, parse as parse_duration};
pub use manifest::{Checked, Files, is_mirror, runtime_span};
pub use model::*;
pub use names::Names;
