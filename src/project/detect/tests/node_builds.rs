//! What makes the file that a Node project starts, and what runs beside it on a host.

use super::super::Detected;
use super::seen;

fn command(detected: &Detected) -> &str {
    let service = detected.services.first();
    service
        .and_then(|it| it.command.as_deref())
        .unwrap_or_default()
}

fn hooks(detected: &Detected) -> Vec<&str> {
    let hooks = detected.hooks.iter();
    hooks.map(|hook| hook.run.as_str()).collect()
}

fn has(list: &[String], path: &str) -> bool {
    list.iter().any(|it| it == path)
}

const LOCK: (&str, &str) = ("package-lock.json", "{}");

#[test]
fn adonis_runs_in_the_folder_of_its_build() {
    let found = seen(&[
        (
            "package.json",
            r#"{"scripts":{"start":"node bin/server.js","build":"node ace build","test":"node ace test"},"dependencies":{"@adonisjs/core":"6","@adonisjs/lucid":"21"}}"#,
        ),
        LOCK,
        (".gitignore", "node_modules\nbuild\ntmp\n"),
        (
            ".env.example",
            "PORT=3333\nHOST=localhost\nLOG_LEVEL=info\nAPP_KEY=abc\nSESSION_DRIVER=cookie\nAPP_URL=http://${HOST}\n",
        ),
        (
            "start/env.ts",
            "export default await Env.create(new URL('../', import.meta.url), {\n  NODE_ENV: Env.schema.enum(['production'] as const),\n  PORT: Env.schema.number(),\n  APP_KEY: Env.schema.string(),\n  APP_URL: Env.schema.string({ format: 'url' }),\n  HOST: Env.schema.string({ format: 'host' }),\n  LOG_LEVEL: Env.schema.string(),\n  SMTP_HOST: Env.schema.string.optional(),\n  S3_KEY: Env.schema.string.optionalWhen(true),\n  SESSION_DRIVER: Env.schema.enum(['cookie'] as const),\n})\n",
        ),
        ("bin/server.ts", ""),
        ("config/database.ts", "filename: app.tmpPath('db.sqlite3')"),
        ("database/migrations/1_posts.ts", ""),
    ]);
    assert_eq!(command(&found), "cd build && exec node bin/server.js");
    assert_eq!(
        hooks(&found),
        ["cd build && exec node ace migration:run --force"]
    );
    assert_eq!(found.include, [".", "build", "node_modules"]);
    assert_eq!(found.shared, ["build/tmp"]);
    assert_eq!(found.required, ["APP_KEY"]);
    let env: Vec<(&str, &str)> = found.env.iter().map(|(a, b)| (&**a, &**b)).collect();
    assert_eq!(
        env,
        [
            ("LOG_LEVEL", "info"),
            ("NODE_ENV", "production"),
            ("SESSION_DRIVER", "cookie")
        ]
    );
    assert_eq!(found.settings["APP_URL"], "http://localhost");
    // Nobody has a `.env` in CI.
    assert_eq!(found.test.env["APP_KEY"], "abc");
    assert_eq!(found.test.env["HOST"], "localhost");
    assert!(!found.test.env.contains_key("NODE_ENV"));
}

#[test]
fn the_script_that_makes_what_start_runs_is_the_build() {
    for (scripts, ignored, build, made) in [
        (
            r#""compile":"tsc","start":"node lib/""#,
            "lib/\n",
            "compile",
            "lib",
        ),
        (
            r#""build-ts":"tsc","start":"node -r dotenv/config dist/server.js""#,
            "",
            "build-ts",
            "dist",
        ),
        (
            r#""prestart":"tsc","start":"NODE_ENV=production node ./server/dist""#,
            "",
            "prestart",
            "server/dist",
        ),
    ] {
        let package = format!(
            r#"{{"scripts":{{{scripts}}},"dependencies":{{"koa":"2"}},"devDependencies":{{"typescript":"5"}}}}"#
        );
        let found = seen(&[
            ("package.json", package.as_str()),
            LOCK,
            (".gitignore", ignored),
            ("src/index.ts", "app.listen(3000)"),
            ("lib/index.js", ""),
        ]);
        let step = format!("npm run {build}");
        assert_eq!(found.build.run, ["npm ci", &step], "{scripts}");
        assert!(has(&found.include, made), "{:?}", found.include);
        assert_eq!(found.notes, [""; 0]);
    }
    let committed = seen(&[
        (
            "package.json",
            r#"{"scripts":{"compile":"x","start":"node lib/"},"dependencies":{"koa":"2"}}"#,
        ),
        LOCK,
        ("lib/index.js", "app.listen(3000)"),
    ]);
    assert_eq!(committed.build.run, ["npm ci --omit=dev"]);
    assert_eq!(committed.include, [".", "node_modules"]);
}

