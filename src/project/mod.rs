//! `ship.toml` → a validated [`Project`]; diagnostics with spans; stack detection for `init`.

pub mod model;

pub use model::*;
