//! Maven.

use super::{Module, NO_APPS, main_class};
use crate::project::detect::folder::Folder;
use crate::project::detect::guess::{Guess, Include, Strength};
use crate::project::detect::programs::is_plain;
use crate::project::detect::reason::About;

/// Plugins that make a jar that runs by itself, best first, and the jars.
const JARS: &[(&str, &str)] = &[
    ("jar-with-dependencies", "{out}/*-jar-with-dependencies.jar"),
    ("maven-shade-plugin", "{out}/*.jar"),
];

/// How deep modules may lie in modules.
const DEPTH: u8 = 3;

pub(super) fn add(folder: &Folder, guess: &mut Guess) {
    let Some(pom) = folder.read("pom.xml") else {
        return;
    };
    guess.because(About::App, "pom.xml", "is there");
    guess.named("pom.xml", artifact_id(&pom));
    let tool = match folder.is_file("mvnw") {
        true => {
            guess.because(About::Build, "mvnw", "is the project's own Maven");
            "./mvnw"
        }
        false => "mvn",
    };
    let modules = modules(folder, "", &pom, DEPTH);
    let Some(module) = app(folder, &modules) else {
        guess.note(match pom.contains("<packaging>war</packaging>") {
            true => {
                "pom.xml makes a WAR, which needs a servlet container to run in: give it a main \
                 class that starts an embedded one (Spring Boot, Jetty, Tomcat)"
            }
            false => "pom.xml names no framework, and no class with a main method was seen",
        });
        return;
    };
    let file = module.below("pom.xml");
    let out = module.below("target");
    let only = match module.dir.as_str() {
        "" => String::new(),
        dir => {
            guess.because(
                About::Build,
                format!("{dir}/"),
                "is the module that makes the app",
            );
            format!(" --projects {dir} --also-make")
        }
    };
    // `clean`, because a jar of another version would match the same pattern.
    let mut package = format!(
        "{tool} --batch-mode clean package -DskipTests -Dproject.build.outputTimestamp=2000-01-01T00:00:00Z{only}"
    );
    if let Some(framework) = module.framework() {
        guess.runs_framework(&file, module, &out, framework, framework.maven);
    } else if let Some((plugin, jar)) = JARS.iter().find(|(sign, _)| module.text.contains(sign)) {
        let jar = jar.replace("{out}", &out);
        guess.because(About::Service, &file, format!("makes one jar: {plugin}"));
        guess.runs(Strength::Certain, format!("java -jar {jar}"));
        guess.exclude = NO_APPS.iter().map(|name| (*name).to_owned()).collect();
        guess.include = Include::Only(vec![jar]);
    } else if let Some(main) = main_class_of(folder, module) {
        guess.because(About::Service, &file, format!("has the main class {main}"));
        let mut include = vec![format!("{out}/classes")];
        let mut path = format!("{out}/classes");
        if needs_libraries(&module.text) {
            package.push_str(" dependency:copy-dependencies -DincludeScope=runtime");
            include.push(format!("{out}/dependency"));
            path.push_str(&format!(":{out}/dependency/*"));
        }
        guess.runs(Strength::Certain, format!("java -cp '{path}' {main}"));
        guess.include = Include::Only(include);
    }
    guess
        .build
        .why
        .push("jars without times: the same commit makes the same release".to_owned());
    guess.build.push(package);
    if modules
        .iter()
        .any(|module| folder.is_dir(&module.below("src/test")))
    {
        guess.because(About::Test, "src/test", "is there");
        guess.test.push(format!("{tool} --batch-mode test{only}"));
    }
}

/// The module that makes the app: the one with a framework, else with a jar that runs, else with a
/// main class.
fn app<'a>(folder: &Folder, modules: &'a [Module]) -> Option<&'a Module> {
    let packaged = |module: &&Module| !module.text.contains("<packaging>pom");
    let framework = |module: &&Module| {
        module.framework().is_some_and(|one| {
            one.name != "Spring Boot"
            // A library uses Spring Boot, too; the plugin makes an app of it.
            || modules.len() == 1
            || module.text.contains("spring-boot-maven-plugin")
        })
    };
    let modules = || modules.iter().filter(packaged);
    modules()
        .find(framework)
        .or_else(|| {
            modules().find(|module| JARS.iter().any(|(sign, _)| module.text.contains(sign)))
        })
        .or_else(|| modules().find(|module| main_class_of(folder, module).is_some()))
        .or_else(|| modules().find(|module| module.framework().is_some()))
}

/// The project and its modules, each with what its own pom.xml says.
fn modules(folder: &Folder, dir: &str, pom: &str, depth: u8) -> Vec<Module> {
    let mut found = vec![Module {
        dir: dir.to_owned(),
        text: pom.to_owned(),
    }];
    let names = pom.split("<module>").skip(1);
    for name in names.filter_map(|rest| rest.split("</module>").next()) {
        let name = name.trim().trim_matches('/');
        let path = match dir {
            "" => name.to_owned(),
            dir => format!("{dir}/{name}"),
        };
        if depth == 0 || name.contains("..") || !is_plain(&path) {
            continue;
        }
        if let Some(pom) = folder.read(&format!("{path}/pom.xml")) {
            found.extend(modules(folder, &path, &pom, depth - 1));
        }
    }
    found
}

fn main_class_of(folder: &Folder, module: &Module) -> Option<String> {
    element(&module.text, "mainClass")
        .filter(|name| !name.contains('$') && is_plain(name))
        .map(str::to_owned)
        .or_else(|| main_class::find(folder, &module.dir))
}

/// Whether the program needs jars beside its own classes.
fn needs_libraries(pom: &str) -> bool {
    let own = without(&without(pom, "dependencyManagement"), "build");
    own.split("<dependency>")
        .skip(1)
        .filter_map(|rest| rest.split("</dependency>").next())
        .any(|one| {
            !["test", "provided"]
                .iter()
                .any(|scope| one.contains(&format!("<scope>{scope}")))
        })
}

/// `pom` without the first element of this name.
fn without(pom: &str, name: &str) -> String {
    let (start, end) = (format!("<{name}>"), format!("</{name}>"));
    match (pom.split_once(&start), pom.split_once(&end)) {
        (Some((before, _)), Some((_, after))) if before.len() < pom.len() - after.len() => {
            format!("{before}{after}")
        }
        _ => pom.to_owned(),
    }
}

fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (value, _) = rest.split_once(&format!("</{name}>"))?;
    Some(value.trim())
}

/// The project's own `<artifactId>`: not its parent's.
fn artifact_id(pom: &str) -> Option<String> {
    element(&without(pom, "parent"), "artifactId").map(str::to_owned)
}
