//! What a runtime needs from this host beyond its own archive: a C library that is new enough, and
//! shared libraries.

use std::path::Path;
use std::time::Duration;

use super::{Problem, archive, title};
use crate::agent::service::child::{self, NoOutput};
use crate::model::HostRuntime;

/// How long a program of the system may take to answer.
const DEADLINE: Duration = Duration::from_secs(5);

/// The C library of this host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CLibrary {
    Glibc(u32, u32),
    Musl,
    /// It does not say; nothing is refused for that.
    Unknown,
}

/// What is missing for `runtimes` here. Looks only when one of them needs something.
pub(super) fn problems(runtimes: &[&HostRuntime]) -> Vec<Problem> {
    let needing = |runtime: &&&HostRuntime| {
        archive(runtime).is_some_and(|a| a.needs.glibc.is_some() || !a.needs.libraries.is_empty())
    };
    let needing: Vec<&&HostRuntime> = runtimes.iter().filter(needing).collect();
    if needing.is_empty() {
        return Vec::new();
    }
    let library = c_library();
    let cache = library_cache();
    let mut problems = Vec::new();
    for runtime in needing {
        let Some(archive) = archive(runtime) else {
            continue;
        };
        let title = title(runtime);
        if let Some(oldest) = archive.needs.glibc
            && let Some(problem) = too_old(&title, oldest, library)
        {
            problems.push(problem);
            // What is missing beside another C library is of no interest.
            continue;
        }
        let missing = archive.needs.libraries.iter();
        let is_missing = |name: &str| {
            cache
                .as_deref()
                .is_some_and(|cache| !has_library(name, cache))
        };
        let missing = missing.filter(|(name, _)| is_missing(name));
        problems.extend(missing.map(|(name, package)| Problem {
            text: format!("{title} needs {name}, which this host does not have"),
            hint: format!("install the package {package} on the host: apt-get install {package}"),
        }));
    }
    problems
}

fn too_old(title: &str, oldest: (u32, u32), found: CLibrary) -> Option<Problem> {
    let (major, minor) = oldest;
    let found = match found {
        CLibrary::Unknown => return None,
        CLibrary::Glibc(a, b) if (a, b) >= oldest => return None,
        CLibrary::Glibc(a, b) => format!("has glibc {a}.{b}"),
        CLibrary::Musl => "has musl instead of glibc".to_owned(),
    };
    Some(Problem {
        text: format!("{title} needs glibc {major}.{minor} or newer; this host {found}"),
        hint: "deploy to a host with a newer system, or pin a version that runs on this one"
            .to_owned(),
    })
}

fn c_library() -> CLibrary {
    let said = |program: &str, argument: &str| {
        let output = child::run(child::command(program).arg(argument), DEADLINE).ok()?;
        Some(format!("{}\n{}", output.stdout, output.stderr))
    };
    // getconf(1) of glibc; that of musl knows no such name.
    let asked = said("getconf", "GNU_LIBC_VERSION").and_then(|text| read_getconf(&text));
    asked
        .or_else(|| said("ldd", "--version").and_then(|text| read_ldd(&text)))
        .unwrap_or(CLibrary::Unknown)
}

/// `glibc 2.36`.
fn read_getconf(text: &str) -> Option<CLibrary> {
    glibc(text.trim().strip_prefix("glibc ")?)
}

/// `ldd (Debian GLIBC 2.36-9+deb12u4) 2.36`, or `musl libc (x86_64)`.
fn read_ldd(text: &str) -> Option<CLibrary> {
    if text.contains("musl") {
        return Some(CLibrary::Musl);
    }
    glibc(text.lines().next()?.split_whitespace().last()?)
}

fn glibc(version: &str) -> Option<CLibrary> {
    let mut numbers = version.trim().split('.').map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Some(CLibrary::Glibc(major, minor)),
        _ => None,
    }
}

/// The libraries that the loader's cache names, with their places: `ldconfig -p` (ldconfig(8)).
///
/// `None` where ldconfig does not answer: which libraries are there is not known then.
fn library_cache() -> Option<Vec<(String, String)>> {
    match child::run(child::command("ldconfig").arg("-p"), DEADLINE) {
        Ok(output) => Some(read_cache(&output.stdout)),
        // A system without a cache has its libraries in the standard folders.
        Err(NoOutput::NotFound) => Some(Vec::new()),
        Err(_) => None,
    }
}

