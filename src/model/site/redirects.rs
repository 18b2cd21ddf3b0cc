//! `_redirects`: one rule a line, `/from /to [status][!]`.

use super::pattern::placeholders;
use super::{Captures, Pattern, Problem, lines};

/// The most rules that are kept.
const MAX_RULES: usize = 10_000;

/// The rules of a `_redirects` file, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Redirects(Vec<Redirect>);

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    from: Pattern,
    to: String,
    /// How it answers.
    pub answer: Answer,
    /// Whether it also answers where the site has a file (`!`).
    pub force: bool,
}

/// How a rule answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// With this status and a `Location`.
    Elsewhere(u16),
    /// With this status and another page of the site.
    Page(u16),
}

impl Redirects {
    /// Reads the text of a `_redirects` file: the rules that ship follows, and the lines that it
    /// does not.
    #[must_use]
    pub fn parse(text: &str) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut rules = Vec::new();
        for (number, line) in lines(text, &mut problems) {
            let words = line.split_whitespace();
            let words: Vec<&str> = words.take_while(|word| !word.starts_with('#')).collect();
            if words.is_empty() {
                continue;
            }
            if rules.len() == MAX_RULES {
                let why = format!("the first {MAX_RULES} rules are followed, and no more");
                problems.push(Problem::new(number, why));
                break;
            }
            match Redirect::parse(&words) {
                Ok(rule) => rules.push(rule),
                Err(why) => problems.push(Problem::new(number, why)),
            }
        }
        problems.sort_by_key(|problem| problem.line);
        (Self(rules), problems)
    }

    /// The first rule for `names`, the decoded names of a path, with what it captured.
    #[must_use]
    pub fn find(&self, names: &[&str]) -> Option<(&Redirect, Captures<'_>)> {
        let mut rules = self.0.iter();
        rules.find_map(|rule| Some((rule, rule.from.captures(names)?)))
    }

    /// Whether any rule answers where the site has a file.
    #[must_use]
    pub fn any_forced(&self) -> bool {
        self.0.iter().any(|rule| rule.force)
    }
}

impl Redirect {
    fn parse(words: &[&str]) -> Result<Self, String> {
        let (from, rest) = words.split_first().ok_or("an empty rule")?;
        let from = Pattern::parse(from)?;
        let Some((to, rest)) = rest.split_first() else {
            return Err("a rule needs a path and a place to go to".to_owned());
        };
        if to.contains('=') && !to.starts_with('/') && !to.contains("://") {
            return Err("rules by query parameters are not followed".to_owned());
        }
        if let Some(condition) = rest
            .get(1)
            .or(rest.first().filter(|word| word.contains('=')))
        {
            return Err(format!("the condition `{condition}` is not followed"));
        }
        let (status, force) = match rest.first() {
            None => (301, false),
            Some(word) => {
                let number = word.strip_suffix('!').unwrap_or(word);
                let status = number.parse();
                let status = status.map_err(|_| format!("`{word}` is not a status code"))?;
                (status, word.ends_with('!'))
            }
        };
        let answer = match status {
            301 | 302 | 303 | 307 | 308 => Answer::Elsewhere(status),
            200 | 404 | 410 => Answer::Page(status),
            _ => {
                return Err(format!(
                    "the status {status} is not one that ship answers with"
                ));
            }
        };
        let fills = placeholders(to);
        if let Some(name) = fills.iter().find(|name| !from.names(name)) {
            return Err(format!("`:{name}` is not in the path of the rule"));
        }
        if !to.starts_with('/') || to.starts_with("//") {
            let host = to.strip_prefix("https://").or(to.strip_prefix("http://"));
            let host = host.ok_or_else(|| format!("`{to}` is neither a path nor a URL"))?;
            let host = host.split(['/', '?', '#']).next().unwrap_or_default();
            if matches!(answer, Answer::Page(_)) {
                return Err(
                    "an answer is a page of the site; other servers are not asked".to_owned(),
                );
            }
            if host.is_empty() || !placeholders(host).is_empty() {
                return Err(format!("`{to}` has no host name of its own"));
            }
        }
        let mut names = to.split(['?', '#']).next().unwrap_or_default().split('/');
        if matches!(answer, Answer::Page(_))
            && names.any(|name| name.starts_with('.') && name != ".well-known")
        {
            return Err(format!("`{to}` is hidden: ship serves no such file"));
        }
        Ok(Self {
            from,
            to: (*to).to_owned(),
            answer,
            force,
        })
    }

    /// Where the rule leads, percent-encoded, with the query of the request where it has none of its
    /// own. A path of this site begins with one slash, so it never names another host.
    #[must_use]
    pub fn location(&self, captures: &Captures<'_>, query: Option<&str>) -> String {
        let filled = captures.fill(&self.to, encoded);
        let (mut location, fragment) = match filled.split_once('#') {
            None => (filled.clone(), None),
            Some((before, fragment)) => (before.to_owned(), Some(fragment)),
        };
        if location.starts_with('/') {
            location = format!("/{}", location.trim_start_matches('/'));
        }
        if let Some(query) = query.filter(|_| !location.contains('?')) {
            location = format!("{location}?{query}");
        }
        match fragment {
            None => escaped(&location),
            Some(fragment) => escaped(&format!("{location}#{fragment}")),
        }
    }
}

