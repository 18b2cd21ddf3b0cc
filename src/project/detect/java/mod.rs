//! Java and Kotlin: Maven or Gradle, one module or several, and which of the jars is the app.

mod clojure;
mod gradle;
mod main_class;
mod maven;
mod scala;

use super::folder::Folder;
use super::guess::{Guess, HealthGuess, Include, Stack, Strength};
use super::reason::About;

pub(super) use clojure::detect as clojure;
pub(super) use scala::detect as scala;

const TYPES: &[&str] = &["java", "kt", "properties"];

/// Jars beside the app's own that builds leave: sources, documentation, and jars that lack the
/// dependencies.
const NO_APPS: &[&str] = &[
    "*-sources.jar",
    "*-javadoc.jar",
    "*-plain.jar",
    "*-tests.jar",
    "original-*.jar",
];

/// A framework whose build makes something that runs by itself.
struct Framework {
    /// What the build file names, one of these.
    signs: &'static [&'static str],
    name: &'static str,
    /// The Gradle task that makes it.
    task: &'static str,
    /// What is released, and what starts it; `{out}` is the folder of the build.
    maven: &'static [&'static str],
    gradle: &'static [&'static str],
    run: &'static str,
    /// What the build file names when the app answers a health route, and the route.
    health: (&'static str, &'static str),
}

const FRAMEWORKS: &[Framework] = &[
    Framework {
        signs: &["quarkus"],
        name: "Quarkus",
        task: "quarkusBuild",
        maven: &["{out}/quarkus-app"],
        gradle: &["{out}/quarkus-app"],
        run: "java -Dquarkus.http.host=0.0.0.0 -Dquarkus.http.port=$PORT -jar {out}/quarkus-app/quarkus-run.jar",
        health: ("smallrye-health", "/q/health"),
    },
    Framework {
        signs: &["micronaut"],
        name: "Micronaut",
        task: "shadowJar",
        maven: &["{out}/*.jar"],
        gradle: &["{out}/libs/*-all.jar"],
        run: "java -Dmicronaut.server.port=$PORT -jar {jar}",
        health: ("micronaut-management", "/health"),
    },
    Framework {
        signs: &["helidon"],
        name: "Helidon",
        task: "build",
        maven: &["{out}/*.jar", "{out}/libs"],
        gradle: &["{out}/libs"],
        run: "java -Dserver.port=$PORT -jar {jar}",
        health: ("helidon-health", "/health"),
    },
    Framework {
        signs: &["io.ktor"],
        name: "Ktor",
        task: "buildFatJar",
        maven: &["{out}/*-jar-with-dependencies.jar"],
        gradle: &["{out}/libs/*-all.jar"],
        run: "java -jar {jar}",
        health: ("", ""),
    },
    Framework {
        signs: &["spring-boot", "org.springframework.boot"],
        name: "Spring Boot",
        task: "bootJar",
        maven: &["{out}/*.jar"],
        gradle: &["{out}/libs/*.jar"],
        run: "java -jar {jar} --server.port=$PORT",
        health: ("actuator", "/actuator/health"),
    },
];

/// A module that makes a program.
struct Module {
    /// Its folder; empty for the project's own.
    dir: String,
    /// What its build file says, with what it takes from elsewhere.
    text: String,
}

impl Module {
    fn below(&self, path: &str) -> String {
        match self.dir.as_str() {
            "" => path.to_owned(),
            dir => format!("{dir}/{path}"),
        }
    }

    fn framework(&self) -> Option<&'static Framework> {
        FRAMEWORKS
            .iter()
            .find(|one| one.signs.iter().any(|sign| self.text.contains(sign)))
    }
}

/// Looks for a Java (or Kotlin) project.
pub(super) fn detect(folder: &Folder) -> Option<Guess> {
    let mut guess = Guess::new(Stack::Java, TYPES);
    if folder.is_file("pom.xml") {
        guess.needs_java(folder, "pom.xml");
        maven::add(folder, &mut guess);
        return Some(guess);
    }
    let files = [
        "settings.gradle",
        "settings.gradle.kts",
        "build.gradle",
        "build.gradle.kts",
    ];
    folder.first(&files)?;
    gradle::add(folder, &mut guess);
    Some(guess)
}

impl Guess {
    /// Java at the version that the build file names, if it names one.
    fn needs_java(&mut self, folder: &Folder, file: &str) {
        let text = folder.read(file).unwrap_or_default();
        match java_version(&text) {
            Some(version) => self.needs_version("java", &version, file),
            None => self.needs("java"),
        }
    }

    /// The app is what the framework made in `out`.
    fn runs_framework(
        &mut self,
        file: &str,
        module: &Module,
        out: &str,
        framework: &Framework,
        made: &[&str],
    ) {
        self.because(About::Service, file, format!("names {}", framework.name));
        let place = |text: &str| text.replace("{out}", out);
        let war = module.text.contains("<packaging>war") || module.text.contains("id 'war'");
        let mut include: Vec<String> = made.iter().map(|path| place(path)).collect();
        if war && framework.name == "Spring Boot" {
            include = vec![include[0].replace(".jar", ".war")];
        }
        let run = place(framework.run).replace("{jar}", &include[0]);
        self.runs(Strength::Certain, run);
        if include.iter().any(|path| path.ends_with(".jar")) {
            self.exclude = NO_APPS.iter().map(|name| (*name).to_owned()).collect();
        }
        self.include = Include::Only(include);
        self.framework = Some((framework.name.to_owned(), 8080));
        let (sign, path) = framework.health;
        if !sign.is_empty() && module.text.contains(sign) {
            self.because(About::Health, framework.name, format!("answers {path}"));
            self.health = Some(HealthGuess::path(path));
        }
    }
}

/// The version of Java that a build file asks for.
fn java_version(text: &str) -> Option<String> {
    const BEFORE: &[&str] = &[
        "<java.version>",
        "<maven.compiler.release>",
        "<maven.compiler.target>",
        "<maven.compiler.source>",
        "<release>",
        "JavaLanguageVersion.of(",
        "jvmToolchain(",
        "JavaVersion.VERSION_",
        "sourceCompatibility = ",
        "targetCompatibility = ",
    ];
    BEFORE.iter().find_map(|before| {
        let (_, rest) = text.split_once(before)?;
        let rest = rest.trim_start_matches(['\'', '"']);
        let rest = rest
            .strip_prefix("1.")
            .or(rest.strip_prefix("1_"))
            .unwrap_or(rest);
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let major: u32 = digits.parse().ok()?;
        (5..100).contains(&major).then_some(digits)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_files_ask_for_a_version() {
        for (text, version) in [
            ("<java.version>17</java.version>", Some("17")),
            (
                "<maven.compiler.source>1.8</maven.compiler.source>",
                Some("8"),
            ),
            ("languageVersion = JavaLanguageVersion.of(21)", Some("21")),
            ("kotlin { jvmToolchain(17) }", Some("17")),
            ("sourceCompatibility = JavaVersion.VERSION_1_8", Some("8")),
            ("sourceCompatibility = '11'", Some("11")),
            ("<java.version>${x}</java.version>", None),
        ] {
            assert_eq!(java_version(text).as_deref(), version, "{text}");
        }
    }
}
