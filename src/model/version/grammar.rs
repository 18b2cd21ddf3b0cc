//! How each ecosystem writes what it asks for.

/// A grammar of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grammar {
    /// npm's ranges (the package `semver`, "Ranges"), with the aliases of Node's version managers.
    Node,
    /// npm's ranges.
    Npm,
    /// Version specifiers (PEP 440); a bare version is a prefix, as version managers have it.
    Python,
    /// Version specifiers (PEP 440), of a tool that is a Python package.
    Tool,
    /// Versions with or without `go`, and npm's ranges.
    Go,
    /// Versions with or without the vendor `temurin-`, and npm's ranges.
    Java,
    /// npm's ranges, for a runtime that ship does not know.
    Other,
}

/// The runtimes that ship brings, and how each is asked for. `runtime/source/` says the rest.
const KNOWN: [(&str, Grammar); 14] = [
    ("bun", Grammar::Npm),
    ("composer", Grammar::Npm),
    ("deno", Grammar::Npm),
    ("go", Grammar::Go),
    ("java", Grammar::Java),
    ("node", Grammar::Node),
    ("npm", Grammar::Npm),
    ("pdm", Grammar::Tool),
    ("pipenv", Grammar::Tool),
    ("pnpm", Grammar::Npm),
    ("poetry", Grammar::Tool),
    ("python", Grammar::Python),
    ("uv", Grammar::Tool),
    ("yarn", Grammar::Npm),
];

impl Grammar {
    /// How the runtime `name` is asked for.
    #[must_use]
    pub fn of(name: &str) -> Self {
        KNOWN
            .iter()
            .find(|(known, _)| *known == name)
            .map_or(Self::Other, |(_, grammar)| *grammar)
    }

    /// The names of the runtimes that ship brings, sorted.
    pub fn known() -> impl Iterator<Item = &'static str> {
        KNOWN.iter().map(|(name, _)| *name)
    }

    /// What is taken, for a message: examples, the simplest first.
    #[must_use]
    pub fn examples(self) -> &'static str {
        match self {
            Self::Node => {
                "`20.11.1`, `20`, `20.x`, `^20.11`, `>=18 <21`, `18 || 20`, `lts` or `latest`"
            }
            Self::Npm => "`1.2.3`, `1`, `1.x`, `^1.2`, `~1.2.3`, `>=1.1 <2` or `latest`",
            Self::Python => "`3.12.3`, `3.12`, `3.12.*`, `~=3.12`, `>=3.12,<3.13` or `latest`",
            Self::Tool => "`2.1.3`, `2.1`, `2`, `~=2.1`, `>=2.1,<3` or `latest`",
            Self::Go => "`1.22.1`, `1.22`, `^1.22`, `>=1.21 <1.23` or `latest`",
            Self::Java => "`21`, `21.0.2`, `temurin-21`, `>=17 <22`, `lts` or `latest`",
            Self::Other => "`8.3`, `8.3.6` or `>=8.2 <9`",
        }
    }

    /// `text` without what may come before a version.
    pub(super) fn plain(self, text: &str) -> &str {
        let prefixes: &[&str] = match self {
            Self::Node | Self::Npm | Self::Tool | Self::Other => &["v"],
            Self::Python => &["v", "cpython-", "python-"],
            Self::Go => &["v", "go"],
            Self::Java => &["temurin-", "jdk-"],
        };
        prefixes
            .iter()
            .filter_map(|prefix| text.strip_prefix(prefix))
            .find(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
            .unwrap_or(text)
    }

    /// Whether there are releases with long-term support.
    pub(super) fn has_lts(self) -> bool {
        matches!(self, Self::Node | Self::Java)
    }
}
