//! The frameworks of Node that listen, one row each. A new one is one more row here, and a project
//! in the corpus.

use super::folder::Folder;
use super::node::Package;
use super::node_static::SVELTE_CONFIG;

/// A framework whose project runs a server.
#[derive(Debug)]
pub(super) struct Framework {
    /// The package that tells it.
    pub dependency: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// Where it listens when nothing says otherwise.
    pub port: u16,
    /// The folders that its build makes and a release needs.
    pub outputs: &'static [&'static str],
    /// What starts its build, for projects without a script that does.
    pub start: Option<&'static str>,
    /// Whether `outputs` are all that runs, without packages and sources.
    pub is_whole: bool,
    /// The folder of its build that is the app, and that everything runs in.
    pub runs_in: Option<&'static str>,
    /// Secrets that it does not start without, where the project's example of a `.env` or its sources
    /// name them.
    pub secrets: &'static [&'static str],
    /// Files that it reads when it starts.
    pub reads: &'static [&'static str],
    /// Folders that it writes to while it runs.
    pub writes: &'static [&'static str],
    /// Environment without which it would listen where no health check reaches it.
    pub env: &'static [(&'static str, &'static str)],
    /// The variable that says the address by which browsers reach the app, where the framework
    /// takes HTTPS for granted and refuses forms that come another way.
    pub origin: Option<&'static str>,
}

const fn framework(dependency: &'static str, name: &'static str, port: u16) -> Framework {
    Framework {
        dependency,
        name,
        port,
        outputs: &[],
        start: None,
        is_whole: false,
        runs_in: None,
        secrets: &[],
        reads: &[],
        writes: &[],
        env: &[],
        origin: None,
    }
}

impl Framework {
    const fn builds(self, outputs: &'static [&'static str], start: &'static str) -> Self {
        Self {
            outputs,
            start: Some(start),
            ..self
        }
    }

    const fn whole(self) -> Self {
        Self {
            is_whole: true,
            ..self
        }
    }

    const fn runs_in(self, dir: &'static str) -> Self {
        Self {
            runs_in: Some(dir),
            ..self
        }
    }

    const fn starts(self, start: &'static str) -> Self {
        Self {
            start: Some(start),
            ..self
        }
    }

    const fn secrets(self, secrets: &'static [&'static str]) -> Self {
        Self { secrets, ..self }
    }

    const fn reads(self, reads: &'static [&'static str]) -> Self {
        Self { reads, ..self }
    }

    const fn writes(self, writes: &'static [&'static str]) -> Self {
        Self { writes, ..self }
    }

    const fn env(self, env: &'static [(&'static str, &'static str)]) -> Self {
        Self { env, ..self }
    }

    const fn origin(self, variable: &'static str) -> Self {
        Self {
            origin: Some(variable),
            ..self
        }
    }
}

/// Tools that build with webpack 4 or older, up to the version before this one. Its hashes are MD4,
/// which OpenSSL 3 has in its legacy provider alone (provider(7), OSSL_PROVIDER-legacy(7)).
const WEBPACK_4: &[(&str, &str, u32)] = &[
    ("react-scripts", "Create React App", 5),
    ("@vue/cli-service", "Vue CLI", 5),
    ("@angular-devkit/build-angular", "Angular", 12),
    ("nuxt", "Nuxt", 3),
    ("gatsby", "Gatsby", 3),
    ("next", "Next.js", 11),
    ("laravel-mix", "Laravel Mix", 6),
    ("webpack", "webpack", 5),
];

/// The tool that needs OpenSSL's legacy provider to build, from Node 17 on.
pub(super) fn legacy_builder(package: &Package) -> Option<&'static str> {
    let is_old = |(dependency, _, since): &&(&str, &str, u32)| {
        package
            .major(dependency)
            .is_some_and(|major| major < *since)
    };
    WEBPACK_4.iter().find(is_old).map(|(_, name, _)| *name)
}

/// What makes two builds of one commit differ.
struct Varies {
    dependency: &'static str,
    /// The word by which the project's settings fix it, where they can.
    fixed_by: Option<&'static str>,
    /// What it is, and how to fix it.
    says: &'static str,
}

