//! Generators of static sites that no other stack knows: a row each. A new one is one more row here,
//! and a project in the corpus.

use super::container;
use super::folder::Folder;
use super::guess::{Guess, Include, Stack, Strength};
use super::node::Package;
use super::node_tool::PackageManager;
use super::reason::About;
use super::text::{has_word, literals};

/// A program that makes a folder of pages.
struct Generator {
    /// What people call it.
    name: &'static str,
    /// Its settings, any of which may be there.
    settings: &'static [&'static str],
    /// What the settings must hold, for names that others use, too.
    holds: &'static [&'static str],
    /// What builds the site.
    build: &'static str,
    /// The folder that the build makes, and the setting that names another one.
    folder: &'static str,
    key: &'static str,
    /// Where the program comes from.
    comes: Comes,
}

enum Comes {
    /// The machine that builds must have it.
    Installed,
    /// These packages of PyPI, where the project names none itself.
    PyPi(&'static [&'static str]),
}

/// The more telling first: a `config.toml` alone says little.
const GENERATORS: &[Generator] = &[
    Generator {
        name: "Hugo",
        settings: &["hugo.toml", "hugo.yaml", "hugo.yml", "hugo.json"],
        holds: &[],
        build: "hugo --minify --cleanDestinationDir",
        folder: "public",
        key: "publishDir",
        comes: Comes::Installed,
    },
    Generator {
        name: "Hugo",
        settings: &[
            "config.toml",
            "config.yaml",
            "config.yml",
            "config.json",
            "config/_default/hugo.toml",
            "config/_default/config.toml",
            "config/_default/hugo.yaml",
            "config/_default/config.yaml",
        ],
        holds: &["baseURL", "baseurl", "languageCode"],
        build: "hugo --minify --cleanDestinationDir",
        folder: "public",
        key: "publishDir",
        comes: Comes::Installed,
    },
    Generator {
        name: "Zola",
        settings: &["zola.toml", "config.toml"],
        holds: &["base_url"],
        build: "zola build --force",
        folder: "public",
        key: "output_dir",
        comes: Comes::Installed,
    },
    Generator {
        name: "nanoc",
        settings: &["nanoc.yaml", "config.yaml"],
        holds: &["output_dir", "lib_dirs", "prune:", "data_sources"],
        build: "nanoc compile",
        folder: "output",
        key: "output_dir",
        comes: Comes::Installed,
    },
    Generator {
        name: "mdBook",
        settings: &["book.toml"],
        holds: &["[book]"],
        build: "mdbook build",
        folder: "book",
        key: "build-dir",
        comes: Comes::Installed,
    },
    Generator {
        name: "MkDocs",
        settings: &["mkdocs.yml", "mkdocs.yaml"],
        holds: &[],
        build: "python3 -m mkdocs build --clean",
        folder: "site",
        key: "site_dir",
        comes: Comes::PyPi(&["mkdocs"]),
    },
    Generator {
        name: "Pelican",
        // The quickstart keeps what is for production in a file of its own.
        settings: &["publishconf.py", "pelicanconf.py"],
        holds: &[],
        build: "python3 -m pelican content -s {file} --delete-output-directory",
        folder: "output",
        key: "OUTPUT_PATH",
        comes: Comes::PyPi(&["pelican[markdown]"]),
    },
    Generator {
        name: "Sphinx",
        settings: &[
            "conf.py",
            "docs/conf.py",
            "docs/source/conf.py",
            "source/conf.py",
        ],
        holds: &["extensions", "html_theme"],
        build: "rm -rf _build && python3 -m sphinx -b html {in} _build/html",
        folder: "_build/html",
        key: "",
        comes: Comes::PyPi(&["sphinx"]),
    },
];

/// Packages that a theme or plugin of a generator comes from, by a word of the settings.
const PARTS: &[(&str, &str, &str)] = &[
    ("MkDocs", "material", "mkdocs-material"),
    ("MkDocs", "mkdocstrings", "mkdocstrings[python]"),
    ("MkDocs", "awesome-pages", "mkdocs-awesome-pages-plugin"),
    (
        "MkDocs",
        "git-revision-date-localized",
        "mkdocs-git-revision-date-localized-plugin",
    ),
    ("MkDocs", "macros", "mkdocs-macros-plugin"),
    ("MkDocs", "minify", "mkdocs-minify-plugin"),
    ("MkDocs", "redirects", "mkdocs-redirects"),
    ("Sphinx", "furo", "furo"),
    ("Sphinx", "myst_parser", "myst-parser"),
    ("Sphinx", "pydata_sphinx_theme", "pydata-sphinx-theme"),
    ("Sphinx", "alabaster", "alabaster"),
];

