//! Build files of Java: `pom.xml` (Maven) and `build.gradle` (Gradle). They name the release that the
//! sources are written for: that one, or a later one, is needed.

use super::{Found, Role, span_of};

/// What stands before a version in a `pom.xml`, the most telling first.
const MAVEN: &[&str] = &[
    "<java.version>",
    "<maven.compiler.release>",
    "<maven.compiler.target>",
    "<maven.compiler.source>",
];

/// The same in a build script of Gradle, in Groovy or Kotlin.
const GRADLE: &[&str] = &[
    "JavaLanguageVersion.of(",
    "jvmToolchain(",
    "JavaVersion.VERSION_",
    "sourceCompatibility = ",
    "sourceCompatibility ",
];

pub(super) fn maven(text: &str) -> Vec<Found> {
    found(text, MAVEN)
}

pub(super) fn gradle(text: &str) -> Vec<Found> {
    found(text, GRADLE)
}

fn found(text: &str, before: &[&str]) -> Vec<Found> {
    let version = before.iter().find_map(|before| {
        let at = text.find(before)? + before.len();
        let rest = text[at..].trim_start_matches(|c: char| c.is_whitespace() || "'\"".contains(c));
        // `1.8` and `1_8` are what Java 8 was called.
        let rest = rest.strip_prefix("1.").unwrap_or(rest);
        let rest = rest.strip_prefix("1_").unwrap_or(rest);
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        (1..=2).contains(&end).then(|| &rest[..end])
    });
    version
        .map(|version| Found {
            runtime: "java".to_owned(),
            asks: format!(">={version}"),
            role: Role::Constraint,
            span: span_of(text, version),
        })
        .into_iter()
        .collect()
}
