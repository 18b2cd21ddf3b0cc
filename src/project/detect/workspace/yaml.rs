//! The one list of `pnpm-workspace.yaml` that matters, without a parser for all of YAML.

/// The items of the list `key` at the top of `text`: one a line, or in brackets.
pub(super) fn list(text: &str, key: &str) -> Option<Vec<String>> {
    let mut lines = text.lines();
    let after = lines.find_map(|line| {
        let rest = line.strip_prefix(key)?.trim_start().strip_prefix(':')?;
        Some(plain(rest).to_owned())
    })?;
    if let Some(inner) = after.strip_prefix('[') {
        let mut inner = inner.to_owned();
        while !inner.contains(']') {
            inner.push_str(plain(lines.next()?));
        }
        let items = inner.split(']').next().unwrap_or_default().split(',');
        return Some(
            items
                .map(unquoted)
                .filter(|item| !item.is_empty())
                .collect(),
        );
    }
    let mut items = Vec::new();
    for line in lines {
        let line = plain(line);
        match line.strip_prefix("- ") {
            Some(item) => items.push(unquoted(item)),
            None if line.is_empty() => {}
            None => break,
        }
    }
    Some(items)
}

/// A line without its comment and the space around it.
fn plain(line: &str) -> &str {
    let line = line.trim();
    let comment = line.starts_with('#').then_some(0).or(line.find(" #"));
    line[..comment.unwrap_or(line.len())].trim()
}

fn unquoted(item: &str) -> String {
    item.trim().trim_matches(['"', '\'']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::list;

    #[test]
    fn a_list_is_read_in_both_notations() {
        let wanted = Some(vec!["apps/*".to_owned(), "!**/test".to_owned()]);
        for text in [
            "packages:\n  - 'apps/*' # ours\n\n  # all but\n  - \"!**/test\"\ncatalog:\n  - x\n",
            "onlyBuilt: []\npackages:\n- apps/*\n- '!**/test'\n",
            "packages: ['apps/*', \"!**/test\"]\n",
            "packages: [\n  apps/*,\n  '!**/test',\n]\n",
        ] {
            assert_eq!(list(text, "packages"), wanted, "{text}");
        }
        assert_eq!(list("packages: [\n", "packages"), None);
        assert_eq!(list("other: 1\n", "packages"), None);
        assert_eq!(list("packages:\n", "packages"), Some(vec![]));
    }
}
