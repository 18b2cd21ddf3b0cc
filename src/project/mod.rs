//! `ship.toml` → a validated [`Project`]; diagnostics with spans; stack detection for `init`.

pub mod detect;
pub mod model;

pub use model::*;
