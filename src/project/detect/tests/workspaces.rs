//! Apps that are members of a workspace of Node.

use std::path::Path;

use super::super::{Detected, Stack, detect};
use super::{seen, tree};

const MEMBERS: &[(&str, &str)] = &[
    (
        "apps/api/package.json",
        r#"{"name":"api","scripts":{"build":"tsc","start":"node dist/server.js","test":"vitest run"},"dependencies":{"express":"4","@acme/db":"workspace:*"}}"#,
    ),
    (
        "apps/api/src/server.ts",
        "app.get('/healthz', ok); app.listen(process.env.PORT || 4000)",
    ),
    (
        "apps/web/package.json",
        r#"{"name":"web","scripts":{"build":"vite build"},"devDependencies":{"vite":"5","@acme/ui":"workspace:*"}}"#,
    ),
    (
        "apps/docs/package.json",
        r#"{"name":"docs","scripts":{"build":"next build","start":"next start"},"dependencies":{"next":"14"}}"#,
    ),
    (
        "packages/db/package.json",
        r#"{"name":"@acme/db","main":"index.js","scripts":{"build":"tsc"}}"#,
    ),
    ("packages/db/index.js", ""),
    ("packages/ui/package.json", r#"{"name":"@acme/ui"}"#),
];

/// Where the manifest of a workspace of these files would be written, and what is detected there.
fn at(place: &str, root: &[(&str, &str)]) -> Detected {
    let temp = tree(&[MEMBERS, root].concat());
    detect(&temp.path().join("My Shop").join(Path::new(place)))
}

fn command(detected: &Detected) -> &str {
    detected.services[0].command.as_deref().unwrap_or_default()
}

const NPM: &[(&str, &str)] = &[
    (
        "package.json",
        r#"{"name":"acme","workspaces":["apps/*","packages/*"]}"#,
    ),
    ("package-lock.json", "{}"),
];
const PNPM: &[(&str, &str)] = &[
    (
        "package.json",
        r#"{"name":"acme","packageManager":"pnpm@9.1.0"}"#,
    ),
    (
        "pnpm-workspace.yaml",
        "packages:\n  - apps/*\n  - packages/*\n",
    ),
    ("pnpm-lock.yaml", ""),
];

#[test]
fn a_member_is_built_and_released_from_the_root() {
    let seen = at("apps/api", NPM);
    assert_eq!(seen.name.as_str(), "api");
    assert_eq!(seen.source.as_deref(), Some("../.."));
    assert_eq!(
        seen.build.run,
        [
            "npm ci --workspace apps/api --include-workspace-root",
            "npm run build --workspace packages/db",
            "cd apps/api && npm run build",
        ]
    );
    assert_eq!(seen.test.run, ["cd apps/api && npm test"]);
    assert_eq!(
        seen.include,
        ["apps/api", "packages/db", "node_modules", "package.json"]
    );
    assert_eq!(command(&seen), "cd apps/api && exec node dist/server.js");
    assert_eq!(seen.services[0].port, Some(4000));
    assert_eq!(seen.notes, [""; 0]);
}

#[test]
fn each_manager_installs_what_the_app_needs() {
    let yarn = |more: &'static [(&'static str, &'static str)]| {
        [&NPM[..1], &[("yarn.lock", "")], more].concat()
    };
    let berry = [&NPM[..1], &[("yarn.lock", "\n__metadata:\n  version: 8\n")]].concat();
    let bun = [&NPM[..1], &[("bun.lock", "{}")]].concat();
    for (root, first, second) in [
        (
            PNPM.to_vec(),
            "pnpm install --frozen-lockfile --filter 'api...' --filter '{.}'",
            "pnpm --filter 'api...' run build",
        ),
        (
            yarn(&[]),
            "yarn install --frozen-lockfile",
            "yarn workspace @acme/db run build",
        ),
        (
            berry,
            "yarn workspaces focus api acme",
            "yarn workspace @acme/db run build",
        ),
        (
            bun,
            "bun install --frozen-lockfile --filter api --filter acme",
            "bun run --cwd packages/db build",
        ),
    ] {
        let seen = at("apps/api", &root);
        assert_eq!(seen.build.run[..2], [first, second]);
        assert_eq!(seen.source.as_deref(), Some("../.."));
    }
}

