//! Paths with placeholders and a splat: `/blog/:year/*`.

/// A pattern of a path. `:name` stands for the text up to the next slash, at least one character;
/// `*`, once, for any text. A slash at the end means nothing, and `/blog/*` also matches `/blog`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    segments: Vec<Segment>,
    splat: Option<Splat>,
}

/// One name between slashes: text, or text around a placeholder.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Segment {
    before: String,
    placeholder: Option<(String, String)>,
}

/// The segment with the `*`, and all that follows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Splat {
    before: String,
    after: String,
}

/// What the placeholders and the splat of a pattern stood for, by their names; the splat is
/// `splat`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Captures<'a>(Vec<(&'a str, String)>);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Why it is none, as a lower-case phrase.
    pub fn parse(text: &str) -> Result<Self, String> {
        let path = text.strip_prefix('/').ok_or_else(|| match text {
            _ if text.contains("://") => {
                "a rule for one host name belongs in the web server in front".to_owned()
            }
            _ => format!("`{text}` is not a path: it does not begin with `/`"),
        })?;
        let path = decoded(path).ok_or_else(|| format!("`{text}` has a bad percent-encoding"))?;
        if path.matches('*').count() > 1 {
            return Err(format!("`{text}` has more than one `*`"));
        }
        let (head, splat) = match path.split_once('*') {
            None => (path.as_str(), None),
            Some((head, after)) => {
                let (head, before) = head.rsplit_once('/').unwrap_or(("", head));
                if placeholder(before).is_some() || placeholder(after).is_some() {
                    return Err(format!(
                        "`{text}` has a placeholder beside or after the `*`"
                    ));
                }
                let (before, after) = (before.to_owned(), after.to_owned());
                (head, Some(Splat { before, after }))
            }
        };
        let names = head.split('/').filter(|name| !name.is_empty());
        let segments = names.map(Segment::parse).collect::<Option<_>>();
        let segments =
            segments.ok_or_else(|| format!("`{text}` has two placeholders in one name"))?;
        Ok(Self { segments, splat })
    }

    /// What the pattern captures of `names`, the decoded names of a path; `None` when it does not
    /// match.
    #[must_use]
    pub fn captures(&self, names: &[&str]) -> Option<Captures<'_>> {
        let rest = names.get(self.segments.len()..)?;
        let mut captures = Captures::default();
        for (segment, name) in self.segments.iter().zip(names) {
            captures.0.extend(segment.captures(name)?);
        }
        match &self.splat {
            None => rest.is_empty().then_some(captures),
            Some(splat) => {
                let rest = rest.join("/");
                let value = rest
                    .strip_prefix(&splat.before)?
                    .strip_suffix(&splat.after)?;
                captures.0.push(("splat", value.to_owned()));
                Some(captures)
            }
        }
    }

    /// Whether `name` is captured.
    #[must_use]
    pub fn names(&self, name: &str) -> bool {
        let placeholders = self.segments.iter().filter_map(|s| s.placeholder.as_ref());
        let mut names = placeholders.map(|(name, _)| name.as_str());
        names.any(|have| have == name) || (name == "splat" && self.splat.is_some())
    }
}

impl Segment {
    fn parse(text: &str) -> Option<Self> {
        let Some((before, name, after)) = placeholder(text) else {
            return Some(Self {
                before: text.to_owned(),
                placeholder: None,
            });
        };
        placeholder(after).is_none().then(|| Self {
            before: before.to_owned(),
            placeholder: Some((name.to_owned(), after.to_owned())),
        })
    }

    fn captures(&self, name: &str) -> Option<Option<(&str, String)>> {
        let rest = name.strip_prefix(&self.before)?;
        match &self.placeholder {
            None => rest.is_empty().then_some(None),
            Some((placeholder, after)) => {
                let value = rest.strip_suffix(after)?;
                (!value.is_empty()).then(|| Some((placeholder.as_str(), value.to_owned())))
            }
        }
    }
}

