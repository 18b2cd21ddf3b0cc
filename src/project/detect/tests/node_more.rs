//! Databases, development servers and other runtimes of JavaScript.

use super::super::Detected;
use super::seen;

fn command(detected: &Detected) -> &str {
    let service = detected.services.first();
    service
        .and_then(|it| it.command.as_deref())
        .unwrap_or_default()
}

fn hooks(detected: &Detected) -> Vec<&str> {
    detected
        .hooks
        .iter()
        .map(|hook| hook.run.as_str())
        .collect()
}

const SCHEMA: (&str, &str) = (
    "prisma/schema.prisma",
    "datasource db {\n  provider = \"postgresql\"\n  url      = env(\"DATABASE_URL\")\n}\n",
);

#[test]
fn prisma_is_generated_before_the_build_and_migrated_before_the_switch() {
    let seen = seen(&[
        (
            "package.json",
            r#"{"scripts":{"build":"tsc","start":"node dist/server.js"},"dependencies":{"express":"4","@prisma/client":"6"},"devDependencies":{"prisma":"6"}}"#,
        ),
        ("package-lock.json", "{}"),
        SCHEMA,
        ("prisma/migrations/1/migration.sql", ""),
        ("src/server.ts", "app.listen(3000)"),
    ]);
    assert_eq!(
        seen.build.run,
        ["npm ci", "npx prisma generate", "npm run build"]
    );
    assert_eq!(hooks(&seen), ["./node_modules/.bin/prisma migrate deploy"]);
    assert_eq!(seen.required, ["DATABASE_URL"]);
    assert!(seen.include.contains(&"prisma".to_owned()));
}

#[test]
fn a_script_of_the_project_comes_before_the_tools_own() {
    let package = r#"{"scripts":{"start":"node app.js","postinstall":"prisma generate","migrate:deploy":"prisma migrate deploy --schema db"},"dependencies":{"express":"4","prisma":"6"}}"#;
    let found = seen(&[
        ("package.json", package),
        SCHEMA,
        ("prisma/migrations/", ""),
    ]);
    assert_eq!(found.build.run, ["npm install --no-save"]);
    assert_eq!(
        hooks(&found),
        ["./node_modules/.bin/prisma migrate deploy --schema db"]
    );
    let without = seen(&[("package.json", package), SCHEMA]);
    assert_eq!(hooks(&without), [""; 0]);
    assert!(
        without
            .notes
            .iter()
            .any(|note| note.starts_with("Prisma has no migrations"))
    );
}

#[test]
fn a_migration_in_the_start_script_runs_once() {
    let seen = seen(&[
        (
            "package.json",
            r#"{"scripts":{"start":"knex migrate:latest && node app.js"},"dependencies":{"express":"4","knex":"3"}}"#,
        ),
        ("knexfile.js", ""),
        ("migrations/1.js", ""),
        ("app.js", "app.listen(3000)"),
    ]);
    assert_eq!(command(&seen), "node app.js");
    assert_eq!(hooks(&seen), ["./node_modules/.bin/knex migrate:latest"]);
}

#[test]
fn a_database_of_prisma_that_is_a_file_survives_releases() {
    let seen = seen(&[
        (
            "package.json",
            r#"{"scripts":{"start":"node app.js"},"dependencies":{"express":"4","prisma":"6"}}"#,
        ),
        SCHEMA,
        (".env", "DATABASE_URL=\"file:./dev.db\"\n"),
        ("prisma/migrations/", ""),
        ("app.js", "app.listen(3000)"),
    ]);
    assert!(seen.shared.contains(&"prisma/dev.db".to_owned()));
    assert_eq!(seen.env["DATABASE_URL"], "file:./dev.db");
    assert_eq!(seen.required, [""; 0]);
}

#[test]
fn no_development_server_runs_in_production() {
    for (package, wanted) in [
        (
            r#"{"scripts":{"start":"next dev","build":"next build"},"dependencies":{"next":"15"}}"#,
            "./node_modules/.bin/next start",
        ),
        (
            r#"{"scripts":{"start":"nest start","build":"nest build"},"dependencies":{"@nestjs/core":"11"}}"#,
            "node dist/main",
        ),
        (
            r#"{"scripts":{"start":"astro dev","build":"astro build"},"dependencies":{"astro":"5","@astrojs/node":"9"}}"#,
            "node ./dist/server/entry.mjs",
        ),
        (
            r#"{"scripts":{"dev":"tsx watch src/index.ts"},"dependencies":{"hono":"4"},"devDependencies":{"tsx":"4"}}"#,
            "./node_modules/.bin/tsx src/index.ts",
        ),
        (
            r#"{"scripts":{"start":"nodemon app.js"},"dependencies":{"express":"4"}}"#,
            "node app.js",
        ),
    ] {
        assert_eq!(
            command(&seen(&[("package.json", package)])),
            wanted,
            "{package}"
        );
    }
}

