//! The code names of Node's release lines with long-term support.

/// Each code name and its major version, from the release schedule of nodejs/Release. A name never
/// changes its meaning; a new line is added here once it has a name.
const NODE_LINES: [(&str, u64); 11] = [
    ("argon", 4),
    ("boron", 6),
    ("carbon", 8),
    ("dubnium", 10),
    ("erbium", 12),
    ("fermium", 14),
    ("gallium", 16),
    ("hydrogen", 18),
    ("iron", 20),
    ("jod", 22),
    ("krypton", 24),
];

/// The major version of the Node line called `name`, in any case; `None` for a name that is newer
/// than this build, or not a code name.
pub(super) fn node_major(name: &str) -> Option<u64> {
    NODE_LINES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, major)| *major)
}
