//! Files that the manifest names, the folder it is in, and single values.

use std::fs;

use super::{check, with};
use crate::model::service::Run;
use crate::project::{Project, duration_ms, find, render_all};

/// A folder with a manifest and the given empty folders.
fn project(more: &str, folders: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("ship.toml"), with(more)).unwrap();
    for folder in folders {
        fs::create_dir_all(dir.path().join(folder)).unwrap();
    }
    dir
}

#[test]
fn what_is_to_be_released_exists() {
    let more = "[release]\ninclude = [\"dist\", \"*.json\"]\n";
    let dir = project(more, &[]);
    assert_eq!(
        render_all(&Project::load(dir.path()).unwrap_err(), false),
        "error: `dist` does not exist
 --> ship.toml:6:12
  |
6 | include = [\"dist\", \"*.json\"]
  |            ^^^^^^ not in the project, and there are no build steps

1 error
"
    );
    assert!(Project::load(project(more, &["dist"]).path()).is_ok());
}

#[test]
fn the_build_may_make_what_is_not_there() {
    let more = "[services.site]\nstatic = \"dist\"\nport = 80\n[build]\nsteps = [\"make\"]\n";
    let checked = Project::check(project(more, &[]).path());
    assert!(checked.project.is_some());
    assert_eq!(render_all(&checked.diagnostics, false), "");
}

#[test]
fn a_file_is_not_served_as_a_folder() {
    let dir = project("[services.site]\nstatic = \"page\"\nport = 80\n", &[]);
    fs::write(dir.path().join("page"), "").unwrap();
    let said = render_all(&Project::load(dir.path()).unwrap_err(), false);
    assert!(
        said.starts_with("error: `page` is not a folder\n"),
        "{said}"
    );
}

#[test]
fn the_manifest_is_found_from_a_folder_below() {
    let dir = project("", &["src/deep"]);
    assert_eq!(find(&dir.path().join("src/deep")).unwrap(), dir.path());
    let loaded = Project::load(dir.path()).unwrap();
    assert_eq!(loaded.dir, dir.path());
    let empty = tempfile::tempdir().unwrap();
    let place = empty.path().display();
    assert_eq!(
        find(empty.path()).unwrap_err().render(false),
        format!(
            "error: there is no ship.toml in {place} or a folder above it\n |\n = help: `ship init` writes one"
        )
    );
    assert!(Project::load(empty.path()).is_err());
}

#[test]
fn a_manifest_that_is_not_text_is_refused_where_it_is_not() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("ship.toml"), b"[app]\nname = \"\xff\"\n").unwrap();
    let problems = Project::load(dir.path()).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].message, "the manifest is not text");
    assert_eq!(problems[0].position(), Some((2, 9)));
}

#[test]
fn paths_are_kept_in_their_plainest_form() {
    let text = with("[release]\ninclude = [\"./dist//js/\", \".\"]\nshared = [\"./up/\"]\n");
    let release = check(&text).project.unwrap().release;
    assert_eq!(release.include, ["dist/js", "."]);
    assert_eq!(release.shared, ["up"]);
}

#[test]
fn a_command_is_a_line_or_program_and_arguments() {
    let text = with("[services.list]\ncommand = [\"a b\", \"\"]\n");
    let services = check(&text).project.unwrap().services;
    assert_eq!(services[0].run, Run::Shell("serve".to_owned()));
    let words = vec!["a b".to_owned(), String::new()];
    assert_eq!(services[1].run, Run::Argv(words));
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_are_taken() {
    let text = format!("\u{feff}{}", with("port = 1\n").replace('\n', "\r\n"));
    assert!(check(&text).project.is_some());
    let text = text.replace("port = 1", "port = 0");
    assert_eq!(check(&text).diagnostics[0].position(), Some((5, 8)));
}

#[test]
fn an_exclude_keeps_its_slashes() {
    let text = with("[release]\nexclude = [\"/dist\", \"tmp/\", \".ship\", \".git\"]\n");
    let exclude = check(&text).project.unwrap().release.exclude;
    assert_eq!(exclude[..4], ["/dist", "tmp/", ".ship", ".git"]);
    assert_eq!(exclude.iter().filter(|name| *name == ".git").count(), 1);
    assert!(exclude.contains(&".env".to_owned()));
}

#[test]
fn a_name_that_looks_like_a_glob_is_a_name_when_it_is_there() {
    let more = "[release]\ninclude = [\"pages/[id\"]\n";
    assert!(Project::load(project(more, &["pages/[id"]).path()).is_ok());
    assert!(Project::load(project(more, &["pages"]).path()).is_err());
}

#[test]
fn a_duration_elsewhere_is_read_alike() {
    assert_eq!(duration_ms("1m30s"), Ok(90_000));
    assert!(
        duration_ms("90")
            .unwrap_err()
            .starts_with("expected a duration")
    );
    assert_eq!(duration_ms("366d").unwrap_err(), "expected at most `365d`");
}

/// What `ship init` wrote for the examples, with the files that it names.
#[test]
fn the_examples_are_valid() {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    let mut seen = 0;
    for entry in fs::read_dir(examples).unwrap() {
        let dir = entry.unwrap().path();
        if dir.join("ship.toml").is_file() {
            let checked = Project::check(&dir);
            let said = render_all(&checked.diagnostics, false);
            assert!(checked.project.is_some(), "{said}");
            seen += 1;
        }
    }
    assert!(seen > 0);
}
