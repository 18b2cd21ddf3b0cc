//! What projects need, in the words of each library and language.

use super::super::Detected;
use super::super::tests::seen;

/// A server with an extra source.
fn node(path: &str, text: &str) -> Detected {
    seen(&[
        (
            "package.json",
            r#"{"scripts":{"start":"node server.js"},"dependencies":{"express":"5"}}"#,
        ),
        ("server.js", &format!("import './{path}'\napp.listen(3000)")),
        (path, text),
    ])
}

/// An app of FastAPI with its settings.
fn python(settings: &str) -> Detected {
    seen(&[
        ("requirements.txt", "fastapi\nuvicorn\npydantic-settings\n"),
        ("main.py", "from fastapi import FastAPI\napp = FastAPI()\n"),
        ("settings.py", settings),
    ])
}

fn names(detected: &Detected) -> Vec<&str> {
    detected.required.iter().map(String::as_str).collect()
}

#[test]
fn schemas_of_javascript_are_read() {
    for (path, text, expected) in [
        (
            "src/env.js",
            "export const env = createEnv({\n  /** Server */\n  server: {\n    DATABASE_URL: z.string().url(), // { of the app\n    AUTH_SECRET:\n      process.env.NODE_ENV === \"production\"\n        ? z.string()\n        : z.string().optional(),\n    SMTP_PASS: z.string().optional(),\n    NODE_ENV: z.enum([\"a\", \"b\"]).default(\"a\"),\n  },\n  client: { NEXT_PUBLIC_KEY: z.string() },\n})",
            vec!["DATABASE_URL", "AUTH_SECRET"],
        ),
        (
            "src/config.ts",
            "const Env = z.object({ STRIPE_KEY: z.string().min(1), PORT: z.coerce.number().default(1), REDIS_URL: z.string().optional() })",
            vec!["STRIPE_KEY"],
        ),
        (
            "src/api.ts",
            "const Body = z.object({ name: z.string(), DATABASE_URL: z.string() })",
            vec![],
        ),
        (
            "src/env.ts",
            "cleanEnv(process.env, {\n  API_TOKEN: str(),\n  MODE: str({ default: 'a' }),\n})",
            vec!["API_TOKEN"],
        ),
        (
            "src/app.module.ts",
            "Joi.object({ DATABASE_URL: Joi.string().required(), CACHE: Joi.string(), RETRIES: Joi.number().required().default(3) })",
            vec!["DATABASE_URL"],
        ),
        (
            "plugins/env.js",
            "import env from '@fastify/env'\nconst schema = { type: 'object', required: ['MONGO_URL', 'MODE'], properties: { MODE: { type: 'string', default: 'a' } } }",
            vec!["MONGO_URL"],
        ),
        (
            "src/env.validation.ts",
            "import { IsString, IsOptional } from 'class-validator';\nexport class EnvironmentVariables {\n  @IsString()\n  JWT_SECRET: string;\n  @IsOptional()\n  MODE: string;\n}\n",
            vec!["JWT_SECRET"],
        ),
    ] {
        assert_eq!(names(&node(path, text)), expected, "{text}");
    }
}

#[test]
fn reads_that_fail_are_read() {
    for (text, expected) in [
        (
            "const url = process.env.DATABASE_URL!;",
            vec!["DATABASE_URL"],
        ),
        ("if (process.env.DATABASE_URL != null) x()", vec![]),
        ("const url = process.env.DATABASE_URL ?? 'x'", vec![]),
        (
            "if (!process.env.API_TOKEN) {\n  throw new Error('x')\n}",
            vec!["API_TOKEN"],
        ),
        (
            "if (!process.env.API_TOKEN) {\n  console.warn('x')\n}",
            vec![],
        ),
        (
            "const key = process.env.API_TOKEN;\nif (!key) throw new Error('x')",
            vec!["API_TOKEN"],
        ),
        (
            "config.getOrThrow<string>('jwt'); config.getOrThrow('JWT_SECRET')",
            vec!["JWT_SECRET"],
        ),
        (
            "const url = requireEnv('DATABASE_URL')",
            vec!["DATABASE_URL"],
        ),
        ("// const url = process.env.DATABASE_URL!", vec![]),
    ] {
        assert_eq!(names(&node("src/db.ts", text)), expected, "{text}");
    }
    assert_eq!(
        names(&node("scripts/seed.ts", "process.env.DATABASE_URL!")),
        [""; 0]
    );
}

