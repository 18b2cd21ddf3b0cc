//! What a site says about itself: its fallback, `_redirects`, `_headers`, and how it is compressed
//! and kept.

use std::io::Read;
use std::path::Path;

use super::super::site::Site as Served;
use super::{Site, write};

const HTML: &str = "accept: text/html\r\n";

#[test]
fn the_fallback_answers_for_pages_and_not_for_files() {
    let files = [
        ("public/index.html", "app"),
        ("public/404.html", "lost"),
        ("public/about.html", "about"),
    ];
    let site = Site::with(&files, Some("index.html"));
    for page in ["/users/7", "/users/7/", "/deep/er/still?x=1"] {
        let answer = site.server.ask("GET", page, HTML);
        assert_eq!((answer.status, answer.body()), (200, "app".to_owned()));
        assert_eq!(answer.header("cache-control"), Some("no-cache"));
        assert_eq!(site.seen(page), (200, "app".to_owned()));
    }
    for missing in ["/assets/app.js", "/logo.png", "/.env", "/.git/config"] {
        let answer = site.server.ask("GET", missing, HTML);
        assert_eq!(
            (answer.status, answer.body()),
            (404, "lost".to_owned()),
            "{missing}"
        );
    }
    let fetched = site.server.ask("GET", "/api", "sec-fetch-mode: cors\r\n");
    assert_eq!(fetched.status, 404);
    assert_eq!(site.seen("/about"), (200, "about".to_owned()));
    let head = site.server.ask("HEAD", "/users/7", HTML);
    assert_eq!(
        (head.status, head.header("content-length")),
        (200, Some("3"))
    );
}

#[test]
fn a_fallback_that_is_not_there_is_refused() {
    let release = tempfile::tempdir().unwrap();
    write(release.path(), "public/a.html", b"a");
    let public = release.path().join("public");
    let error = Served::open(&public, Some(Path::new("index.html"))).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "cannot serve {}: its fallback, index.html, is not there",
            public.display()
        )
    );
}

#[test]
fn redirects_lead_on_and_files_come_before_them() {
    let rules = "/old /new\n/here /index.html 200\n/blog/* /posts/:splat 302\n\
                 /there /elsewhere 308!\n/gone /index.html 410\n/api/* https://a.example/:splat 200\n\
                 /docs/* /folder 200\n/up/* /:splat 200\n";
    let site = Site::of(&[
        ("public/_redirects", rules),
        ("public/index.html", "home"),
        ("public/there.html", "there"),
        ("public/blog/kept.html", "kept"),
        ("public/folder/index.html", "folder"),
        ("secret.txt", "secret"),
    ]);
    let led = |path: &str| {
        let answer = site.get(path);
        let location = answer.header("location").unwrap_or("-").to_owned();
        (answer.status, location)
    };
    assert_eq!(led("/old"), (301, "/new".to_owned()));
    assert_eq!(led("/old/?q=1"), (301, "/new?q=1".to_owned()));
    assert_eq!(led("/blog/a/b"), (302, "/posts/a/b".to_owned()));
    assert_eq!(led("/there"), (308, "/elsewhere".to_owned()));
    assert_eq!(site.get("/old").header("cache-control"), Some("no-cache"));
    assert_eq!(site.seen("/blog/kept"), (200, "kept".to_owned()));
    assert_eq!(site.seen("/here"), (200, "home".to_owned()));
    assert_eq!(site.seen("/gone"), (410, "home".to_owned()));
    assert_eq!(site.seen("/docs/x"), (200, "folder".to_owned()));
    for nothing in [
        "/_redirects",
        "/api/x",
        "/up/..%2fsecret.txt",
        "/up/%2e%2e/secret.txt",
        "/none",
    ] {
        let answer = site.get(nothing);
        assert!(matches!(answer.status, 400 | 404), "{nothing}");
        assert!(!answer.body().contains("secret"), "{nothing}");
    }
}

#[test]
fn headers_are_the_sites_own_choice() {
    let rules = "/*\n  X-Frame-Options: DENY\n  ! X-Content-Type-Options\n\
                 /app.js\n  Cache-Control: public, max-age=60\n  Content-Length: 1\n";
    let site = Site::of(&[
        ("public/_headers", rules),
        ("public/app.js", "let a;"),
        ("public/docs/index.html", "docs"),
    ]);
    let script = site.get("/app.js");
    assert_eq!(script.header("cache-control"), Some("public, max-age=60"));
    assert_eq!(script.header("x-frame-options"), Some("DENY"));
    assert_eq!(script.header("x-content-type-options"), None);
    assert_eq!(script.header("content-length"), Some("6"));
    let etag = format!("if-none-match: {}\r\n", script.header("etag").unwrap());
    let same = site.server.ask("GET", "/app.js", &etag);
    assert_eq!(
        (same.status, same.header("cache-control")),
        (304, Some("public, max-age=60"))
    );
    assert_eq!(site.get("/none").header("x-frame-options"), Some("DENY"));
    assert_eq!(site.get("/none").header("cache-control"), Some("no-cache"));
    assert_eq!(site.get("/docs").header("x-frame-options"), None);
    assert_eq!(site.get("/_headers").status, 404);
}