const fn varies_unless(
    fixed_by: &'static str,
    dependency: &'static str,
    says: &'static str,
) -> Varies {
    Varies {
        dependency,
        fixed_by: Some(fixed_by),
        says,
    }
}

const fn always_varies(dependency: &'static str, says: &'static str) -> Varies {
    Varies {
        dependency,
        fixed_by: None,
        says,
    }
}

const NITRO: &str =
    "each build holds the time when it was made, so a second deploy of one commit is a new release";

/// The builders that do not build the same twice.
#[rustfmt::skip]
const VARIES: &[Varies] = &[
    varies_unless("generateBuildId", "next", "each build of Next.js has a random id, so a second deploy of one commit is a new release; `generateBuildId` in next.config sets it"),
    varies_unless("ASTRO_KEY", "@astrojs/node", "each build of Astro has a random key, so a second deploy of one commit is a new release; ASTRO_KEY in the environment of the build sets it (`npx astro create-key`)"),
    varies_unless("version:", "@sveltejs/kit", "each build of SvelteKit is named after the time, so a second deploy of one commit is a new release; `kit.version.name` sets it"),
    always_varies("nuxt", NITRO),
    always_varies("nitropack", NITRO),
    always_varies("nitro", NITRO),
    always_varies("@tanstack/react-start", NITRO),
    always_varies("@tanstack/solid-start", NITRO),
    always_varies("@solidjs/start", NITRO),
];

/// What to know when the same commit is another release each time it is built, unless one of the
/// project's settings fixes that.
pub(super) fn varies(folder: &Folder, package: &Package) -> Option<&'static str> {
    let Varies { fixed_by, says, .. } = VARIES.iter().find(|row| package.has(row.dependency))?;
    let mut settings = folder.names().filter(|name| name.contains(".config."));
    let fixes = |name| {
        let text = folder.read(name).unwrap_or_default();
        fixed_by.is_some_and(|word| text.contains(word))
    };
    (!settings.any(fixes)).then_some(*says)
}

/// The other apps of a Nest workspace, of which `nest build` makes one (nest-cli.json).
pub(super) fn other_apps(folder: &Folder) -> Option<String> {
    let settings = folder.json("nest-cli.json")?;
    let own = settings.get("root")?.as_str()?;
    let projects = settings.get("projects")?.as_object()?.iter();
    let is_other = |project: &serde_json::Value| {
        let text = |key: &str| project.get(key).and_then(|value| value.as_str());
        text("type") == Some("application") && text("root").is_some_and(|root| root != own)
    };
    let others = projects.filter(|(_, project)| is_other(project));
    let names: Vec<&str> = others.map(|(name, _)| name.as_str()).collect();
    let first = names.first()?;
    Some(format!(
        "of the apps of this Nest workspace, the one in {own} is deployed, and not {}; for another \
         one, add the step `npx nest build {first}` and a service that runs \
         `node dist/apps/{first}/main`",
        names.join(", ")
    ))
}

/// The address that every interface has: some servers listen on `localhost` alone, which may be
/// `::1` only.
const EVERYWHERE: &[(&str, &str)] = &[("HOST", "0.0.0.0")];

/// What Strapi does not start without. Its settings read more, such as the address of a database
/// that another choice would need.
const STRAPI_KEYS: &[&str] = &[
    "APP_KEYS",
    "ADMIN_JWT_SECRET",
    "API_TOKEN_SALT",
    "TRANSFER_TOKEN_SALT",
    "JWT_SECRET",
    "ENCRYPTION_KEY",
];