#[test]
fn python_settings_are_read() {
    for (text, expected) in [
        (
            "KEY = os.environ[\"API_TOKEN\"]\nos.environ[\"X_KEY\"] = 'a'\n",
            vec!["API_TOKEN"],
        ),
        ("def f():\n    return os.environ[\"API_TOKEN\"]\n", vec![]),
        (
            "key = os.getenv('API_TOKEN')\nif not key:\n    raise RuntimeError('x')\n",
            vec!["API_TOKEN"],
        ),
        ("key = os.getenv('API_TOKEN')\n", vec![]),
        (
            "from decouple import config\nA = config('API_TOKEN')\nB = config('B_KEY', default='x')\nC = config('C_KEY', cast=int)\n",
            vec!["API_TOKEN", "C_KEY"],
        ),
        (
            "class Settings(BaseSettings):\n    model_config = SettingsConfigDict(env_file='.env', env_prefix='shop_')\n    database_url: PostgresDsn\n    debug: bool = False\n    token: str = Field(alias='API_TOKEN')\n    other: str = Field(default='x')\n\nsettings = Settings()\n",
            vec!["SHOP_DATABASE_URL", "API_TOKEN"],
        ),
        (
            "class Db(BaseModel):\n    url: str\n\nclass Settings(BaseSettings):\n    db: Db\n    secret_key: SecretStr\n\n    def f(self):\n        x: int\n",
            vec!["SECRET_KEY"],
        ),
        (
            "class Base(BaseSettings):\n    debug: bool = False\n\nclass App(Base):\n    secret_key: str\n\nclass TestApp(App):\n    other_key: str\n",
            vec!["SECRET_KEY"],
        ),
    ] {
        assert_eq!(names(&python(text)), expected, "{text}");
    }
}