impl Captures<'_> {
    /// `text` with each `:name` that was captured replaced by `value` of what it stood for.
    #[must_use]
    pub fn fill(&self, text: &str, value: impl Fn(&str) -> String) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, name, after)) = placeholder(rest) {
            out.push_str(before);
            match self.0.iter().find(|(have, _)| *have == name) {
                Some((_, found)) => out.push_str(&value(found)),
                None => {
                    out.push(':');
                    out.push_str(name);
                }
            }
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

/// The first `:name` of a text, with the text before and after it.
fn placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let (at, _) = text
        .match_indices(':')
        .find(|(at, _)| text[at + 1..].starts_with(|c: char| c.is_ascii_alphabetic()))?;
    let name = &text[at + 1..];
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let (name, after) = name.split_at(end.unwrap_or(name.len()));
    Some((&text[..at], name, after))
}

/// All names that `text` has placeholders for.
pub(super) fn placeholders(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, name, after)) = placeholder(rest) {
        names.push(name);
        rest = after;
    }
    names
}

/// Undoes percent-encoding, once; `None` when it is none, or not of UTF-8.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => u8::try_from(digit(bytes.next())? << 4 | digit(bytes.next())?).ok()?,
            _ => byte,
        });
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filled(pattern: &str, path: &str, text: &str) -> Option<String> {
        let pattern = Pattern::parse(pattern).unwrap();
        let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
        Some(pattern.captures(&names)?.fill(text, str::to_owned))
    }

    #[test]
    fn placeholders_take_a_name_and_the_splat_the_rest() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(filled("/", "/", "x"), some("x"));
        assert_eq!(filled("/a/b", "/a/b/", "x"), some("x"));
        assert_eq!(filled("/a", "/a/b", "x"), None);
        assert_eq!(filled("/a/b", "/a", "x"), None);
        assert_eq!(filled("/*", "/a/b", ":splat"), some("a/b"));
        assert_eq!(filled("/*", "/", ":splat"), some(""));
        assert_eq!(filled("/blog/*", "/blog", "/new/:splat"), some("/new/"));
        assert_eq!(filled("/blog/*", "/blogs", "x"), None);
        assert_eq!(
            filled("/news/:year/:slug", "/news/2004/hello", "/:slug/:year"),
            some("/hello/2004")
        );
        assert_eq!(filled("/p/:id.html", "/p/7.html", ":id"), some("7"));
        assert_eq!(filled("/p/:id.html", "/p/.html", ":id"), None);
        assert_eq!(filled("/*.js", "/a/b.js", ":splat"), some("a/b"));
        assert_eq!(filled("/*.js", "/a/b.css", "x"), None);
        assert_eq!(filled("/a%20b", "/a b", "x"), some("x"));
        assert_eq!(
            filled("/a/:b/*", "/a/1/2/3", ":b-:splat-:c"),
            some("1-2/3-:c")
        );
        assert_eq!(filled("/t:30", "/t:30", "12:30"), some("12:30"));
    }

    #[test]
    fn what_is_no_pattern_is_said() {
        for bad in [
            "a",
            "",
            "/*/*",
            "/%zz",
            "/a:b:c",
            "/*/:a",
            "https://a.example/*",
            "/:a*",
        ] {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_and_any_path_is_matched(
            text in "[/:*a-c.%2]{0,20}",
            names in proptest::collection::vec("[a-c:.*]{0,4}", 0..5),
        ) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            if let Ok(pattern) = Pattern::parse(&text) {
                let _ = pattern.captures(&names);
            }
        }

        #[test]
        fn a_plain_path_matches_itself_alone(names in proptest::collection::vec("[a-c]{1,3}", 0..4)) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let pattern = Pattern::parse(&format!("/{}", names.join("/"))).unwrap();
            prop_assert!(pattern.captures(&names).is_some());
            let longer = [&names[..], &["x"]].concat();
            prop_assert!(pattern.captures(&longer).is_none());
        }
    }
}