#[test]
fn what_is_missing_is_one_sentence() {
    for (package, config, word) in [
        (
            r#"{"scripts":{"build":"vite build"},"devDependencies":{"@sveltejs/kit":"2","@sveltejs/adapter-auto":"4","vite":"6"}}"#,
            ("svelte.config.js", ""),
            "@sveltejs/adapter-node",
        ),
        (
            r#"{"scripts":{"build":"astro build"},"dependencies":{"astro":"5"}}"#,
            ("astro.config.mjs", "export default { output: 'server' }"),
            "npx astro add node",
        ),
        (
            r#"{"scripts":{"build":"react-router build"},"devDependencies":{"@react-router/dev":"7","vite":"6"}}"#,
            ("react-router.config.ts", "export default { ssr: true }"),
            "@react-router/serve",
        ),
        (
            r#"{"scripts":{"build":"qwik build"},"devDependencies":{"@builder.io/qwik-city":"1","vite":"6"}}"#,
            ("vite.config.ts", ""),
            "npm run qwik add express",
        ),
    ] {
        let seen = seen(&[("package.json", package), config]);
        assert_eq!(seen.services, []);
        assert!(
            seen.notes.iter().any(|note| note.contains(word)),
            "{seen:?}"
        );
    }
}

#[test]
fn apps_with_routes_of_their_own_have_a_fallback() {
    for (package, config, wanted) in [
        (
            r#"{"scripts":{"build":"vite build"},"dependencies":{"react-router-dom":"7"},"devDependencies":{"vite":"6"}}"#,
            ("x", ""),
            ("dist", Some("index.html")),
        ),
        (
            r#"{"scripts":{"build":"vite build"},"devDependencies":{"vite":"6","svelte":"5","@sveltejs/vite-plugin-svelte":"5"}}"#,
            ("svelte.config.js", "export default {}"),
            ("dist", None),
        ),
        (
            r#"{"scripts":{"build":"vite build"},"devDependencies":{"@sveltejs/kit":"2","@sveltejs/adapter-static":"3","vite":"6"}}"#,
            (
                "svelte.config.js",
                "adapter: adapter({ fallback: '200.html' })",
            ),
            ("build", Some("200.html")),
        ),
        (
            r#"{"scripts":{"build":"react-router build"},"devDependencies":{"@react-router/dev":"7","vite":"6"}}"#,
            (
                "react-router.config.ts",
                "export default {\n  ssr: false,\n}",
            ),
            ("build/client", Some("index.html")),
        ),
        (
            r#"{"scripts":{"build":"next build"},"dependencies":{"next":"15"}}"#,
            ("next.config.ts", "output: 'export',"),
            ("out", None),
        ),
        (
            r#"{"scripts":{"build":"nuxt generate"},"dependencies":{"nuxt":"3"}}"#,
            ("nuxt.config.ts", "ssr: false"),
            (".output/public", Some("200.html")),
        ),
    ] {
        let seen = seen(&[("package.json", package), config]);
        let service = &seen.services[0];
        assert_eq!(
            (
                service.static_dir.as_deref().unwrap(),
                service.fallback.as_deref()
            ),
            wanted,
            "{package}"
        );
    }
}

#[test]
fn bun_runs_what_its_generator_leaves() {
    let files = [
        (
            "package.json",
            r#"{"name":"x","module":"index.ts","devDependencies":{"@types/bun":"1"}}"#,
        ),
        ("bun.lock", "{}"),
        (
            "index.ts",
            "Bun.serve({ port: 3000, fetch: () => new Response('hi') })",
        ),
    ];
    let found = seen(&files);
    assert_eq!(command(&found), "bun index.ts");
    let names: Vec<&str> = found.runtimes.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["bun"]);
    assert_eq!(found.services[0].port, Some(3000));
}

#[test]
fn deno_serves_from_packages_in_the_release() {
    let found = seen(&[
        (
            "deno.jsonc",
            "{\n  // ours\n  \"tasks\": { \"dev\": \"deno serve --watch -R main.ts\", },\n  \"imports\": {}\n}",
        ),
        ("deno.lock", "{}"),
        ("main.ts", "export default { fetch() {} }"),
    ]);
    assert_eq!(
        command(&found),
        "deno serve --cached-only --port=$PORT -R main.ts"
    );
    assert_eq!(
        found.build.run,
        ["deno install --frozen --entrypoint main.ts"]
    );
    assert_eq!(found.include, [".", ".deno"]);
    assert_eq!(found.services[0].env["DENO_DIR"], ".deno");
    let plain = seen(&[
        ("deno.json", "{}"),
        (
            "main.ts",
            "Deno.serve({ port: 4000 }, () => new Response())",
        ),
    ]);
    assert_eq!(
        command(&plain),
        "deno run --allow-net --allow-env --allow-read main.ts"
    );
    assert_eq!(plain.build.run, [""; 0]);
    assert_eq!(plain.services[0].port, Some(4000));
}

