//! Databases of Node projects: what generates a client, what migrates, and the files that both
//! need. A new tool is one more row.

use super::database;
use super::folder::Folder;
use super::guess::{Guess, HookGuess};
use super::node::Package;
use super::node_frameworks;
use super::node_imports;
use super::node_tool::PackageManager;
use super::reason::{About, Reason};
use super::text::literals;
use super::variables;

/// A tool that knows the database.
struct Tool {
    /// The packages that tell it.
    packages: &'static [&'static str],
    name: &'static str,
    /// Its settings; one of them is there.
    settings: &'static [&'static str],
    /// The folders that may hold its migrations.
    migrations: &'static [&'static str],
    /// Other files and folders that it reads on a host.
    reads: &'static [&'static str],
    /// Makes code that the build needs.
    generates: Option<&'static str>,
    /// Brings the database up to date; `None` when only a script of the project does.
    migrates: Option<&'static str>,
    /// Makes the tables of the schema where there are no migrations.
    pushes: Option<&'static str>,
    /// Makes the first migration.
    first: Option<&'static str>,
}

const PRISMA: &str = "Prisma";

/// Where Prisma looks for its schema.
const SCHEMA: &str = "prisma/schema.prisma";

#[rustfmt::skip]
const TOOLS: &[Tool] = &[
    Tool {
        packages: &["prisma", "@prisma/client"],
        name: PRISMA,
        settings: &["prisma/schema.prisma", "schema.prisma", "prisma/schema", "prisma.config.ts", "prisma.config.js"],
        migrations: &["prisma/migrations", "migrations", "prisma/schema/migrations"],
        reads: &["prisma"],
        generates: Some("prisma generate"),
        migrates: Some("prisma migrate deploy"),
        pushes: Some("prisma db push"),
        first: Some("npx prisma migrate dev"),
    },
    Tool {
        packages: &["drizzle-kit"],
        name: "Drizzle",
        settings: &["drizzle.config.ts", "drizzle.config.js", "drizzle.config.mjs", "drizzle.config.json"],
        migrations: &["drizzle", "migrations", "drizzle/migrations", "src/db/migrations", "db/migrations", "src/drizzle"],
        reads: &["src/db", "db"],
        generates: None,
        migrates: Some("drizzle-kit migrate"),
        pushes: Some("drizzle-kit push"),
        first: Some("npx drizzle-kit generate"),
    },
    Tool {
        packages: &["knex"],
        name: "Knex",
        settings: &["knexfile.js", "knexfile.cjs", "knexfile.mjs", "knexfile.ts"],
        migrations: &["migrations", "db/migrations", "src/migrations"],
        reads: &[],
        generates: None,
        migrates: Some("knex migrate:latest"),
        pushes: None,
        first: None,
    },
    Tool {
        packages: &["sequelize-cli"],
        name: "Sequelize",
        settings: &[".sequelizerc", "config/config.json", "config/config.js"],
        migrations: &["migrations", "db/migrations", "src/migrations"],
        reads: &["config", "models"],
        generates: None,
        migrates: Some("sequelize-cli db:migrate"),
        pushes: None,
        first: None,
    },
    Tool {
        packages: &["@mikro-orm/cli"],
        name: "MikroORM",
        settings: &["mikro-orm.config.js", "mikro-orm.config.ts", "src/mikro-orm.config.ts"],
        migrations: &["migrations", "src/migrations"],
        reads: &[],
        generates: None,
        migrates: Some("mikro-orm migration:up"),
        pushes: None,
        first: None,
    },
    Tool {
        packages: &["@adonisjs/lucid"],
        name: "Lucid",
        settings: &["config/database.ts"],
        migrations: &["database/migrations"],
        reads: &[],
        generates: None,
        migrates: Some("node ace migration:run --force"),
        pushes: None,
        first: Some("node ace make:migration"),
    },
    Tool {
        packages: &["node-pg-migrate"],
        name: "node-pg-migrate",
        settings: &["package.json"],
        migrations: &["migrations"],
        reads: &[],
        generates: None,
        migrates: Some("node-pg-migrate up"),
        pushes: None,
        first: None,
    },
    Tool {
        packages: &["typeorm"],
        name: "TypeORM",
        settings: &["package.json"],
        migrations: &["migrations", "src/migrations", "src/migration", "src/database/migrations", "src/db/migrations"],
        reads: &[],
        generates: None,
        migrates: None,
        pushes: None,
        first: None,
    },
];

