//! What a service manager keeps running: copies of a service.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ServiceName;

/// Which generation of a service an instance belongs to. While a release takes over from another, two
/// are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// The only one: the service is restarted in its place.
    Only,
    /// One of two.
    A,
    /// The other one.
    B,
}

/// One running copy of a service.
///
/// It is written as a word, of which units and files are named: `web` for the only instance of a
/// service that is restarted in its place, `web.a0` for the first one in slot A. A service's own name
/// has no dot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Instance {
    /// The service.
    pub service: ServiceName,
    /// Its generation.
    pub slot: Slot,
    /// Its number within the slot, from 0.
    pub index: u16,
}

impl Instance {
    /// The only instance of `service`.
    #[must_use]
    pub fn only(service: &ServiceName) -> Self {
        Self {
            service: service.clone(),
            slot: Slot::Only,
            index: 0,
        }
    }
}

/// Where an instance listens: apart from the port at which its service is known, which a release
/// names for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// A TCP port of this host; `None` where the service has none.
    pub port: Option<u16>,
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            service,
            slot,
            index,
        } = self;
        match slot {
            Slot::Only => write!(f, "{service}"),
            Slot::A => write!(f, "{service}.a{index}"),
            Slot::B => write!(f, "{service}.b{index}"),
        }
    }
}

/// A text that is no name of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadInstance(String);

impl fmt::Display for BadInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` names no instance of a service", self.0)
    }
}

impl std::error::Error for BadInstance {}

impl FromStr for Instance {
    type Err = BadInstance;

    fn from_str(text: &str) -> Result<Self, BadInstance> {
        let bad = || BadInstance(text.to_owned());
        let (service, rest) = text
            .split_once('.')
            .map_or((text, None), |(name, rest)| (name, Some(rest)));
        let service = ServiceName::try_from(service).map_err(|_| bad())?;
        let Some(rest) = rest else {
            return Ok(Self::only(&service));
        };
        let slot = [("a", Slot::A), ("b", Slot::B)].into_iter();
        let mut found = slot.filter_map(|(letter, slot)| Some((slot, rest.strip_prefix(letter)?)));
        let (slot, number) = found.next().ok_or_else(bad)?;
        let index: u16 = number.parse().map_err(|_| bad())?;
        // One spelling each: `a00` and `a+0` are none.
        if index.to_string() != number {
            return Err(bad());
        }
        Ok(Self {
            service,
            slot,
            index,
        })
    }
}

impl TryFrom<String> for Instance {
    type Error = BadInstance;

    fn try_from(text: String) -> Result<Self, BadInstance> {
        text.parse()
    }
}

impl From<Instance> for String {
    fn from(instance: Instance) -> Self {
        instance.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_name_is_read_as_it_was_written(
            service in "[a-z][a-z0-9-]{0,10}[a-z0-9]",
            slot in prop_oneof![Just(Slot::Only), Just(Slot::A), Just(Slot::B)],
            index: u16,
        ) {
            let index = if slot == Slot::Only { 0 } else { index };
            let service = ServiceName::try_from(service.as_str()).unwrap();
            let instance = Instance { service, slot, index };
            prop_assert_eq!(instance.to_string().parse(), Ok(instance));
        }

        #[test]
        fn nothing_else_is_one(text in "[a-c.0-9+]{0,6}") {
            if let Ok(instance) = text.parse::<Instance>() {
                prop_assert_eq!(instance.to_string(), text);
            }
        }
    }
}
