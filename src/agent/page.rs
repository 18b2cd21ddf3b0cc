//! What a page says, as lines of text: for a person who is told that it was no good answer.

/// The longest line, characters.
const WIDEST: usize = 200;

/// Elements whose content nobody reads.
const UNREAD: [&str; 4] = ["head", "script", "style", "svg"];

/// Elements that stand within a line (HTML, 4.5 "Text-level semantics").
const WITHIN: [&str; 9] = [
    "a", "abbr", "b", "code", "em", "i", "small", "span", "strong",
];

/// Names of characters that pages of errors are full of.
const NAMED: [(&str, &str); 7] = [
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", "\""),
    ("&#39;", "'"),
    ("&#x27;", "'"),
    ("&nbsp;", " "),
    ("&amp;", "&"),
];

/// The first lines of `page`, at most `most`, without markup and blank lines. Bytes that are no
/// UTF-8 are replaced. `is_html` is what its header says; one that begins with markup is, too.
pub fn lines(page: &[u8], is_html: bool, most: usize) -> Vec<String> {
    let page = String::from_utf8_lossy(page);
    let text = match is_html || page.trim_start().starts_with('<') {
        true => without_markup(&page),
        false => page.into_owned(),
    };
    let lines = text.lines().map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.join(" ").chars().take(WIDEST).collect::<String>()
    });
    lines.filter(|line| !line.is_empty()).take(most).collect()
}

/// The text of an HTML page. What is no element is text.
fn without_markup(page: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        let name: String = after
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        let name = name.to_ascii_lowercase();
        let is_markup = !name.is_empty() || after.starts_with(['!', '?']);
        let Some((_, behind)) = after.split_once('>').filter(|_| is_markup) else {
            text.push('<');
            rest = after;
            continue;
        };
        rest = behind;
        if UNREAD.contains(&name.as_str()) && !after.starts_with('/') {
            let end = format!("</{name}");
            let at = rest.to_ascii_lowercase().find(&end);
            rest = at.map_or("", |at| &rest[at..]);
        }
        if !WITHIN.contains(&name.as_str()) {
            text.push('\n');
        }
    }
    text.push_str(rest);
    for (name, character) in NAMED {
        text = text.replace(name, character);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_markup_stays() {
        let page = b"needs zip! <a href='x'>See there</a>, if a < b";
        assert_eq!(lines(page, true, 1), ["needs zip! See there, if a < b"]);
    }

    #[test]
    fn a_page_is_read_as_a_person_reads_it() {
        let page = b"<!doctype html><html><head><title>x</title><style>a > b {}</style></head>\
            <body><h1>OperationalError at /</h1>\n<pre>no such table: <b>posts</b> &amp; &lt;x&gt;</pre>\
            <script>if (a < b) {}</script><p>\n\n</p></body></html>";
        assert_eq!(
            lines(page, false, 10),
            ["OperationalError at /", "no such table: posts & <x>"]
        );
        assert_eq!(
            lines(b"{\"error\": \"a < b\"}\n", false, 10),
            ["{\"error\": \"a < b\"}"]
        );
        assert_eq!(lines(b"a\n\n b  c\nd", false, 2), ["a", "b c"]);
        assert_eq!(
            lines("ü".repeat(900).as_bytes(), true, 2),
            ["ü".repeat(WIDEST)]
        );
        assert_eq!(lines(b"", true, 2), [""; 0]);
    }

    proptest::proptest! {
        #[test]
        fn no_page_is_too_odd(page in proptest::collection::vec(proptest::num::u8::ANY, 0..200), start in "<?[a-z<>/!]{0,20}") {
            let page = [start.as_bytes(), &page].concat();
            let lines = lines(&page, true, 3);
            assert!(lines.len() <= 3 && lines.iter().all(|line| line.chars().count() <= WIDEST));
        }
    }
}