/// A lock that the build wrote would be a change that nobody committed.
#[test]
fn a_build_writes_no_lock() {
    for (manager, install) in [
        ("npm@10.0.0", "npm install --no-save --omit=dev"),
        ("pnpm@9.0.0", "pnpm install --no-lockfile --prod"),
        ("yarn@1.22.0", "yarn install --pure-lockfile --production"),
        ("bun@1.1.0", "bun install --no-save --production"),
    ] {
        let package = format!(
            r#"{{"packageManager":"{manager}","scripts":{{"start":"node a.js"}},"dependencies":{{"express":"4"}}}}"#
        );
        let found = seen(&[("package.json", &package), ("a.js", "listen(3000)")]);
        assert_eq!(found.build.run, [install]);
    }
    let seen = seen(&[
        ("deno.json", r#"{"imports":{"hono":"npm:hono@4"}}"#),
        ("main.ts", "Deno.serve(app.fetch)"),
    ]);
    assert!(seen.build.run[0].starts_with("deno install --no-lock "));
    assert!(command(&seen).contains(" --cached-only --no-lock "));
}

#[test]
fn a_server_of_angular_is_started_by_the_script_that_angular_writes() {
    let found = seen(&[
        (
            "package.json",
            r#"{"scripts":{"start":"ng serve","build":"ng build","test":"ng test","serve:ssr:shop":"node dist/shop/server/server.mjs"},"dependencies":{"@angular/core":"19","@angular/ssr":"19","express":"4"},"devDependencies":{"@angular/cli":"19"}}"#,
        ),
        ("package-lock.json", "{}"),
        ("src/server.ts", "const port = process.env['PORT'] || 4000;"),
    ]);
    assert_eq!(command(&found), "node dist/shop/server/server.mjs");
    assert_eq!(found.build.run, ["npm ci", "npm run build"]);
    assert_eq!(found.services[0].port, Some(4000));
    // It would wait for a browser.
    assert_eq!(found.test.run, [""; 0]);
}

#[test]
fn tests_that_wait_for_a_person_are_told_that_there_is_none() {
    let seen = |script: &str| {
        let package = format!(
            r#"{{"scripts":{{"build":"react-scripts build","test":"{script}"}},"dependencies":{{"react-scripts":"5"}}}}"#
        );
        super::seen(&[("package.json", &package), ("package-lock.json", "{}")])
    };
    let env = seen("react-scripts test").test.env;
    assert_eq!(env.get("CI").map(String::as_str), Some("true"));
    assert_eq!(seen("jest").test.env.get("CI"), None);
}

#[test]
fn the_other_apps_of_a_nest_workspace_are_named() {
    let settings = r#"{"monorepo":true,"root":"apps/shop","projects":{
        "shop":{"type":"application","root":"apps/shop"},
        "admin":{"type":"application","root":"apps/admin"},
        "common":{"type":"library","root":"libs/common"}}}"#;
    let package = r#"{"scripts":{"build":"nest build","start:prod":"node dist/apps/shop/main"},
        "dependencies":{"@nestjs/core":"11"}}"#;
    let found = super::seen(&[
        ("package.json", package),
        ("package-lock.json", "{}"),
        ("nest-cli.json", settings),
    ]);
    let told = |note: &&String| note.contains("nest build admin");
    let note = found.notes.iter().find(told).expect("a note");
    assert!(note.contains("and not admin;"), "{note}");
}

