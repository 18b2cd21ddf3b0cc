//! Rust, Go and Java projects.

use super::{manifest, seen, tree};
use crate::project::detect::detect;

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
        Some("ROCKET_PORT=$PORT ./target/release/shop-server")
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
        ("cmd/server/main.go", "package main\nfunc main() {}\n"),
        ("cmd/worker/main.go", "package main\nfunc main() {}\n"),
        ("cmd/tool/main.go", "package main\nfunc main() {}\n"),
    ]);
    assert_eq!(
        detected.build.run,
        [
            "go build -o bin/server ./cmd/server",
            "go build -o bin/worker ./cmd/worker"
        ]
    );
    assert!(!detected.build.env.contains_key("CGO_ENABLED"));
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
    assert_eq!(
        detected.build.run[1],
        "./gradlew --init-script .gradle/ship.gradle clean bootJar"
    );
    assert_eq!(detected.include, ["build/libs/*.jar"]);
    // The jar without dependencies is not released, so the pattern has one match on a host.
    assert!(detected.exclude.contains(&"*-plain.jar".to_owned()));
    assert_eq!(
        detected.services[0].command.as_deref(),
        Some("java -jar build/libs/*.jar --server.port=$PORT")
    );
}

fn command_of(files: &[(&str, &str)]) -> String {
    let detected = seen(files);
    let service = detected.services.first();
    service.and_then(|s| s.command.clone()).unwrap_or_default()
}

#[test]
fn gradle_modules() {
    // What `gradle init` writes: the application is in a module.
    let settings = (
        "settings.gradle.kts",
        "rootProject.name = \"shop\"\ninclude(\"lib\", \"app\")\n",
    );
    let lib = ("lib/build.gradle.kts", "plugins { `java-library` }");
    let files = [
        settings,
        lib,
        ("app/build.gradle.kts", "plugins {\n    application\n}\n"),
    ];
    assert_eq!(command_of(&files), "app/build/install/app/bin/app");
    assert_eq!(
        seen(&files).build.run[1],
        "gradle --init-script .gradle/ship.gradle :app:clean :app:installDist"
    );
    // Plugins may come from a catalog.
    let files = [
        settings,
        lib,
        (
            "gradle/libs.versions.toml",
            "[plugins]\nspring-boot = { id = \"org.springframework.boot\", version = \"3.4.1\" }\n",
        ),
        (
            "app/build.gradle.kts",
            "plugins { alias(libs.plugins.spring.boot) }\njava { toolchain { languageVersion = JavaLanguageVersion.of(21) } }",
        ),
    ];
    assert_eq!(
        command_of(&files),
        "java -jar app/build/libs/*.jar --server.port=$PORT"
    );
}

#[test]
fn maven_modules() {
    let detected = seen(&[
        (
            "pom.xml",
            "<project><artifactId>shop</artifactId><packaging>pom</packaging><parent><artifactId>spring-boot-starter-parent</artifactId></parent><modules><module>core</module><module>web</module></modules></project>",
        ),
        (
            "core/pom.xml",
            "<artifactId>core</artifactId><artifactId>spring-boot-starter</artifactId>",
        ),
        (
            "web/pom.xml",
            "<artifactId>web</artifactId><artifactId>spring-boot-maven-plugin</artifactId>",
        ),
        ("web/src/test/java/T.java", ""),
    ]);
    assert_eq!(
        detected.build.run,
        [
            "mvn --batch-mode clean package -DskipTests -Dproject.build.outputTimestamp=2000-01-01T00:00:00Z --projects web --also-make"
        ]
    );
    assert_eq!(detected.include, ["web/target/*.jar"]);
}

#[test]
fn a_plain_program_in_java_runs_from_its_classes() {
    let main = (
        "src/main/java/shop/Main.java",
        "package shop;\nclass Main { public static void main(String[] args) { } }",
    );
    let pom = (
        "pom.xml",
        "<project><artifactId>shop</artifactId></project>",
    );
    assert_eq!(
        command_of(&[pom, main]),
        "java -cp 'target/classes' shop.Main"
    );
    let pom = (
        "pom.xml",
        "<artifactId>shop</artifactId><dependency><artifactId>javalin</artifactId></dependency>",
    );
    let detected = seen(&[pom, main]);
    assert_eq!(detected.include, ["target/classes", "target/dependency"]);
    let pom = (
        "pom.xml",
        "<artifactId>shop</artifactId><dependency></dependency><artifactId>maven-shade-plugin</artifactId>",
    );
    assert_eq!(command_of(&[pom, main]), "java -jar target/*.jar");
}