/// Scripts of the project itself that migrate in production, best first.
const SCRIPTS: &[&str] = &[
    "migrate:deploy",
    "db:migrate:deploy",
    "prisma:deploy",
    "prisma:migrate:deploy",
    "db:deploy",
    "migrate:prod",
    "db:migrate:prod",
    "migration:run:prod",
    "migration:run",
    "migrations:run",
    "migrate:up",
    "migrate:latest",
    "db:migrate",
    "migrate",
];

/// How settings end that are code.
const CODE: &[&str] = &[".js", ".cjs", ".mjs", ".ts", ".config.json"];

/// Scripts after which a client is generated already.
const GENERATING: &[&str] = &["postinstall", "prepare", "prebuild", "build"];

impl Tool {
    fn has_settings(&self, folder: &Folder) -> bool {
        let mut paths = self.settings.iter();
        paths.any(|path| folder.is_file(path) || folder.is_dir(path))
    }
}

/// The scripts of the project that migrate.
fn scripts(package: &Package) -> impl Iterator<Item = &str> {
    let scripts = SCRIPTS.iter().filter_map(|name| package.script(name));
    scripts.filter(|script| !script.contains(" dev") && !script.contains("generate"))
}

/// The one among them that starts `tool` itself, whatever folder its migrations are in.
fn scripted<'a>(package: &'a Package, tool: &Tool) -> Option<&'a str> {
    let command = tool.migrates?;
    scripts(package).find(|script| {
        let mut words = command.split(' ');
        words.all(|word| script.split(' ').any(|own| own == word))
    })
}

/// What a project does with its database.
pub(super) struct Data<'a> {
    folder: &'a Folder,
    package: &'a Package,
    tool: &'static Tool,
    migrations: Option<String>,
    /// Prisma's schema.
    schema: String,
}

impl<'a> Data<'a> {
    /// The first tool that the project has settings for.
    pub fn of(folder: &'a Folder, package: &'a Package) -> Option<Self> {
        // Its own build writes the schema, and generates what belongs to it.
        if package.has("@keystone-6/core") {
            return None;
        }
        let tool = TOOLS.iter().find(|tool| {
            tool.packages.iter().any(|name| package.has(name))
                && (tool.has_settings(folder)
                    || tool.name == PRISMA && package.prisma_schema().is_some()
                    || scripted(package, tool).is_some())
        })?;
        let schema = package.prisma_schema().filter(|_| tool.name == PRISMA);
        let schema = schema.map(|path| match folder.is_dir(path) {
            true => format!("{path}/schema.prisma"),
            false => path.to_owned(),
        });
        let schema = schema.unwrap_or_else(|| SCHEMA.to_owned());
        let mut found = Self {
            folder,
            package,
            tool,
            migrations: None,
            schema,
        };
        let beside = [found.below_schema("migrations")];
        let customary = tool.migrations.iter().map(|path| (*path).to_owned());
        let mut customary = customary.chain(beside);
        let customary = customary.find(|path| folder.is_dir(path));
        found.migrations = found.named().or(customary);
        Some(found)
    }

    /// `path` of the folder that Prisma's schema is in.
    fn below_schema(&self, path: &str) -> String {
        match self.schema.rsplit_once('/') {
            Some((dir, _)) => format!("{dir}/{path}"),
            None => path.to_owned(),
        }
    }

    /// The folder of migrations that the tool's settings name.
    fn named(&self) -> Option<String> {
        self.settings().find_map(|file| {
            let text = self.folder.read(file)?;
            let paths = text.lines().flat_map(literals);
            let mut paths = paths.map(|path| path.trim_start_matches("./").trim_end_matches('/'));
            let is_one = |path: &&str| path.ends_with("migrations") && self.folder.is_dir(path);
            paths.find(is_one).map(str::to_owned)
        })
    }

