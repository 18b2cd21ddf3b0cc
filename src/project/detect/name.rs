//! The app's name, made from what the project calls itself.

use crate::model::AppName;

/// The rule of [`AppName`]: at most so many bytes.
const MAX: usize = 31;

/// Accounts that hosts have already: a service must never run as one of these by accident.
const ACCOUNTS: &[&str] = &[
    "root", "daemon", "bin", "sys", "sync", "games", "man", "lp", "mail", "news", "proxy",
    "backup", "list", "nobody", "sshd", "nginx", "mysql", "postgres", "redis", "docker", "sudo",
    "admin", "ubuntu", "debian", "deploy",
];

/// `My Shop_2` → `my-shop-2`, `@acme/shop` → `shop`, `2048` → `app-2048`, `root` → `root-app`.
/// `None` when nothing of `text` can stay.
#[must_use]
pub fn app_name(text: &str) -> Option<AppName> {
    let own = match text.split_once('/') {
        Some((scope, own)) if scope.starts_with('@') => own,
        _ => text,
    };
    let mut name = String::new();
    for c in own.chars() {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_lowercase() || c.is_ascii_digit() => name.push(c),
            _ if name.ends_with('-') || name.is_empty() => {}
            _ => name.push('-'),
        }
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert_str(0, "app-");
    }
    if ACCOUNTS.contains(&name.trim_end_matches('-')) {
        name = format!("{}-app", name.trim_end_matches('-'));
    }
    name.truncate(MAX);
    AppName::try_from(name.trim_end_matches('-')).ok()
}

#[cfg(test)]
mod tests {
    use super::app_name;

    #[test]
    fn any_name_becomes_a_valid_one() {
        for (text, name) in [
            ("My Shop_2", "my-shop-2"),
            ("@acme/shop", "shop"),
            ("2048", "app-2048"),
            ("--x--", "x"),
            ("shop.example.com", "shop-example-com"),
            ("Root", "root-app"),
            (
                "a-very-long-name-that-is-cut-at-1-and-more",
                "a-very-long-name-that-is-cut-at",
            ),
        ] {
            assert_eq!(app_name(text).unwrap().as_str(), name, "{text:?}");
        }
        assert_eq!(app_name("日本"), None);
        assert_eq!(app_name(""), None);
    }
}