/// The more telling first: a Next.js project may depend on Express as well.
#[rustfmt::skip]
const FRAMEWORKS: &[Framework] = &[
    framework("@keystone-6/core", "Keystone", 3000).builds(&[".keystone"], "keystone start").secrets(&["SESSION_SECRET"]),
    framework("next", "Next.js", 3000).builds(&[".next"], "next start").writes(&[".next/cache"]),
    framework("@remix-run/serve", "Remix", 3000).builds(&["build"], "remix-serve ./build/server/index.js"),
    framework("@react-router/serve", "React Router", 3000).builds(&["build"], "react-router-serve ./build/server/index.js"),
    framework("nuxt", "Nuxt", 3000).builds(&[".output"], "node .output/server/index.mjs").whole(),
    framework("@tanstack/react-start", "TanStack Start", 3000).builds(&[".output"], "node .output/server/index.mjs").whole(),
    framework("@tanstack/solid-start", "TanStack Start", 3000).builds(&[".output"], "node .output/server/index.mjs").whole(),
    framework("@solidjs/start", "SolidStart", 3000).builds(&[".output"], "node .output/server/index.mjs").whole(),
    framework("nitropack", "Nitro", 3000).builds(&[".output"], "node .output/server/index.mjs").whole(),
    framework("nitro", "Nitro", 3000).builds(&[".output"], "node .output/server/index.mjs").whole(),
    framework("@analogjs/platform", "Analog", 3000).builds(&["dist"], "node dist/analog/server/index.mjs"),
    framework("@sveltejs/adapter-node", "SvelteKit", 3000).builds(&["build"], "node build").origin("ORIGIN"),
    framework("@builder.io/qwik-city", "Qwik City", 3000).builds(&["dist", "server"], "node server/entry.express"),
    framework("waku", "Waku", 8080).builds(&["dist"], "waku start"),
    framework("@astrojs/node", "Astro", 4321).builds(&["dist"], "node ./dist/server/entry.mjs").env(EVERYWHERE),
    framework("@nestjs/core", "Nest", 3000).builds(&["dist"], "node dist/main"),
    framework("@adonisjs/core", "AdonisJS", 3333).builds(&["build"], "node bin/server.js").runs_in("build").env(EVERYWHERE).writes(&["build/tmp"]),
    framework("@strapi/strapi", "Strapi", 1337).builds(&["dist"], "strapi start").secrets(STRAPI_KEYS).reads(&["tsconfig.json"]).writes(&["public/uploads", ".tmp"]),
    framework("@medusajs/medusa", "Medusa", 9000).builds(&[".medusa"], "medusa start"),
    framework("directus", "Directus", 8055).starts("directus start").writes(&["uploads"]),
    framework("fastify-cli", "Fastify", 3000).env(&[("FASTIFY_ADDRESS", "0.0.0.0")]),
    framework("@loopback/rest", "LoopBack", 3000).builds(&["dist"], "node ."),
    framework("sails", "Sails", 1337).writes(&[".tmp"]),
    framework("@feathersjs/feathers", "Feathers", 3030),
    framework("@apollo/server", "Apollo Server", 4000),
    framework("graphql-yoga", "GraphQL Yoga", 4000),
    framework("express", "Express", 3000),
    framework("fastify", "Fastify", 3000),
    framework("koa", "Koa", 3000),
    framework("@hapi/hapi", "hapi", 3000),
    framework("hono", "Hono", 3000),
    framework("elysia", "Elysia", 3000),
    framework("restify", "Restify", 8080),
    framework("polka", "Polka", 3000),
    framework("h3", "h3", 3000),
    framework("ws", "ws", 8080),
    framework("socket.io", "Socket.IO", 3000),
];

/// The framework that `package` depends on.
pub(super) fn of(package: &Package) -> Option<&'static Framework> {
    FRAMEWORKS.iter().find(|row| package.has(row.dependency))
}

/// `command` of `package` in the folder that its framework runs in: `cd build && exec node
/// bin/server.js`.
pub(super) fn placed(package: &Package, command: String) -> String {
    let Some(dir) = of(package).and_then(|row| row.runs_in) else {
        return command;
    };
    let mut own = command;
    for start in [format!(" ./{dir}/"), format!(" {dir}/")] {
        own = own.replace(&start, " ");
    }
    if let Some(tool) = own.strip_prefix("./node_modules/") {
        own = format!("../node_modules/{tool}");
    }
    format!("cd {dir} && exec {own}")
}

/// A framework that cannot run on a host of one's own as the project is set up.
struct Lacks {
    /// The package that tells the framework.
    framework: &'static str,
    /// The packages of which one makes it run.
    any_of: &'static [&'static str],
    /// Whether it needs that only where its configuration asks for a server; else always.
    only_with: Option<(&'static [&'static str], &'static str)>,
    /// The first version that needs it.
    since: (u32, u32),
    /// What to do, and where. `{settings}` stands for the first file of `settings` that is there.
    says: &'static str,
    settings: &'static [&'static str],
}

