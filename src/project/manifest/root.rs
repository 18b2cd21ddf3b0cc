//! Where on a host an app may live.

use super::context::Context;
use super::node::Spot;

/// Folders of the system: nothing may live in them.
const SYSTEM: &[&str] = &[
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/lost+found",
    "/proc",
    "/sbin",
    "/sys",
    "/usr/bin",
    "/usr/include",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/sbin",
    "/usr/share",
    "/usr/src",
];

/// Folders that hold those of others: an app lives below them, never in their place.
const SHARED: &[&str] = &[
    "/",
    "/home",
    "/media",
    "/mnt",
    "/opt",
    "/root",
    "/run",
    "/srv",
    "/tmp",
    "/usr",
    "/usr/local",
    "/usr/local/bin",
    "/usr/local/lib",
    "/var",
    "/var/cache",
    "/var/lib",
    "/var/local",
    "/var/log",
    "/var/opt",
    "/var/run",
    "/var/spool",
    "/var/tmp",
    "/var/www",
];

/// `root` of an environment: absolute or beginning with `~/`; never the place of something else.
/// It is written into unit files and sudoers lines, and so holds plain characters only.
pub(super) fn root(ctx: &mut Context, spot: &Spot<&str>) -> Option<String> {
    let text = spot.value;
    match refuse(text) {
        None => Some(text.trim_end_matches('/').to_owned()),
        Some(why) => {
            ctx.error(spot.span.clone(), format!("`root` cannot be `{text}`"), why)
                .help("expected a folder of its own, such as `/srv/shop` or `~/apps/shop`");
            None
        }
    }
}

fn refuse(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("the path is empty");
    }
    if !text.starts_with('/') && !text.starts_with("~/") {
        return Some("expected an absolute path, or one beginning with `~/`");
    }
    let path = text.trim_end_matches('/');
    let below = path.strip_prefix('~').unwrap_or(path);
    if below.is_empty() {
        return Some(match text.starts_with('~') {
            true => "this is the home folder itself",
            false => "this is the whole file system",
        });
    }
    let mut parts = below.split('/').skip(1);
    if parts.any(|part| matches!(part, "" | "." | "..")) {
        return Some("`..`, `.` and doubled slashes are not allowed here");
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@".contains(c);
    if !below.chars().all(plain) {
        return Some("only letters, digits and `/ . _ - + @` are allowed here");
    }
    if path.starts_with('~') {
        return None;
    }
    let in_system = |folder: &str| {
        path.strip_prefix(folder)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if SYSTEM.iter().copied().any(in_system) {
        return Some("this folder belongs to the system");
    }
    if SHARED.contains(&path) {
        return Some("this folder holds the folders of others");
    }
    match path.strip_prefix("/home/") {
        Some(user) if !user.contains('/') => Some("this is a home folder itself"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::refuse;

    #[test]
    fn an_app_lives_in_a_folder_of_its_own() {
        for good in [
            "/srv/shop",
            "/srv/shop/",
            "~/apps/shop",
            "~/x",
            "/home/deploy/shop",
            "/opt/shop",
            "/var/www/shop",
            "/tmp/shop",
            "/binaries",
            "/usr/local/shop",
        ] {
            assert_eq!(refuse(good), None, "{good}");
        }
        for bad in [
            "",
            "/",
            "//",
            "~",
            "~/",
            "~//x",
            "shop",
            "./shop",
            "~user/x",
            "/srv",
            "/srv/",
            "/etc",
            "/etc/shop",
            "/usr",
            "/usr/lib/shop",
            "/home",
            "/home/deploy",
            "/home/deploy/",
            "/root",
            "/srv/../etc",
            "/srv/./x",
            "/srv//x",
            "/srv/my shop",
            "/srv/%n",
            "/srv/a\nb",
            "/srv/$x",
            "/dev/shm/x",
            "/proc/self",
        ] {
            assert!(refuse(bad).is_some(), "{bad:?} was taken");
        }
    }
}
