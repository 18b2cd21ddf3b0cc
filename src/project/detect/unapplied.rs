//! Migrations that a tool of its own applies, and nothing that a deploy runs does.

use super::folder::{Folder, Source};
use super::guess::{Guess, Stack};
use super::text::has_word;
use super::variables;

/// A tool, and how a project shows that it uses it.
struct Tool {
    stacks: &'static [Stack],
    /// The folders that may hold its migrations.
    folders: &'static [&'static str],
    /// What a manifest of dependencies, or one of the migrations, holds.
    marks: &'static [&'static str],
    /// What code holds that applies them when the program starts.
    applies: &'static [&'static str],
    /// The command that applies them.
    command: &'static str,
    /// The call that does it from within the program.
    call: &'static str,
}

const TOOLS: &[Tool] = &[
    Tool {
        stacks: &[Stack::Rust],
        folders: &["migrations", "db/migrations"],
        marks: &["sqlx"],
        applies: &["migrate!(", "Migrator::new"],
        command: "sqlx migrate run",
        call: "sqlx::migrate!()",
    },
    Tool {
        stacks: &[Stack::Rust],
        folders: &["migrations", "db/migrations"],
        marks: &["diesel"],
        applies: &[
            "embed_migrations!",
            "run_pending_migrations",
            "FileBasedMigrations",
        ],
        command: "diesel migration run",
        call: "diesel_migrations",
    },
    Tool {
        stacks: &[Stack::Rust],
        folders: &["migration/src"],
        marks: &["sea-orm", "sea_orm"],
        applies: &["Migrator::up", "Migrator::fresh"],
        command: "sea-orm-cli migrate up",
        call: "Migrator::up()",
    },
    Tool {
        stacks: &[Stack::Go],
        folders: GO_FOLDERS,
        marks: &["+goose Up"],
        applies: &["goose.Up", "goose.Run", "goose.NewProvider"],
        command: "goose up",
        call: "goose.Up()",
    },
    Tool {
        stacks: &[Stack::Go, Stack::Node, Stack::Python, Stack::Ruby],
        folders: GO_FOLDERS,
        marks: &["migrate:up"],
        applies: &["dbmate."],
        command: "dbmate up",
        call: "",
    },
    Tool {
        stacks: &[Stack::Go],
        folders: GO_FOLDERS,
        marks: &[".up.sql"],
        applies: &["migrate.New", ".Up()"],
        command: "migrate -path FOLDER -database URL up",
        call: "golang-migrate",
    },
];

const GO_FOLDERS: &[&str] = &[
    "migrations",
    "db/migrations",
    "db/migration",
    "sql/migrations",
    "sql/schema",
    "internal/database/migrations",
    "internal/db/migrations",
    "cmd/migrate/migrations",
];

/// Says in `guess` that nothing applies the migrations.
pub(super) fn apply(folder: &Folder, guess: &mut Guess) {
    let runs_commands = guess.services.iter().any(|it| it.command.is_some());
    if guess.is_prepared_by_hand || !runs_commands || !guess.hooks.is_empty() {
        return;
    }
    let sources = folder.sources(guess.types);
    let running: Vec<&&Source> = sources
        .iter()
        .filter(|source| variables::runs(source, guess))
        .collect();
    let applied = |tool: &Tool| {
        let does = |line: &str| tool.applies.iter().any(|call| line.contains(call));
        running.iter().any(|source| source.lines().any(does))
    };
    let tools = TOOLS
        .iter()
        .filter(|tool| tool.stacks.contains(&guess.stack));
    let found = tools
        .filter_map(|tool| Some((tool, tool.folder(folder)?)))
        .find(|(tool, dir)| !applied(tool) && !holds(&running, dir));
    let Some((tool, dir)) = found else {
        return;
    };
    let command = tool.command.replace("FOLDER", dir);
    let within = match tool.call {
        "" => String::new(),
        call => format!(", or have the program do it when it starts ({call})"),
    };
    guess.is_prepared_by_hand = true;
    guess.note(format!(
        "{dir}/ makes the tables, and no deploy applies it: run `{command}` against the database of \
         the host before the first visitor comes{within}"
    ));
}

