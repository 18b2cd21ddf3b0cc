//! The pieces of a secret's value that are looked for.

use super::SHORTEST;

/// Longest piece, bytes. Must fit the depth of a state (`u8`).
pub(super) const LONGEST: usize = 128;

/// A longer value is looked for by windows of so many bytes, which overlap by half: a log that cuts
/// a long line anywhere still shows less than a window of it.
const WINDOW: usize = 16;

/// Words in the name of a field whose value is a secret by itself.
const TELLING: [&str; 7] = [
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "credential",
    "auth",
];

/// All pieces of `value`, without carriage returns: the value, each line of it, what its literal `\n`
/// stand for, the password inside a URL, and the fields of a JSON object whose names tell that they
/// are secrets. Each has [`SHORTEST`] to [`LONGEST`] bytes.
pub(super) fn of(value: &str) -> Vec<Vec<u8>> {
    let value = value.replace('\r', "");
    let mut found = Vec::new();
    if value.len() < SHORTEST {
        return found;
    }
    add_lines(&value, &mut found);
    // Keys are often stored in one line, and read with their line ends put back.
    if value.contains("\\n") {
        add_lines(&value.replace("\\n", "\n"), &mut found);
    }
    for part in inner(&value) {
        add(part.as_bytes(), &mut found);
        add(&percent_decoded(&part), &mut found);
    }
    found
}

fn add_lines(value: &str, found: &mut Vec<Vec<u8>>) {
    let trimmed = value.trim();
    // What is mostly white space is looked for as it is.
    let whole = if trimmed.len() < SHORTEST {
        value
    } else {
        trimmed
    };
    add(whole.as_bytes(), found);
    if whole.contains('\n') {
        for line in whole.split('\n') {
            add(line.trim().as_bytes(), found);
        }
    }
}

fn add(piece: &[u8], found: &mut Vec<Vec<u8>>) {
    match piece.len() {
        ..SHORTEST => {}
        SHORTEST..=LONGEST => found.push(piece.to_vec()),
        length => {
            // A window that began with a line end would have each line wait for the next one.
            let starts = (0..=length - WINDOW).step_by(WINDOW / 2);
            for start in starts.chain([length - WINDOW]) {
                let start = start + usize::from(piece[start] == b'\n' && start < length - WINDOW);
                found.push(piece[start..start + WINDOW].to_vec());
            }
        }
    }
}

/// What is a secret by itself inside a value: the password of a URL (RFC 3986 section 3.2.1), or the
/// user where there is no password; values of telling parameters (`…?password=x`, `…;pwd=x`) and of
/// telling fields of JSON.
fn inner(value: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in value.match_indices("://") {
        let rest = &value[at + 3..];
        let rest = rest.split_whitespace().next().unwrap_or_default();
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        // A password that should have been encoded, and was not, may hold a slash or a `#`.
        let Some((user, _)) = authority.rsplit_once('@').or_else(|| rest.rsplit_once('@')) else {
            continue;
        };
        let password = user.split_once(':').map_or(user, |(_, password)| password);
        found.push(password.to_owned());
    }
    for pair in value.split(['?', '&', ';', ' ', '\n']) {
        if let Some((name, value)) = pair.split_once('=')
            && is_telling(name)
        {
            found.push(value.trim_matches(['\'', '"']).to_owned());
        }
    }
    if value.trim_start().starts_with(['{', '['])
        && let Ok(json) = serde_json::from_str::<serde_json::Value>(value)
    {
        fields("", &json, &mut found);
    }
    found
}

fn fields(name: &str, json: &serde_json::Value, found: &mut Vec<String>) {
    match json {
        serde_json::Value::String(text) if is_telling(name) => {
            found.push(text.trim().to_owned());
            found.extend(text.lines().map(|line| line.trim().to_owned()));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| fields(name, item, found)),
        serde_json::Value::Object(map) => {
            map.iter().for_each(|(key, item)| fields(key, item, found))
        }
        _ => {}
    }
}

fn is_telling(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    TELLING.iter().any(|word| name.contains(word))
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = bytes
            .get(at + 1..at + 3)
            .filter(|_| bytes[at] == b'%')
            .and_then(|code| std::str::from_utf8(code).ok())
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        decoded.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(value: &str) -> Vec<String> {
        let atoms = of(value).into_iter();
        atoms.map(|atom| String::from_utf8(atom).unwrap()).collect()
    }

    #[test]
    fn short_values_have_no_pieces() {
        assert_eq!(texts("12345"), [""; 0]);
        assert_eq!(texts("123456"), ["123456"]);
        assert_eq!(texts(" a\n\n\n "), [" a\n\n\n "]);
    }

    #[test]
    fn lines_and_passwords_are_pieces() {
        assert_eq!(
            texts("first line\r\nab\nthird line\n")[1..],
            ["first line", "third line"]
        );
        assert!(texts("one-line\\nsecond-line").contains(&"second-line".to_owned()));
        for url in [
            "postgres://shop:hunter%2F2@db/shop",
            "redis://:hunter/2@cache:6379",
            "host=db password='hunter/2' user=shop",
            r#"{"db": {"client_secret": "hunter/2"}}"#,
            "https://hunter%2f2@git.example.com/x",
        ] {
            assert!(texts(url).contains(&"hunter/2".to_owned()), "{url}");
        }
    }

    #[test]
    fn long_values_are_covered_by_windows() {
        let value = "0123456789\n".repeat(1000);
        let atoms = of(&value);
        assert!(
            atoms
                .iter()
                .all(|atom| atom.len() <= LONGEST && atom[0] != b'\n')
        );
        let covered = |start: usize| {
            let piece = &value.as_bytes()[start..start + 31];
            piece
                .windows(WINDOW)
                .any(|window| atoms.iter().any(|atom| atom == window))
        };
        assert!((0..value.len() - 31).all(covered));
    }
}