const ASTRO: &[&str] = &["astro.config.mjs", "astro.config.ts", "astro.config.js"];
const REACT_ROUTER: &[&str] = &["react-router.config.ts", "react-router.config.js"];

/// What listens for an app that is built for Vite alone.
const LISTEN: &[&str] = &[
    "nitro",
    "nitropack",
    "vinxi",
    "srvx",
    "express",
    "fastify",
    "h3",
    "hono",
];

/// Majors of SvelteKit, and that of the adapter for Node which fits.
const ADAPTERS: &[(u32, u32)] = &[(1, 1), (2, 5)];

const TANSTACK: &str = "TanStack Start has no server here: `npm install nitro`, and `nitro()` from \
                        \"nitro/vite\" in the plugins of vite.config.ts";

const LACKS: &[Lacks] = &[
    Lacks {
        framework: "@tanstack/react-start",
        any_of: LISTEN,
        only_with: None,
        since: (1, 132),
        says: TANSTACK,
        settings: &[],
    },
    Lacks {
        framework: "@tanstack/solid-start",
        any_of: LISTEN,
        only_with: None,
        since: (1, 132),
        says: TANSTACK,
        settings: &[],
    },
    Lacks {
        framework: "@sveltejs/kit",
        any_of: &[
            "@sveltejs/adapter-node",
            "@sveltejs/adapter-static",
            "svelte-adapter-bun",
        ],
        only_with: None,
        since: (0, 0),
        says: "SvelteKit has no adapter for hosts of your own: `npm install --save-dev \
               @sveltejs/adapter-node{version}`, and import that one in {settings}",
        settings: SVELTE_CONFIG,
    },
    Lacks {
        framework: "@builder.io/qwik-city",
        any_of: &["express", "fastify"],
        only_with: None,
        since: (0, 0),
        says: "Qwik City renders on a server here, and has none: `npm run qwik add express`",
        settings: &[],
    },
    Lacks {
        framework: "astro",
        any_of: &["@astrojs/node"],
        only_with: Some((ASTRO, "server")),
        since: (0, 0),
        says: "Astro renders on a server here, and has no adapter for hosts of your own: \
               `npx astro add node`",
        settings: &[],
    },
    Lacks {
        framework: "@react-router/dev",
        any_of: &[
            "@react-router/serve",
            "@react-router/express",
            "express",
            "hono",
            "fastify",
        ],
        only_with: Some((REACT_ROUTER, "")),
        since: (0, 0),
        says: "React Router renders on a server here, and has none: `npm install \
               @react-router/serve`, and the script `\"start\": \"react-router-serve \
               ./build/server/index.js\"` in package.json; or `ssr: false` in react-router.config.ts",
        settings: &[],
    },
    Lacks {
        framework: "@remix-run/dev",
        any_of: &[
            "@remix-run/serve",
            "@remix-run/express",
            "express",
            "hono",
            "fastify",
        ],
        only_with: None,
        since: (0, 0),
        says: "Remix has no server here: `npm install @remix-run/serve`, and the script \
               `\"start\": \"remix-serve ./build/server/index.js\"` in package.json",
        settings: &[],
    },
];

/// What the project lacks to run on a host, in a sentence that says what to add and where.
pub(super) fn lacks(folder: &Folder, package: &Package) -> Option<String> {
    let asks = |(files, word): (&[&str], &str)| {
        let text = folder.first(files).and_then(|file| folder.read(file));
        let text = text.unwrap_or_default();
        let is_off = text.contains("ssr: false") || text.contains("ssr:false");
        !is_off && (word.is_empty() || super::node_static::sets(&text, "output", word))
    };
    let row = LACKS.iter().find(|row| {
        package.has(row.framework)
            && !row.any_of.iter().any(|name| package.has(name))
            && row.only_with.is_none_or(asks)
            && package.version(row.framework) >= row.since
    })?;
    let of_kit = |(kit, adapter): &(u32, u32)| {
        (package.major(row.framework) == Some(*kit)).then_some(*adapter)
    };
    let version = ADAPTERS
        .iter()
        .find_map(of_kit)
        .map(|major| format!("@{major}"));
    let settings = folder.first(row.settings).or(row.settings.first().copied());
    Some(
        row.says
            .replace("{version}", &version.unwrap_or_default())
            .replace("{settings}", settings.unwrap_or_default()),
    )
}
