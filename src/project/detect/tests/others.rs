//! .NET, Elixir, Gleam, languages with native programs, and scripts.

use super::{manifest, seen};
use crate::project::detect::{Detected, Stack};

fn command(detected: &Detected) -> &str {
    detected.services[0].command.as_deref().unwrap_or_default()
}

const WEB: &str = "<Project Sdk=\"Microsoft.NET.Sdk.Web\"></Project>";
const LIBRARY: &str = "<Project Sdk=\"Microsoft.NET.Sdk\"></Project>";
const TESTS: &str = "<Project Sdk=\"Microsoft.NET.Sdk\"><PackageReference Include=\"Microsoft.NET.Test.Sdk\"/></Project>";

#[test]
fn dotnet_takes_the_web_project_of_a_solution() {
    insta::assert_snapshot!(manifest(&[
        ("Shop.sln", ""),
        ("src/Core/Core.csproj", LIBRARY),
        ("src/Shop.Web/Shop.Web.csproj", WEB),
        (
            "src/Shop.Web/Program.cs",
            "app.MapHealthChecks(\"/healthz\");"
        ),
        (
            "src/Jobs/Jobs.csproj",
            "<Project Sdk=\"Microsoft.NET.Sdk.Worker\"></Project>"
        ),
        ("test/Shop.Tests/Shop.Tests.csproj", TESTS),
    ]));
}

#[test]
fn a_dotnet_library_runs_nothing() {
    let detected = seen(&[("Core.csproj", LIBRARY), ("Core.Tests.csproj", TESTS)]);
    assert_eq!(detected.stack, Some(Stack::Dotnet));
    assert!(detected.services.is_empty());
}

#[test]
fn phoenix() {
    insta::assert_snapshot!(manifest(&[
        (
            "mix.exs",
            "defmodule Shop.MixProject do\n  app: :shop,\n  {:phoenix, \"~> 1.7\"},\n  {:ecto_sql, \"~> 3.10\"},\n  \"assets.deploy\": [\n"
        ),
        ("mix.lock", ""),
        (
            "config/runtime.exs",
            "System.get_env(\"DATABASE_URL\") ||\n  raise \"x\"\nSystem.get_env(\"SECRET_KEY_BASE\") ||\n  raise \"x\"\nhost = System.get_env(\"PHX_HOST\") || \"example.com\"\nport = String.to_integer(System.get_env(\"PORT\") || \"4000\")\n"
        ),
        (
            "lib/shop/repo.ex",
            "defmodule Shop.Repo do\n  use Ecto.Repo, otp_app: :shop\nend\n"
        ),
        ("test/test_helper.exs", ""),
    ]));
}

#[test]
fn an_elixir_release_has_the_name_that_the_project_gives_it() {
    let detected = seen(&[(
        "mix.exs",
        "app: :shop,\n  # {:dep_from_hexpm, \"~> 0.3.0\"}\nreleases: [\n  shop_web: [\n    include: 1\n  ]\n]",
    )]);
    assert_eq!(detected.include, ["_build/prod/rel/shop_web"]);
    assert_eq!(
        detected.build.run,
        ["mix compile", "mix release shop_web --overwrite"]
    );
}

#[test]
fn gleam() {
    let detected = seen(&[(
        "gleam.toml",
        "name = \"shop\"\n[dependencies]\nwisp = \">= 1.0.0\"\n",
    )]);
    assert_eq!(
        command(&detected),
        "sh build/erlang-shipment/entrypoint.sh run"
    );
    assert_eq!(detected.include, ["build/erlang-shipment"]);
    assert_eq!(detected.services[0].port, Some(4000));
}

#[test]
fn native_programs() {
    for (files, expected) in [
        (
            &[
                ("CMakeLists.txt", "project(shop)\nadd_subdirectory(src)\n"),
                (
                    "src/CMakeLists.txt",
                    "add_executable(${PROJECT_NAME} main.cc)",
                ),
                ("src/main.cc", "int main() {}"),
            ][..],
            "./build/src/shop",
        ),
        (
            &[
                ("shard.yml", "targets:\n  shop:\n    main: src/shop.cr\n"),
                ("src/shop.cr", ""),
            ],
            "./bin/shop",
        ),
        (
            &[("pubspec.yaml", "name: shop\n"), ("bin/server.dart", "")],
            "./build/server",
        ),
        (
            &[
                (
                    "Package.swift",
                    ".package(url: \"vapor\")\n.executableTarget(\n  name: \"App\",",
                ),
                ("Sources/App/main.swift", ""),
            ],
            "./.build/release/App serve --env production --hostname 0.0.0.0 --port $PORT",
        ),
        (
            &[
                ("dune-project", ""),
                ("bin/dune", "(executable (name main))"),
                ("bin/main.ml", ""),
            ],
            "./_build/default/bin/main.exe",
        ),
        (
            &[
                (
                    "Makefile",
                    "TARGET = shop\nall:\n\tcc -o $(TARGET) main.c\n",
                ),
                ("main.c", "int main() {}"),
            ],
            "./shop",
        ),
    ] {
        let detected = seen(files);
        assert_eq!(command(&detected), expected);
        assert!(!detected.build.run.is_empty());
    }
}

/// A Makefile of commands beside something else is no project in C.
#[test]
fn a_makefile_alone_builds_nothing() {
    assert_eq!(seen(&[("Makefile", "test:\n\techo -o x\n")]).stack, None);
}

#[test]
fn a_start_script_runs() {
    let detected = seen(&[
        ("start.sh", "#!/bin/bash\nexec ./app --port $PORT\n"),
        ("app", ""),
    ]);
    assert_eq!(detected.stack, Some(Stack::Shell));
    assert_eq!(command(&detected), "bash start.sh");
    assert_eq!(detected.include, ["."]);
    assert_eq!(detected.services[0].port, Some(8080));
}

#[test]
fn deno_is_told_where_to_listen_unless_the_app_says_so() {
    let command = |serve: &str| {
        let seen = seen(&[
            ("deno.json", r#"{"tasks":{"start":"deno run -A main.ts"}}"#),
            ("main.ts", serve),
        ]);
        seen.services[0].command.clone().unwrap()
    };
    let told = "DENO_SERVE_ADDRESS=tcp:0.0.0.0:$PORT ";
    assert!(command("Deno.serve(app.fetch)").starts_with(told));
    assert!(!command("Deno.serve({ port: 8123 }, app.fetch)").starts_with(told));
    assert!(
        !command("const port = Deno.env.get('PORT');\nDeno.serve({ port }, f)").starts_with(told)
    );
}
