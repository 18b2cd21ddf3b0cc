//! Gradle.

use super::{Module, NO_APPS};
use crate::project::detect::folder::Folder;
use crate::project::detect::guess::{Guess, Include, Strength};
use crate::project::detect::programs::is_plain;
use crate::project::detect::reason::About;
use crate::project::detect::text::literals;

/// Archives hold the time of each file, unless they are told not to: two builds of one commit would
/// be two releases.
const NO_TIMES: &str = "mkdir -p .gradle && echo 'allprojects { tasks.withType(AbstractArchiveTask) { preserveFileTimestamps = false; reproducibleFileOrder = true } }' > .gradle/ship.gradle";

pub(super) fn add(folder: &Folder, guess: &mut Guess) {
    let settings_file = folder.first(&["settings.gradle", "settings.gradle.kts"]);
    let settings = settings_file
        .and_then(|file| folder.read(file))
        .unwrap_or_default();
    let file = build_file(folder, "");
    guess.because(
        About::App,
        file.as_deref().or(settings_file).unwrap_or("Gradle"),
        "is there",
    );
    // In a module, the project's own Gradle is above.
    let above = ["gradlew", "../gradlew", "../../gradlew"];
    let tool = match folder.first(&above) {
        Some(wrapper) => {
            guess.because(About::Build, wrapper, "is the project's own Gradle");
            match wrapper {
                "gradlew" => "./gradlew",
                wrapper => wrapper,
            }
        }
        None => "gradle",
    };
    let root = settings
        .lines()
        .find(|line| line.contains("rootProject.name"))
        .and_then(|line| literals(line).first().map(|name| (*name).to_owned()));
    guess.named(settings_file.unwrap_or_default(), root.clone());
    let modules = modules(folder, &settings);
    let Some(module) = app(&modules) else {
        guess.needs("java");
        guess.note("no build file names a framework or the plugin `application`, so Gradle makes no program");
        return;
    };
    let file = build_file(folder, &module.dir).unwrap_or_default();
    guess.needs_java(folder, &file);
    let task = |task: &str| match module.dir.as_str() {
        "" => task.to_owned(),
        dir => format!(":{}:{task}", dir.replace('/', ":")),
    };
    let out = module.below("build");
    let made = if let Some(framework) = module.framework() {
        guess.runs_framework(&file, module, &out, framework, framework.gradle);
        framework.task
    } else if is_shadow(&module.text) {
        guess.because(About::Service, &file, "makes one jar");
        let jar = format!("{out}/libs/*-all.jar");
        guess.runs(Strength::Certain, format!("java -jar {jar}"));
        guess.exclude = NO_APPS.iter().map(|name| (*name).to_owned()).collect();
        guess.include = Include::Only(vec![jar]);
        "shadowJar"
    } else {
        guess.because(About::Service, &file, "names the plugin application");
        let name = match module.dir.rsplit('/').next() {
            Some("") | None => root.unwrap_or_else(|| "app".to_owned()),
            Some(dir) => dir.to_owned(),
        };
        let name = set(&module.text, "applicationName").unwrap_or(name);
        if !is_plain(&name) {
            guess.note(format!(
                "{file} gives the program a name that a shell cannot take"
            ));
            return;
        }
        let install = format!("{out}/install/{name}");
        guess.runs(Strength::Certain, format!("{install}/bin/{name}"));
        guess.include = Include::Only(vec![install]);
        "installDist"
    };
    // `clean`, because a jar of another version would match the same pattern.
    guess
        .build
        .why
        .push("archives without times: the same commit makes the same release".to_owned());
    guess.build.push(NO_TIMES);
    guess.build.push(format!(
        "{tool} --init-script .gradle/ship.gradle {} {}",
        task("clean"),
        task(made)
    ));
    if folder.is_dir(&module.below("src/test")) {
        guess.because(About::Test, module.below("src/test"), "is there");
        guess.test.push(format!("{tool} {}", task("test")));
    }
}

fn is_shadow(text: &str) -> bool {
    [
        "gradle.shadow",
        "gradleup.shadow",
        "gradle.plugins.shadow",
        "johnrengelman.shadow",
    ]
    .iter()
    .any(|sign| text.contains(sign))
}

/// The module that makes the app.
fn app(modules: &[Module]) -> Option<&Module> {
    let is_application = |module: &&Module| {
        module.text.lines().map(str::trim).any(|line| {
            line == "application"
                || line == "`application`"
                || [
                    "id 'application'",
                    "id(\"application\")",
                    "id \"application\"",
                    "plugin: 'application'",
                ]
                .iter()
                .any(|sign| line.contains(sign))
        })
    };
    let framework = |module: &&Module| {
        module.framework().is_some_and(|one| {
            // A library uses Spring Boot, too; the plugin makes an app of it.
            one.name != "Spring Boot"
                || module.text.contains("org.springframework.boot")
                    && !module.text.contains("apply false")
        })
    };
    let mut found = modules.iter();
    found
        .find(framework)
        .or_else(|| modules.iter().find(|module| is_shadow(&module.text)))
        .or_else(|| modules.iter().find(is_application))
}

/// The project and the modules that its settings include: `include 'app', ':services:api'`.
fn modules(folder: &Folder, settings: &str) -> Vec<Module> {
    let mut dirs = vec![String::new()];
    let mut including = false;
    for line in settings
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("//"))
    {
        including |= line.starts_with("include(") || line.starts_with("include ");
        if including {
            let names = literals(line).into_iter();
            dirs.extend(names.map(|name| name.trim_start_matches(':').replace(':', "/")));
            including = line.ends_with([',', '(']);
        }
    }
    dirs.into_iter()
        .filter(|dir| is_plain(dir) && !dir.contains(".."))
        .take(100)
        .filter_map(|dir| {
            let file = build_file(folder, &dir)?;
            let text = folder.read(&file)?;
            Some(Module {
                text: with_catalog(folder, &text),
                dir,
            })
        })
        .collect()
}

fn build_file(folder: &Folder, dir: &str) -> Option<String> {
    ["build.gradle", "build.gradle.kts"]
        .iter()
        .map(|file| match dir {
            "" => (*file).to_owned(),
            dir => format!("{dir}/{file}"),
        })
        .find(|file| folder.is_file(file))
}

/// A build file, and what it takes from the version catalog by an alias: `libs.plugins.spring.boot`
/// is `spring-boot` there.
fn with_catalog(folder: &Folder, text: &str) -> String {
    let mut text = text.to_owned();
    let catalogs = [
        "gradle/libs.versions.toml",
        "../gradle/libs.versions.toml",
        "../../gradle/libs.versions.toml",
    ];
    let Some(catalog) = folder.first(&catalogs).and_then(|file| folder.toml(file)) else {
        return text;
    };
    for (table, before) in [("plugins", "libs.plugins."), ("libraries", "libs.")] {
        for (alias, value) in catalog
            .get(table)
            .and_then(|t| t.as_table())
            .into_iter()
            .flatten()
        {
            let name = format!("{before}{}", alias.replace(['-', '_'], "."));
            if super::super::text::has_word(&text, &name) {
                text.push_str(&format!("\n// {value}"));
            }
        }
    }
    text
}

/// What a build file sets: `applicationName = 'shop'`.
fn set(text: &str, name: &str) -> Option<String> {
    let line = text
        .lines()
        .find(|line| line.trim().starts_with(name) && line.contains('='))?;
    literals(line).first().map(|value| (*value).to_owned())
}
