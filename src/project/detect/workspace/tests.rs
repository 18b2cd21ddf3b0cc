use std::path::Path;

use super::super::tests::tree;
use super::*;

fn workspace(files: &[(&str, &str)]) -> (tempfile::TempDir, Vec<Workspace>) {
    let temp = tree(files);
    let found = Workspace::at(&temp.path().join("My Shop"));
    (temp, found)
}

fn dirs<'a>(members: impl IntoIterator<Item = &'a Member>) -> Vec<&'a str> {
    members
        .into_iter()
        .map(|member| member.dir.as_str())
        .collect()
}

const JS: &[(&str, &str)] = &[
    (
        "package.json",
        r#"{"workspaces": ["./apps/*", "packages/**", "!packages/old"]}"#,
    ),
    (
        "apps/api/package.json",
        r#"{"name": "api", "dependencies": {"@acme/db": "*"}}"#,
    ),
    ("apps/web/package.json", r#"{"name": "web"}"#),
    ("apps/notes/readme.md", ""),
    (
        "packages/db/package.json",
        r#"{"name": "@acme/db", "devDependencies": {"@acme/config": "workspace:*"}}"#,
    ),
    (
        "packages/tools/config/package.json",
        r#"{"name": "@acme/config", "dependencies": {"api": "*"}}"#,
    ),
    ("packages/old/package.json", "{}"),
    ("packages/db/node_modules/x/package.json", "{}"),
];

#[test]
fn an_npm_workspace_has_its_members_and_what_they_need() {
    let (_temp, found) = workspace(JS);
    let [found] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(found.kind, WorkspaceKind::Npm);
    assert_eq!(
        dirs(&found.members),
        [
            "apps/api",
            "apps/web",
            "packages/db",
            "packages/tools/config"
        ]
    );
    let api = found.member("api").unwrap();
    // A circle ends where it began.
    assert_eq!(
        dirs(found.closure(api)),
        ["packages/tools/config", "packages/db", "apps/api"]
    );
    assert_eq!(
        dirs(found.closure(found.member("./apps/web").unwrap())),
        ["apps/web"]
    );
    assert_eq!(found.member_at("apps/api/src/x.js"), Some(api));
    assert_eq!(found.member_at("apps"), None);
}

#[test]
fn the_list_of_pnpm_counts_where_there_are_two() {
    let files = [JS, &[("pnpm-workspace.yaml", "packages:\n  - apps/*\n")]].concat();
    let (_temp, found) = workspace(&files);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].kind, WorkspaceKind::Pnpm);
    assert_eq!(dirs(&found[0].members), ["apps/api", "apps/web"]);
}

#[test]
fn workspaces_of_other_languages_are_alike() {
    let (_temp, found) = workspace(&[
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"crates/*\"]\nexclude = [\"crates/x\"]\n",
        ),
        (
            "crates/api/Cargo.toml",
            "[package]\nname = \"api\"\n[dependencies]\ndb = { package = \"shop-db\", path = \"../db\" }\n",
        ),
        ("crates/db/Cargo.toml", "[package]\nname = \"shop-db\"\n"),
        ("crates/x/Cargo.toml", "[package]\nname = \"x\"\n"),
        (
            "pyproject.toml",
            "[tool.uv.workspace]\nmembers = [\"libs/*\", \"app\"]\n",
        ),
        (
            "app/pyproject.toml",
            "[project]\nname = \"app\"\ndependencies = [\"My_Lib[fast]>=1\", \"flask\"]\n",
        ),
        (
            "libs/my-lib/pyproject.toml",
            "[project]\nname = \"my-lib\"\n",
        ),
        (
            "go.work",
            "go 1.22\n\nuse (\n\t./svc // ours\n\t./lib\n)\nuse ./gen\n",
        ),
        (
            "svc/go.mod",
            "module example.com/svc\n\nrequire example.com/lib v0.0.0\n",
        ),
        ("lib/go.mod", "module example.com/lib\n"),
        ("gen/go.mod", "module example.com/gen\n"),
    ]);
    let seen: Vec<_> = found
        .iter()
        .map(|found| {
            (
                found.kind,
                dirs(&found.members),
                dirs(found.closure(&found.members[0])),
            )
        })
        .collect();
    assert_eq!(
        seen[..2],
        [
            (
                WorkspaceKind::Cargo,
                vec!["crates/api", "crates/db"],
                vec!["crates/db", "crates/api"]
            ),
            (
                WorkspaceKind::Uv,
                vec!["app", "libs/my-lib"],
                vec!["libs/my-lib", "app"]
            ),
        ]
    );
    assert_eq!(dirs(&found[2].members), ["gen", "lib", "svc"]);
    let svc = found[2].member("example.com/svc").unwrap();
    assert_eq!(dirs(found[2].closure(svc)), ["lib", "svc"]);
}

#[test]
fn a_member_finds_its_root_but_not_beyond_the_repository() {
    let (temp, _) = workspace(JS);
    let root = temp.path().join("My Shop");
    let around = |dir: &Path| Workspace::around(dir, |_| true);
    let (found, member) = around(&root.join("apps/api")).unwrap();
    assert_eq!((found.root, member.name.as_str()), (root.clone(), "api"));
    assert_eq!(around(&root.join("apps/notes")), None);
    std::fs::create_dir_all(root.join("apps/.git")).unwrap();
    assert_eq!(around(&root.join("apps/api")), None);
}