#[test]
fn other_languages_are_read() {
    let go = |text: &str| {
        seen(&[
            ("go.mod", "module x/shop\n"),
            (
                "main.go",
                &format!(
                    "package main\nfunc main() {{ http.ListenAndServe(\":8080\", nil) }}\n{text}"
                ),
            ),
        ])
    };
    for (text, expected) in [
        (
            "dsn := os.Getenv(\"DATABASE_URL\")\nif dsn == \"\" {\n\tlog.Fatal(\"x\")\n}\n",
            vec!["DATABASE_URL"],
        ),
        ("dsn := os.Getenv(\"DATABASE_URL\")\n", vec![]),
        (
            "key, ok := os.LookupEnv(\"API_TOKEN\")\nif !ok {\n\tpanic(\"x\")\n}\n",
            vec!["API_TOKEN"],
        ),
        (
            "type C struct {\n\tA string `env:\"API_TOKEN,required\"`\n\tB string `env:\"B_KEY\" envDefault:\"x\"`\n\tC string `envconfig:\"C_KEY\" required:\"true\"`\n}\n",
            vec!["API_TOKEN", "C_KEY"],
        ),
        ("var key = mustGetenv(\"API_TOKEN\")\n", vec!["API_TOKEN"]),
    ] {
        assert_eq!(names(&go(text)), expected, "{text}");
    }
    let rust = |text: &str| {
        seen(&[
            ("Cargo.toml", "[package]\nname = \"shop\"\n"),
            (
                "src/main.rs",
                &format!("fn main() {{ bind(\"0.0.0.0:8080\") }}\n{text}"),
            ),
        ])
    };
    for (text, expected) in [
        (
            "let url = env::var(\"DATABASE_URL\").expect(\"x\");",
            vec!["DATABASE_URL"],
        ),
        (
            "let url = std::env::var(\"DATABASE_URL\")\n    .context(\"no (x)\")?;",
            vec!["DATABASE_URL"],
        ),
        (
            "let url = env::var(\"DATABASE_URL\").unwrap_or_else(|_| a);",
            vec![],
        ),
        ("let url = env::var(\"DATABASE_URL\").ok();", vec![]),
        (
            "#[arg(long, env = \"API_TOKEN\")]\npub token: String,\n#[arg(long, env, default_value = \"x\")]\npub b_key: String,\n#[clap(env)]\nc_key: Option<String>,\n#[clap(env)]\nd_key: String,",
            vec!["API_TOKEN", "D_KEY"],
        ),
    ] {
        assert_eq!(names(&rust(text)), expected, "{text}");
    }
    let ruby = |text: &str| {
        seen(&[
            ("Gemfile", "gem 'sinatra'\n"),
            ("config.ru", "run App"),
            ("app.rb", text),
        ])
    };
    for (text, expected) in [
        ("KEY = ENV.fetch('API_TOKEN')\n", vec!["API_TOKEN"]),
        (
            "KEY = ENV.fetch('API_TOKEN', nil)\nB = ENV.fetch('B_KEY') { 1 }\n",
            vec![],
        ),
        ("KEY = ENV['API_TOKEN'] || raise('x')\n", vec!["API_TOKEN"]),
    ] {
        assert_eq!(names(&ruby(text)), expected, "{text}");
    }
    let spring = seen(&[
        (
            "pom.xml",
            "<project><artifactId>shop</artifactId><dependencies><dependency><artifactId>spring-boot-starter-web</artifactId></dependency></dependencies></project>",
        ),
        (
            "src/main/resources/application.properties",
            "spring.datasource.url=${DATABASE_URL}\na=${B_KEY:x}\n",
        ),
    ]);
    assert_eq!(names(&spring), ["DATABASE_URL"]);
}

#[test]
fn a_setting_is_no_secret_and_has_its_example() {
    let package = r#"{"scripts":{"start":"node server.js"},"dependencies":{"express":"5"}}"#;
    let found = seen(&[
        ("package.json", package),
        (
            "server.js",
            "app.listen(process.env.PORT!)\nf(process.env.APP_URL!, process.env.LOG_LEVEL!, process.env.NODE_ENV!, process.env.HOME!)",
        ),
        (".env", "LOG_LEVEL=mine"),
        (
            ".env.example",
            "APP_URL=\"http://localhost:3000\" # of the app\nUNUSED_KEY=x\n",
        ),
    ]);
    assert_eq!(names(&found), [""; 0]);
    let settings: Vec<(&str, &str)> = found
        .settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        settings,
        [("APP_URL", "http://localhost:3000"), ("LOG_LEVEL", "")]
    );
}

#[test]
fn the_file_of_a_database_is_shared() {
    let package = r#"{"scripts":{"start":"node server.js"},"dependencies":{"express":"5","drizzle-orm":"1"},"devDependencies":{"drizzle-kit":"1"}}"#;
    let files = [
        ("package.json", package),
        ("server.js", "app.listen(3000)\nimport './src/db'"),
        (
            "drizzle.config.ts",
            "import { env } from '~/env'\nexport default {\n  schema: './src/db/schema.ts',\n  dbCredentials: { url: env.DATABASE_URL },\n}",
        ),
        (
            "src/env.ts",
            "const E = z.object({ DATABASE_URL: z.string() })",
        ),
        ("src/db/schema.ts", ""),
    ];
    let with = |example| seen(&[&files[..], &[(".env.example", example)]].concat());
    let file = with("DATABASE_URL=file:./data/shop.db");
    assert_eq!(file.env["DATABASE_URL"], "file:./data/shop.db");
    assert_eq!(file.shared, ["data/shop.db"]);
    assert_eq!(file.hooks[0].run, "./node_modules/.bin/drizzle-kit push");
    assert_eq!(names(&file), [""; 0]);
    let server = with("DATABASE_URL=postgres://localhost/shop");
    assert_eq!(names(&server), ["DATABASE_URL"]);
    assert!(server.hooks.is_empty() && server.shared.is_empty());
}

