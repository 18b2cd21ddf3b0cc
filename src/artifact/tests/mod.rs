//! Trees on real disks, from a project to a host.

mod change;
mod hostile;
mod ignored;
mod property;
mod select;
mod stage;
mod tree;
