//! Names of programs in the files that build them.

/// Every word that follows all of `words`, in order. A variable may be set in the files `above`.
pub(super) fn after(text: &str, above: &str, words: &[&str]) -> Vec<String> {
    let text = format!("\n{}", without_comments(text));
    let mut found = Vec::new();
    let mut rest = text.as_str();
    'next: loop {
        for word in words {
            let Some((_, after)) = rest.split_once(word) else {
                break 'next;
            };
            rest = after;
        }
        if let Some(name) = word(rest).and_then(|name| value(above, &name)) {
            found.push(name);
        }
    }
    found
}

fn without_comments(text: &str) -> String {
    text.lines()
        .filter(|line| {
            !line.trim_start().starts_with(['#', ';']) && !line.trim_start().starts_with("//")
        })
        .map(|line| format!("{line}\n"))
        .collect()
}

/// The word at the start of `text`, in quotes or without.
fn word(text: &str) -> Option<String> {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || "=:\"'[".contains(c));
    let end = match text.strip_prefix('$') {
        Some(rest) if rest.starts_with(['(', '{']) => text.find([')', '}'])? + 1,
        Some(rest) => 1 + rest.chars().next().map_or(0, char::len_utf8),
        None => text
            .find(|c: char| c.is_whitespace() || "\"',);]\\".contains(c))
            .unwrap_or(text.len()),
    };
    let word = &text[..end];
    (!word.is_empty()).then(|| word.to_owned())
}

/// What a word stands for: itself, or what the variable is set to (`$(TARGET)`,
/// `${PROJECT_NAME}`).
fn value(text: &str, word: &str) -> Option<String> {
    let Some(name) = word.strip_prefix('$') else {
        return Some(word.to_owned());
    };
    let name = name.trim_matches(['(', ')', '{', '}']);
    if name == "PROJECT_NAME" {
        return self::word(text.split_once("project(")?.1);
    }
    // `$@` is the rule's own name: that of the variable which people give to it.
    let names = match name {
        "@" => &[
            "TARGET", "BIN", "PROG", "PROGRAM", "EXE", "EXEC", "NAME", "APP",
        ][..],
        name => &[name],
    };
    names.iter().find_map(|name| {
        let line = text.lines().find(|line| {
            line.strip_prefix(name)
                .is_some_and(|rest| rest.trim_start().starts_with(['=', ':', '?']))
        });
        let set = line
            .and_then(|line| line.split_once('='))
            .map(|(_, value)| value);
        let set = set.or_else(|| {
            text.split_once(&format!("set({name} "))
                .map(|(_, value)| value)
        });
        self::word(set?).filter(|value| !value.starts_with('$'))
    })
}

/// The keys right below `table:` of a YAML file.
pub(super) fn keys(text: &str, table: &str) -> Vec<String> {
    let mut lines = text
        .lines()
        .skip_while(|line| line.trim_end() != format!("{table}:"))
        .skip(1)
        .take_while(|line| line.starts_with([' ', '\t']) || line.is_empty())
        .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
        .peekable();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let Some(first) = lines.peek().map(|line| indent(line)) else {
        return Vec::new();
    };
    lines
        .filter(|line| indent(line) == first)
        .filter_map(|line| {
            line.trim()
                .strip_suffix(':')
                .map(|key| key.trim_matches('"').to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_named_in_many_ways() {
        for (text, words, expected) in [
            (
                "add_executable(shop main.cc)\n# add_executable(old x.cc)",
                &["add_executable("][..],
                &["shop"][..],
            ),
            (
                "project(shop CXX)\nadd_executable(${PROJECT_NAME} main.cc)",
                &["add_executable("],
                &["shop"],
            ),
            (
                "set(APP shop)\nadd_executable(\n  ${APP}\n  main.cc)",
                &["add_executable("],
                &["shop"],
            ),
            (
                "executable('shop', ['main.cc'])",
                &["executable("],
                &["shop"],
            ),
            (
                "TARGET := shop\nall:\n\tcc -o $(TARGET) main.c",
                &[" -o "],
                &["shop"],
            ),
            (
                "BIN=shop\n$(BIN): main.c\n\tcc -o $@ main.c",
                &[" -o "],
                &["shop"],
            ),
            (
                ".executableTarget(\n name: \"Shop\",",
                &["executableTarget(", "name:"],
                &["Shop"],
            ),
            (
                "b.addExecutable(.{\n    .name = \"shop\",",
                &["addExecutable(", ".name"],
                &["shop"],
            ),
            (
                "version = \"1\"\nbin           = @[\"shop\"]",
                &["\nbin", "@["],
                &["shop"],
            ),
            (
                "(executable\n (public_name shop)\n (name main))",
                &["(executable", "(name "],
                &["main"],
            ),
            (
                "name: shop\nexecutable shop-web\n  main-is: Main.hs",
                &["\nexecutable "],
                &["shop-web"],
            ),
            ("{ \"name\": \"shop\" }", &["\"name\""], &["shop"]),
            (
                "TARGET = shop\n$(TARGET): main.c\n\t$(CC) -o $@ main.c\nclean:\n\trm $(TARGET)",
                &[" -o "],
                &["shop"],
            ),
            ("cc -o $(UNKNOWN)", &[" -o "], &[]),
            ("cc -o $", &[" -o "], &[]),
        ] {
            assert_eq!(after(text, text, words), expected, "{text}");
        }
    }

    #[test]
    fn keys_of_a_table() {
        let text = "name: x\ntargets:\n  shop:\n    main: a.cr\n  # c\n  shop-worker:\n    main: b.cr\nother:\n  no:\n";
        assert_eq!(keys(text, "targets"), ["shop", "shop-worker"]);
        assert_eq!(keys("targets:", "targets"), [""; 0]);
    }
}
