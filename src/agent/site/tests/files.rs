//! Which file answers, and how much of it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::super::folder::Folder;
use super::{Site, write};

#[test]
fn a_page_comes_whole_with_what_a_browser_needs_to_know() {
    let site = Site::of(&[
        ("public/index.html", "<p>hello</p>"),
        ("public/app.css", "p {}"),
    ]);
    let page = site.get("/");
    assert_eq!((page.status, page.body()), (200, "<p>hello</p>".to_owned()));
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(page.header("content-length"), Some("12"));
    assert_eq!(page.header("cache-control"), Some("no-cache"));
    assert_eq!(page.header("accept-ranges"), Some("bytes"));
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert!(page.header("last-modified").unwrap().ends_with(" GMT"));
    assert!(page.header("date").is_some());
    let style = site.get("/app.css?v=2");
    assert_eq!((style.status, style.body()), (200, "p {}".to_owned()));
    assert_eq!(
        style.header("cache-control"),
        Some("public, max-age=0, must-revalidate")
    );
}

#[test]
fn head_says_what_get_would_without_the_body() {
    let site = Site::of(&[("public/index.html", "<p>hello</p>")]);
    let lines = |head: &str| {
        let kept = head.lines().filter(|line| !line.starts_with("date: "));
        kept.map(str::to_owned).collect::<Vec<_>>()
    };
    let (get, head) = (site.get("/"), site.server.ask("HEAD", "/", ""));
    assert_eq!(lines(&head.head), lines(&get.head));
    assert_eq!(head.bytes, b"");
    let missing = site.server.ask("HEAD", "/missing", "");
    assert_eq!((missing.status, missing.bytes.len()), (404, 0));
}

#[test]
fn other_methods_are_refused() {
    let site = Site::of(&[("public/index.html", "hello")]);
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"] {
        let refused = site.server.ask(method, "/", "");
        assert_eq!(
            (refused.status, refused.header("allow")),
            (405, Some("GET, HEAD")),
            "{method}"
        );
    }
}

#[test]
fn a_folder_has_its_page_behind_a_slash() {
    let site = Site::of(&[
        ("public/docs/index.html", "docs"),
        ("public/a b/index.html", "space"),
        ("public/empty/note.txt", "note"),
        ("public/index.html", "home"),
    ]);
    assert_eq!(site.seen("/docs/"), (200, "docs".to_owned()));
    let moved = site.get("/docs?x=1");
    assert_eq!(
        (moved.status, moved.header("location")),
        (301, Some("/docs/?x=1"))
    );
    assert_eq!(moved.header("cache-control"), Some("no-cache"));
    assert_eq!(site.get("/a%20b").header("location"), Some("/a%20b/"));
    assert_eq!(
        site.get("//docs").header("location"),
        Some("/docs/"),
        "not another host"
    );
    for nothing in [
        "/empty",
        "/empty/",
        "/docs/index.html/",
        "/index.html/x",
        "/nothing/",
    ] {
        assert_eq!(site.get(nothing).status, 404, "{nothing}");
    }
}

