//! Elixir (`mix.exs`) and Gleam (`gleam.toml`): what the Erlang VM runs.

use std::collections::BTreeSet;

use super::folder::{Folder, Source};
use super::guess::{Guess, HookGuess, Include, Stack, Strength};
use super::programs::is_plain;
use super::reason::About;
use super::text::literals;

const TYPES: &[&str] = &["ex", "exs"];

/// Looks for an Elixir project: a release, which brings its own Erlang.
pub(super) fn elixir(folder: &Folder) -> Option<Guess> {
    let mix: String = folder
        .read("mix.exs")?
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .map(|line| format!("{line}\n"))
        .collect();
    let mut guess = Guess::new(Stack::Elixir, TYPES);
    guess.because(About::App, "mix.exs", "is there");
    let umbrella = mix.contains("apps_path:");
    let app = atom(&mix, "app: :").filter(|app| is_plain(app));
    // The first entry of `releases: [shop: [...]]`, else the app.
    let release = mix
        .split_once("releases: [")
        .and_then(|(_, rest)| rest.trim_start().split_once(':'))
        .map(|(name, _)| name.trim().to_owned())
        .filter(|name| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_'));
    let Some(name) = release.clone().or_else(|| app.clone()) else {
        guess.note(match umbrella {
            true => "mix.exs is an umbrella without `releases:`, so there is no release to run; add one that names its apps",
            false => "mix.exs names no app",
        });
        return Some(guess);
    };
    let phoenix = mix.contains("{:phoenix,") || umbrella && phoenix_below(folder);
    let has = |dependency: &str| mix.contains(&format!("{{:{dependency},"));
    guess.name = Some(name.clone());
    guess.build.why = vec!["the release brings Erlang, so the hosts need none".to_owned()];
    guess
        .build
        .env
        .insert("MIX_ENV".to_owned(), "prod".to_owned());
    guess
        .build
        .push("mix local.hex --force --if-missing && mix local.rebar --force --if-missing");
    guess.build.push("mix deps.get --only prod");
    if !mix.contains("{:") {
        guess.build.run.clear();
    }
    guess.build.push("mix compile");
    if mix.contains("\"assets.deploy\"") {
        guess.because(About::Build, "mix.exs", "has the task assets.deploy");
        guess.build.push("mix assets.deploy");
    } else if folder.is_dir("priv/static") && phoenix {
        guess.build.push("mix phx.digest");
    }
    guess.build.push(match release {
        Some(name) => format!("mix release {name} --overwrite"),
        None => "mix release --overwrite".to_owned(),
    });
    let rel = format!("_build/prod/rel/{name}");
    // A release writes its settings before it starts, and its own folder is read-only.
    let run = |tmp: &str, what: &str| format!("RELEASE_TMP={tmp} {rel}/bin/{name} {what}");
    guess.runs(Strength::Certain, run("$RUNTIME_DIRECTORY", "start"));
    guess.include = Include::Only(vec![rel.clone()]);
    let sources = folder.sources(TYPES);
    if phoenix {
        guess.because(About::Port, "mix.exs", "depends on Phoenix");
        guess.framework = Some(("Phoenix".to_owned(), 4000));
        if let Some(service) = guess.services.first_mut() {
            service
                .env
                .insert("PHX_SERVER".to_owned(), "true".to_owned());
        }
        if sources
            .iter()
            .any(|source| source.text.contains("\"PHX_HOST\""))
        {
            guess.note("set PHX_HOST in the environment's `env` to the app's domain: live pages connect only from there");
        }
        if force_ssl(&sources) {
            guess
                .health_headers
                .insert("X-Forwarded-Proto".to_owned(), "https".to_owned());
        }
    }
    for name in required(&sources) {
        guess.secret(name, "config/runtime.exs");
    }
    if has("ecto_sql") || has("phoenix_ecto") || umbrella && folder.is_dir("apps") {
        migrations(&sources, app.as_deref(), &run, &mut guess);
    }
    if folder.is_dir("test") {
        guess.because(About::Test, "test/", "is there");
        guess
            .test
            .env
            .insert("MIX_ENV".to_owned(), "test".to_owned());
        guess.test.push("mix test");
    }
    Some(guess)
}

/// Migrations run from the release itself: mix is not on the hosts.
fn migrations(
    sources: &[&Source],
    app: Option<&str>,
    run: &dyn Fn(&str, &str) -> String,
    guess: &mut Guess,
) {
    let module = |wanted: &dyn Fn(&Source) -> bool| {
        let source = sources.iter().find(|source| wanted(source))?;
        let (_, rest) = source.text.split_once("defmodule ")?;
        let name = rest.split_whitespace().next()?;
        let plain = name
            .chars()
            .all(|c| c.is_alphanumeric() || c == '.' || c == '_');
        plain.then(|| (name.to_owned(), source.path.clone()))
    };
    let release = module(&|source| {
        source.path.ends_with("release.ex") && source.text.contains("def migrate")
    });
    let repo = module(&|source| source.text.contains("use Ecto.Repo"));
    let (code, from) = match (release, repo, app) {
        (Some((name, from)), ..) => (format!("{name}.migrate()"), from),
        (None, Some((repo, from)), Some(app)) => (
            format!(
                "Application.load(:{app}); {{:ok, _, _}} = Ecto.Migrator.with_repo({repo}, &Ecto.Migrator.run(&1, :up, all: true))"
            ),
            from,
        ),
        _ => return,
    };
    guess.because(About::Hook, from, "reaches the database");
    guess.hooks.push(HookGuess::once(run(
        "$(mktemp -d)",
        &format!("eval '{code}'"),
    )));
}

/// Whether every page redirects to https: `force_ssl:` in a setting for production.
fn force_ssl(sources: &[&Source]) -> bool {
    sources
        .iter()
        .filter(|source| source.path.contains("prod.exs") || source.path.contains("runtime.exs"))
        .any(|source| source.lines().any(|line| line.contains("force_ssl:")))
}

/// The variables without which the settings of production raise: `System.get_env("X") || raise`,
/// `System.fetch_env!("X")`.
fn required(sources: &[&Source]) -> BTreeSet<String> {
    let settings = sources.iter().filter(|source| {
        source.path.ends_with("config/runtime.exs") || source.path.ends_with("config/releases.exs")
    });
    let mut found = BTreeSet::new();
    for source in settings {
        let lines: Vec<&str> = source.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let raises = line.contains("fetch_env!(")
                || line.contains("get_env(")
                    && lines[at..]
                        .iter()
                        .take(2)
                        .any(|line| line.contains("raise"));
            if raises && let Some((_, rest)) = line.split_once("env") {
                found.extend(literals(rest).first().map(|name| (*name).to_owned()));
            }
        }
    }
    found.retain(|name| {
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit())
    });
    found.remove("PORT");
    found
}

