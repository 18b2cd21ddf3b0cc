//! Node projects.

use super::{manifest, seen};

#[test]
fn npm_with_a_build() {
    insta::assert_snapshot!(manifest(&[
        (
            "package.json",
            r#"{"name":"@acme/My_Shop","scripts":{"build":"tsc","test":"vitest run","start":"npm run build && NODE_OPTIONS=--enable-source-maps node --env-file=.env dist/server.js"},
            "dependencies":{"express":"4"},"devDependencies":{"typescript":"5"},"engines":{"node":">=20"}}"#
        ),
        ("package-lock.json", "{}"),
        (".nvmrc", "v20.11.1\n"),
        (
            ".env",
            "PORT=3100\nDATABASE_URL=postgres://secret\nexport API_KEY='x'\n"
        ),
        (".gitignore", "node_modules\ndist\n.env\nuploads/\n"),
        ("tsconfig.json", "{}"),
        (
            "src/server.ts",
            "const port = Number(process.env.PORT);\napp.use(multer({ dest: 'uploads/' }));\napp.get('/healthz', (_, res) => res.send('ok'));\napp.listen(port);"
        ),
        ("public/style.css", ""),
        ("views/index.html", ""),
        ("README.md", ""),
    ]));
}

#[test]
fn no_dependencies_at_all() {
    insta::assert_snapshot!(manifest(&[
        (
            "package.json",
            r#"{"name":"tiny","scripts":{"test":"echo \"Error: no test specified\" && exit 1"}}"#
        ),
        (
            "server.js",
            "require('http').createServer(f).listen(process.env.PORT || 3000)"
        ),
        ("server.test.js", ""),
    ]));
}

#[test]
fn next_with_pnpm() {
    insta::assert_snapshot!(manifest(&[
        (
            "package.json",
            r#"{"name":"site","packageManager":"pnpm@9.1.0","scripts":{"dev":"next dev","build":"next build","start":"next start"},"dependencies":{"next":"14","react":"18"}}"#
        ),
        ("pnpm-lock.yaml", ""),
        ("next.config.mjs", "export default {}"),
        ("public/x.png", ""),
        ("app/page.tsx", ""),
        (
            "app/api/health/route.ts",
            "export const GET = () => new Response('ok')"
        ),
    ]));
}

#[test]
fn next_standalone() {
    let detected = seen(&[
        (
            "package.json",
            r#"{"scripts":{"build":"next build","start":"next start"},"dependencies":{"next":"14"}}"#,
        ),
        (
            "next.config.js",
            "module.exports = { output: 'standalone' }",
        ),
        ("public/x.png", ""),
    ]);
    assert_eq!(
        detected.services[0].command.as_deref(),
        Some("node .next/standalone/server.js")
    );
    assert_eq!(detected.include, [".next/standalone"]);
    assert_eq!(
        detected.build.run[2..],
        [
            "cp -R .next/static .next/standalone/.next/",
            "cp -R public .next/standalone/"
        ]
    );
}

#[test]
fn vite_is_static() {
    insta::assert_snapshot!(manifest(&[
        (
            "package.json",
            r#"{"name":"ui","scripts":{"dev":"vite","build":"vite build","preview":"vite preview"},"devDependencies":{"vite":"5"}}"#
        ),
        ("yarn.lock", ""),
        ("index.html", "<div id=app>"),
        (
            "vite.config.ts",
            "export default { server: { port: 5173 }, build: { outDir: 'www' } }"
        ),
    ]));
}

#[test]
fn static_builders() {
    for (dependency, start, dir) in [
        ("react-scripts", "react-scripts start", "build"),
        ("@vue/cli-service", "vue-cli-service serve", "dist"),
        ("gatsby", "gatsby develop", "public"),
        ("astro", "astro dev", "dist"),
        ("vite", "serve -s dist", "dist"),
        ("@11ty/eleventy", "", "_site"),
    ] {
        let package = format!(
            r#"{{"scripts":{{"build":"b","start":"{start}"}},"dependencies":{{"{dependency}":"1"}}}}"#
        );
        let detected = seen(&[("package.json", &package)]);
        assert_eq!(
            detected.services[0].static_dir.as_deref(),
            Some(dir),
            "{dependency}"
        );
        assert_eq!(detected.include, [dir]);
    }
    let detected = seen(&[
        (
            "package.json",
            r#"{"scripts":{"build":"ng build","start":"ng serve"},"dependencies":{"@angular/core":"17"}}"#,
        ),
        (
            "angular.json",
            r#"{"projects":{"shop":{"architect":{"build":{"builder":"@angular-devkit/build-angular:application","options":{"outputPath":"dist/shop"}}}}}}"#,
        ),
    ]);
    assert_eq!(
        detected.services[0].static_dir.as_deref(),
        Some("dist/shop/browser")
    );
}

#[test]
fn a_server_beside_vite_stays_a_server() {
    let detected = seen(&[
        (
            "package.json",
            r#"{"scripts":{"build":"vite build","start":"node server.js"},"dependencies":{"express":"4"},"devDependencies":{"vite":"5"}}"#,
        ),
        (
            "server.js",
            "app.use(express.static('dist')); app.listen(4000)",
        ),
    ]);
    assert_eq!(
        detected.services[0].command.as_deref(),
        Some("node server.js")
    );
    assert_eq!(detected.services[0].port, Some(4000));
    assert!(
        detected.include.contains(&"dist".to_owned()),
        "{:?}",
        detected.include
    );
}

#[test]
fn package_managers() {
    for (file, install, run) in [
        ("package-lock.json", "npm ci", "npm run build"),
        (
            "pnpm-lock.yaml",
            "pnpm install --frozen-lockfile",
            "pnpm run build",
        ),
        ("yarn.lock", "yarn install --frozen-lockfile", "yarn build"),
        ("bun.lock", "bun install --frozen-lockfile", "bun run build"),
        ("none", "npm install --no-save", "npm run build"),
    ] {
        let detected = seen(&[
            (
                "package.json",
                r#"{"scripts":{"build":"x","start":"node a.js"},"dependencies":{"x":"1"}}"#,
            ),
            (file, ""),
        ]);
        assert_eq!(detected.build.run, [install, run]);
    }
    let lean = seen(&[
        (
            "package.json",
            r#"{"scripts":{"start":"node a.js"},"dependencies":{"x":"1"}}"#,
        ),
        ("package-lock.json", ""),
    ]);
    assert_eq!(lean.build.run, ["npm ci --omit=dev"]);
}

#[test]
fn start_scripts_come_down_to_a_command() {
    for (script, command) in [
        ("node server.js", "node server.js"),
        ("npm run serve", "node b.js --x 'a b'"),
        (
            "next start -p 4000",
            "./node_modules/.bin/next start -p 4000",
        ),
        ("nodemon --watch src src/a.js", "node src/a.js"),
        (
            "cross-env NODE_ENV=production tsx src/a.ts",
            "./node_modules/.bin/tsx src/a.ts",
        ),
        ("dotenv -e .env -- node a.js", "node a.js"),
        (
            "npx remix-serve build/index.js",
            "./node_modules/.bin/remix-serve build/index.js",
        ),
        ("bun run src/a.ts", "bun run src/a.ts"),
        ("npm start", "npm start"),
    ] {
        let package =
            format!(r#"{{"scripts":{{"start":"{script}","serve":"node b.js --x 'a b'"}}}}"#);
        let detected = seen(&[("package.json", &package)]);
        assert_eq!(
            detected.services[0].command.as_deref(),
            Some(command),
            "{script}"
        );
    }
}
