//! `.gitignore`: what the steps write is not committed, and must not count as uncommitted.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use super::ask::Ask;
use crate::model::Failure;
use crate::pipeline::git;
use crate::project::detect::{self, Detected};

/// The name of the file.
pub(super) const FILE: &str = ".gitignore";

/// The lines of `.gitignore` that the steps of `detected` need and git does not know yet. None
/// where there is no repository, or no answer.
pub(super) fn missing(dir: &Path, detected: &Detected) -> Vec<String> {
    let mut lines = detect::leftovers(detected, dir);
    let paths: Vec<String> = lines.iter().map(|line| as_path(line)).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let (Some(ignored), Some(tracked)) = (git::ignored(dir, &paths), git::tracked(dir, &paths))
    else {
        return Vec::new();
    };
    lines.retain(|line| {
        let path = as_path(line);
        let below = path.trim_end_matches('/');
        let is_below = |name: &String| {
            name.strip_prefix(below)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        !ignored.contains(&path) && !tracked.iter().any(is_below)
    });
    lines
}

/// Whether `lines` may be added; nobody to ask is consent.
pub(super) fn consent(lines: &[String], ask: Option<&mut dyn Ask>) -> Result<bool, Failure> {
    match ask {
        Some(ask) if !lines.is_empty() => ask.confirm(&question(lines)),
        _ => Ok(true),
    }
}

/// What to know when `lines` were not added.
pub(super) fn note(lines: &[String]) -> Option<String> {
    (!lines.is_empty()).then(|| {
        format!(
            "{FILE} does not name {}: a deploy will call what the build writes uncommitted",
            lines.join(", ")
        )
    })
}

/// A question that fits a terminal of 60 columns.
fn question(lines: &[String]) -> String {
    let long = format!("add {} to {FILE}?", lines.join(" "));
    match long.chars().count() <= 54 {
        true => long,
        false => format!("add {} folders of the build to {FILE}?", lines.len()),
    }
}

/// Adds `lines` at the end of the file, which may not be there yet.
pub(super) fn append(dir: &Path, lines: &[String]) -> std::io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let path = dir.join(FILE);
    let before = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut text = String::new();
    if before.last().is_some_and(|&last| last != b'\n') {
        text.push('\n');
    }
    if !before.is_empty() {
        text.push('\n');
    }
    text.push_str("# Written by the build\n");
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(text.as_bytes())
}

/// The path that a line of `.gitignore` names at the top.
fn as_path(line: &str) -> String {
    line.trim_start_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::InitReport;
    use super::super::tests::{NODE, args, asked, folder, run};
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    fn git(dir: &Path, args: &[&str]) {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@b"];
        let mut git = Command::new("git");
        let done = git.args(identity).args(args).current_dir(dir).output();
        assert!(done.unwrap().status.success(), "{args:?}");
    }

    /// A committed Node project with dependencies, and these files.
    fn repository(more: &[(&str, &str)]) -> tempfile::TempDir {
        let package =
            r#"{"scripts":{"start":"node dist/a.js","build":"tsc"},"dependencies":{"x":"1"}}"#;
        let dir = folder(&[&[("package.json", package)], more].concat());
        git(dir.path(), &["init", "--quiet"]);
        git(dir.path(), &["add", "--all"]);
        git(dir.path(), &["commit", "--quiet", "-m", "Begin"]);
        dir
    }

    fn ignores(dir: &Path, report: &InitReport) -> (Vec<String>, Option<String>) {
        let text = fs::read_to_string(dir.join(".gitignore")).ok();
        (report.ignored.clone(), text)
    }

    #[test]
    fn what_the_build_writes_is_added() {
        let dir = repository(&[(".gitignore", "*.log")]);
        let report = run(&args(), dir.path(), false).unwrap();
        let (lines, text) = ignores(dir.path(), &report);
        assert_eq!(lines, ["node_modules/", "/dist/"]);
        let text = text.unwrap();
        assert_eq!(
            text,
            "*.log\n\n# Written by the build\nnode_modules/\n/dist/\n"
        );
        let commit = "git add ship.toml .gitignore && git commit";
        assert!(report.next.iter().any(|next| next.starts_with(commit)));
    }

    #[test]
    fn what_git_ignores_or_has_is_left_alone() {
        let dir = repository(&[
            (".gitignore", "node_modules\n"),
            ("dist/a.js", "app.listen(3000)"),
        ]);
        let report = run(&args(), dir.path(), false).unwrap();
        assert_eq!(
            ignores(dir.path(), &report),
            (vec![], Some("node_modules\n".to_owned()))
        );
    }

    #[test]
    fn a_person_is_asked_and_may_refuse() {
        for (answer, lines, notes) in [("yes", 2, 0), ("no", 0, 1)] {
            let dir = repository(&[("src/a.ts", "app.listen(3000)")]);
            let question = "add node_modules/ /dist/ to .gitignore?";
            let answers = [("name", ""), ("hosts", ""), (question, answer)];
            let report = asked(dir.path(), &answers).unwrap();
            assert_eq!(report.ignored.len(), lines);
            let told = report.notes.iter();
            let told = told.filter(|note| note.starts_with(".gitignore does not name"));
            assert_eq!(told.count(), notes);
        }
    }

    #[test]
    fn without_a_repository_nothing_is_written() {
        let dir = folder(NODE);
        let report = run(&args(), dir.path(), false).unwrap();
        assert_eq!(ignores(dir.path(), &report), (vec![], None));
    }
}
