//! The host side: everything that happens on a host, as ordinary Rust on that host's own file
//! system and service manager. Knows nothing of the controller's side; it is driven by `wire`
//! messages alone.

pub mod layout;
pub mod service;

pub use layout::Layout;