#[test]
fn a_go_workspace_builds_the_member_that_listens() {
    let detected = seen(&[
        ("go.work", "go 1.22\nuse (\n\t./cli\n\t./api\n\t./lib\n)\n"),
        ("cli/go.mod", "module example.com/cli\n"),
        ("cli/main.go", "package main\nfunc main() {}\n"),
        ("api/go.mod", "module example.com/api\n"),
        (
            "api/main.go",
            "package main\nfunc main() { http.ListenAndServe(\":8085\", nil) }\n",
        ),
        ("api/main_test.go", ""),
        ("lib/go.mod", "module example.com/lib\n"),
        ("tool/main.go", "package main\nfunc main() {}\n"),
    ]);
    assert_eq!(detected.build.run, ["go build -o bin/api ./api"]);
    assert_eq!(detected.services[0].port, Some(8085));
    assert_eq!(detected.test.run, ["go test ./cli/... ./api/... ./lib/..."]);
    assert_eq!(detected.name.as_str(), "api");
}

/// What a program reads at run time is released, also where only its own crate holds it.
#[test]
fn folders_of_a_program_are_released() {
    let member = |member: &str, folder: &str| {
        seen(&[
            ("Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\n"),
            (
                "crates/web/Cargo.toml",
                "[package]\nname = \"web\"\n[dependencies]\naxum = \"0.8\"\n",
            ),
            ("crates/web/src/main.rs", member),
            (folder, ""),
        ])
    };
    let at_the_root = member("ServeDir::new(\"static\")", "static/x.css");
    assert_eq!(at_the_root.include, ["target/release/web", "static"]);
    let in_the_crate = member("fn main() {}", "crates/web/templates/x.html");
    assert_eq!(
        in_the_crate.include,
        ["target/release/web", "crates/web/templates"]
    );
    assert_eq!(
        in_the_crate.services[0].command.as_deref(),
        Some("cd crates/web && exec ../../target/release/web")
    );
    let embedded = member("sqlx::migrate!()", "crates/web/migrations/1.sql");
    assert_eq!(embedded.include, ["target/release/web"]);
    // Read when the app starts, not when it is built.
    let read = member(
        "let migrator = Migrator::new(Path::new(\"migrations\")).await?;",
        "migrations/1.sql",
    );
    assert_eq!(read.include, ["target/release/web", "migrations"]);
}

/// From the folder of a member, the workspace's root builds it, and the release is made from there.
#[test]
fn a_member_of_a_cargo_workspace() {
    let temp = tree(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\n"),
        ("Cargo.lock", ""),
        (
            "crates/web/Cargo.toml",
            "[package]\nname = \"shop-web\"\n[dependencies]\naxum = \"0.8\"\n",
        ),
        (
            "crates/web/src/main.rs",
            "fn main() { TcpListener::bind(\"0.0.0.0:3005\") }",
        ),
        ("crates/other/Cargo.toml", "[package]\nname = \"other\"\n"),
        (
            "crates/other/src/main.rs",
            "fn main() { TcpListener::bind(\"0.0.0.0:3006\") }",
        ),
    ]);
    let detected = detect(&temp.path().join("My Shop/crates/web"));
    assert_eq!(detected.source.as_deref(), Some("../.."));
    assert_eq!(
        detected.build.run,
        ["cargo build --release --locked -p shop-web"]
    );
    assert_eq!(detected.include, ["target/release/shop-web"]);
    assert_eq!(detected.services[0].port, Some(3005));
    assert_eq!(detected.name.as_str(), "shop-web");
}

#[test]
fn a_program_in_go_without_a_module() {
    let detected = seen(&[
        (
            "main.go",
            "package main\nfunc main() { serve(\":8085\") }\n",
        ),
        ("serve.go", "package main\nfunc serve(address string) {}\n"),
        ("serve_test.go", "package main\n"),
    ]);
    assert_eq!(detected.build.run, ["go build -o bin/app main.go serve.go"]);
    assert_eq!(detected.name.as_str(), "my-shop");
    assert!(detected.test.run.is_empty());
}

#[test]
fn an_address_that_only_the_host_reaches_is_said() {
    let notes = |address: &str| {
        let main = format!("package main\nfunc main() {{ http.ListenAndServe({address}, nil) }}\n");
        seen(&[("go.mod", "module shop\n"), ("main.go", &main)]).notes
    };
    assert_eq!(notes("\"127.0.0.1:8085\"").len(), 1);
    assert_eq!(notes("\":8085\""), [""; 0]);
}

#[test]
fn rocket_is_told_where_to_listen() {
    let detected = seen(&[
        (
            "Cargo.toml",
            "[package]\nname = \"shop\"\n[dependencies]\nrocket = \"0.5\"\n",
        ),
        (
            "src/main.rs",
            "#[launch]\nfn rocket() -> _ { rocket::build().mount(\"/\", relative!(\"static\")) }\n",
        ),
        ("Rocket.toml", "[default]\nport = 8001\n"),
    ]);
    let service = &detected.services[0];
    assert_eq!(service.port, Some(8001));
    assert!(detected.notes[0].starts_with("src/main.rs puts the path of this folder"));
    assert_eq!(
        service.command.as_deref(),
        Some("ROCKET_PORT=$PORT ./target/release/shop")
    );
    assert_eq!(service.env["ROCKET_ADDRESS"], "0.0.0.0");
    assert_eq!(detected.include, ["target/release/shop", "Rocket.toml"]);
}