#[test]
fn what_a_build_needs_is_told_or_put_off() {
    let package =
        r#"{"scripts":{"build":"next build","start":"next start"},"dependencies":{"next":"15"}}"#;
    let env =
        "createEnv({ server: { API_TOKEN: z.string() }, client: { NEXT_PUBLIC_A: z.string() }";
    let next = |env: &str| {
        seen(&[
            ("package.json", package),
            ("next.config.js", "import './src/env.js'"),
            ("src/env.js", env),
            (
                "src/app/page.tsx",
                "f(process.env.NEXT_PUBLIC_B, process.env.NEXT_PUBLIC_C ?? 'x')",
            ),
        ])
    };
    let switched = next(&format!(
        "{env}, skipValidation: !!process.env.SKIP_ENV_VALIDATION }})"
    ));
    assert_eq!(switched.build.env["SKIP_ENV_VALIDATION"], "1");
    let told = |found: &Detected, start: &str| found.notes.iter().any(|it| it.starts_with(start));
    assert!(told(
        &switched,
        "the build writes NEXT_PUBLIC_A, NEXT_PUBLIC_B into"
    ));
    let strict = next(&format!("{env} }})"));
    assert!(strict.build.env.is_empty());
    assert!(told(
        &strict,
        "the build checks API_TOKEN as well (src/env.js)"
    ));
    // Next.js loads it again when it starts.
    assert!(!strict.exclude.contains(&"/src".to_owned()));
    assert!(strict.exclude.contains(&"/src/app".to_owned()));
    let svelte = r#"{"scripts":{"build":"vite build","start":"node build"},"devDependencies":{"@sveltejs/kit":"2","@sveltejs/adapter-node":"5"}}"#;
    let found = seen(&[
        ("package.json", svelte),
        (
            "src/lib/a.ts",
            "import { API_TOKEN, B_KEY as b } from '$env/static/private'",
        ),
    ]);
    assert!(told(
        &found,
        "the build stops without API_TOKEN, B_KEY ($env/static)"
    ));
}

#[test]
fn who_cannot_see_the_shell_is_told() {
    let svelte = r#"{"scripts":{"build":"vite build"},"devDependencies":{"@sveltejs/kit":"2","@sveltejs/adapter-node":"5","drizzle-kit":"1"}}"#;
    let db =
        "import { env } from '$env/dynamic/private';\nif (!env.DATABASE_URL) throw new Error('x');";
    let config = "if (!process.env.DATABASE_URL) throw new Error('x');\nexport default {\n  dbCredentials: { url: process.env.DATABASE_URL },\n  strict: true\n}";
    let files = [
        ("package.json", svelte),
        ("src/lib/db.ts", db),
        ("drizzle.config.ts", config),
    ];
    let told = |found: &Detected, start: &str| found.notes.iter().any(|it| it.starts_with(start));
    let shell =
        "steps do not see the variables of your shell: if the build stops for want of DATABASE_URL";
    let found = seen(&files);
    assert_eq!(names(&found), ["DATABASE_URL"]);
    assert!(told(&found, shell));
    let file = seen(&[&files[..], &[(".env.example", "DATABASE_URL=local.db")]].concat());
    assert_eq!(names(&file), [""; 0]);
    assert_eq!(file.build.env["DATABASE_URL"], "local.db");
    assert!(!told(&file, shell));
    // It would ask before each change.
    assert!(file.hooks.is_empty() && told(&file, "Drizzle has no migrations here"));
    let tested = seen(&[
        ("requirements.txt", "fastapi\nuvicorn\npytest\n"),
        (
            "main.py",
            "import os\nfrom fastapi import FastAPI\napp = FastAPI()\nKEY = os.environ['API_TOKEN']\n",
        ),
        ("tests/test_a.py", "def test_a(): pass\n"),
    ]);
    assert!(told(
        &tested,
        "steps do not see the variables of your shell: if the tests stop for want of API_TOKEN"
    ));
}