/// Percent-encodes what a captured text may hold and a path may not; slashes stay.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte);
    encode(text, plain)
}

/// Percent-encodes only what no URL may hold: controls, spaces, backslashes, other than ASCII.
fn escaped(text: &str) -> String {
    encode(text, |byte| {
        byte.is_ascii_graphic() && !b"\\\"<>`{}|^".contains(&byte)
    })
}

fn encode(text: &str, is_plain: impl Fn(u8) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match is_plain(byte) {
            true => out.push(char::from(byte)),
            false => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Answer and place of the rule that `text` has for `path`.
    fn place(text: &str, path: &str, query: Option<&str>) -> Option<(Answer, bool, String)> {
        let (rules, problems) = Redirects::parse(text);
        assert_eq!(problems, []);
        let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
        let (rule, captures) = rules.find(&names)?;
        Some((rule.answer, rule.force, rule.location(&captures, query)))
    }

    #[test]
    fn the_first_rule_that_matches_decides() {
        use Answer::{Elsewhere, Page};
        let text = "# moved\n/old /new  # a remark\n/old /never 302\n\n\
                    /blog/:year/* /posts/:splat?y=:year 302!\n/go/* https://a.example/:splat 308\n\
                    /app/* /index.html 200\n/gone /404.html 410\n";
        let some = |answer, force, to: &str| Some((answer, force, to.to_owned()));
        assert_eq!(
            place(text, "/old/", None),
            some(Elsewhere(301), false, "/new")
        );
        assert_eq!(
            place(text, "/old", Some("a=b")),
            some(Elsewhere(301), false, "/new?a=b")
        );
        assert_eq!(
            place(text, "/blog/2024/a b/c", Some("x")),
            some(Elsewhere(302), true, "/posts/a%20b/c?y=2024")
        );
        assert_eq!(
            place(text, "/go/deep/er", None),
            some(Elsewhere(308), false, "https://a.example/deep/er")
        );
        assert_eq!(
            place(text, "/app/x", None),
            some(Page(200), false, "/index.html")
        );
        assert_eq!(
            place(text, "/gone", None),
            some(Page(410), false, "/404.html")
        );
        assert_eq!(place(text, "/none", None), None);
    }

    #[test]
    fn a_place_on_this_site_never_names_another_host() {
        let to = |path| place("/* /:splat", path, None).unwrap().2;
        assert_eq!(to("/\\evil.example"), "/%5Cevil.example");
        assert_eq!(to("/"), "/");
        let (_, _, to) = place("/x/* /:splat/b", "/x", None).unwrap();
        assert_eq!(to, "/b");
        assert_eq!(
            place("/a /b#c", "/a", Some("q\r\n")).unwrap().2,
            "/b?q%0D%0A#c"
        );
    }

    #[test]
    fn lines_that_are_not_followed_are_named() {
        let text = "/a /b Country=us\n/a /b 302 Language=de\n/a id=:id /b\n/a\n/a /b 999\n\
                    /a https://b.example/ 200\n/a /:x\nhttps://a.example/* /b\n/a b\n\
                    /a https://:x/ 301\n/* https://a.example:splat\n/a /.netlify/functions/f 200\n/ok /fine\n";
        let (rules, problems) = Redirects::parse(text);
        assert_eq!(rules.0.len(), 1);
        let text: Vec<String> = problems
            .iter()
            .map(|problem| format!("{}: {}", problem.line, problem.why))
            .collect();
        insta::assert_snapshot!(text.join("\n"));
        let long = format!("/{} /b\n/c /d", "a".repeat(3000));
        let (rules, problems) = Redirects::parse(&long);
        assert_eq!((rules.0.len(), problems.len(), problems[0].line), (1, 1, 1));
    }

    proptest! {
        #[test]
        fn any_text_is_read_and_every_place_is_a_header(
            text in "([/:*a-c.%#!\\\\ \t\n\u{e9}]|301|200|https://|=){0,60}",
            names in proptest::collection::vec("[a-c:.*\\\\\r\u{e9} ]{1,4}", 0..4),
        ) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let (rules, problems) = Redirects::parse(&text);
            prop_assert!(problems.is_sorted_by_key(|problem| problem.line));
            if let Some((rule, captures)) = rules.find(&names) {
                let location = rule.location(&captures, Some("a=b"));
                prop_assert!(location.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\'));
                let elsewhere = location.starts_with("http://") || location.starts_with("https://");
                prop_assert!(elsewhere || location.starts_with('/'));
                prop_assert!(!location.starts_with("//"));
            }
        }
    }
}
