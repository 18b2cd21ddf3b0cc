//! The tools of Node that build a folder of files, one row each. A new one is one more row here, and
//! a project in the corpus.

/// A tool whose build is a folder of files.
pub(super) struct Tool {
    /// The package that tells it.
    pub dependency: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// The folder of its build.
    pub dir: &'static str,
    /// Its program, as scripts have it.
    pub program: &'static str,
    /// What builds the site, where no script does.
    pub build: &'static str,
    /// Whether it builds one page for an app that may route in the browser.
    pub is_app: bool,
}

const fn tool(
    dependency: &'static str,
    name: &'static str,
    dir: &'static str,
    build: &'static str,
) -> Tool {
    Tool {
        dependency,
        name,
        dir,
        program: build,
        build,
        is_app: false,
    }
}

impl Tool {
    /// It builds one page.
    const fn app(self) -> Self {
        Self {
            is_app: true,
            ..self
        }
    }

    /// The name of its program, where `build` says more.
    const fn of(self, program: &'static str) -> Self {
        Self { program, ..self }
    }
}

/// The more telling first: many of them stand on Vite or webpack.
#[rustfmt::skip]
pub(super) const TOOLS: &[Tool] = &[
    tool("react-scripts", "Create React App", "build", "react-scripts build").of("react-scripts").app(),
    tool("@vue/cli-service", "Vue CLI", "dist", "vue-cli-service build").of("vue-cli-service").app(),
    tool("gatsby", "Gatsby", "public", "gatsby build").of("gatsby"),
    tool("@docusaurus/core", "Docusaurus", "build", "docusaurus build").of("docusaurus"),
    tool("vitepress", "VitePress", ".vitepress/dist", "vitepress build").of("vitepress"),
    tool("vuepress", "VuePress", ".vuepress/dist", "vuepress build").of("vuepress"),
    tool("astro", "Astro", "dist", "astro build").of("astro"),
    tool("@angular/cli", "Angular", "dist", "ng build").of("ng").app(),
    tool("@angular/core", "Angular", "dist", "ng build").of("ng").app(),
    tool("@11ty/eleventy", "Eleventy", "_site", "eleventy"),
    tool("hexo", "Hexo", "public", "hexo generate").of("hexo"),
    tool("@slidev/cli", "Slidev", "dist", "slidev build").of("slidev"),
    tool("@rspress/core", "Rspress", "doc_build", "rspress build").of("rspress"),
    tool("rspress", "Rspress", "doc_build", "rspress build").of("rspress"),
    tool("@rsbuild/core", "Rsbuild", "dist", "rsbuild build").of("rsbuild").app(),
    tool("ember-cli", "Ember", "dist", "ember build --environment=production").of("ember").app(),
    tool("@stencil/core", "Stencil", "www", "stencil build").of("stencil"),
    tool("preact-cli", "Preact", "build", "preact build").of("preact").app(),
    tool("parcel", "Parcel", "dist", "parcel build").of("parcel").app(),
    tool("html-webpack-plugin", "webpack", "dist", "webpack --mode production").of("webpack").app(),
    tool("vite", "Vite", "dist", "vite build").of("vite").app(),
];

/// What scripts that build a site are called, beside the usual names.
pub(super) const SCRIPTS: &[&str] = &[
    "docs:build",
    "build:docs",
    "site:build",
    "build:site",
    "build:prod",
];

/// Settings in which a tool may name the folder of its build, and the key, by the tool's program.
pub(super) const SETTINGS: &[(&str, &[&str], &str)] = &[
    (
        "astro",
        &["astro.config.mjs", "astro.config.ts", "astro.config.js"],
        "outDir",
    ),
    (
        "eleventy",
        &[
            "eleventy.config.js",
            "eleventy.config.mjs",
            "eleventy.config.cjs",
            ".eleventy.js",
        ],
        "output",
    ),
    (
        "rspress",
        &["rspress.config.ts", "rspress.config.js"],
        "outDir",
    ),
    ("vite", VITE_CONFIG, "outDir"),
    ("vue-cli-service", &["vue.config.js"], "outputDir"),
];
/// Options by which scripts name it.
pub(super) const OPTIONS: &[&str] = &[
    "--outDir",
    "--out-dir",
    "--dist-dir",
    "--output-path",
    "--output",
];

/// Packages of servers that a project without a start script may only have beside its pages.
pub(super) const SERVERS: &[&str] = &["@angular/ssr", "vike", "express", "fastify", "koa", "hono"];

/// Routers that run in the browser: an address below the app is a page that only they know.
pub(super) const ROUTERS: &[&str] = &[
    "react-router",
    "react-router-dom",
    "vue-router",
    "@angular/router",
    "@solidjs/router",
    "@tanstack/react-router",
    "@tanstack/vue-router",
    "@tanstack/solid-router",
    "@reach/router",
    "@vaadin/router",
    "@roxi/routify",
    "preact-iso",
    "preact-router",
    "svelte-navigator",
    "svelte-routing",
    "svelte5-router",
    "tinro",
    "wouter",
];

pub(super) const VITE_CONFIG: &[&str] = &["vite.config.ts", "vite.config.js", "vite.config.mjs"];