/// Beginnings of modules of Sphinx whose packages have the same names.
const OF_SPHINX: &[&str] = &["sphinx_", "sphinxcontrib."];

/// Generators of documentation, which most projects have beside a program.
const DOCUMENTATION: &[&str] = &["mdBook", "MkDocs", "Sphinx"];

/// Words of commands that serve pages.
const SERVES_PAGES: &[&str] = &[
    "caddy",
    "http.server",
    "httpd",
    "mdbook",
    "mkdocs",
    "nginx",
    "sphinx",
];

/// Files that name the packages of a site, the most telling first.
const REQUIREMENTS: &[&str] = &[
    "requirements.txt",
    "docs/requirements.txt",
    "requirements-docs.txt",
    "docs-requirements.txt",
    "requirements/docs.txt",
];

/// Where the packages of the generator go while it builds, and where they go when a folder of that
/// name is the project's own.
const PACKAGES: [&str; 2] = ["vendor", "python-packages"];

/// Looks for a generator's settings.
pub(super) fn detect(folder: &Folder) -> Option<Guess> {
    let (generator, file, text) = GENERATORS.iter().find_map(|generator| {
        let files = generator.settings.iter();
        files.filter(|file| folder.is_file(file)).find_map(|file| {
            let text = folder.read(file)?;
            let holds = generator.holds;
            let is_one = holds.is_empty() || holds.iter().any(|word| text.contains(word));
            is_one.then_some((generator, *file, text))
        })
    })?;
    if DOCUMENTATION.contains(&generator.name) && has_program(folder) {
        return None;
    }
    let mut guess = Guess::new(Stack::Static, &[]);
    let named = setting(&text, generator.key);
    let dir = named.unwrap_or_else(|| generator.folder.to_owned());
    guess.because(About::App, file, format!("is of {}", generator.name));
    let says = format!("builds static files into {dir}/");
    guess.because(About::Service, generator.name, says);
    if let Comes::PyPi(packages) = &generator.comes {
        let parts = parts(generator, &text);
        install(folder, packages, &parts, &mut guess);
    }
    let source = file.rsplit_once('/').map_or(".", |(folder, _)| folder);
    guess.build.push(
        generator
            .build
            .replace("{in}", source)
            .replace("{file}", file),
    );
    if matches!(generator.comes, Comes::Installed) {
        let program = generator.build.split(' ').next().unwrap_or_default();
        guess.build.why.push(format!(
            "{program} must be on the machine that builds; ship does not bring it"
        ));
        guess.note(format!(
            "the build needs {program} on this machine, and in CI"
        ));
    }
    // A program of the project is the app rather than its documentation.
    let is_sure = matches!(generator.name, "Hugo" | "Zola" | "Pelican");
    let strength = if is_sure {
        Strength::Certain
    } else {
        Strength::Runs
    };
    guess.serves(strength, dir.clone());
    guess.include = Include::Only(vec![dir]);
    Some(guess)
}

/// What a `package.json` beside the generator adds: packages that the build uses, and a build script,
/// which may start the generator itself.
pub(super) fn add_assets(folder: &Folder, guess: &mut Guess) {
    let Some(package) = Package::read(folder) else {
        return;
    };
    let Some(step) = guess.build.run.pop() else {
        return;
    };
    let manager = PackageManager::of(folder, &package);
    if package.any("dependencies") || package.any("devDependencies") {
        guess.needs("node");
        guess.needs(manager.name());
        // What a site is built with is for development alone.
        guess.build.push(manager.install(folder, false));
    }
    let script = package.script("build").unwrap_or_default();
    let program = step.trim_start_matches("python3 -m ").split(' ').next();
    guess.build.push(match program {
        Some(program) if has_word(script, program) => manager.run("build"),
        _ => step,
    });
}

