//! What a person probably meant.

use super::schema::{self, Table};

/// The word of `known` that `word` is probably a slip of.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = normal(word);
    // Two slips in a long word, one in a short one; none in words of one or two letters.
    let slips = match word.chars().count() {
        0..=2 => 0,
        3..=5 => 1,
        6..=9 => 2,
        _ => 3,
    };
    known
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&word, &normal(candidate)), candidate))
        .filter(|(distance, _)| *distance <= slips)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The key of `table` that `word` probably means: a slip, the plural, or another tool's word.
pub(super) fn key(word: &str, table: &Table) -> Option<&'static str> {
    let plain = normal(word);
    let alias = table
        .keys
        .iter()
        .find(|key| key.aliases.contains(&plain.as_str()))
        .map(|key| key.name);
    nearest(word, table.keys.iter().map(|key| key.name))
        .or(alias)
        .or_else(|| {
            let mut alike = table.keys.iter().filter(|key| {
                key.name.strip_suffix('s') == Some(&plain)
                    || plain.strip_suffix('s') == Some(key.name)
            });
            alike.next().map(|key| key.name)
        })
}

/// The tables, headed as in the manifest, that have a key `word`.
pub(super) fn homes(word: &str) -> Vec<&'static str> {
    let word = normal(word);
    schema::TABLES
        .iter()
        .filter(|table| !table.title.is_empty() && !table.title.ends_with("[]"))
        .filter(|table| table.key(&word).is_some())
        .map(|table| table.title)
        .collect()
}

/// `a, b or c`, each in backticks.
pub(super) fn any_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    or(&quoted)
}

/// `a, b or c`.
pub(super) fn or(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    }
}

fn normal(word: &str) -> String {
    word.to_ascii_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_and_words_of_other_tools_are_understood() {
        assert_eq!(key("prot", &schema::SERVICE), Some("port"));
        assert_eq!(key("cmd", &schema::SERVICE), Some("command"));
        assert_eq!(key("stop_timeout", &schema::SERVICE), Some("stop-timeout"));
        assert_eq!(key("linked_dirs", &schema::RELEASE), Some("shared"));
        assert_eq!(key("service", &schema::ROOT), Some("services"));
        assert_eq!(key("colour", &schema::SERVICE), None);
    }

    #[test]
    fn a_key_of_another_table_is_found() {
        assert_eq!(homes("steps"), ["build", "test"]);
        assert_eq!(homes("inherit_env"), ["build", "test"]);
        assert!(homes("colour").is_empty());
    }
}
