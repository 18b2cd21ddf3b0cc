//! Java: Maven or Gradle, Spring Boot or Quarkus or a plain jar.

use super::folder::Folder;
use super::guess::{Guess, HealthGuess, Include, Stack, Strength};

const TYPES: &[&str] = &["java", "kt", "properties"];

/// Looks for a Java (or Kotlin) project.
pub(super) fn detect(folder: &Folder) -> Option<Guess> {
    let file = folder.first(&["pom.xml", "build.gradle", "build.gradle.kts"])?;
    let text = folder.read(file)?;
    let maven = file == "pom.xml";
    let mut guess = Guess::new(Stack::Java, TYPES);
    guess.saw(format!("{file} is there"));
    let (wrapper, plain) = if maven {
        ("mvnw", "mvn")
    } else {
        ("gradlew", "gradle")
    };
    let tool = if folder.is_file(wrapper) {
        guess.saw(format!("{wrapper} is the project's own {plain}"));
        format!("./{wrapper}")
    } else {
        plain.to_owned()
    };
    guess.name = if maven {
        artifact_id(&text)
    } else {
        folder
            .read("settings.gradle")
            .or_else(|| folder.read("settings.gradle.kts"))
            .and_then(|settings| {
                let line = settings
                    .lines()
                    .find(|line| line.contains("rootProject.name"))?
                    .to_owned();
                super::text::literals(&line)
                    .first()
                    .map(|name| (*name).to_owned())
            })
    };
    let spring = text.contains("spring-boot") || text.contains("org.springframework.boot");
    let quarkus = text.contains("quarkus");
    // `clean`, because a jar of another version would match the same pattern.
    if maven {
        guess
            .build
            .push(format!("{tool} --batch-mode clean package -DskipTests"));
    } else if spring {
        guess.build.push(format!("{tool} clean bootJar"));
    } else {
        guess.build.push(format!("{tool} clean build -x test"));
    }
    if folder.is_dir("src/test") {
        guess.saw("src/test is there");
        guess.test.push(if maven {
            format!("{tool} --batch-mode test")
        } else {
            format!("{tool} test")
        });
    }
    let out = if maven { "target" } else { "build" };
    let jars = if maven {
        "target/*.jar"
    } else {
        "build/libs/*.jar"
    };
    if quarkus {
        guess.saw(format!("{file} names Quarkus"));
        guess.runs(
            Strength::Certain,
            format!("java -Dquarkus.http.port=$PORT -jar {out}/quarkus-app/quarkus-run.jar"),
        );
        guess.include = Include::Only(vec![format!("{out}/quarkus-app")]);
        guess.framework = Some(("Quarkus".to_owned(), 8080));
        health(&mut guess, text.contains("smallrye-health"), "/q/health");
    } else if spring {
        guess.saw(format!("{file} names Spring Boot"));
        guess.runs(
            Strength::Certain,
            format!("java -jar {jars} --server.port=$PORT"),
        );
        guess.include = Include::Only(vec![jars.to_owned()]);
        guess.framework = Some(("Spring Boot".to_owned(), 8080));
        health(&mut guess, text.contains("actuator"), "/actuator/health");
    } else {
        guess.note(format!(
            "{file} names no framework: the jar must hold its dependencies and a main class"
        ));
        guess.runs(Strength::Runs, format!("java -jar {jars}"));
        guess.include = Include::Only(vec![jars.to_owned()]);
    }
    Some(guess)
}

fn health(guess: &mut Guess, has: bool, path: &str) {
    if let Some(service) = guess.services.first_mut().filter(|_| has) {
        service.health = Some(HealthGuess::path(path));
        guess.saw(format!("the framework answers {path}"));
    }
}

/// The project's own `<artifactId>`: not its parent's.
fn artifact_id(pom: &str) -> Option<String> {
    let own = match (pom.find("<parent>"), pom.find("</parent>")) {
        (Some(start), Some(end)) if start < end => format!("{}{}", &pom[..start], &pom[end..]),
        _ => pom.to_owned(),
    };
    let (_, rest) = own.split_once("<artifactId>")?;
    let (name, _) = rest.split_once("</artifactId>")?;
    Some(name.trim().to_owned())
}
