//! The manifest as a whole: mistakes as a person sees them, properties, defaults.

use std::path::Path;

use super::{Checked, Files, parse};
use crate::project::render_all;

mod defaults;
mod generate;
mod mistakes;
mod properties;
mod values;

/// A project with every kind of table.
pub(super) const SHOP: &str = include_str!("shop.toml");

/// Checks `text` without looking for files.
fn check(text: &str) -> Checked {
    parse(
        text,
        "ship.toml",
        Path::new("/project/apps/web"),
        Files::Ignored,
    )
}

/// Everything said about `text`.
fn said(text: &str) -> String {
    render_all(&check(text).diagnostics, false)
}

/// A small valid manifest with `more` added.
fn with(more: &str) -> String {
    format!("[app]\nname = \"shop\"\n[services.web]\ncommand = \"serve\"\n{more}")
}
