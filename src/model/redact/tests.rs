use proptest::prelude::*;

use super::{Bytes, Lines, Redactor};

fn of(secrets: &[(&str, &str)]) -> Redactor {
    Redactor::new(secrets.iter().copied())
}

/// RFC 4648, with the alphabet's last two characters and with or without padding.
fn base64(bytes: &[u8], last: &[u8; 2], pad: bool) -> String {
    let digit = |bits: u32| match bits & 63 {
        n @ 0..26 => b'A' + n as u8,
        n @ 26..52 => b'a' + n as u8 - 26,
        n @ 52..62 => b'0' + n as u8 - 52,
        n => last[n as usize - 62],
    };
    let mut text = Vec::new();
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let digits = [bits >> 18, bits >> 12, bits >> 6, bits].map(digit);
        text.extend(&digits[..=chunk.len()]);
        if pad {
            text.extend(std::iter::repeat_n(b'=', 3 - chunk.len()));
        }
    }
    String::from_utf8(text).unwrap()
}

fn percent(text: &str, plain: &str, upper: bool) -> String {
    let one = |byte: u8| match char::from(byte) {
        c if c.is_ascii_alphanumeric() || plain.contains(c) => c.to_string(),
        _ if upper => format!("%{byte:02X}"),
        _ => format!("%{byte:02x}"),
    };
    text.bytes().map(one).collect()
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn wrapped(text: &str, width: usize) -> String {
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(width)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    lines.join("\n")
}

/// `json.dumps` of Python: everything beyond ASCII is escaped.
fn ascii_json(text: &str) -> String {
    let mut json = String::new();
    for c in serde_json::to_string(text).unwrap().chars() {
        match c {
            ' '..='~' => json.push(c),
            _ => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    json.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    json
}

/// `$'…'` of bash.
fn ansi_quoted(text: &str) -> String {
    let one = |c: char| match c {
        '\'' | '\\' => format!("\\{c}"),
        '\n' => "\\n".to_owned(),
        c if c.is_control() => format!("\\{:03o}", u32::from(c)),
        c => c.to_string(),
    };
    format!("$'{}'", text.chars().map(one).collect::<String>())
}

fn double_quoted(text: &str) -> String {
    let one = |c: char| match c {
        '"' | '\\' | '$' | '`' => format!("\\{c}"),
        c => c.to_string(),
    };
    format!("\"{}\"", text.chars().map(one).collect::<String>())
}

/// Every spelling of `text` that must not be seen.
fn spellings(text: &str) -> Vec<String> {
    let json = serde_json::to_string(text).unwrap();
    let mut all = vec![
        text.to_owned(),
        text.replace('\n', "\r\n"),
        json.clone(),
        json.replace('/', "\\/"),
        serde_json::to_string(&json).unwrap(),
        ascii_json(text),
        format!("{text:?}"),
        percent(text, "-_.~", true),
        percent(text, "-_.~", false),
        percent(text, "-_.!~*'()", true),
        percent(text, "-_.~;/?:@&=+$,#!*'()", true),
        percent(text, "-_. ", true).replace(' ', "+"),
        hex(text),
        hex(text).to_uppercase(),
        wrapped(&hex(text), 60),
        format!("'{}'", text.replace('\'', r"'\''")),
        format!("'{}'", text.replace('\'', r#"'"'"'"#)),
        double_quoted(text),
        ansi_quoted(text),
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('"', "&quot;")
            .replace('\'', "&#39;"),
    ];
    for before in ["", "u", "me", "shop:"] {
        let bytes = format!("{before}{text}").into_bytes();
        for last in [b"+/", b"-_"] {
            for pad in [true, false] {
                all.push(base64(&bytes, last, pad));
            }
        }
        all.push(wrapped(&base64(&bytes, b"+/", true), 76));
    }
    all
}

/// What `text` becomes when it arrives in pieces that end at `cuts`.
fn in_pieces(redactor: &Redactor, text: &str, cuts: &[usize]) -> String {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
    cuts.sort_unstable();
    let mut stream = Bytes::new(redactor);
    let (mut shown, mut from) = (Vec::new(), 0);
    for cut in cuts {
        shown.extend(stream.push(&text.as_bytes()[from..cut]));
        from = cut;
    }
    shown.extend(stream.push(&text.as_bytes()[from..]));
    shown.extend(stream.flush());
    String::from_utf8(shown).unwrap()
}

const ODD: [&str; 14] = [
    "hunter2-very-secret",
    "123456",
    "p$a`s\"s'w\\o/r d&<+>%41",
    "dGhpcyBpcyBiYXNlNjQ+/w==",
    "gr\u{fc}\u{df}e-\u{1f511}-\u{65e5}\u{672c}",
    r#"{"type": "service_account", "private_key": "-----BEGIN KEY-----\nMIIB\n"}"#,
    "postgres://shop:s%2Fcret@db.example.com/shop?a=b",
    "''''''''",
    "\\\\\\\\n\\x",
    "%25%32%35%",
    "it's",
    "one\ntwo-two\n\nthree-three\n",
    "\t tab and space \t",
    "&amp;&#39;&#39;",
];

#[test]
fn every_spelling_of_odd_values_is_masked() {
    for secret in ODD.iter().filter(|secret| secret.len() >= 6) {
        let redactor = of(&[("TOKEN", secret)]);
        for spelling in spellings(secret) {
            let text = format!("before {spelling} after");
            let masked = redactor.mask(&text);
            assert!(
                masked.starts_with("before "),
                "{secret:?}: {text:?} became {masked:?}"
            );
            assert!(
                masked.ends_with(" after"),
                "{secret:?}: {text:?} became {masked:?}"
            );
            assert!(
                masked.contains("[TOKEN]"),
                "{secret:?}: {text:?} became {masked:?}"
            );
            let trimmed = secret.trim();
            assert!(
                !masked.contains(trimmed) && !masked.contains(spelling.trim()),
                "{masked:?}"
            );
            assert!(masked.len() < 40, "{secret:?}: {text:?} became {masked:?}");
            // Cut within the first byte of a secret in base64, the bits that came first are seen.
            let shown = in_pieces(&redactor, &text, &[9, 10, 17, 23]);
            assert!(
                shown.contains("[TOKEN]") && shown.len() <= masked.len() + 1,
                "{shown:?}"
            );
        }
    }
}

#[test]
fn short_values_and_other_text_stay() {
    let redactor = of(&[("PIN", "12345"), ("TOKEN", "hunter2-very-secret")]);
    for text in [
        "12345",
        "hunter2-very",
        "\\u00e9 %zz & ' \\",
        "",
        "aGVsbG8gd29ybGQ=",
    ] {
        assert_eq!(redactor.mask(text), text);
    }
    assert!(of(&[("PIN", "12345")]).is_empty());
}

#[test]
fn a_mask_never_holds_a_secret() {
    assert_eq!(
        of(&[("TOKEN_A", "TOKEN_")]).mask("x TOKEN_ y"),
        "x [secret] y"
    );
    let two = of(&[("PASSWORD", "secret"), ("OTHER", "PASSWORD")]);
    assert_eq!(two.mask("secret PASSWORD"), "*** [OTHER]");
}

#[test]
fn of_values_that_contain_one_another_the_longest_is_named() {
    let redactor = of(&[("SHORT", "hunter2"), ("LONG", "my-hunter2-too")]);
    assert_eq!(redactor.mask("hunter2 my-hunter2-too"), "[SHORT] [LONG]");
    assert_eq!(redactor.mask("my-hunter2"), "my-[SHORT]");
    let overlapping = of(&[("A", "abcdefgh"), ("B", "efghijklm")]);
    assert_eq!(overlapping.mask("xabcdefghijklmy"), "x[B]y");
}

#[test]
fn a_secret_across_lines_is_masked_in_each() {
    let redactor = of(&[("KEY", "ab\ncdefgh\nij")]);
    let mut lines = ["x", "ab", "cdefgh", "ij", "ab", "y"].map(str::to_owned);
    redactor.mask_lines(&mut lines);
    assert_eq!(lines, ["x", "[KEY]", "[KEY]", "[KEY]", "ab", "y"]);
}

#[test]
fn lines_wait_only_while_they_may_be_the_beginning_of_a_secret() {
    let redactor = of(&[("KEY", "ab\ncdefgh\nij"), ("TOKEN", "hunter2-very-secret")]);
    let mut lines = Lines::new(&redactor);
    assert_eq!(lines.push(1, "hello"), [(1, "hello".to_owned())]);
    assert_eq!(
        lines.push(2, "ends in hunter2-"),
        [(2, "ends in hunter2-".to_owned())]
    );
    assert!(lines.push(3, "ab").is_empty() && lines.holds());
    assert_eq!(lines.flush(), [(3, "ab".to_owned())]);
    assert!(!lines.holds());
}

#[test]
fn a_stream_holds_back_only_what_may_be_a_secret() {
    let redactor = of(&[("TOKEN", "hunter2-very-secret")]);
    let mut stream = Bytes::new(&redactor);
    assert_eq!(stream.push(b"name? "), b"name? ");
    assert_eq!(stream.push(b"x hunter2-"), b"x ");
    assert!(stream.holds());
    assert_eq!(stream.push(b"very-secret!"), b"[TOKEN]!");
    assert_eq!(stream.push(b"hunter2"), b"");
    assert_eq!(stream.flush(), b"hunter2");
}

/// What is printed for one value in a log that is cut to pieces, as journald does with long lines.
#[test]
fn long_values_are_masked_in_pieces_too() {
    let noise = |seed: usize| (seed * 2_654_435_761) >> 7;
    let value: String = (0..30_000)
        .map(|at| char::from(b'!' + (noise(at) % 90) as u8))
        .collect();
    let redactor = of(&[("BLOB", &value)]);
    assert_eq!(redactor.mask(&value), "[BLOB]");
    for spelling in spellings(&value) {
        for piece in [
            &spelling[..500],
            &spelling[spelling.len() - 777..],
            &spelling[13_333..15_555],
        ] {
            let masked = redactor.mask(piece);
            assert!(masked.len() < 80, "{piece} became {masked}");
        }
    }
}

#[test]
fn memory_is_bounded_by_a_text_that_never_settles() {
    let value = "a".repeat(1000);
    let mut stream = Bytes::new(&of(&[("A", &value)]));
    let mut shown = 0;
    for _ in 0..40 {
        shown += stream.push(&[b'a'; 100_000]).len();
    }
    shown += stream.flush().len();
    assert!((3..40).contains(&shown), "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn no_spelling_of_any_secret_is_seen_however_it_is_cut(
        secret in "(?s)[!-~]{6,12}|[ -~\n\u{e9}\u{1f511}]{8,60}|[a-z\n]{100,300}",
        before in "[ -~]{0,6}",
        cuts in proptest::collection::vec(0usize..10_000, 0..8),
    ) {
        prop_assume!(secret.trim().len() >= 6);
        let redactor = of(&[("NAME", secret.as_str())]);
        for spelling in spellings(&secret) {
            let text = format!("{before} {spelling}\n");
            let shown = in_pieces(&redactor, &text, &cuts);
            prop_assert!(!shown.contains(secret.trim()), "{text:?} became {shown:?}");
            prop_assert!(!shown.contains(spelling.trim()), "{text:?} became {shown:?}");
            prop_assert!(shown.contains("[NAME]") || shown.contains("***") || shown.contains("[secret]"));
        }
    }

    #[test]
    fn text_without_secrets_is_unchanged(
        text in "(?s)[\\\\'\"%&+ a-f0-9\n\r\u{e9};#x]{0,200}",
        cuts in proptest::collection::vec(0usize..10_000, 0..8),
    ) {
        let redactor = of(&[("A", "hunter2-very-secret"), ("B", "zzzzzz\nzzzzzz"), ("C", "\u{1f511}\u{1f511}")]);
        prop_assert_eq!(in_pieces(&redactor, &text, &cuts), text.clone());
        let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
        redactor.mask_lines(&mut lines);
        prop_assert_eq!(lines.join("\n"), text);
    }
}