#[test]
fn turbo_builds_the_app_with_what_it_needs() {
    let turbo = [
        (
            "package.json",
            r#"{"name":"acme","packageManager":"pnpm@9.1.0","devDependencies":{"turbo":"2"}}"#,
        ),
        ("turbo.json", "{}"),
    ];
    let seen = at("apps/api", &[&PNPM[1..], &turbo].concat());
    assert_eq!(
        seen.build.run[1..],
        ["pnpm exec turbo run build --filter=api"]
    );
    assert!(seen.exclude.contains(&".turbo".to_owned()));
}

#[test]
fn a_static_member_needs_no_packages_on_the_host() {
    let seen = at("apps/web", PNPM);
    assert_eq!(seen.include, ["apps/web/dist"]);
    assert_eq!(
        seen.services[0].static_dir.as_deref(),
        Some("apps/web/dist")
    );
}

#[test]
fn a_tool_is_found_wherever_the_manager_puts_it() {
    let seen = at("apps/docs", NPM);
    assert_eq!(
        command(&seen),
        "cd apps/docs && PATH=\"$PWD/node_modules/.bin:$PWD/../../node_modules/.bin:$PATH\" exec next start"
    );
    assert_eq!(seen.shared, ["apps/docs/.next/cache"]);
    assert!(seen.exclude.contains(&"apps/docs/.next/cache".to_owned()));
}

#[test]
fn from_the_root_the_server_is_the_app_and_the_others_are_named() {
    let seen = at("", NPM);
    assert_eq!(seen.source, None);
    assert_eq!(command(&seen), "cd apps/api && exec node dist/server.js");
    assert_eq!(
        seen.notes,
        ["this is for apps/api; apps/web, apps/docs can be deployed as well: ship init apps/web"]
    );
}

#[test]
fn the_root_names_its_app() {
    for start in [
        "npm run start -w docs",
        "npm --workspace=docs start",
        "pnpm --filter docs start",
        "yarn workspace docs start",
        "turbo run start --filter=docs",
    ] {
        let package =
            format!(r#"{{"workspaces":["apps/*","packages/*"],"scripts":{{"start":"{start}"}}}}"#);
        let seen = at("", &[("package.json", &package)]);
        assert!(command(&seen).ends_with("exec next start"), "{start}");
    }
}

#[test]
fn a_procfile_at_the_root_runs_files_and_scripts_of_members() {
    let procfile = "web: node apps/api/dist/server.js\nworker: npm start -w docs\n";
    let seen = at("", &[NPM, &[("Procfile", procfile)]].concat());
    assert_eq!(command(&seen), "node apps/api/dist/server.js");
    assert!(
        seen.services[1]
            .command
            .as_deref()
            .is_some_and(|command| command.starts_with("cd apps/docs && PATH="))
    );
    assert_eq!(
        seen.build.run,
        [
            "npm ci",
            "npm run build --workspace packages/db",
            "npm run build --workspace apps/api",
            "npm run build --workspace apps/docs",
        ]
    );
    assert_eq!(
        seen.include,
        [".", "node_modules", "packages/db", "apps/api", "apps/docs"]
    );
}

/// What Nx 21 writes for a server of Node, shortened.
const NX_SERVER: &str = r#"{"targets":{
    "build":{"executor":"@nx/esbuild:esbuild","options":{
        "outputPath":"OUTPUT","main":"apps/shop/src/main.ts"}},
    "serve":{"executor":"@nx/js:node"},
    "test":{"options":{"passWithNoTests":true}}}}"#;

const NX_ROOT: &[(&str, &str)] = &[
    ("package-lock.json", "{}"),
    ("nx.json", "{}"),
    (
        "apps/shop/src/main.ts",
        "app.listen(process.env.PORT || 3333)",
    ),
];

