//! What variables are known to be by their names.

/// What `ship`, the host or the tools give every process.
const GIVEN: &[&str] = &[
    "PORT",
    "HOME",
    "PATH",
    "USER",
    "LOGNAME",
    "SHELL",
    "PWD",
    "TMPDIR",
    "OUT_DIR",
    "TARGET",
    "PROFILE",
    "CI",
    "VIRTUAL_ENV",
    "RUNTIME_DIRECTORY",
];

/// Settings that everybody may read, and that most apps have.
const SETTINGS: &[&str] = &[
    "HOST",
    "HOSTNAME",
    "BIND",
    "BIND_ADDR",
    "ADDR",
    "ADDRESS",
    "DEBUG",
    "TZ",
    "LANG",
    "LOCALE",
    "ENV",
    "ENVIRONMENT",
    "STAGE",
    "RUST_LOG",
    "DOMAIN",
    "APP_DOMAIN",
    "PHX_HOST",
    "ORIGIN",
    "APP_NAME",
    "PROJECT_NAME",
    "SITE_NAME",
    "API_PREFIX",
    "API_VERSION",
    "TRUST_PROXY",
    "NODE_OPTIONS",
];

/// Ends of the names of such settings.
const ENDS: &[&str] = &[
    "_PORT",
    "_ENV",
    "_ENVIRONMENT",
    "_ORIGIN",
    "_ORIGINS",
    "ALLOWED_HOSTS",
    "_REGION",
    "_TIMEOUT",
    "_LOCALE",
];

/// Last words of names that say that the value is a number, a duration, a switch or a name, whatever
/// it is about: `PASSWORD_MIN_LENGTH`, `TOKEN_EXPIRES_IN`.
#[rustfmt::skip]
const PLAIN: &[&str] = &[
    "AGE", "ALGORITHM", "AUDIENCE", "COST", "COUNT", "DAYS", "DURATION", "ENABLED", "EXP",
    "EXPIRATION", "EXPIRE", "EXPIRED", "EXPIRED_IN", "EXPIRES", "EXPIRES_IN", "EXPIRE_IN", "EXPIRY", "HEADER", "HOURS",
    "INTERVAL", "ISSUER", "ITERATIONS", "LENGTH", "LIFETIME", "LIMIT", "MAXAGE", "MINUTES", "MS",
    "NAME", "PERIOD", "ROUNDS", "SECONDS", "SIZE", "TIME", "TTL", "VALIDITY",
];

/// Ends of the names of settings that choose among what the app itself has: the value that the
/// project publishes is right on every host.
const CHOICES: &[&str] = &[
    "LOG_LEVEL",
    "LOG_FORMAT",
    "LOGLEVEL",
    "_DRIVER",
    "_STORE",
    "_DISK",
    "_MAILER",
];

/// Whose addresses are no secret: those of the app itself.
const OWN: &[&str] = &[
    "APP",
    "BASE",
    "SITE",
    "PUBLIC",
    "SERVER",
    "CLIENT",
    "FRONTEND",
    "BACKEND",
    "WEB",
    "API",
    "AUTH",
    "NEXTAUTH",
    "BETTER_AUTH",
    "SELF",
    "ROOT",
    "HOST",
    "EXTERNAL",
    "CALLBACK",
    "REDIRECT",
    "WEBSITE",
];

/// What builds put where every visitor sees it.
pub(in crate::project::detect) const PUBLIC: &[&str] = &[
    "NEXT_PUBLIC_",
    "NUXT_PUBLIC_",
    "VITE_",
    "PUBLIC_",
    "REACT_APP_",
    "GATSBY_",
    "EXPO_PUBLIC_",
];

/// Whether a variable of this name is plainly a setting that may stand in a manifest.
pub(super) fn is_setting(name: &str) -> bool {
    let is_own_address = || {
        let owner = name.strip_suffix("_URL").or(name.strip_suffix("_URI"));
        let owner = owner.map(|owner| owner.strip_suffix("_BASE").unwrap_or(owner));
        owner.is_some_and(|owner| {
            let last = OWN.iter().any(|own| owner.ends_with(&format!("_{own}")));
            OWN.contains(&owner) || last && owner.starts_with("APP_")
        })
    };
    SETTINGS.contains(&name)
        || is_choice(name)
        || is_plain(name)
        || ENDS.iter().any(|end| name.ends_with(end))
        || PUBLIC.iter().any(|start| name.starts_with(start))
        || is_own_address()
}

/// Whether the value is no secret, also where the name is about one.
pub(in crate::project::detect) fn is_plain(name: &str) -> bool {
    PLAIN.iter().any(|word| {
        let before = name.strip_suffix(word);
        before.is_some_and(|before| before.ends_with('_'))
    })
}

/// Whether it chooses among what the app itself has.
pub(super) fn is_choice(name: &str) -> bool {
    CHOICES.iter().any(|end| name.ends_with(end))
}

/// Whether a process has this variable anyway.
pub(super) fn is_given(name: &str) -> bool {
    GIVEN.contains(&name) || name.starts_with("CARGO_") || name.starts_with("npm_")
}