#[test]
fn tests_in_a_browser_are_left_out() {
    let steps = |scripts: &str| {
        let package = format!(
            r#"{{"scripts":{{"start":"node server.js",{scripts}}},"dependencies":{{"express":"5"}}}}"#
        );
        let files = [
            ("package.json", package.as_str()),
            ("package-lock.json", "{}"),
            ("server.js", "app.listen(3000)"),
        ];
        let found = super::seen(&files);
        let told = found
            .notes
            .iter()
            .any(|note| note.contains("drives a browser"));
        (found.test.run, told)
    };
    for (scripts, expected) in [
        (r#""test":"vitest run""#, vec!["npm test"]),
        (r#""test":"playwright test""#, vec![]),
        (r#""test":"npm run e2e","e2e":"cypress run""#, vec![]),
        (
            r#""test":"npm run test:unit -- --run && npm run test:e2e","test:unit":"vitest","test:e2e":"playwright test""#,
            vec!["npm run test:unit -- --run"],
        ),
        (
            r#""test":"vitest run && npx playwright test""#,
            vec!["npx vitest run"],
        ),
        (
            r#""test":"mocha tests/playwright-less.js""#,
            vec!["npm test"],
        ),
    ] {
        let (run, told) = steps(scripts);
        assert_eq!(
            (run.is_empty(), &run),
            (told, &expected.into_iter().map(str::to_owned).collect()),
            "{scripts}"
        );
    }
}

#[test]
fn migrations_are_where_the_settings_or_a_script_say() {
    let knex = |script: &str, files: &[(&str, &str)]| {
        let package = format!(
            r#"{{"scripts":{{"start":"node server.js"{script}}},"dependencies":{{"express":"4","knex":"3"}}}}"#
        );
        let own = [
            ("package.json", package.as_str()),
            ("server.js", "app.listen(3000)"),
        ];
        seen(&[&own[..], files].concat())
    };
    let settings = "module.exports = { migrations: { directory: \"./server/migrations\" } }";
    let migrations = ("server/migrations/1.js", "");
    for (script, files, hook) in [
        (
            "",
            &[("knexfile.js", settings), migrations][..],
            "./node_modules/.bin/knex migrate:latest",
        ),
        (
            r#","migrate":"knex migrate:latest --env production""#,
            &[("knexfile.js", settings), migrations],
            "./node_modules/.bin/knex migrate:latest --env production",
        ),
        (
            r#","db:migrate":"knex --knexfile db/knexfile.js migrate:latest""#,
            &[("db/knexfile.js", "")],
            "./node_modules/.bin/knex --knexfile db/knexfile.js migrate:latest",
        ),
    ] {
        assert_eq!(hooks(&knex(script, files)), [hook], "{script}");
    }
    assert!(hooks(&knex("", &[("knexfile.js", settings)])).is_empty());
    assert!(hooks(&knex(r#","migrate":"node migrate.js""#, &[])).is_empty());
}

#[test]
fn options_of_a_database_url_are_no_part_of_its_file() {
    let seen = seen(&[
        (
            "package.json",
            r#"{"scripts":{"start":"node app.js"},"dependencies":{"express":"4","@prisma/client":"6"},"devDependencies":{"prisma":"6"}}"#,
        ),
        (
            "prisma/schema.prisma",
            "datasource db {\n  provider = \"sqlite\"\n  url      = env(\"DATABASE_URL\")\n}\n",
        ),
        (
            ".env.example",
            "DATABASE_URL=\"file:./data.db?connection_limit=1\"\n",
        ),
        ("app.js", "app.listen(3000)"),
    ]);
    assert_eq!(seen.shared, ["prisma/data.db"]);
    assert_eq!(
        seen.env["DATABASE_URL"],
        "file:./data.db?connection_limit=1"
    );
}

#[test]
fn an_app_that_keeps_its_data_outside_is_led_into_its_own_folder() {
    let seen = seen(&[
        ("package.json", r#"{"dependencies":{"express":"4"}}"#),
        (
            "server.js",
            "const location = process.env.SQLITE_DB_LOCATION || '/etc/todos/todo.db';\napp.listen(3000)",
        ),
    ]);
    assert_eq!(seen.shared, ["data"]);
    assert_eq!(seen.env["SQLITE_DB_LOCATION"], "data/todo.db");
}

#[test]
fn qwik_runs_the_server_that_was_added_to_it() {
    let seen = seen(&[
        (
            "package.json",
            r#"{"scripts":{"build":"qwik build","serve":"node server/entry.express"},"dependencies":{"express":"4"},"devDependencies":{"@builder.io/qwik-city":"1","vite":"6"}}"#,
        ),
        (
            "src/entry.express.tsx",
            "const PORT = process.env.PORT ?? 3000;\napp.listen(PORT)",
        ),
    ]);
    assert_eq!(command(&seen), "node server/entry.express");
    assert!(
        ["dist", "server"]
            .iter()
            .all(|dir| seen.include.contains(&(*dir).to_owned()))
    );
}

#[test]
fn a_procfile_makes_a_program_of_a_site() {
    let seen = seen(&[
        (
            "package.json",
            r#"{"scripts":{"build":"vite build"},"devDependencies":{"vite":"6"}}"#,
        ),
        ("Procfile", "web: node server/entry.js\n"),
        ("server/entry.js", "app.listen(process.env.PORT)"),
    ]);
    assert_eq!(command(&seen), "node server/entry.js");
    assert_eq!(seen.include, [".", "dist", "node_modules"]);
}
