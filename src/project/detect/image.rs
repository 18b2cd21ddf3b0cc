//! The runtimes that a Dockerfile starts from: `FROM python:3.11-slim`. They count after the files
//! that the project keeps for versions.

use super::folder::Folder;
use super::guess::RuntimeGuess;
use super::runtimes::asked;
use crate::model::version::{Grammar, Request, Version};

/// Where a project keeps its Dockerfile, the one for production first.
const FILES: &[&str] = &[
    "Dockerfile.production",
    "Dockerfile.prod",
    "Dockerfile",
    "Containerfile",
    "docker/Dockerfile",
    "docker/production/Dockerfile",
    "docker/prod/Dockerfile",
    ".docker/Dockerfile",
    "deploy/Dockerfile",
    "deployment/Dockerfile",
    "compose/production/django/Dockerfile",
];

/// Images, by the last part of their names, and the runtime that their tags give the version of.
const IMAGES: &[(&str, &str)] = &[
    ("amazoncorretto", "java"),
    ("aspnet", "dotnet"),
    ("bun", "bun"),
    ("dart", "dart"),
    ("deno", "deno"),
    ("eclipse-temurin", "java"),
    ("elixir", "elixir"),
    ("golang", "go"),
    ("node", "node"),
    ("openjdk", "java"),
    ("php", "php"),
    ("python", "python"),
    ("ruby", "ruby"),
    ("sapmachine", "java"),
    ("sdk", "dotnet"),
    ("swift", "swift"),
    ("zulu-openjdk", "java"),
    ("zulu-openjdk-alpine", "java"),
];

/// Images of other programs: what stands before the version of a runtime in their names or tags.
const WITHIN: &[(&str, &str, &str)] = &[
    ("gradle", "-jdk", "java"),
    ("gradle", "-jre", "java"),
    ("gradle", "jdk", "java"),
    ("maven", "-amazoncorretto-", "java"),
    ("maven", "-eclipse-temurin-", "java"),
    ("maven", "-openjdk-", "java"),
    ("maven", "-jdk-", "java"),
    ("sbt", "eclipse-temurin-", "java"),
    ("uv", "python", "python"),
    ("poetry", "-python", "python"),
    ("uvicorn-gunicorn", "python", "python"),
    ("uvicorn-gunicorn-fastapi", "python", "python"),
    ("meinheld-gunicorn-flask", "python", "python"),
    ("uwsgi-nginx-flask", "python", "python"),
];

/// Stages that neither build nor run the app.
const ASIDE: &[&str] = &[
    "dev",
    "development",
    "debug",
    "lint",
    "local",
    "test",
    "testing",
    "tests",
];

/// The version of `runtime` that a Dockerfile of the project starts from, if the project `allows`
/// it.
pub(super) fn named(folder: &Folder, runtime: &str, allows: Option<&str>) -> Option<RuntimeGuess> {
    let (tag, file) = version(folder, runtime).or_else(|| version(folder.root(), runtime))?;
    let allows = allows.and_then(|allows| Request::parse(Grammar::of(runtime), allows).ok());
    // A tag may stand for all releases that begin like it.
    let releases = ["", ".9999", ".9999.0"].iter();
    let mut releases = releases.filter_map(|rest| Version::parse(&format!("{tag}{rest}")));
    let fits = allows.is_none_or(|allows| releases.any(|release| allows.matches(&release)));
    fits.then(|| asked(runtime, &tag, file)).flatten()
}

/// The version of `runtime` that a Dockerfile of the project starts from, and that file.
fn version(folder: &Folder, runtime: &str) -> Option<(String, &'static str)> {
    FILES.iter().find_map(|file| {
        let text = folder.read(file)?;
        Some((in_text(&text, runtime)?, *file))
    })
}

/// The last stage that has the runtime: what runs stands behind what builds.
fn in_text(text: &str, runtime: &str) -> Option<String> {
    let mut defaults: Vec<(&str, &str)> = Vec::new();
    let mut stages: Vec<(bool, String)> = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let instruction = words.next().unwrap_or_default();
        if instruction.eq_ignore_ascii_case("ARG") {
            let pairs = words.filter_map(|word| word.split_once('='));
            defaults.extend(pairs.map(|(name, value)| (name, value.trim_matches(['"', '\'']))));
        } else if instruction.eq_ignore_ascii_case("FROM") {
            let words: Vec<&str> = words.filter(|word| !word.starts_with("--")).collect();
            let Some(image) = words.first() else { continue };
            let name = words.get(2).copied().unwrap_or_default();
            let aside = ASIDE.iter().any(|known| name.eq_ignore_ascii_case(known));
            let of_image = filled(image, &defaults);
            let found = of_image.and_then(|image| of_image_named(&image, runtime));
            stages.extend(found.map(|version| (aside, version)));
        }
    }
    let main = stages.iter().rev().find(|(aside, _)| !aside);
    main.or(stages.last()).map(|(_, version)| version.clone())
}

