//! Whether somebody is on the way to a page, or a page is loading one of its files.

use hyper::header::{ACCEPT, HeaderMap};

use super::coding::weighed;
use super::kind;
use super::path::Target;

/// Whether the fallback may answer this request for something that is not there. A browser says
/// when it goes to a page (Fetch Metadata, `Sec-Fetch-Mode: navigate`); other clients say whether
/// they take HTML. A name that ends like a file is one, so a missing `app.js` stays missing: with
/// an ending that no file is known to have (`/users/john.doe`), only a browser on its way counts.
#[must_use]
pub fn is_navigation(target: &Target, headers: &HeaderMap) -> bool {
    let mode = headers.get("sec-fetch-mode").map(|mode| mode.as_bytes());
    if mode.is_some_and(|mode| mode != b"navigate") || !takes_html(headers) {
        return false;
    }
    if target.folder {
        return true;
    }
    !kind::is_known(&target.path) && (target.path.extension().is_none() || mode.is_some())
}

fn takes_html(headers: &HeaderMap) -> bool {
    const HTML: &[&str] = &["text/html", "application/xhtml+xml", "text/*", "*/*"];
    let mut values = headers.get_all(ACCEPT).iter().peekable();
    values.peek().is_none()
        || values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(weighed)
            .any(|(kind, weight)| weight > 0 && HTML.contains(&kind.as_str()))
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderName;

    use super::*;

    fn navigates(path: &str, headers: &[(&'static str, &'static str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        is_navigation(&Target::parse(path).unwrap(), &map)
    }

    #[test]
    fn pages_are_navigated_to_and_files_are_not() {
        const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        const GOES: (&str, &str) = ("sec-fetch-mode", "navigate");
        for (path, headers, expected) in [
            ("/users/7", &[HTML, GOES][..], true),
            ("/users/7/", &[HTML], true),
            ("/users/7", &[], true),
            ("/users/7", &[("accept", "*/*")], true),
            ("/users/7", &[("accept", "application/json")], false),
            ("/users/7", &[("accept", "text/html;q=0")], false),
            (
                "/users/7",
                &[("accept", "*/*"), ("sec-fetch-mode", "cors")],
                false,
            ),
            ("/app.js", &[HTML, GOES], false),
            ("/logo.PNG", &[HTML], false),
            ("/old.html", &[HTML, GOES], false),
            ("/users/john.doe", &[HTML, GOES], true),
            ("/users/john.doe", &[HTML], false),
            ("/v1.2/", &[HTML], true),
        ] {
            assert_eq!(navigates(path, headers), expected, "{path} {headers:?}");
        }
    }
}