/// Lines such as `libz.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libz.so.1`, of this
/// architecture.
fn read_cache(text: &str) -> Vec<(String, String)> {
    let mark = match std::env::consts::ARCH {
        "x86_64" => "x86-64",
        "aarch64" => "AArch64",
        _ => "",
    };
    text.lines()
        .filter_map(|line| {
            let (name, rest) = line.trim().split_once(' ')?;
            let (kind, place) = rest.split_once(" => ")?;
            kind.contains(mark)
                .then(|| (name.to_owned(), place.to_owned()))
        })
        .collect()
}

/// Whether the loader (ld.so(8)) would find it: in its cache, or in its standard folders. What the
/// cache names may be gone.
fn has_library(name: &str, cache: &[(String, String)]) -> bool {
    let is_there = |path: &str| Path::new(path).exists();
    let arch = std::env::consts::ARCH;
    cache
        .iter()
        .any(|(known, place)| known == name && is_there(place))
        || [
            format!("/lib/{arch}-linux-gnu"),
            format!("/usr/lib/{arch}-linux-gnu"),
            "/lib64".to_owned(),
            "/usr/lib64".to_owned(),
        ]
        .iter()
        .any(|folder| is_there(&format!("{folder}/{name}")))
        // Where there is no folder for 64 bits of its own, /usr/lib is that.
        || (!is_there("/usr/lib64") && is_there(&format!("/usr/lib/{name}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::runtimes::example;
    use crate::model::runtime::{RuntimeNeeds, RuntimeSource};

    #[test]
    fn the_c_library_is_read_from_what_programs_say() {
        assert_eq!(read_getconf("glibc 2.36\n\n"), Some(CLibrary::Glibc(2, 36)));
        assert_eq!(
            read_getconf("getconf: no such configuration parameter"),
            None
        );
        let debian = "ldd (Debian GLIBC 2.36-9+deb12u4) 2.36\nCopyright (C) 2022";
        assert_eq!(read_ldd(debian), Some(CLibrary::Glibc(2, 36)));
        let centos = "ldd (GNU libc) 2.17\n";
        assert_eq!(read_ldd(centos), Some(CLibrary::Glibc(2, 17)));
        let alpine = "\nmusl libc (x86_64)\nVersion 1.2.4\nDynamic Program Loader\n";
        assert_eq!(read_ldd(alpine), Some(CLibrary::Musl));
        assert_eq!(read_ldd(""), None);
    }

    #[test]
    fn an_old_c_library_is_told_with_both_versions() {
        let text = |found| too_old("node 20.11.1", (2, 28), found).map(|problem| problem.text);
        assert_eq!(
            text(CLibrary::Glibc(2, 17)).as_deref(),
            Some("node 20.11.1 needs glibc 2.28 or newer; this host has glibc 2.17")
        );
        assert_eq!(
            text(CLibrary::Musl).as_deref(),
            Some("node 20.11.1 needs glibc 2.28 or newer; this host has musl instead of glibc")
        );
        for enough in [
            CLibrary::Glibc(2, 28),
            CLibrary::Glibc(3, 0),
            CLibrary::Unknown,
        ] {
            assert_eq!(text(enough), None);
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn the_cache_is_read_for_this_architecture() {
        let text = "2 libs found in cache `/etc/ld.so.cache'\n\
            \tlibz.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libz.so.1\n\
            \tlibz.so.1 (libc6) => /lib32/libz.so.1\n";
        let found = read_cache(text);
        let place = "/lib/x86_64-linux-gnu/libz.so.1".to_owned();
        assert_eq!(found, [("libz.so.1".to_owned(), place)]);
    }

    #[test]
    fn every_missing_library_is_named_with_its_package() {
        let mut node = example("node", "20.11.1", None);
        if let RuntimeSource::Archive(archive) = &mut node.source {
            archive.needs = RuntimeNeeds {
                glibc: None,
                libraries: [("libc.so.6", "libc6"), ("libnone.so.9", "libnone9")]
                    .map(|(name, package)| (name.to_owned(), package.to_owned()))
                    .into(),
            };
        }
        let problems = problems(&[&node]);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(
            problems[0].text,
            "node 20.11.1 needs libnone.so.9, which this host does not have"
        );
        assert!(problems[0].hint.ends_with("apt-get install libnone9"));
    }
}
