//! Addresses of hosts, as the manifest has them.

use super::super::Target;

/// The parts of a host's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address<'a> {
    /// The login, where it is named.
    pub user: Option<&'a str>,
    /// The name that ssh(1) is given: an alias, a name, an address.
    pub host: &'a str,
    /// The port, where it is named.
    pub port: Option<u16>,
}

impl<'a> Address<'a> {
    /// The address of `target`, with its user in the place of the address's.
    pub fn of(target: &'a Target) -> Self {
        let address = Self::parse(target.host.as_str());
        Self {
            user: target.user.as_deref().or(address.user),
            ..address
        }
    }

    /// Reads `[ssh://][user@]host[:port]`; an IPv6 address may stand in brackets.
    fn parse(text: &'a str) -> Self {
        let text = text
            .strip_prefix("ssh://")
            .unwrap_or(text)
            .trim_end_matches('/');
        let (user, rest) = match text.rsplit_once('@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, text),
        };
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                port.parse().map_or((rest, None), |port| (host, Some(port)))
            }
            _ => (rest, None),
        };
        let host = host
            .strip_prefix('[')
            .and_then(|h| h.strip_suffix(']'))
            .unwrap_or(host);
        Self { user, host, port }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let all = |text: &'static str| {
            let address = Address::parse(text);
            (address.user, address.host, address.port)
        };
        assert_eq!(all("web1"), (None, "web1", None));
        assert_eq!(
            all("deploy@web1:2222"),
            (Some("deploy"), "web1", Some(2222))
        );
        assert_eq!(
            all("ssh://deploy@web1:22/"),
            (Some("deploy"), "web1", Some(22))
        );
        assert_eq!(
            all("deploy@[fe80::1]:22"),
            (Some("deploy"), "fe80::1", Some(22))
        );
        assert_eq!(all("deploy@fe80::1"), (Some("deploy"), "fe80::1", None));
        // An address of one link: ssh(1) resolves it with its scope, without the brackets.
        let scoped = (Some("deploy"), "fe80::1%eth0", None);
        for text in ["deploy@[fe80::1%eth0]", "deploy@fe80::1%eth0"] {
            assert_eq!(all(text), scoped);
        }
        let with_port = (Some("deploy"), "fe80::1%eth0", Some(22));
        for text in ["ssh://deploy@[fe80::1%eth0]:22", "deploy@[fe80::1%eth0]:22"] {
            assert_eq!(all(text), with_port);
        }
    }
}
