//! Folders that git keeps empty (`uploads/*` and `!uploads/.gitkeep`): the app fills them where it
//! runs.

use super::folder::Folder;

/// Folders that a build or a tool fills, or whose content is made anew.
const MADE: &[&str] = &[
    "bin",
    "build",
    "cache",
    "coverage",
    "dist",
    "node_modules",
    "obj",
    "out",
    "target",
    "test-results",
    "vendor",
];

/// How deep folders with a `.gitignore` of their own are looked for.
const DEPTH: usize = 3;

/// The most folders that are looked into.
const MOST: usize = 2_000;

/// Such folders of the project, each with the file that says so.
pub(super) fn find(folder: &Folder) -> Vec<(String, String)> {
    let text = folder.read(".gitignore").unwrap_or_default();
    let named = emptied(&text).map(|dir| (dir.to_owned(), ".gitignore".to_owned()));
    let mut found: Vec<(String, String)> = named.collect();
    let mut budget = MOST;
    below(folder, "", DEPTH, &mut budget, &mut found);
    found.retain(|(dir, _)| {
        let mut names = dir.split('/');
        !names.any(|name| MADE.contains(&name) || name.starts_with('.'))
    });
    found
}

/// The folders whose content `text`, a `.gitignore`, leaves out, but for a file that keeps them.
fn emptied(text: &str) -> impl Iterator<Item = &str> {
    let lines = || text.lines().map(|line| line.trim().trim_start_matches('/'));
    let files = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix('!'))
        .filter_map(|path| path.trim_start_matches('/').rsplit_once('/'));
    let files: Vec<(&str, &str)> = files.collect();
    let is_kept = move |dir: &str| {
        let mut own = files.iter().filter(|(of, _)| *of == dir).peekable();
        own.peek().is_some() && own.all(|(_, file)| is_keep_file(file))
    };
    let all = lines().filter_map(|line| line.strip_suffix("/*").or(line.strip_suffix("/**")));
    all.filter(move |dir| is_kept(dir) && !dir.contains(['*', '?', '[']))
}

/// What stands in the names of examples.
const EXAMPLES: &[&str] = &[".example", ".sample", ".dist"];

fn is_keep_file(name: &str) -> bool {
    let is_example = || EXAMPLES.iter().any(|word| name.contains(word));
    name.starts_with('.') || name.starts_with("README") || name == "index.html" || is_example()
}

/// Whether nothing lies in `dir`, up to `depth` folders deep, but files that keep folders.
fn holds_nothing(folder: &Folder, dir: &str, depth: usize, budget: &mut usize) -> bool {
    folder.names_in(dir).into_iter().all(|name| {
        let path = format!("{dir}/{name}");
        if *budget == 0 || depth == 0 {
            return false;
        }
        *budget -= 1;
        match folder.is_dir(&path) {
            true => holds_nothing(folder, &path, depth - 1, budget),
            false => is_keep_file(&name),
        }
    })
}

/// The folders below `dir` whose own `.gitignore` leaves out all but itself, or so much that nothing
/// is left but files that keep folders.
fn below(
    folder: &Folder,
    dir: &str,
    depth: usize,
    budget: &mut usize,
    found: &mut Vec<(String, String)>,
) {
    for name in folder.names_in(if dir.is_empty() { "." } else { dir }) {
        let path = match dir {
            "" => name.clone(),
            dir => format!("{dir}/{name}"),
        };
        let is_tools = name.starts_with('.') || MADE.contains(&name.as_str());
        if is_tools || *budget == 0 || !folder.is_dir(&path) {
            continue;
        }
        *budget -= 1;
        let file = format!("{path}/.gitignore");
        let is_emptied = folder.read(&file).is_some_and(|text| {
            leaves_out_all(&text) || holds_nothing(folder, &path, DEPTH + 1, budget)
        });
        if is_emptied {
            found.push((path, file));
        } else if depth > 1 {
            below(folder, &path, depth - 1, budget, found);
        }
    }
}

fn leaves_out_all(text: &str) -> bool {
    let lines = text.lines().map(str::trim);
    let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.next() == Some("*") && lines.all(|line| line.strip_prefix('!').is_some_and(is_keep_file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_keeps_empty_is_found() {
        let found = |text| emptied(text).collect::<Vec<_>>();
        assert_eq!(found("bl-content/*\n!bl-content/.keep\n"), ["bl-content"]);
        assert_eq!(found("/logs/*\n!/logs/README.md\n"), ["logs"]);
        assert_eq!(found("/public/up/**\n!/public/up/.gitkeep"), ["public/up"]);
        for text in [
            "logs/*\n",
            "logs/\n!logs/.keep\n",
            "a/*\n!a/x.json\n",
            "dev/*\n!dev/README.md\n!dev/compose.yml\n",
            "*/*\n!*/.keep",
        ] {
            assert!(found(text).is_empty(), "{text}");
        }
        assert!(leaves_out_all("# data\n*\n!.gitignore\n"));
        assert!(!leaves_out_all("*\n!keep/\n"));
        assert!(!leaves_out_all("*.log\n"));
    }
}
