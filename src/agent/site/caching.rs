//! How long a browser may keep a file without asking again.

use std::path::Path;

/// Folders in which a build tool puts nothing but files whose names change with their content.
const HASHED_FOLDERS: &[&[&str]] = &[&["_next", "static"], &["_app", "immutable"], &["_astro"]];

/// Folders in which build tools put files with short hashes in their names, beside others.
const BUILT_FOLDERS: &[&str] = &[
    "_nuxt", "assets", "build", "chunks", "client", "css", "dist", "fonts", "img", "js", "media",
    "static",
];

/// The `Cache-Control` of the file at `path` of a site. A release can be replaced or rolled back at
/// any moment, so a browser asks again each time, which costs a 304; but a name that holds a hash
/// of the content stands for that content for ever.
#[must_use]
pub fn cache_control(path: &Path, content_type: &str) -> &'static str {
    if content_type.starts_with("text/html") {
        "no-cache"
    } else if is_hashed(path) {
        "public, max-age=31536000, immutable"
    } else {
        "public, max-age=0, must-revalidate"
    }
}

/// Whether the name holds a hash of the content, as Vite, webpack, esbuild and the tools that stand on
/// them write it. In doubt it does not: a browser that keeps an old file is worse than one that asks.
fn is_hashed(path: &Path) -> bool {
    let Some(names) = path
        .iter()
        .map(|name| name.to_str())
        .collect::<Option<Vec<_>>>()
    else {
        return false;
    };
    let Some((file, folders)) = names.split_last() else {
        return false;
    };
    let within = |hashed: &&[&str]| folders.windows(hashed.len()).any(|part| part == *hashed);
    if HASHED_FOLDERS.iter().any(within) {
        return true;
    }
    let Some((stem, _)) = file.rsplit_once('.') else {
        return false;
    };
    let is_built = folders.iter().any(|folder| BUILT_FOLDERS.contains(folder));
    let mut pieces = stem.split('.').enumerate();
    pieces.any(|(at, piece)| {
        let is_alone = at > 0 || stem == piece;
        let end = piece.rsplit_once(['-', '_']).map(|(_, end)| end);
        let tail = end.or(is_alone.then_some(piece));
        let short = short_end(piece, is_alone);
        tail.is_some_and(is_hex_hash)
            || short.is_some_and(is_upper_hash)
            || (is_built && short.is_some_and(is_mixed_hash))
    })
}

/// The last 8 characters, after a dash or alone. They may hold dashes themselves.
fn short_end(piece: &str, is_alone: bool) -> Option<&str> {
    let start = piece.len().checked_sub(8)?;
    let end = piece.get(start..)?;
    let is_apart = match start {
        0 => is_alone,
        _ => piece[..start].ends_with('-'),
    };
    is_apart.then_some(end)
}

/// webpack, Parcel, Next.js, Gatsby, Hugo: 8 to 64 hexadecimal digits. Digits alone may be a date.
fn is_hex_hash(text: &str) -> bool {
    (8..=64).contains(&text.len())
        && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        && text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().any(|b| b.is_ascii_alphabetic())
}

/// esbuild and Angular: 8 characters of base32. Without a digit it may be a word.
fn is_upper_hash(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'2'..=b'7'))
        && text.bytes().filter(u8::is_ascii_digit).count() > 0
        && text.bytes().filter(u8::is_ascii_uppercase).count() > 0
        && !is_words(text)
}

/// Vite and Rollup: 8 characters of base64url, with letters of both cases, and not like words.
fn is_mixed_hash(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        && text.bytes().any(|b| b.is_ascii_uppercase())
        && text.bytes().any(|b| b.is_ascii_lowercase())
        && !is_words(text)
}

/// Whether `text` reads like words and a number: `Download`, `readOnly`, `Chapter1`, `IMG23456`.
fn is_words(text: &str) -> bool {
    let letters = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let letters = letters.trim_end_matches(['-', '_']);
    let is_upper = |c: char| c.is_ascii_uppercase();
    if letters.chars().all(is_upper) {
        return true;
    }
    // Each capital letter begins a word of at least two letters.
    let mut words = letters.split(is_upper);
    let first = words.next().unwrap_or_default();
    letters.chars().all(|c| c.is_ascii_alphabetic())
        && (first.is_empty() || first.len() > 1 || words.clone().count() == 0)
        && words.all(|rest| !rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_tools_write_are_kept_for_ever() {
        for name in [
            "assets/index-BKfNwzuN.js",
            "assets/index-D3x-_aQ9.css",
            "assets/react-CHdo91hT.svg",
            "assets/app.B8-t_4Zq.js",
            "assets/guide_a.md.C9kzZ1bR.lean.js",
            "_nuxt/BKfNwzuN.js",
            "_nuxt/entry.CtQ1Pz0a.css",
            "_astro/hoisted.js",
            "base/_astro/about.css",
            "_app/immutable/nodes/0.js",
            "_next/static/chunks/pages/index.js",
            "static/js/main.3f2a1b9c.js",
            "static/js/787.3f2a1b9c.chunk.js",
            "assets/javascripts/bundle.83f73b43.min.js",
            "main.3f2a1b9c4d5e6f708192.js",
            "app-0123456789abcdef0123.js",
            "css/main.min.0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9.css",
            "main-5OQX2XHM.js",
            "chunk-FK6H3RFT.js",
            "styles-QWERTY2A.css",
        ] {
            assert!(is_hashed(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn names_that_people_write_are_asked_for_again() {
        for name in [
            "app.js",
            "assets/index.js",
            "assets/my-component.js",
            "assets/file-Download.png",
            "assets/file-download.png",
            "assets/lib-readOnly.js",
            "assets/book-Chapter1.pdf",
            "assets/trip-IMG23456.jpg",
            "assets/trip-IMG_0001.jpg",
            "assets/trip-DSC01234.jpg",
            "photo-20240101.jpg",
            "20240101.txt",
            "fonts/OpenSans.woff2",
            "fonts/Inter-SemiBold.woff2",
            "BKfNwzuN.pdf",
            "report-BKfNwzuN.pdf",
            "jquery-3.7.1.min.js",
            "bootstrap.bundle.min.js",
            "_nuxt/builds/latest.json",
            "deadbeef",
            "cafebabe.txt",
            "",
        ] {
            assert!(!is_hashed(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn a_page_is_always_asked_for() {
        let page = Path::new("_next/static/a.html");
        assert_eq!(cache_control(page, "text/html; charset=utf-8"), "no-cache");
    }
}