#[test]
fn examples_of_any_name_say_what_is_required() {
    let text = "# Required - signs the sessions\nAPI_TOKEN=\n# Optional\nOTHER=\nPORT=3000 # required\n# Required for mail\nMAIL_PASSWORD=\nUNREAD= # required\n";
    let server = "f(process.env.API_TOKEN, process.env.OTHER, process.env.PORT, process.env.MAIL_PASSWORD)\n";
    for file in [
        ".env.example",
        ".example.env",
        ".env.dist",
        "env.example",
        ".env.template",
        "example.env",
    ] {
        let found = seen(&[
            (
                "package.json",
                r#"{"scripts":{"start":"node server.js"},"dependencies":{"express":"5"}}"#,
            ),
            ("server.js", server),
            (file, text),
        ]);
        assert_eq!(names(&found), ["API_TOKEN"], "{file}");
        assert!(
            found.secrets.contains(&"MAIL_PASSWORD".to_owned()),
            "{file}"
        );
    }
}

#[test]
fn a_schema_may_be_a_constant() {
    let text = "const spec = {\n  NAME: str({ default: 'x' }),\n  SIGNING: str({ devDefault: 'x' }),\n};\nmodule.exports = cleanEnv(process.env, spec);\n";
    assert_eq!(names(&node("env.js", text)), ["SIGNING"]);
    assert!(names(&node("env.js", "cleanEnv(process.env, other)")).is_empty());
}

#[test]
fn a_secret_that_the_example_leaves_empty_is_needed_where_it_is_read() {
    let needed = |line: &str| {
        let found = seen(&[
            (
                "package.json",
                r#"{"scripts":{"start":"node server.js"},"dependencies":{"express":"5"}}"#,
            ),
            (
                "server.js",
                "auth({ secret: env.AUTH_SECRET, id: env.GITHUB_ID }).listen(3000)",
            ),
            (".env.example", line),
        ]);
        found.required
    };
    assert_eq!(
        needed("AUTH_SECRET=\"\"  # openssl rand -hex 32\n"),
        ["AUTH_SECRET"]
    );
    for other in ["AUTH_SECRET=abc\n", "GITHUB_ID=\n", "OTHER_SECRET=\n"] {
        assert_eq!(needed(other), [""; 0], "{other}");
    }
}

#[test]
fn a_developers_database_is_asked_for_in_settings_too() {
    let settings = "from pydantic_settings import BaseSettings\nclass Settings(BaseSettings):\n    \
                    database_url: str = \"postgresql://app:app@localhost/app\"\n    \
                    cache_url: str = \"redis://localhost\"\n";
    assert_eq!(names(&python(settings)), ["DATABASE_URL"]);
    let pom = "<project><artifactId>shop</artifactId><packaging>jar</packaging><dependencies><dependency>\
               <artifactId>spring-boot-starter-web</artifactId></dependency></dependencies></project>";
    let found = seen(&[
        ("pom.xml", pom),
        (
            "src/main/resources/application.properties",
            "spring.datasource.url=${DATABASE_URL:jdbc:postgresql://localhost:5432/shop}\n\
             spring.jpa.show-sql=${SHOW_SQL:false}\n",
        ),
    ]);
    assert_eq!(names(&found), ["DATABASE_URL"]);
}
