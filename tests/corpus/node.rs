//! Node, Bun and Deno. The projects in `files/` are by hand, as their generators write them: those
//! of Astro, Nuxt, React Router, Hono and Turborepo fetch their templates from elsewhere when they
//! run, and a workspace has no generator.

use crate::ask::Ask;
use crate::project::{Edit, Project};
use crate::support::runtimes::{BUN_1, DENO_2, NODE_20_LAST};

/// What is common to all that npm installs.
const NODE: Project = Project {
    ecosystem: "Node",
    make: "npm install --package-lock-only",
    needs: &["npm"],
    runtimes: &[NODE_20_LAST],
    ..Project::PLAIN
};

/// A build of Next.js is another one each time, and init says how to change that. Templates of later
/// versions fetch fonts from elsewhere while they are built.
const NEXT: Project = Project {
    varies: "generateBuildId",
    ..NODE
};

pub const PROJECTS: &[Project] = &[
    Project {
        name: "express-generator",
        make: "npx --yes express-generator@4.16.1 --no-view --git . && npm install --package-lock-only",
        asks: &[
            Ask::Page("/", "Welcome to Express"),
            Ask::Asset("/", ".css"),
            Ask::Deep("/users", "respond with a resource"),
        ],
        fixed: true,
        ..NODE
    },
    // A server and a front end, each as its generator writes it, with the line that joins them.
    Project {
        name: "express-react",
        make: "npx --yes express-generator@4.16.1 --no-view --git . && \
               npm install --package-lock-only && \
               npx --yes create-vite@6.0.1 client --template react-ts && \
               (cd client && npm install --package-lock-only) && rm -r public && \
               sed -i \"s/'public'/'client', 'dist'/\" app.js",
        asks: &[
            Ask::Page("/", "Vite + React"),
            Ask::Asset("/", ".js"),
            Ask::Deep("/users", "respond with a resource"),
        ],
        ..NODE
    },
    Project {
        name: "next",
        make: "npx --yes create-next-app@15.0.3 . --ts --no-eslint --no-tailwind --app \
               --no-src-dir --import-alias '@/*' --use-npm --skip-install --disable-git \
               --no-turbopack --yes && npm install --package-lock-only",
        asks: &[Ask::Page("/", "Get started"), Ask::Asset("/", ".css")],
        ..NEXT
    },
    Project {
        name: "next-standalone",
        make: "npx --yes create-next-app@15.0.3 . --ts --no-eslint --no-tailwind --app \
               --no-src-dir --import-alias '@/*' --use-npm --skip-install --disable-git \
               --no-turbopack --yes && npm install --package-lock-only && \
               sed -i 's/\\/\\* config/output: \"standalone\", &/' next.config.ts",
        asks: &[Ask::Page("/", "Get started"), Ask::Asset("/", ".css")],
        ..NEXT
    },
    Project {
        name: "next-export",
        make: "npx --yes create-next-app@15.0.3 . --ts --no-eslint --no-tailwind --app \
               --no-src-dir --import-alias '@/*' --use-npm --skip-install --disable-git \
               --no-turbopack --yes && npm install --package-lock-only && \
               sed -i 's/\\/\\* config.*/output: \"export\",/' next.config.ts",
        asks: &[Ask::Page("/", "Get started"), Ask::Asset("/", ".css")],
        ..NEXT
    },
    Project {
        name: "vite-react",
        make: "npx --yes create-vite@6.0.1 . --template react-ts && npm install --package-lock-only",
        asks: &[Ask::Page("/", "Vite + React"), Ask::Asset("/", ".js")],
        ..NODE
    },
    Project {
        name: "vite-vue",
        make: "npx --yes create-vite@6.0.1 . --template vue-ts && npm install --package-lock-only",
        asks: &[Ask::Page("/", "Vite + Vue"), Ask::Asset("/", ".js")],
        ..NODE
    },
    Project {
        name: "vite-svelte",
        make: "npx --yes create-vite@6.0.1 . --template svelte-ts && npm install --package-lock-only",
        asks: &[Ask::Page("/", "Vite + Svelte"), Ask::Asset("/", ".js")],
        ..NODE
    },
    Project {
        name: "sveltekit",
        make: "npx --yes sv@0.6.10 create . --template minimal --types ts --no-add-ons --no-install \
               && npm install --package-lock-only",
        edits: &[Edit {
            says: "npm install --save-dev @sveltejs/adapter-node",
            does: "npm install --save-dev @sveltejs/adapter-node@5.2.11 && \
                   sed -i 's/adapter-auto/adapter-node/' svelte.config.js",
        }],
        varies: "kit.version.name",
        asks: &[
            Ask::Page("/", "Welcome to SvelteKit"),
            Ask::Asset("/", ".js"),
        ],
        ..NODE
    },
    Project {
        name: "nest",
        make: "npx --yes @nestjs/cli@10.4.9 new app --skip-install --skip-git \
               --package-manager npm && mv app/* app/.[a-z]* . && rmdir app && \
               npm install --package-lock-only",
        asks: &[Ask::Page("/", "Hello World!")],
        ..NODE
    },
    Project {
        name: "fastify",
        make: "npx --yes fastify-cli@7.3.0 generate . --lang=js --integrate && \
               npm install --package-lock-only",
        asks: &[
            Ask::Page("/", "root"),
            Ask::Deep("/example", "this is an example"),
        ],
        ..NODE
    },
    Project {
        name: "hono",
        files: "hono-node",
        asks: &[Ask::Page("/", "Hello Hono!")],
        ..NODE
    },
    Project {
        name: "astro",
        files: "astro-static",
        asks: &[Ask::Page("/", "<h1>Astro</h1>"), Ask::Asset("/", ".svg")],
        ..NODE
    },
    Project {
        name: "astro-node",
        files: "astro-node",
        asks: &[
            Ask::Page("/", "<h1>Astro</h1>"),
            Ask::Asset("/", ".svg"),
            Ask::Deep("/posts/7", "Post 7"),
        ],
        varies: "ASTRO_KEY",
        ..NODE
    },
    Project {
        name: "nuxt",
        files: "nuxt-app",
        make: "npm install --package-lock-only --ignore-scripts",
        asks: &[
            Ask::Page("/", "Welcome"),
            Ask::Asset("/", ".js"),
            Ask::Deep("/posts/7", "Post 7"),
        ],
        varies: "holds the time",
        ..NODE
    },
    Project {
        name: "react-router",
        files: "react-router",
        asks: &[
            Ask::Page("/", "<h1>React Router</h1>"),
            Ask::Asset("/", ".css"),
            Ask::Deep("/posts/7", "Post 7"),
        ],
        ..NODE
    },
    Project {
        name: "npm-workspace",
        files: "node-workspace",
        dir: "apps/api",
        asks: &[Ask::Page("/", "1m"), Ask::Deep("/healthz", "ok")],
        fixed: true,
        ..NODE
    },
    Project {
        name: "npm-workspace-root",
        files: "node-workspace",
        asks: &[Ask::Page("/", "1m"), Ask::Deep("/healthz", "ok")],
        ..NODE
    },
    Project {
        name: "npm-workspace-procfile",
        files: "node-workspace",
        make: "npm install --package-lock-only && \
               echo 'web: node apps/api/dist/server.js' > Procfile",
        asks: &[Ask::Page("/", "1m"), Ask::Deep("/healthz", "ok")],
        ..NODE
    },
    Project {
        name: "npm-workspace-static",
        files: "node-workspace",
        dir: "apps/web",
        asks: &[Ask::Page("/", "web"), Ask::Asset("/", ".js")],
        ..NODE
    },
    Project {
        name: "pnpm-workspace",
        files: "node-workspace",
        make: "printf 'packages:\\n  - apps/*\\n  - packages/*\\n' > pnpm-workspace.yaml && \
               sed -i 's/\"\\*\"/\"workspace:*\"/g' apps/*/package.json packages/*/package.json && \
               npm pkg delete workspaces && npm pkg set packageManager=pnpm@9.15.1 && \
               npx --yes pnpm@9.15.1 install --lockfile-only",
        dir: "apps/api",
        asks: &[Ask::Page("/", "1m"), Ask::Deep("/healthz", "ok")],
        ..NODE
    },
    Project {
        name: "turbo-pnpm",
        files: "node-workspace",
        make: "printf 'packages:\\n  - apps/*\\n  - packages/*\\n' > pnpm-workspace.yaml && \
               sed -i 's/\"\\*\"/\"workspace:*\"/g' apps/*/package.json packages/*/package.json && \
               npm pkg delete workspaces && npm pkg set packageManager=pnpm@9.15.1 \
               devDependencies.turbo=2.3.3 && \
               echo '{\"tasks\":{\"build\":{\"dependsOn\":[\"^build\"],\"outputs\":[\"dist/**\"]}}}' > turbo.json && \
               npx --yes pnpm@9.15.1 install --lockfile-only",
        asks: &[Ask::Page("/", "1m"), Ask::Deep("/healthz", "ok")],
        ..NODE
    },
    Project {
        name: "yarn-workspace",
        files: "node-workspace",
        make: "npx --yes yarn@1.22.22 install --ignore-scripts && \
               find . -name node_modules -prune -exec rm -rf {} +",
        dir: "apps/api",
        asks: &[Ask::Page("/", "1m"), Ask::Deep("/healthz", "ok")],
        ..NODE
    },
    Project {
        name: "yarn-berry-workspace",
        files: "node-workspace",
        make: "npm pkg set packageManager=yarn@4.5.3 && touch yarn.lock && \
               npx --yes --package=@yarnpkg/cli-dist@4.5.3 yarn install --mode=update-lockfile && \
               printf '.yarn\\n.pnp.*\\n' >> .gitignore && rm -rf .yarn .pnp.*",
        dir: "apps/api",
        asks: &[Ask::Page("/", "1m"), Ask::Deep("/healthz", "ok")],
        ..NODE
    },
    Project {
        name: "bun-init",
        ecosystem: "Bun",
        files: "bun-init",
        make: "bun=$(mktemp -d) && (cd $bun && npm pack @oven/bun-linux-x64@1.1.38 && tar xzf *.tgz) && \
               $bun/package/bin/bun install && rm -rf node_modules $bun",
        needs: &["npm"],
        runtimes: &[BUN_1],
        asks: &[
            Ask::Page("/", "Hello from Bun at /"),
            Ask::Deep("/a/b", "at /a/b"),
        ],
        ..Project::PLAIN
    },
    Project {
        name: "deno",
        ecosystem: "Deno",
        files: "deno-serve",
        runtimes: &[DENO_2],
        asks: &[
            Ask::Page("/", "Hello Deno"),
            Ask::Deep("/posts/7", "Post 7"),
        ],
        ..Project::PLAIN
    },
];