/// Whether a source names the folder: it reads the files by itself.
fn holds(sources: &[&&Source], dir: &str) -> bool {
    let name = dir.rsplit('/').next().unwrap_or(dir);
    let is_file = |line: &str| line.contains('"') && has_word(line, name);
    sources.iter().any(|source| source.lines().any(is_file))
}

impl Tool {
    /// The folder that holds its migrations.
    fn folder(&self, folder: &Folder) -> Option<&'static str> {
        let manifest = folder.read("Cargo.toml").unwrap_or_default();
        let is_mark = |text: &str| self.marks.iter().any(|mark| text.contains(mark));
        let shows = |dir: &&&str| {
            let names = folder.names_in(dir);
            let has_files = names.iter().any(|name| !name.starts_with('.'));
            let mut files = names.iter().filter(|name| name.ends_with(".sql"));
            has_files
                && (is_mark(&manifest)
                    || files.clone().any(|name| is_mark(name))
                    || files.any(|name| {
                        folder
                            .read(&format!("{dir}/{name}"))
                            .is_some_and(|text| is_mark(&text))
                    }))
        };
        self.folders.iter().find(shows).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::seen;

    const RUST: &str = "[package]\nname = \"shop\"\n[dependencies]\naxum = \"0.8\"\n";
    const GO: &str = "module shop\n\ngo 1.22\n";

    fn told(files: &[(&str, &str)]) -> Vec<String> {
        let notes = seen(files).notes.into_iter();
        notes
            .filter(|note| note.contains("no deploy applies it"))
            .collect()
    }

    #[test]
    fn migrations_that_nothing_applies_are_told() {
        let sqlx = format!("{RUST}sqlx = \"0.8\"\n");
        let diesel = format!("{RUST}diesel = \"2\"\n");
        let main = ("src/main.rs", "fn main() { listen(8080) }");
        let go = (
            "main.go",
            "package main\nfunc main() { http.ListenAndServe(\":80\", nil) }",
        );
        for (files, command) in [
            (
                &[
                    ("Cargo.toml", sqlx.as_str()),
                    main,
                    ("migrations/1_x.up.sql", ""),
                ][..],
                "`sqlx migrate run`",
            ),
            (
                &[
                    ("Cargo.toml", diesel.as_str()),
                    main,
                    ("migrations/1_x/up.sql", ""),
                ],
                "`diesel migration run`",
            ),
            (
                &[("go.mod", GO), go, ("sql/schema/001.sql", "-- +goose Up\n")],
                "`goose up`",
            ),
            (
                &[("go.mod", GO), go, ("db/migrations/1_x.up.sql", "")],
                "`migrate -path db/migrations -database URL up`",
            ),
            (
                &[
                    ("go.mod", GO),
                    go,
                    ("db/migrations/1.sql", "-- migrate:up\n"),
                ],
                "`dbmate up`",
            ),
        ] {
            let said = told(files);
            assert!(
                said.len() == 1 && said[0].contains(command),
                "{command}: {said:?}"
            );
        }
    }

    #[test]
    fn migrations_that_the_program_applies_are_not() {
        let sqlx = format!("{RUST}sqlx = \"0.8\"\n");
        let goose = ("sql/schema/001.sql", "-- +goose Up\n");
        for files in [
            &[
                ("Cargo.toml", sqlx.as_str()),
                ("src/main.rs", "sqlx::migrate!().run(&pool);"),
                ("migrations/1_x.up.sql", ""),
            ][..],
            &[
                ("go.mod", GO),
                (
                    "main.go",
                    "package main\nfunc main() { goose.Up(db, \"x\") }",
                ),
                goose,
            ],
            &[
                ("go.mod", GO),
                (
                    "main.go",
                    "package main\n//go:embed sql/schema/*.sql\nfunc main() { run(\"sql/schema\") }",
                ),
                goose,
            ],
            &[
                ("Cargo.toml", RUST),
                ("src/main.rs", "fn main() {}"),
                ("migrations/1.sql", ""),
            ],
        ] {
            assert_eq!(told(files), [""; 0], "{files:?}");
        }
    }
}
