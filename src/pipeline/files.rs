//! Which files a release takes: the rules of `[release]`, and git's word on what it ignores.

use foldhash::HashSet;

use super::git;
use crate::artifact::{Selection, Survey, survey_without};
use crate::model::{Failure, FailureKind};
use crate::project::Project;

/// What the release of `project` is made of, and what is wrong with it.
///
/// # Errors
/// `Project` when the manifest asks for git's word and git does not give it.
pub fn survey(project: &Project) -> Result<Survey, Failure> {
    let rules = &project.release;
    let ignored = match rules.gitignore {
        true => ignored(project)?,
        false => HashSet::default(),
    };
    Ok(survey_without(
        &project.source,
        &rules.include,
        &rules.left_out(),
        &ignored,
    ))
}

/// The files of the release of `project`.
///
/// # Errors
/// As [`survey`]; `Project` with everything that is wrong with the files.
pub fn select(project: &Project) -> Result<Selection, Failure> {
    Ok(survey(project)?.into_selection()?)
}

fn ignored(project: &Project) -> Result<HashSet<crate::artifact::TreePath>, Failure> {
    match git::all_ignored(&project.source) {
        Ok(paths) => Ok(paths.into_iter().flatten().collect()),
        Err(unknown) => Err(Failure::new(
            FailureKind::Project,
            "git does not say what it ignores, which `gitignore = true` of [release] leaves out",
        )
        .detail(unknown.why)
        .hint(unknown.advice.unwrap_or_else(|| {
            "mend what git says, or name the files in `include` and set gitignore = false"
                .to_owned()
        }))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::manifest::{self, Files};
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    fn released(dir: &Path, release: &str) -> Result<String, Failure> {
        let text = format!(
            "[app]\nname = \"shop\"\n[services.web]\ncommand = \"./a\"\n[release]\n{release}\n"
        );
        let checked = manifest::parse(&text, "ship.toml", dir, Files::Ignored);
        let project = checked.project.expect("a valid manifest");
        let selection = select(&project)?;
        let paths = selection.entries().iter();
        let paths: Vec<String> = paths.map(|entry| entry.path.to_string()).collect();
        Ok(paths.join(" "))
    }

    #[test]
    fn git_says_what_is_left_out() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path();
        let write = |path: &str, text: &str| {
            let path = dir.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("a", "");
        write("keys/live.key", "");
        write("sub/.gitignore", "cache\n");
        write("sub/cache/x", "");
        write("dist/built", "");
        write(".gitignore", "*.key\n/dist/\n");
        let all = ".gitignore a dist dist/built keys keys/live.key sub sub/.gitignore sub/cache sub/cache/x";
        assert_eq!(released(dir, "").unwrap(), all);
        // Without a repository there is nobody to ask.
        assert_eq!(released(dir, "gitignore = true").unwrap(), all);
        let git = Command::new("git").arg("init").current_dir(dir).output();
        assert!(git.unwrap().status.success());
        let include = "gitignore = true\ninclude = [\".\", \"dist\"]";
        assert_eq!(
            released(dir, include).unwrap(),
            ".gitignore a dist dist/built sub sub/.gitignore"
        );
        fs::write(dir.join(".git/HEAD"), "").unwrap();
        let failure = released(dir, include).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Project);
    }
}
