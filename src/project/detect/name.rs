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

/// What generators and templates call a project that nobody has named yet.
const PLACEHOLDERS: &[&str] = &[
    "app",
    "boilerplate",
    "demo",
    "example",
    "hello-world",
    "helloworld",
    "hexo-site",
    "laravel",
    "monorepo",
    "my-app",
    "my-project",
    "my-v0-project",
    "my-workspace",
    "myapp",
    "nuxt-app",
    "package",
    "project",
    "sample",
    "skeleton",
    "source",
    "starter",
    "svelte-app",
    "template",
    "untitled",
    "vite-project",
    "vue-project",
    "workspace",
];

/// Ends of the names of such templates.
const TEMPLATES: &[&str] = &[
    "-boilerplate",
    "-quickstart",
    "-skeleton",
    "-starter",
    "-starter-kit",
    "-stater-kit",
    "-template",
];

/// The app's name, made from what its manifest says: `None` for a placeholder, and the scope of one
/// that has a scope, `shop` of `@shop/source`.
pub(super) fn of_manifest(text: &str) -> Option<AppName> {
    let name = app_name(text)?;
    if !is_placeholder(name.as_str()) {
        return Some(name);
    }
    let (scope, _) = text.strip_prefix('@')?.split_once('/')?;
    app_name(scope).filter(|scope| !is_placeholder(scope.as_str()))
}

fn is_placeholder(name: &str) -> bool {
    PLACEHOLDERS.contains(&name) || TEMPLATES.iter().any(|end| name.ends_with(end))
}

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
    use super::{app_name, of_manifest};

    #[test]
    fn a_placeholder_is_no_name() {
        for (text, name) in [
            ("hexo-site", None),
            ("My App", None),
            ("@shop/source", Some("shop")),
            ("@acme/shop", Some("shop")),
            ("@app/source", None),
            ("slim-skeleton", None),
            ("adonisjs-web-stater-kit", None),
            ("starter-shop", Some("starter-shop")),
        ] {
            let found = of_manifest(text);
            assert_eq!(found.as_ref().map(|it| it.as_str()), name, "{text:?}");
        }
    }

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