/// `image` with the defaults of its variables: `${NAME}`, `$NAME`, `${NAME:-value}`. `None` when one
/// has no default.
fn filled(image: &str, defaults: &[(&str, &str)]) -> Option<String> {
    let mut out = String::new();
    let mut rest = image;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let (name, behind) = match after.strip_prefix('{') {
            Some(inner) => inner.split_once('}')?,
            None => {
                let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
                after.split_at(after.find(|c| !word(c)).unwrap_or(after.len()))
            }
        };
        let (name, own) = match name.split_once(":-") {
            Some((name, own)) => (name, Some(own)),
            None => (name, None),
        };
        let default = defaults.iter().rev().find(|(known, _)| *known == name);
        out.push_str(default.map(|(_, value)| *value).or(own)?);
        rest = behind;
    }
    out.push_str(rest);
    (!out.contains('$')).then_some(out)
}

/// A path of the project that the last stage of a Dockerfile has beside what an earlier stage built,
/// and where it is there, relative to the folder that the program starts in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Copied {
    pub path: String,
    pub to: String,
}

/// What the last stage of a Dockerfile copies from the project itself, and that Dockerfile. Only of one
/// that also copies from an earlier stage: else it is what the build needs.
pub(super) fn copied(folder: &Folder) -> Option<(Vec<Copied>, &'static str)> {
    FILES.iter().find_map(|file| {
        let copied = copied_in(&folder.read(file)?)?;
        let is_there = |path: &str| folder.is_file(path) || folder.is_dir(path);
        let there = copied.into_iter().filter(|found| is_there(&found.path));
        Some((there.collect(), *file))
    })
}

fn copied_in(text: &str) -> Option<Vec<Copied>> {
    let mut copied = Vec::new();
    let mut has_built = false;
    let mut home = "/".to_owned();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let instruction = words.next().unwrap_or_default();
        let words: Vec<&str> = words.collect();
        let (options, words): (Vec<&str>, Vec<&str>) =
            words.into_iter().partition(|word| word.starts_with("--"));
        match (instruction.to_ascii_uppercase().as_str(), words.as_slice()) {
            ("FROM", _) => {
                copied.clear();
                has_built = false;
                "/".clone_into(&mut home);
            }
            ("WORKDIR", [folder, ..]) => home = joined(&home, folder),
            ("COPY", _) if options.iter().any(|option| option.starts_with("--from=")) => {
                has_built = true;
            }
            ("COPY" | "ADD", [paths @ .., to]) if !to.contains('$') => {
                for path in paths {
                    let path = path.trim_start_matches("./").trim_matches('/');
                    let is_plain = !path.is_empty() && !path.contains(['*', '$', '[', '"', ':']);
                    if is_plain && path != "." {
                        copied.push((path.to_owned(), joined(&home, to), paths.len() > 1));
                    }
                }
            }
            _ => {}
        }
    }
    let relative = |(path, to, is_folder): (String, String, bool)| {
        let below = to
            .strip_prefix(home.trim_end_matches('/'))?
            .trim_start_matches('/');
        let name = path.rsplit('/').next().unwrap_or_default();
        let to = match below.strip_suffix('/').or(is_folder.then_some(below)) {
            _ if below.is_empty() => name.to_owned(),
            Some(folder) => format!("{folder}/{name}"),
            None => below.to_owned(),
        };
        Some(Copied { path, to })
    };
    has_built.then(|| copied.into_iter().filter_map(relative).collect())
}

/// `to`, from the folder `home` of an image.
fn joined(home: &str, to: &str) -> String {
    let to = to.strip_prefix("./").unwrap_or(to);
    match to {
        "." => format!("{}/", home.trim_end_matches('/')),
        _ if to.starts_with('/') => to.to_owned(),
        _ => format!("{}/{to}", home.trim_end_matches('/')),
    }
}

/// The version of `runtime` in an image, if the image has that runtime.
fn of_image_named(image: &str, runtime: &str) -> Option<String> {
    let image = image.split('@').next()?;
    let last = image.rsplit('/').next()?;
    let (name, tag) = last.split_once(':').unwrap_or((last, ""));
    if IMAGES.contains(&(name, runtime)) {
        return leading_version(match name {
            // `alpine-2.1.4`
            "deno" => tag.rsplit_once('-').map_or(tag, |(_, rest)| rest),
            _ => tag,
        })
        .or_else(|| leading_version(tag));
    }
    let within = WITHIN
        .iter()
        .filter(|(known, _, of)| *known == name && *of == runtime);
    let mut versions = within.filter_map(|(_, mark, _)| leading_version(tag.split_once(mark)?.1));
    versions
        .next()
        // `gcr.io/distroless/nodejs20-debian12`
        .or_else(|| leading_version(name.strip_prefix("nodejs")?).filter(|_| runtime == "node"))
}

