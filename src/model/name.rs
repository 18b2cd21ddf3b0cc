//! Names that end up in paths, unit names and sudoers lines, and are therefore strict.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a name was refused. Lower-case sentence, without the name itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadName(pub &'static str);

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for BadName {}

/// Checks `text` against the rule of all names: `[a-z][a-z0-9-]*`, at most `max` bytes, no
/// trailing dash. The rule is what is valid as a Linux user (useradd(8)), a systemd unit prefix
/// (systemd.unit(5)) and a folder at the same time.
fn check(text: &str, max: usize) -> Result<(), BadName> {
    if text.is_empty() {
        return Err(BadName("is empty"));
    }
    if text.len() > max {
        return Err(BadName("is too long"));
    }
    if !text.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Err(BadName("must start with a lower-case letter"));
    }
    if !text
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    {
        return Err(BadName(
            "may hold only lower-case letters, digits and dashes",
        ));
    }
    if text.ends_with('-') {
        return Err(BadName("must not end with a dash"));
    }
    Ok(())
}

macro_rules! name {
    ($(#[$doc:meta])* $ty:ident, $max:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $ty(String);

        impl $ty {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $ty {
            type Error = BadName;
            fn try_from(text: String) -> Result<Self, BadName> {
                check(&text, $max)?;
                Ok(Self(text))
            }
        }

        impl TryFrom<&str> for $ty {
            type Error = BadName;
            fn try_from(text: &str) -> Result<Self, BadName> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$ty> for String {
            fn from(name: $ty) -> String {
                name.0
            }
        }

        impl fmt::Display for $ty {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name!(
    /// The app: names the root folder, the units and the system user. At most 31 bytes, so that it
    /// is a valid Linux user name (useradd(8): 32 including the terminator on some systems).
    AppName,
    31
);
name!(
    /// A long-running process of the app, such as `web`.
    ServiceName,
    31
);
name!(
    /// A place where the app runs, such as `production`.
    EnvironmentName,
    31
);

impl EnvironmentName {
    /// The environment that is this machine: deployed without SSH.
    pub const LOCAL: &'static str = "local";

    /// Whether this is the built-in `local` environment.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.0 == Self::LOCAL
    }
}

/// How a host is addressed and printed: the manifest's `address`, such as
/// `deploy@web1.example.com`, an alias of `ssh_config(5)`, `ssh://user@host:port`, or `local`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostName(String);

impl HostName {
    /// This machine.
    #[must_use]
    pub fn local() -> Self {
        Self("local".to_owned())
    }

    /// The address as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address without the user and the scheme: what a person calls the machine.
    #[must_use]
    pub fn short(&self) -> &str {
        let bare = self.0.strip_prefix("ssh://").unwrap_or(&self.0);
        bare.rsplit_once('@').map_or(bare, |(_, host)| host)
    }
}

impl TryFrom<String> for HostName {
    type Error = BadName;
    fn try_from(text: String) -> Result<Self, BadName> {
        if text.is_empty() {
            return Err(BadName("is empty"));
        }
        // A leading dash would be an option to ssh(1).
        if text.starts_with('-') || HostName(text.clone()).short().starts_with('-') {
            return Err(BadName("must not start with a dash"));
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(BadName("must not hold white space"));
        }
        Ok(Self(text))
    }
}

impl TryFrom<&str> for HostName {
    type Error = BadName;
    fn try_from(text: &str) -> Result<Self, BadName> {
        Self::try_from(text.to_owned())
    }
}

impl From<HostName> for String {
    fn from(name: HostName) -> String {
        name.0
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_strict() {
        assert!(AppName::try_from("shop").is_ok());
        assert!(AppName::try_from("shop-2").is_ok());
        for bad in [
            "", "Shop", "my shop", "-x", "2x", "a/b", "a.b", "shop-", "ü", "a_b",
        ] {
            assert!(AppName::try_from(bad).is_err(), "{bad:?} was taken");
        }
        assert!(AppName::try_from("a".repeat(32)).is_err());
    }

    #[test]
    fn a_host_is_never_an_option_of_ssh() {
        assert!(HostName::try_from("-oProxyCommand=x").is_err());
        assert!(HostName::try_from("user@-oProxyCommand=x").is_err());
        assert!(HostName::try_from("a b").is_err());
        assert_eq!(
            HostName::try_from("ssh://deploy@web1:2222")
                .unwrap()
                .short(),
            "web1:2222"
        );
    }
}
