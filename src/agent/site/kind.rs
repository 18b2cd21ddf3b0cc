//! What a file is, by the end of its name (the registry of media types, IANA).

use std::ffi::OsStr;
use std::path::Path;

const UNKNOWN: &str = "application/octet-stream";

/// The media type of a file by its name; bytes without a meaning for an unknown one.
#[must_use]
pub fn content_type(path: &Path) -> &'static str {
    if path.file_name() == Some(OsStr::new("apple-app-site-association")) {
        return "application/json";
    }
    let end = path
        .extension()
        .and_then(OsStr::to_str)
        .unwrap_or_default()
        .to_ascii_lowercase();
    match end.as_str() {
        "html" | "htm" => "text/html; charset=utf-8",
        "xhtml" => "application/xhtml+xml",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" | "cjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "jsonld" => "application/ld+json",
        "webmanifest" => "application/manifest+json",
        "geojson" => "application/geo+json",
        "xml" | "xsl" => "application/xml",
        "rss" => "application/rss+xml",
        "atom" => "application/atom+xml",
        "txt" | "text" | "log" => "text/plain; charset=utf-8",
        "md" | "markdown" => "text/markdown; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "ics" => "text/calendar; charset=utf-8",
        "vcf" => "text/vcard; charset=utf-8",
        "vtt" => "text/vtt; charset=utf-8",
        "yaml" | "yml" => "application/yaml",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "apng" => "image/apng",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        "bmp" => "image/bmp",
        "tif" | "tiff" => "image/tiff",
        "woff2" => "font/woff2",
        "woff" => "font/woff",
        "ttf" => "font/ttf",
        "otf" => "font/otf",
        "eot" => "application/vnd.ms-fontobject",
        "mp4" | "m4v" => "video/mp4",
        "webm" => "video/webm",
        "mov" => "video/quicktime",
        "ogv" => "video/ogg",
        "mp3" => "audio/mpeg",
        "m4a" => "audio/mp4",
        "ogg" | "oga" | "opus" => "audio/ogg",
        "wav" => "audio/wav",
        "flac" => "audio/flac",
        "pdf" => "application/pdf",
        "wasm" => "application/wasm",
        "zip" => "application/zip",
        "gz" | "tgz" => "application/gzip",
        "zst" => "application/zstd",
        "xz" => "application/x-xz",
        "bz2" => "application/x-bzip2",
        "7z" => "application/x-7z-compressed",
        "tar" => "application/x-tar",
        "jxl" => "image/jxl",
        "aac" => "audio/aac",
        "weba" => "audio/webm",
        "m3u8" => "application/vnd.apple.mpegurl",
        "mpd" => "application/dash+xml",
        "gltf" => "model/gltf+json",
        "glb" => "model/gltf-binary",
        "epub" => "application/epub+zip",
        "rtf" => "application/rtf",
        "doc" => "application/msword",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xls" => "application/vnd.ms-excel",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "ppt" => "application/vnd.ms-powerpoint",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        _ => UNKNOWN,
    }
}

/// Whether the name ends like that of a file of a known kind: `app.js`, not `john.doe`.
#[must_use]
pub fn is_known(path: &Path) -> bool {
    content_type(path) != UNKNOWN
}

/// Whether files of this media type become smaller by compression.
#[must_use]
pub fn is_compressible(content_type: &str) -> bool {
    const OTHERS: &[&str] = &[
        "application/json",
        "application/rtf",
        "application/vnd.apple.mpegurl",
        "application/vnd.ms-fontobject",
        "application/wasm",
        "application/xml",
        "application/yaml",
        "font/otf",
        "font/ttf",
        "image/bmp",
        "image/svg+xml",
        "image/x-icon",
        "model/gltf-binary",
    ];
    content_type.starts_with("text/")
        || content_type.ends_with("+json")
        || content_type.ends_with("+xml")
        || OTHERS.contains(&content_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_name_decides() {
        let kind = |name: &str| content_type(Path::new(name));
        assert_eq!(kind("a/Index.HTML"), "text/html; charset=utf-8");
        assert_eq!(kind("app.min.js"), "text/javascript; charset=utf-8");
        assert_eq!(kind("module.wasm"), "application/wasm");
        assert_eq!(kind("LICENSE"), "application/octet-stream");
        assert_eq!(
            kind(".well-known/apple-app-site-association"),
            "application/json"
        );
        assert!(!is_known(Path::new("john.doe")) && is_known(Path::new("a.js")));
    }

    #[test]
    fn text_is_compressed_and_pictures_are_not() {
        for (name, expected) in [
            ("a.html", true),
            ("a.js", true),
            ("a.json", true),
            ("a.webmanifest", true),
            ("a.svg", true),
            ("a.wasm", true),
            ("a.png", false),
            ("a.woff2", false),
            ("a.zip", false),
            ("a", false),
        ] {
            let kind = content_type(Path::new(name));
            assert_eq!(is_compressible(kind), expected, "{name}");
        }
    }
}
