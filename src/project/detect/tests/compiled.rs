//! Rust, Go and Java projects.

use super::{manifest, seen};

#[test]
fn rust() {
    insta::assert_snapshot!(manifest(&[
        (
            "Cargo.toml",
            "[package]\nname = \"shop_api\"\n[dependencies]\naxum = \"0.8\"\n"
        ),
        ("Cargo.lock", ""),
        (
            "src/main.rs",
            "const X: &str = include_str!(\"README.md\");\nfn main() { let port = std::env::var(\"PORT\").unwrap_or(\"8080\".into());\nServeDir::new(\"static\"); Router::new()\n.route(\"/healthz\", get(ok)) }\n#[test]\nfn t() {}\n"
        ),
        ("src/bin/worker.rs", "fn main() {}"),
        ("src/bin/import.rs", "fn main() {}"),
        ("static/x.css", ""),
        ("README.md", ""),
    ]));
}

#[test]
fn rust_workspace() {
    let detected = seen(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\n"),
        ("crates/core/Cargo.toml", "[package]\nname = \"core\"\n"),
        ("crates/core/src/lib.rs", ""),
        (
            "crates/shop-server/Cargo.toml",
            "[package]\nname = \"shop-server\"\n[dependencies]\nrocket = \"0.5\"\n",
        ),
        ("crates/shop-server/src/main.rs", "fn main() {}"),
    ]);
    assert_eq!(
        detected.services[0].command.as_deref(),
        Some("./target/release/shop-server")
    );
    assert_eq!(detected.services[0].port, Some(8000));
    assert_eq!(detected.include, ["target/release/shop-server"]);
    assert!(detected.test.run.is_empty());
}

#[test]
fn go() {
    insta::assert_snapshot!(manifest(&[
        ("go.mod", "module github.com/acme/shop/v2\n\ngo 1.22.1\n"),
        (
            "main.go",
            "package main\nfunc main() { http.HandleFunc(\"/health\", ok); http.ListenAndServe(\":8085\", nil); template.ParseGlob(\"templates/*.html\") }\n"
        ),
        ("main_test.go", ""),
        ("templates/x.html", ""),
        ("internal/x.go", ""),
    ]));
}

#[test]
fn go_with_commands() {
    let detected = seen(&[
        (
            "go.mod",
            "module shop\nrequire github.com/mattn/go-sqlite3 v1\n",
        ),
        ("cmd/server/main.go", "package main\n"),
        ("cmd/worker/main.go", "package main\n"),
        ("cmd/tool/main.go", "package main\n"),
    ]);
    assert_eq!(
        detected.build.run,
        [
            "go build -o bin/server ./cmd/server",
            "go build -o bin/worker ./cmd/worker"
        ]
    );
    assert!(detected.build.env.is_empty());
    assert_eq!(detected.services.len(), 2);
}

#[test]
fn spring_boot() {
    insta::assert_snapshot!(manifest(&[
        (
            "pom.xml",
            "<project><parent><artifactId>spring-boot-starter-parent</artifactId></parent><artifactId>shop</artifactId><dependency>spring-boot-starter-actuator</dependency></project>"
        ),
        ("mvnw", ""),
        (
            "src/main/resources/application.properties",
            "server.port=8081\n"
        ),
        ("src/test/java/T.java", ""),
    ]));
}

#[test]
fn gradle() {
    let detected = seen(&[
        (
            "build.gradle.kts",
            "plugins { id(\"org.springframework.boot\") }",
        ),
        ("settings.gradle.kts", "rootProject.name = \"orders\""),
        ("gradlew", ""),
    ]);
    assert_eq!(detected.name.as_str(), "orders");
    assert_eq!(detected.build.run, ["./gradlew clean bootJar"]);
    assert_eq!(detected.include, ["build/libs/*.jar"]);
}