#[test]
fn html_may_be_left_out_where_nothing_else_has_the_name() {
    let site = Site::of(&[
        ("public/about.html", "about"),
        ("public/blog.html", "blog"),
        ("public/blog/first.html", "first"),
        ("public/both.html", "page"),
        ("public/both/index.html", "folder"),
        ("public/plain", "plain"),
        ("public/plain.html", "other"),
    ]);
    assert_eq!(site.seen("/about"), (200, "about".to_owned()));
    assert_eq!(
        site.get("/about").header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(
        site.seen("/blog"),
        (200, "blog".to_owned()),
        "a folder without a page"
    );
    assert_eq!(site.seen("/blog/first"), (200, "first".to_owned()));
    assert_eq!(site.get("/both").status, 301);
    assert_eq!(site.seen("/plain"), (200, "plain".to_owned()));
    let moved = site.get("/about/?x=1");
    assert_eq!(
        (moved.status, moved.header("location")),
        (301, Some("/about?x=1"))
    );
    assert_eq!(site.get("/both/").body(), "folder");
    assert_eq!(site.seen("/about.html"), (200, "about".to_owned()));
}

#[test]
fn a_missing_page_is_answered_with_404_html() {
    let site = Site::of(&[]);
    assert_eq!(site.seen("/missing"), (404, "not found\n".to_owned()));
    write(site.release.path(), "public/404.html", b"<p>lost</p>");
    let lost = site.server.ask("GET", "/missing", "range: bytes=0-1\r\n");
    assert_eq!((lost.status, lost.body()), (404, "<p>lost</p>".to_owned()));
    assert_eq!(
        lost.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(
        (lost.header("etag"), lost.header("cache-control")),
        (None, Some("no-cache"))
    );
    assert_eq!(site.seen("/404.html"), (200, "<p>lost</p>".to_owned()));
}

#[test]
fn nothing_outside_the_folder_and_nothing_hidden_is_served() {
    let site = Site::of(&[
        ("secret.txt", "secret"),
        (".ship/env", "secret"),
        ("public/.env", "secret"),
        ("public/.git/config", "secret"),
        ("public/.ship/env", "secret"),
        ("public/sub/.hidden/x.txt", "secret"),
        ("public/.well-known/security.txt", "contact"),
        ("public/index.html", "home"),
        ("public/real/page.html", "page"),
    ]);
    let public = site.release.path().join("public");
    symlink("../secret.txt", public.join("out.txt")).unwrap();
    symlink(
        site.release.path().join("secret.txt"),
        public.join("absolute.txt"),
    )
    .unwrap();
    symlink("..", public.join("up")).unwrap();
    symlink("/etc", public.join("etc")).unwrap();
    symlink(".env", public.join("env.txt")).unwrap();
    symlink(".git", public.join("git")).unwrap();
    symlink("round", public.join("round")).unwrap();
    symlink("real", public.join("link")).unwrap();
    for path in [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/%2E%2E/secret.txt",
        "/.%2e/secret.txt",
        "/real/../../secret.txt",
        "/real/%2e%2e/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e%2fsecret.txt",
        "/..%5csecret.txt",
        "//../secret.txt",
        "/./secret.txt",
        "/%252e%252e/secret.txt",
        "http://a/../secret.txt",
        "/index.html%00.txt",
        "/%00",
        "/out.txt",
        "/absolute.txt",
        "/up/secret.txt",
        "/up/.ship/env",
        "/etc/passwd",
        "/etc/hostname",
        "/env.txt",
        "/git/config",
        "/round",
        "/.env",
        "/%2eenv",
        "/.git/config",
        "/.ship/env",
        "/sub/.hidden/x.txt",
        "/../.ship/env",
    ] {
        let response = site.get(path);
        assert!(
            matches!(response.status, 400 | 404),
            "{path}: {}",
            response.status
        );
        assert!(!response.body().contains("secret"), "{path}");
    }
    let long = format!("/{}", "a".repeat(5000));
    assert_eq!(site.get(&long).status, 404);
    assert_eq!(
        site.seen("/.well-known/security.txt"),
        (200, "contact".to_owned())
    );
    assert_eq!(
        site.seen("/link/page.html"),
        (200, "page".to_owned()),
        "a link inside"
    );
}

#[test]
fn what_is_no_file_or_cannot_be_read_is_not_waited_for() {
    let site = Site::of(&[("public/closed.txt", "closed")]);
    let public = site.release.path().join("public");
    let mkfifo = std::process::Command::new("mkfifo")
        .arg(public.join("pipe"))
        .status();
    assert!(mkfifo.unwrap().success());
    assert_eq!(site.get("/pipe").status, 404);
    fs::set_permissions(public.join("closed.txt"), fs::Permissions::from_mode(0o000)).unwrap();
    // Root reads it all the same.
    let expected = if rustix::process::geteuid().is_root() {
        200
    } else {
        500
    };
    assert_eq!(site.get("/closed.txt").status, expected);
}

#[test]
fn a_visitor_who_has_the_file_hears_that_it_is_the_same() {
    let site = Site::of(&[("public/app.js", "let a;")]);
    let first = site.get("/app.js");
    let (etag, modified) = (
        first.header("etag").unwrap(),
        first.header("last-modified").unwrap(),
    );
    for headers in [
        format!("if-none-match: {etag}\r\n"),
        format!("if-none-match: \"x\", W/{etag}\r\n"),
        format!("if-modified-since: {modified}\r\n"),
    ] {
        let same = site.server.ask("GET", "/app.js", &headers);
        assert_eq!(
            (same.status, same.body()),
            (304, String::new()),
            "{headers}"
        );
        assert_eq!(same.header("etag"), Some(etag));
        assert_eq!(same.header("content-length"), None);
        assert_eq!(site.server.ask("HEAD", "/app.js", &headers).status, 304);
    }
    write(site.release.path(), "public/app.js", b"let b;");
    let other = site
        .server
        .ask("GET", "/app.js", &format!("if-none-match: {etag}\r\n"));
    assert_eq!((other.status, other.body()), (200, "let b;".to_owned()));
}

#[test]
fn a_part_of_a_file_is_sent_alone() {
    let site = Site::of(&[
        ("public/digits.txt", "0123456789"),
        ("public/empty.txt", ""),
    ]);
    let part = |range: &str| {
        let response = site
            .server
            .ask("GET", "/digits.txt", &format!("range: {range}\r\n"));
        let of = response.header("content-range").map(str::to_owned);
        (response.status, of, response.body())
    };
    let some = |of: &str| Some(of.to_owned());
    assert_eq!(
        part("bytes=2-4"),
        (206, some("bytes 2-4/10"), "234".to_owned())
    );
    assert_eq!(
        part("bytes=7-"),
        (206, some("bytes 7-9/10"), "789".to_owned())
    );
    assert_eq!(
        part("bytes=-1"),
        (206, some("bytes 9-9/10"), "9".to_owned())
    );
    assert_eq!(
        part("bytes=0-99"),
        (206, some("bytes 0-9/10"), "0123456789".to_owned())
    );
    assert_eq!(
        part("bytes=10-"),
        (416, some("bytes */10"), "no such bytes\n".to_owned())
    );
    assert_eq!(part("bytes=0-1,4-5"), (200, None, "0123456789".to_owned()));
    assert_eq!(part("bytes=5-2"), (200, None, "0123456789".to_owned()));
    let head = site
        .server
        .ask("HEAD", "/digits.txt", "range: bytes=2-4\r\n");
    assert_eq!(
        (head.status, head.header("content-length")),
        (200, Some("10"))
    );
    let empty = site.get("/empty.txt");
    assert_eq!(
        (empty.status, empty.header("content-length")),
        (200, Some("0"))
    );
    assert_eq!(
        site.server
            .ask("GET", "/empty.txt", "range: bytes=0-\r\n")
            .status,
        416
    );
}

#[test]
fn a_large_file_arrives_whole_and_in_parts() {
    let site = Site::of(&[]);
    let bytes: Vec<u8> = (0..5_000_000_u32)
        .map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[2])
        .collect();
    write(site.release.path(), "public/large.bin", &bytes);
    let whole = site.get("/large.bin");
    assert_eq!(whole.header("content-length"), Some("5000000"));
    assert!(whole.bytes == bytes);
    let part = site
        .server
        .ask("GET", "/large.bin", "range: bytes=1000001-4000000\r\n");
    assert_eq!(part.status, 206);
    assert!(part.bytes == bytes[1_000_001..=4_000_000]);
}

#[test]
fn a_folder_that_is_not_there_or_not_for_visitors_is_refused() {
    let release = tempfile::tempdir().unwrap();
    let missing = release.path().join("public");
    let refused = |path: &std::path::Path| Folder::open(path).unwrap_err().to_string();
    assert_eq!(
        refused(&missing),
        format!(
            "cannot serve {}: No such file or directory (os error 2)",
            missing.display()
        )
    );
    fs::write(&missing, "").unwrap();
    assert_eq!(
        refused(&missing),
        format!("cannot serve {}: it is not a folder", missing.display())
    );
    let own = release.path().join(".ship/run");
    fs::create_dir_all(&own).unwrap();
    assert_eq!(
        refused(&own),
        format!(
            "cannot serve {}: ship keeps its own files there",
            own.display()
        )
    );
}