/// Whether the project is a program, by what it installs or by what its container starts.
fn has_program(folder: &Folder) -> bool {
    let pyproject = folder.toml("pyproject.toml").unwrap_or_default();
    let tables = [
        pyproject.get("project").and_then(|it| it.get("scripts")),
        pyproject
            .get("tool")
            .and_then(|it| it.get("poetry")?.get("scripts")),
    ];
    let setup = ["setup.py", "setup.cfg"].map(|file| folder.read(file).unwrap_or_default());
    let dockerfile = folder.read("Dockerfile").unwrap_or_default();
    let starts = container::starts(&dockerfile);
    tables.iter().any(Option::is_some)
        || setup.iter().any(|text| text.contains("console_scripts"))
        || starts.is_some_and(|command| !SERVES_PAGES.iter().any(|word| command.contains(word)))
}

/// The packages of the themes and plugins that the settings name.
fn parts(generator: &Generator, settings: &str) -> Vec<String> {
    let rows = PARTS
        .iter()
        .filter(|(of, word, _)| *of == generator.name && has_word(settings, word));
    let mut found: Vec<String> = rows.map(|(.., package)| (*package).to_owned()).collect();
    if generator.name != "Sphinx" {
        return found;
    }
    let lines = settings
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    for module in lines.flat_map(literals) {
        let is_plain = module
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_.".contains(c));
        let Some(start) = OF_SPHINX
            .iter()
            .find(|start| is_plain && module.starts_with(**start))
        else {
            continue;
        };
        let rest = module[start.len()..].split('.').next().unwrap_or_default();
        let package = format!("{start}{rest}").replace(['_', '.'], "-");
        if !rest.is_empty() && !found.contains(&package) {
            found.push(package);
        }
    }
    found
}

/// The steps that install what the generator is made of: `packages`, and those of its `parts`.
fn install(folder: &Folder, packages: &[&str], parts: &[String], guess: &mut Guess) {
    guess.needs("python");
    let target = PACKAGES[usize::from(folder.is_dir(PACKAGES[0]))];
    let pip = format!("python3 -m pip install --upgrade --target {target}");
    let bare = |package: &str| package.split('[').next().unwrap_or(package).to_owned();
    let named = REQUIREMENTS.iter().find(|file| {
        let text = folder.read(file).unwrap_or_default();
        packages
            .iter()
            .any(|package| has_word(&text.to_lowercase(), &bare(package)))
            || PARTS.iter().any(|(.., package)| has_word(&text, package))
            || parts.iter().any(|package| has_word(&text, package))
    });
    match named {
        Some(file) => {
            guess.because(
                About::Build,
                *file,
                "names the packages that build the site",
            );
            guess.build.push(format!("{pip} -r {file}"));
        }
        None => {
            let parts = parts.iter().map(String::as_str);
            let all: Vec<&str> = packages.iter().copied().chain(parts).collect();
            let quoted = all.iter().map(|p| match p.contains('[') {
                true => format!("'{p}'"),
                false => (*p).to_owned(),
            });
            let list = quoted.collect::<Vec<_>>().join(" ");
            guess.build.push(format!("{pip} {list}"));
            guess.note(format!(
                "no file names the versions of {}: two builds may differ; write requirements.txt",
                all.join(", ")
            ));
        }
    }
    guess
        .build
        .env
        .insert("PYTHONPATH".to_owned(), target.to_owned());
}

/// The path that a line `key = "path"` or `key: path` gives, if it is one below the project.
fn setting(text: &str, key: &str) -> Option<String> {
    let line = text
        .lines()
        .map(str::trim)
        .find(|line| !key.is_empty() && line.starts_with(key))?;
    let rest = line
        .strip_prefix(key)?
        .trim_start()
        .strip_prefix([':', '='])?;
    let value = literals(rest).first().copied();
    let value = value.unwrap_or_else(|| rest.split('#').next().unwrap_or_default());
    let value = value.trim().trim_start_matches("./").trim_end_matches('/');
    let is_plain = !value.is_empty()
        && !value.starts_with(['/', '~', '.'])
        && !value.contains(['*', '?', '[', '{', '\\'])
        && !value.split('/').any(|part| part == "..");
    is_plain.then(|| value.to_owned())
}