/// `3.11.4` of `3.11.4-slim`, `21.0.2` of `21.0.2_13-jdk`, `8` of `8u292-jdk`; no release candidate.
fn leading_version(tag: &str) -> Option<String> {
    let number = |c: char| c.is_ascii_digit() || c == '.';
    let tag = tag.strip_prefix('v').unwrap_or(tag);
    let end = tag.find(|c| !number(c)).unwrap_or(tag.len());
    let (version, rest) = tag.split_at(end);
    let whole = rest.is_empty() || rest.starts_with(['-', '_', 'u']);
    let early = ["-rc", "-beta", "-alpha", "-preview", "-ea", "-nightly"];
    let early = early.iter().any(|word| {
        let behind = rest.strip_prefix(word);
        // Alpine is a system.
        behind.is_some_and(|behind| !behind.starts_with(|c: char| c.is_ascii_alphabetic()))
    });
    let version = version.trim_end_matches('.');
    (whole && !early && version.starts_with(|c: char| c.is_ascii_digit()))
        .then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_names_a_version() {
        for (image, runtime, version) in [
            ("python:3.11-slim", "python", Some("3.11")),
            ("docker.io/library/python:3.11.4", "python", Some("3.11.4")),
            ("python:3.14-rc-slim", "python", None),
            ("python:3.14.0rc1", "python", None),
            ("python:slim", "python", None),
            ("python", "python", None),
            ("python:3.11@sha256:12", "python", Some("3.11")),
            ("localhost:5000/node:20-alpine", "node", Some("20")),
            ("node:lts-alpine", "node", None),
            ("node:20", "python", None),
            ("gcr.io/distroless/nodejs20-debian12", "node", Some("20")),
            ("ruby:3.3.0-slim", "ruby", Some("3.3.0")),
            ("golang:1.22-alpine3.19", "go", Some("1.22")),
            ("php:8.2-apache", "php", Some("8.2")),
            ("eclipse-temurin:17-jre", "java", Some("17")),
            ("eclipse-temurin:21.0.2_13-jdk", "java", Some("21.0.2")),
            ("openjdk:8u292-jdk", "java", Some("8")),
            ("maven:3.9-eclipse-temurin-21", "java", Some("21")),
            ("gradle:8.5-jdk17-alpine", "java", Some("17")),
            ("gradle:jdk21", "java", Some("21")),
            ("denoland/deno:2.1.4", "deno", Some("2.1.4")),
            ("denoland/deno:alpine-2.1.4", "deno", Some("2.1.4")),
            ("denoland/deno:2.1.4-alpine", "deno", Some("2.1.4")),
            ("oven/bun:1.1-alpine", "bun", Some("1.1")),
            ("hexpm/elixir:1.15.7-erlang-26.1", "elixir", Some("1.15.7")),
            ("mcr.microsoft.com/dotnet/aspnet:8.0", "dotnet", Some("8.0")),
            (
                "ghcr.io/astral-sh/uv:python3.12-bookworm-slim",
                "python",
                Some("3.12"),
            ),
        ] {
            assert_eq!(
                of_image_named(image, runtime).as_deref(),
                version,
                "{image}"
            );
        }
    }

    #[test]
    fn what_the_last_stage_copies_from_the_project_is_known() {
        let copied = |text: &str| {
            let found = copied_in(text)?.into_iter();
            Some(
                found
                    .map(|it| format!("{} {}", it.path, it.to))
                    .collect::<Vec<_>>(),
            )
        };
        let build = "FROM golang AS build\nCOPY . /build\nRUN go build -o app\n";
        let stages = format!(
            "{build}FROM alpine\nWORKDIR /srv\nCOPY --from=build /build/app /srv/app\n\
             COPY app/webapp /srv/webapp\nCOPY --chown=a templates ./templates\nCOPY a.yml b.yml ./\n\
             COPY init.sh /etc/init.sh\nCOPY data/ $HOME/\nCOPY *.json .\n"
        );
        assert_eq!(
            copied(&stages).unwrap(),
            [
                "app/webapp webapp",
                "templates templates",
                "a.yml a.yml",
                "b.yml b.yml"
            ]
        );
        // A single stage copies what it builds from.
        assert_eq!(copied("FROM node\nCOPY src src\nRUN npm ci\n"), None);
        assert_eq!(
            copied(&format!("{build}FROM alpine\nCOPY conf conf\n")),
            None
        );
    }

    #[test]
    fn of_several_stages_the_last_that_has_the_runtime_counts() {
        for (text, runtime, version) in [
            ("FROM node:18 AS build\nFROM nginx\n", "node", Some("18")),
            (
                "FROM node:18 AS build\nFROM node:20-slim\n",
                "node",
                Some("20"),
            ),
            (
                "FROM node:20 AS run\nFROM node:18 AS test\n",
                "node",
                Some("20"),
            ),
            (
                "from node:20 as base\nFROM base AS run\n",
                "node",
                Some("20"),
            ),
            (
                "FROM --platform=$BUILDPLATFORM golang:1.22\n",
                "go",
                Some("1.22"),
            ),
            (
                "ARG V=3.11\nFROM python:${V}-slim\n",
                "python",
                Some("3.11"),
            ),
            ("ARG V=\"3.11\"\nFROM python:$V\n", "python", Some("3.11")),
            ("FROM python:${V:-3.10}\n", "python", Some("3.10")),
            ("ARG V\nFROM python:$V\n", "python", None),
            ("# FROM python:3.11\nFROM x\n", "python", None),
        ] {
            assert_eq!(in_text(text, runtime).as_deref(), version, "{text}");
        }
    }
}