    /// The step that generates code before the build, unless a script of the project does.
    pub fn generates(&self, manager: &PackageManager) -> Option<String> {
        let step = self.tool.generates?;
        let scripts = GENERATING
            .iter()
            .filter_map(|name| self.package.script(name));
        let is_done = scripts.into_iter().any(|script| script.contains(step));
        (!is_done).then(|| format!("{} {step}", manager.runner()))
    }

    /// The command that brings the database up to date.
    fn migrates(&self, manager: &PackageManager, guess: &mut Guess) -> Option<String> {
        let own = scripted(self.package, self.tool);
        match own.or_else(|| scripts(self.package).next()) {
            Some(script) => manager.production(self.package, script, guess).command(),
            None => {
                let command = manager.program(self.tool.migrates?);
                Some(node_frameworks::placed(self.package, command))
            }
        }
    }

    /// Says in `guess` what follows: a hook, unless something else migrates already, and the
    /// secret that names the database. Gives the hook.
    pub fn apply(&self, manager: &PackageManager, guess: &mut Guess) -> Option<HookGuess> {
        let name = self.tool.name;
        self.database(guess);
        // Where the tool has its customary settings, they tell where its migrations would be.
        let tells = self.tool.first.is_some() && self.tool.has_settings(self.folder);
        let is_scripted = !tells && scripted(self.package, self.tool).is_some();
        let folder = self.migrations.as_deref();
        let Some(subject) = folder.or(is_scripted.then_some("package.json")) else {
            if let Some(push) = self.push(guess) {
                let says =
                    "has no migrations: its tables are made from the schema, before the switch";
                guess.because(About::Hook, name, says);
                return guess
                    .hooks
                    .is_empty()
                    .then(|| HookGuess::once(manager.tool(&push)));
            }
            if let Some(first) = self.tool.first {
                guess.note(format!(
                    "{name} has no migrations here, so nothing brings the database up to date: \
                     `{first}` makes the first"
                ));
            }
            return None;
        };
        if !guess.hooks.is_empty() {
            return None;
        }
        let hook = self.migrates(manager, guess)?;
        let says = match folder {
            Some(_) => format!("holds migrations of {name}: they run once, before the switch"),
            None => format!("migrates by {name}: once, before the switch"),
        };
        let reason = Reason::new(About::Hook, subject, says);
        guess.reasons.push(reason);
        Some(HookGuess::once(hook))
    }

    /// What makes the tables of a database that is a file of the app, where there are no migrations.
    fn push(&self, guess: &Guess) -> Option<String> {
        let push = self
            .tool
            .pushes
            .filter(|_| guess.include.names("node_modules"))?;
        // It would ask somebody before each change.
        let asks = |file| {
            let text = self.folder.read(file).unwrap_or_default();
            text.contains("strict: true")
        };
        if self.settings().any(asks) {
            return None;
        }
        let is_file = |value: &String| database::path(value).is_some();
        let mut values = guess.env.values();
        values.any(is_file).then(|| match self.tool.name {
            // It generates code as well, before version 7: a release is read-only.
            PRISMA if self.package.major("prisma").is_some_and(|major| major < 7) => {
                format!("{push} --skip-generate")
            }
            _ => push.to_owned(),
        })
    }