#[test]
fn a_file_that_nothing_makes_is_told() {
    let note = |files: &[(&str, &str)]| seen(files).notes.join("\n");
    let package = |scripts: &str| {
        format!(r#"{{"scripts":{{{scripts}}},"dependencies":{{"koa":"2","typescript":"5"}}}}"#)
    };
    let procfile = ("Procfile", "web: node apps/api/dist/main.js\n");
    let found = note(&[
        ("package.json", package("").as_str()),
        LOCK,
        procfile,
        ("apps/api/tsconfig.json", "{}"),
    ]);
    assert_eq!(
        found,
        "nothing makes apps/api/dist/main.js, which a service starts and git does not hold: add \
         \"npx tsc -p apps/api\" to `steps` of [build] in ship.toml, or a script `build` to \
         package.json"
    );
    let started = package(r#""start":"node dist/index.js""#);
    let found = note(&[
        ("package.json", started.as_str()),
        LOCK,
        ("tsconfig.json", "{}"),
    ]);
    assert!(found.contains("add \"npx tsc\" to `steps`"), "{found}");
    for silent in [
        package(r#""start":"node dist/index.js","build":"tsc""#),
        package(r#""start":"node dist/index.js","postinstall":"tsc""#),
        package(r#""start":"node $ENTRY""#),
        package(r#""start":"node src/index.js""#),
    ] {
        let files = [
            ("package.json", silent.as_str()),
            LOCK,
            ("src/index.js", ""),
        ];
        assert_eq!(note(&files), "", "{silent}");
    }
}

#[test]
fn a_hook_finds_the_settings_that_it_reads() {
    let found = seen(&[
        (
            "package.json",
            r#"{"scripts":{"compile":"tsc","start":"node lib/"},"dependencies":{"@feathersjs/feathers":"5","knex":"3"},"devDependencies":{"ts-node":"10"}}"#,
        ),
        LOCK,
        (".gitignore", "lib/\n"),
        (
            "tsconfig.json",
            "{\n  \"extends\": \"./tsconfig.base\",\n  \"include\": [\"src\"] }",
        ),
        ("tsconfig.base.json", "{}"),
        ("tsconfig.test.json", "{}"),
        ("knexfile.ts", "import { app } from './src/app'"),
        ("migrations/1.ts", ""),
        ("src/app.ts", "app.listen(3030)"),
        ("src/declarations.ts", ""),
        (
            "config/default.json",
            "{\n  \"sqlite\": { \"connection\": \"chat.sqlite\" }\n}",
        ),
        ("config/test.json", "{ \"connection\": \"test.sqlite\" }"),
    ]);
    assert_eq!(hooks(&found), ["./node_modules/.bin/knex migrate:latest"]);
    for needed in [
        "/src",
        "/tsconfig.json",
        "/tsconfig.base.json",
        "/tsconfig.*",
        "/config",
    ] {
        assert!(!has(&found.exclude, needed), "{:?}", found.exclude);
    }
    assert!(has(&found.exclude, "/tsconfig.test.json"));
    assert_eq!(found.shared, ["chat.sqlite"]);
}

#[test]
fn a_service_in_typescript_finds_its_settings() {
    let found = seen(&[
        (
            "package.json",
            r#"{"scripts":{"start":"tsx src/index.ts"},"dependencies":{"koa":"2","tsx":"4"}}"#,
        ),
        ("tsconfig.json", "{}"),
        ("src/index.ts", "app.listen(3000)"),
    ]);
    assert!(!found.exclude.iter().any(|path| path.contains("tsconfig")));
}

#[test]
fn a_database_in_a_configuration_file_survives_releases() {
    for (file, text) in [
        ("config.toml", "[database]\npath = \"data/app.db\" # kept\n"),
        ("config/production.yaml", "db:\n  file: ./data/app.db\n"),
        ("config.json", "{\"url\": \"sqlite://data/app.db\"}"),
        ("settings.ini", "file = data/app.db\n"),
    ] {
        let found = seen(&[
            ("package.json", r#"{"scripts":{"start":"node a.js"}}"#),
            ("a.js", "listen(3000)"),
            (file, text),
        ]);
        assert_eq!(found.shared, ["data"], "{file}");
    }
}

#[test]
fn tanstack_start_lacks_a_server_without_nitro() {
    let told = |version: &str, more: &str| {
        let package = format!(
            r#"{{"scripts":{{"build":"vite build"}},"dependencies":{{"@tanstack/react-start":"{version}"{more}}},"devDependencies":{{"vite":"8"}}}}"#
        );
        let found = seen(&[("package.json", package.as_str()), LOCK]);
        let is_told = found.notes.iter().any(|it| it.contains("nitro/vite"));
        assert_eq!(is_told, found.services.is_empty(), "{:?}", found.notes);
        is_told
    };
    assert!(told("1.169.5", ""));
    assert!(told("latest", ""));
    assert!(!told("^1.131.2", ""));
    assert!(!told("1.169.5", r#","nitro":"3.0.1""#));
}

#[test]
fn a_build_of_an_unknown_tool_writes_where_git_looks_away() {
    let package = r#"{"scripts":{"start":"newtool start","build":"newtool build"},"dependencies":{"newtool":"1"}}"#;
    let include = |ignored| {
        let files = [("package.json", package), LOCK, (".gitignore", ignored)];
        seen(&files).include
    };
    let with_it = [".", "dist", "node_modules"];
    assert_eq!(include("node_modules\ndist/\n"), with_it);
    // Which of them it is, nobody says.
    assert_eq!(include("node_modules\ndist\nout\n"), [".", "node_modules"]);
}

#[test]
fn bun_that_builds_and_runs_a_project_needs_no_node() {
    let needs_node = |build| {
        let package = format!(
            r#"{{"scripts":{{"start":"bun src/index.ts","build":"{build}"}},"dependencies":{{"react":"19"}}}}"#
        );
        let files = [
            ("package.json", package.as_str()),
            ("bun.lock", "{}"),
            ("src/index.ts", "Bun.serve({ fetch })"),
        ];
        let found = seen(&files);
        found.runtimes.iter().any(|it| it.name == "node")
    };
    assert!(!needs_node("bun run build.ts"));
    assert!(needs_node("vite build"));
}

#[test]
fn strapi_reads_its_settings_and_its_keys_when_it_starts() {
    let found = seen(&[
        (
            "package.json",
            r#"{"scripts":{"start":"strapi start","build":"strapi build"},"dependencies":{"@strapi/strapi":"5.54.0"},"devDependencies":{"typescript":"5"}}"#,
        ),
        LOCK,
        (".gitignore", "dist\n.env\n"),
        ("tsconfig.json", "{}"),
        (".env.example", "APP_KEYS=\"a,b\"\nJWT_SECRET=x\nOTHER=y\n"),
        (
            "config/server.ts",
            "const config = ({ env }: Params): Server => ({\n  host: env('HOST', '0.0.0.0'),\n  port: env.int('PORT', 1337),\n  app: { keys: env.array('APP_KEYS')! },\n});\n",
        ),
    ]);
    assert_eq!(command(&found), "./node_modules/.bin/strapi start");
    let excluded = |path| found.exclude.iter().any(|it| it.starts_with(path));
    assert!(!excluded("/tsconfig"), "{:?}", found.exclude);
    assert_eq!(found.required, ["APP_KEYS", "JWT_SECRET"]);
}

#[test]
fn keystone_is_no_project_of_next_and_makes_its_own_schema() {
    let found = seen(&[
        (
            "package.json",
            r#"{"scripts":{"start":"keystone start","build":"keystone build"},"dependencies":{"@keystone-6/core":"8","next":"16","prisma":"7","@prisma/client":"7"}}"#,
        ),
        LOCK,
        (".gitignore", "node_modules\n.keystone/\n"),
        ("prisma.config.ts", ""),
        (
            "auth.ts",
            "const session = statelessSessions({ secret: process.env.SESSION_SECRET })\n",
        ),
    ]);
    assert_eq!(command(&found), "./node_modules/.bin/keystone start");
    assert_eq!(found.build.run, ["npm ci", "npm run build"]);
    assert!(has(&found.include, ".keystone"), "{:?}", found.include);
    assert_eq!(found.required, ["SESSION_SECRET"]);
}

#[test]
fn servers_of_packages_keep_what_their_command_names() {
    let with = |start: &str, dependency: &str, file: &str| {
        let package = format!(
            r#"{{"scripts": {{"start": "{start}"}}, "dependencies": {{"{dependency}": "1"}}}}"#
        );
        seen(&[("package.json", &package), (file, "{}")])
    };
    let wiki = with(
        "tiddlywiki mywiki --listen",
        "tiddlywiki",
        "mywiki/tiddlywiki.info",
    );
    assert_eq!(wiki.shared, ["mywiki/tiddlers"]);
    assert_eq!(wiki.services[0].port, Some(8080));
    let json = with("json-server --watch db.json", "json-server", "db.json");
    assert_eq!(json.shared, ["db.json"]);
    assert_eq!(json.services[0].port, Some(3000));
}
