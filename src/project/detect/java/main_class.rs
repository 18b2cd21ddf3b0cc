//! The class with which a program in Java or Kotlin begins.

use crate::project::detect::folder::{Folder, Source};

/// The main class below `dir` (empty, or a folder of the project): `shop.Main`. The one nearest to
/// the top, if there are several.
pub(super) fn find(folder: &Folder, dir: &str) -> Option<String> {
    let below = |source: &&&Source| {
        let start = match dir {
            "" => "src/main/".to_owned(),
            dir => format!("{dir}/src/main/"),
        };
        source.path.starts_with(&start)
    };
    folder
        .sources(&["java", "kt"])
        .iter()
        .filter(below)
        .find_map(|source| class(source))
}

fn class(source: &Source) -> Option<String> {
    let kotlin = source.is(&["kt"]);
    let begins = |line: &str| match kotlin {
        true => line.starts_with("fun main(") || line.starts_with("suspend fun main("),
        false => line.contains("static void main("),
    };
    source.lines().find(|line| begins(line))?;
    let (stem, _) = source.path.rsplit('/').next()?.rsplit_once('.')?;
    let package = source.lines().find_map(|line| {
        let name = line.trim().strip_prefix("package ")?;
        Some(name.trim_end_matches(';').trim().to_owned())
    });
    let name = match kotlin {
        true => format!("{}Kt", capital(stem)),
        false => stem.to_owned(),
    };
    let class = package.map_or(name.clone(), |package| format!("{package}.{name}"));
    class
        .chars()
        .all(|c| c.is_alphanumeric() || c == '.' || c == '_')
        .then_some(class)
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn main_classes_are_found() {
        for (path, text, expected) in [
            (
                "src/main/java/shop/Main.java",
                "package shop;\npublic class Main {\n  public static void main(String[] a) {",
                Some("shop.Main"),
            ),
            ("src/main/kotlin/app.kt", "fun main() {", Some("AppKt")),
            ("src/main/java/A.java", "class A {}", None),
        ] {
            let source = Source {
                path: path.to_owned(),
                text: text.to_owned(),
            };
            assert_eq!(class(&source).as_deref(), expected, "{path}");
        }
    }
}