#[test]
fn hashed_names_are_kept_for_ever() {
    let site = Site::of(&[
        ("public/assets/index-BKfNwzuN.js", "a"),
        ("public/assets/index.js", "b"),
    ]);
    let kept = |path: &str| site.get(path).header("cache-control").map(str::to_owned);
    let for_ever = Some("public, max-age=31536000, immutable".to_owned());
    assert_eq!(kept("/assets/index-BKfNwzuN.js"), for_ever);
    assert_ne!(kept("/assets/index.js"), for_ever);
    assert_ne!(kept("/assets/other-BKfNwzuX.js"), for_ever, "not there");
}

#[test]
fn a_compressed_twin_is_sent_to_whom_takes_it() {
    let site = Site::of(&[
        ("public/app.js", "the script"),
        ("public/app.js.br", "brotli"),
        ("public/app.js.gz", "gz"),
        ("public/photo.png", "png"),
        ("public/photo.png.gz", "no"),
    ]);
    let ask = |path: &str, headers: &str| site.server.ask("GET", path, headers);
    let br = ask("/app.js", "accept-encoding: gzip, br\r\n");
    assert_eq!((br.status, br.body()), (200, "brotli".to_owned()));
    assert_eq!(br.header("content-encoding"), Some("br"));
    assert_eq!(br.header("content-length"), Some("6"));
    assert_eq!(
        br.header("content-type"),
        Some("text/javascript; charset=utf-8")
    );
    assert_eq!(br.header("vary"), Some("accept-encoding"));
    let gz = ask("/app.js", "accept-encoding: br;q=0.1, gzip\r\n");
    assert_eq!(
        (gz.header("content-encoding"), gz.body()),
        (Some("gzip"), "gz".to_owned())
    );
    let plain = ask("/app.js", "");
    assert_eq!(
        (plain.header("content-encoding"), plain.body()),
        (None, "the script".to_owned())
    );
    assert_eq!(plain.header("vary"), Some("accept-encoding"));
    let tags = [&br, &gz, &plain].map(|answer| answer.header("etag").unwrap().to_owned());
    assert!(tags[0] != tags[1] && tags[1] != tags[2] && tags[0] != tags[2]);
    let same = ask(
        "/app.js",
        &format!("accept-encoding: br\r\nif-none-match: {}\r\n", tags[0]),
    );
    assert_eq!(
        (same.status, same.header("vary")),
        (304, Some("accept-encoding"))
    );
    let part = ask("/app.js", "accept-encoding: br\r\nrange: bytes=0-2\r\n");
    assert_eq!((part.status, part.body()), (206, "the".to_owned()));
    assert_eq!(part.header("content-encoding"), None);
    let resumed = format!(
        "accept-encoding: br\r\nrange: bytes=3-\r\nif-range: {}\r\n",
        tags[0]
    );
    assert_eq!(ask("/app.js", &resumed).body(), "the script");
    let photo = ask("/photo.png", "accept-encoding: gzip\r\n");
    assert_eq!(
        (photo.body(), photo.header("vary")),
        ("png".to_owned(), None)
    );
}

#[test]
fn text_is_compressed_on_the_way_where_that_pays() {
    let long = "let answer = 42;\n".repeat(1000);
    let site = Site::of(&[
        ("public/long.js", long.as_str()),
        ("public/short.js", "let a;"),
        ("public/404.html", &long),
    ]);
    let ask = |path: &str, headers: &str| site.server.ask("GET", path, headers);
    for _ in 0..2 {
        let gzip = ask("/long.js", "accept-encoding: gzip\r\n");
        assert_eq!(gzip.header("content-encoding"), Some("gzip"));
        let length: usize = gzip.header("content-length").unwrap().parse().unwrap();
        assert!(length == gzip.bytes.len() && length < long.len() / 5);
        let mut text = String::new();
        let mut decoder = flate2::read::GzDecoder::new(&gzip.bytes[..]);
        decoder.read_to_string(&mut text).unwrap();
        assert!(text == long);
        let etag = gzip.header("etag").unwrap();
        assert!(etag.starts_with("W/"), "{etag}");
        let same = format!("accept-encoding: gzip\r\nif-none-match: {etag}\r\n");
        assert_eq!(ask("/long.js", &same).status, 304);
    }
    let zstd = ask("/long.js", "accept-encoding: gzip, deflate, br, zstd\r\n");
    assert_eq!(zstd.header("content-encoding"), Some("zstd"));
    assert!(zstd::decode_all(&zstd.bytes[..]).unwrap() == long.as_bytes());
    let head = site
        .server
        .ask("HEAD", "/long.js", "accept-encoding: zstd\r\n");
    assert_eq!(head.header("content-length"), zstd.header("content-length"));
    let short = ask("/short.js", "accept-encoding: gzip\r\n");
    assert_eq!(
        (short.header("content-encoding"), short.body()),
        (None, "let a;".to_owned())
    );
    let lost = ask("/none", "accept-encoding: gzip\r\n");
    assert_eq!(
        (lost.status, lost.header("content-encoding")),
        (404, Some("gzip"))
    );
}