#[test]
fn what_a_dockerfile_has_beside_the_program_is_released_or_said() {
    let dockerfile = "FROM golang:1.22 AS build\nCOPY . /build\nRUN go build -o app\nFROM alpine\n\
        WORKDIR /srv\nCOPY --from=build /build/app .\nCOPY conf ./conf\nCOPY web/templates ./templates\n";
    let detected = seen(&[
        ("go.mod", "module example.com/shop\n\ngo 1.22\n"),
        (
            "main.go",
            "package main\n\nimport \"net/http\"\n\nfunc main() { http.ListenAndServe(\":8080\", nil) }\n",
        ),
        ("conf/shop.yml", "a: 1\n"),
        ("web/templates/index.html", "<p>"),
        ("Dockerfile", dockerfile),
    ]);
    assert!(
        detected.include.contains(&"conf".to_owned()),
        "{:?}",
        detected.include
    );
    let said = "the Dockerfile puts web/templates at templates beside the program";
    let notes = &detected.notes;
    assert!(notes.iter().any(|note| note.starts_with(said)), "{notes:?}");
}

/// Wastebin: the names of variables are constants of a library, and a program beside the server reads
/// another one.
#[test]
fn variables_of_rust_are_named_by_their_values_and_by_what_runs() {
    let found = super::seen(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\n"),
        ("crates/core/Cargo.toml", "[package]\nname = \"core\"\n"),
        (
            "crates/core/src/lib.rs",
            "pub mod vars {\n    pub const SALT: &str = \"SHOP_SALT\";\n    pub const PATH_TO: &str = \"SHOP_PATH\";\n}\n",
        ),
        (
            "crates/ctl/Cargo.toml",
            "[package]\nname = \"ctl\"\n[dependencies]\ncore = { path = \"../core\" }\n",
        ),
        (
            "crates/ctl/src/main.rs",
            "struct Cli {\n    #[arg(long, env = vars::PATH_TO)]\n    database: PathBuf,\n}\n",
        ),
        (
            "crates/server/Cargo.toml",
            "[package]\nname = \"server\"\n[dependencies]\naxum = \"1\"\ncore = { path = \"../core\" }\n",
        ),
        (
            "crates/server/src/main.rs",
            "fn main() {\n    std::env::var(vars::SALT).unwrap();\n    let addr = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 8088);\n    axum::serve(addr, app);\n}\n",
        ),
    ]);
    assert_eq!(found.required, ["SHOP_SALT"]);
    assert_eq!(found.services[0].port, Some(8088));
}

#[test]
fn a_folder_that_is_empty_here_is_filled_by_the_program() {
    let found = seen(&[
        ("go.mod", "module x\n\ngo 1.22\n"),
        (
            "main.go",
            "package main\n\nfunc main() {\n\tos.WriteFile(\"upload/\"+id, body, 0o644)\n\thttp.ListenAndServe(\":8080\", nil)\n}\n",
        ),
        ("upload/.gitkeep", ""),
    ]);
    assert_eq!(found.shared, ["upload"]);
    assert!(!found.include.contains(&"upload".to_owned()));
}

#[test]
fn a_binary_has_the_name_that_the_manifest_gives_its_file() {
    let found = seen(&[
        (
            "Cargo.toml",
            "[package]\nname = \"todoapp\"\nversion = \"0.1.0\"\ndefault-run = \"todoapp-cli\"\n\
             [[bin]]\nname = \"todoapp-cli\"\npath = \"src/bin/main.rs\"\n[dependencies]\naxum = \"0.8\"\n",
        ),
        ("Cargo.lock", ""),
        ("src/lib.rs", ""),
        (
            "src/bin/main.rs",
            "fn main() { axum::serve(listener, app) }\n",
        ),
    ]);
    assert_eq!(found.include, ["target/release/todoapp-cli"]);
    let command = found.services[0].command.as_deref();
    assert_eq!(command, Some("./target/release/todoapp-cli"));
}

#[test]
fn a_program_of_several_parts_is_told_to_serve_as_in_its_dockerfile() {
    let command = |dockerfile: &str| {
        let found = seen(&[
            ("go.mod", "module shop\n\ngo 1.22\n"),
            (
                "main.go",
                "package main\nfunc main() { http.ListenAndServe(\":8080\", nil) }",
            ),
            ("Dockerfile", dockerfile),
        ]);
        found.services[0].command.clone().expect("a command")
    };
    assert_eq!(
        command("FROM x\nCMD [\"/srv/shop\", \"server\"]\n"),
        "./bin/shop server"
    );
    assert_eq!(
        command("FROM x\nENTRYPOINT [\"/srv/shop\"]\nCMD [\"serve\"]\n"),
        "./bin/shop serve"
    );
    for other in [
        "FROM x\nCMD [\"/srv/shop\"]\n",
        "FROM x\nCMD /srv/shop --port 80\n",
        "",
    ] {
        assert_eq!(command(other), "./bin/shop", "{other}");
    }
}
