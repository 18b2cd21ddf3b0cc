//! What a person types: one file per command; the only place that reads env, tty and prints.

pub mod exit;
pub mod init;
