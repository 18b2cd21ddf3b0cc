//! Who is there.

/// The names.
pub fn names() -> Vec<&'static str> {
    vec!["Ada", "Grace"]
}