fn phoenix_below(folder: &Folder) -> bool {
    folder.names_in("apps").iter().any(|app| {
        folder
            .read(&format!("apps/{app}/mix.exs"))
            .is_some_and(|mix| mix.contains("{:phoenix,"))
    })
}

/// The atom that follows `before`.
fn atom(text: &str, before: &str) -> Option<String> {
    let (_, rest) = text.split_once(before)?;
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'))?;
    (end > 0).then(|| rest[..end].to_owned())
}

/// Looks for a Gleam project: a shipment, which needs Erlang on the hosts.
pub(super) fn gleam(folder: &Folder) -> Option<Guess> {
    if !folder.is_file("gleam.toml") {
        return None;
    }
    let mut guess = Guess::new(Stack::Gleam, &["gleam"]);
    let Some(manifest) = folder.toml("gleam.toml") else {
        guess.note("gleam.toml is not valid TOML, so it was not used");
        return Some(guess);
    };
    guess.because(About::App, "gleam.toml", "is there");
    let text = |key: &str| manifest.get(key).and_then(|value| value.as_str());
    guess.name = text("name").map(str::to_owned);
    if text("target") == Some("javascript") {
        guess.note("gleam.toml builds JavaScript: name what runs it in a Procfile, such as `web: node build/dev/javascript/app/main.mjs`");
        return Some(guess);
    }
    guess.build.push("gleam export erlang-shipment");
    guess.runs(
        Strength::Certain,
        "sh build/erlang-shipment/entrypoint.sh run",
    );
    guess.include = Include::Built(vec!["build/erlang-shipment".to_owned()]);
    let depends = |name: &str| {
        manifest
            .get("dependencies")
            .is_some_and(|d| d.get(name).is_some())
    };
    if depends("mist") || depends("wisp") {
        guess.because(About::Port, "gleam.toml", "depends on a web server");
        guess.framework = Some(("mist".to_owned(), 4000));
    }
    if folder.is_dir("test") {
        guess.because(About::Test, "test/", "is there");
        guess.test.push("gleam test");
    }
    guess.note("the hosts need Erlang: apt-get install erlang-base");
    Some(guess)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_production_cannot_do_without() {
        let source = Source {
            path: "config/runtime.exs".to_owned(),
            text: "secret =\n  System.get_env(\"SECRET_KEY_BASE\") ||\n    raise \"missing\"\nhost = System.get_env(\"PHX_HOST\") || \"example.com\"\nx = System.fetch_env!(\"API_KEY\")\n".to_owned(),
        };
        let found: Vec<String> = required(&[&source]).into_iter().collect();
        assert_eq!(found, ["API_KEY", "SECRET_KEY_BASE"]);
    }
}