#[test]
fn nx_builds_a_member_and_names_what_it_starts() {
    for (output, start, beside) in [
        ("apps/shop/dist", "node dist/main.js", None),
        (
            "dist/apps/shop",
            "node ../../dist/apps/shop/main.js",
            Some("dist/apps/shop"),
        ),
    ] {
        let nx = NX_SERVER.replace("OUTPUT", output);
        let member =
            format!(r#"{{"name":"@acme/shop","nx":{nx},"dependencies":{{"express":"4"}}}}"#);
        let root = r#"{"name":"acme","workspaces":["apps/shop"],"devDependencies":{"nx":"21"}}"#;
        let files = [("package.json", root), ("apps/shop/package.json", &member)];
        let seen = at("", &[NX_ROOT, &files].concat());
        assert_eq!(
            seen.build.run,
            [
                "npm ci --workspace apps/shop --include-workspace-root",
                "npx nx run @acme/shop:build",
            ]
        );
        assert_eq!(seen.build.env["NX_DAEMON"], "false");
        assert_eq!(seen.test.run, ["npx nx run @acme/shop:test"]);
        assert_eq!(command(&seen), format!("cd apps/shop && exec {start}"));
        let mut include = vec!["apps/shop", "node_modules", "package.json"];
        include.extend(beside);
        assert_eq!(seen.include, include);
        assert_eq!(seen.services[0].port, Some(3333));
    }
}

#[test]
fn nx_names_the_only_app_of_a_workspace_without_packages() {
    let nx = NX_SERVER.replace("OUTPUT", "dist/apps/shop");
    let project = nx.replacen('{', r#"{"name":"shop","#, 1);
    let root = r#"{"name":"acme","dependencies":{"express":"4"},"devDependencies":{"nx":"19"}}"#;
    let files = [("package.json", root), ("apps/shop/project.json", &project)];
    let seen = at("", &[NX_ROOT, &files].concat());
    assert_eq!(seen.build.run, ["npm ci", "npx nx run shop:build"]);
    assert_eq!(command(&seen), "node dist/apps/shop/main.js");
    assert!(
        seen.include.contains(&"dist".to_owned()),
        "{:?}",
        seen.include
    );

    // Of two, only a person knows which one is meant.
    let other = project.replace("shop", "office");
    let more = [("apps/office/project.json", other.as_str())];
    let seen = at("", &[NX_ROOT, &files, &more].concat());
    assert!(!seen.build.run.iter().any(|step| step.contains("nx run")));
}

/// Etherpad: the root has no `start`, and the panel of its administrators is a member.
#[test]
fn a_script_for_production_is_a_start_script() {
    let members = [
        ("package-lock.json", "{}"),
        (
            "admin/package.json",
            r#"{"name":"admin","scripts":{"build":"vite build"},"devDependencies":{"vite":"5"}}"#,
        ),
        ("admin/index.html", ""),
        (
            "src/package.json",
            r#"{"name":"core","scripts":{"prod":"node server.js"},"dependencies":{"express":"4"}}"#,
        ),
        ("src/server.js", "app.listen(9001)"),
    ];
    for scripts in [
        "",
        r#","scripts":{"prod":"npm run prod -w core"}"#,
        r#","scripts":{"prod":"vite build"}"#,
    ] {
        let root = format!(r#"{{"name":"pad","workspaces":["admin","src"]{scripts}}}"#);
        let temp = tree(&[&[("package.json", root.as_str())], &members[..]].concat());
        let found = detect(&temp.path().join("My Shop"));
        assert!(
            command(&found).contains("node server.js"),
            "{scripts}: {}",
            command(&found)
        );
    }
}

#[test]
fn a_server_and_its_pages_may_be_in_two_workspaces() {
    let found = seen(&[
        (
            "package.json",
            r#"{"private":true,"workspaces":["frontend"]}"#,
        ),
        ("bun.lock", "{}"),
        (
            "frontend/package.json",
            r#"{"name":"frontend","scripts":{"build":"vite build"},"devDependencies":{"vite":"7"}}"#,
        ),
        ("frontend/index.html", ""),
        (
            "pyproject.toml",
            "[project]\nname = \"all\"\nversion = \"0\"\n[tool.uv.workspace]\nmembers = [\"backend\"]\n",
        ),
        ("uv.lock", ""),
        (
            "backend/pyproject.toml",
            "[project]\nname = \"app\"\nversion = \"0\"\ndependencies = [\"fastapi[standard]\"]\n",
        ),
        (
            "backend/app/main.py",
            "from fastapi import FastAPI\napp = FastAPI()\n",
        ),
    ]);
    assert_eq!(found.stack, Some(Stack::Python));
    let notes = found.notes.join("\n");
    assert!(
        notes.contains("frontend can be deployed as well: ship init frontend"),
        "{notes}"
    );
}