    /// The files that a hook reads on a host, as far as they are there.
    pub fn reads(&self) -> Vec<String> {
        // The folder of the build has them.
        if node_frameworks::of(self.package).is_some_and(|row| row.runs_in.is_some()) {
            return Vec::new();
        }
        let all = self.tool.settings.iter().chain(self.tool.reads);
        let all = all.copied().chain(self.migrations.as_deref());
        let all = all.chain((self.tool.name == PRISMA).then_some(self.schema.as_str()));
        let is_there = |path: &&str| self.folder.is_file(path) || self.folder.is_dir(path);
        let mut all: Vec<String> = all.filter(is_there).map(str::to_owned).collect();
        for file in self.settings() {
            let imports = node_imports::of(self.folder, file);
            if imports.has_alias || file.ends_with("ts") {
                all.extend(node_imports::tsconfig(self.folder));
            }
            // It checks the types of all that belongs together.
            let is_whole = imports.is_cut || self.package.has("ts-node");
            all.extend(
                imports
                    .files
                    .into_iter()
                    .map(|path| match path.split_once('/') {
                        Some((dir, _)) if is_whole => dir.to_owned(),
                        _ => path,
                    }),
            );
            // `schema: "./src/schema.ts"`
            let text = self.folder.read(file).unwrap_or_default();
            let lines = text
                .lines()
                .filter(|line| line.trim_start().starts_with("schema"));
            let paths = lines
                .flat_map(literals)
                .map(|path| path.trim_start_matches("./"));
            for path in paths.filter(|path| is_there(path)) {
                all.push(path.to_owned());
                all.extend(node_imports::of(self.folder, path).files);
            }
        }
        all
    }

    /// The tool's settings that are code.
    fn settings(&self) -> impl Iterator<Item = &'static str> {
        let all = self.tool.settings.iter().copied();
        let is_code = |path: &str| CODE.iter().any(|end| path.ends_with(end));
        all.filter(move |path| is_code(path) && self.folder.is_file(path))
    }

    /// The variable with the address of the database in the tool's settings, and their file.
    fn variable(&self) -> Option<(String, &'static str)> {
        const KEYS: &[&str] = &["url", "uri", "connectionString"];
        const READS: &[&str] = &["process.env.", "process.env[", "env(", "env.", "Env."];
        self.settings().find_map(|file| {
            let text = self.folder.read(file)?;
            let mut lines = text.lines().map(str::trim);
            let name = lines.find_map(|line| {
                let (key, value) = line.rsplit_once(": ")?;
                let key = key.rsplit([' ', '{']).next()?;
                let rest = READS
                    .iter()
                    .find_map(|read| Some(value.split_once(read)?.1))?;
                let rest = rest.trim_start_matches(['"', '\'']);
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
                let name = &rest[..end.unwrap_or(rest.len())];
                let upper = |c: char| !c.is_ascii_lowercase();
                (KEYS.contains(&key) && !name.is_empty() && name.chars().all(upper))
                    .then(|| name.to_owned())
            })?;
            Some((name, file))
        })
    }

    /// Where the database is, by Prisma's schema: a file that survives releases, or an address that
    /// is a secret.
    fn database(&self, guess: &mut Guess) {
        let file = self.schema.as_str();
        let schema = self.folder.read(file).unwrap_or_default();
        let lines = || {
            schema
                .lines()
                .map(str::trim)
                .filter(|line| line.starts_with("url"))
        };
        let variable = lines().find_map(|line| line.split("env(").nth(1)?.split('"').nth(1));
        let plain = |line: &str| line.split('"').nth(1).map(str::to_owned);
        let address = match variable {
            Some(variable) => variables::address(self.folder, variable).map(|(value, _)| value),
            None => lines().find_map(plain),
        };
        let local = address
            .as_deref()
            .and_then(|address| address.strip_prefix("file:")?.split('?').next());
        if let Some(path) = local.filter(|path| !path.contains("..") && !path.starts_with('/')) {
            // Relative to the schema.
            let path = self.below_schema(path.trim_start_matches("./"));
            guess.because(About::Shared, file, format!("names a database, {path}"));
            guess.shared.push(path);
            if let (Some(variable), Some(address)) = (variable, &address) {
                guess.env.insert(variable.to_owned(), address.clone());
            }
        } else if let Some(variable) = variable.filter(|_| local.is_none()) {
            guess.secret(variable, file);
        } else if variable.is_none()
            && let Some((name, file)) = self.variable()
        {
            match variables::database_file(self.folder, &name) {
                Some((value, path)) => {
                    guess.because(About::Shared, file, format!("names a database, {path}"));
                    guess.shared.push(path);
                    guess.env.insert(name, value);
                }
                None => guess.secret(name, file),
            }
        }
    }
}
