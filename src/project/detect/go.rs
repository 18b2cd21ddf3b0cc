//! Go: `go.mod`, `go.work`, their commands.

use std::collections::{BTreeMap, BTreeSet};

use super::folder::{Folder, Source};
use super::guess::{Guess, Stack};
use super::programs::{self, Program};
use super::reason::About;
use super::runtime_files;
use super::text::literals;

const TYPES: &[&str] = &["go"];

/// Frameworks: what `go.mod` requires, the name, and the port that it takes by itself.
const FRAMEWORKS: &[(&str, &str, Option<u16>)] = &[
    ("gin-gonic/gin", "Gin", Some(8080)),
    ("gofiber/fiber", "Fiber", None),
    ("labstack/echo", "Echo", None),
    ("go-chi/chi", "chi", None),
    ("gorilla/mux", "gorilla/mux", None),
    ("beego/beego", "Beego", Some(8080)),
];

/// Modules that need a C compiler and the host's libc.
const CGO: &[&str] = &[
    "mattn/go-sqlite3",
    "confluent-kafka-go",
    "h2non/bimg",
    "gopkg.in/gographics/imagick",
];

/// Looks for a Go program.
pub(super) fn detect(folder: &Folder) -> Option<Guess> {
    let workspace = folder.read("go.work");
    let own = folder.read("go.mod");
    let members = workspace.as_deref().map(members).unwrap_or_default();
    let modules: String = own
        .iter()
        .cloned()
        .chain(
            members
                .iter()
                .filter_map(|dir| folder.read(&format!("{dir}/go.mod"))),
        )
        .collect();
    let loose = own.is_none() && workspace.is_none();
    let main = folder.first(&["main.go"]).map(str::to_owned);
    let main = main.or_else(|| loose.then(|| loose_main(folder)).flatten());
    if loose && main.is_none() {
        return None;
    }
    let mut guess = Guess::new(Stack::Go, TYPES);
    let file = match loose {
        true => main.as_deref().unwrap_or("main.go"),
        false if workspace.is_some() => "go.work",
        false => "go.mod",
    };
    guess.needs("go");
    guess.because(About::App, file, "is there");
    let name = own.as_deref().and_then(module_name);
    let app = own.is_some().then(|| "app".to_owned());
    guess.named("go.mod", name.clone().or(app));
    if let Some((_, framework, port)) = FRAMEWORKS.iter().find(|(at, ..)| modules.contains(at)) {
        guess.because(About::Port, "go.mod", format!("requires {framework}"));
        guess.framework = port.map(|port| ((*framework).to_owned(), port));
    }
    // Go would put the commit, and whether anything is changed, into the program: it would be
    // another one with each commit.
    guess
        .build
        .env
        .insert("GOFLAGS".to_owned(), "-buildvcs=false".to_owned());
    if CGO.iter().any(|module| modules.contains(module)) || imports_c(folder) {
        guess.note("the program links C: build it on a system no newer than the hosts'");
    } else {
        guess
            .build
            .why
            .push("without C, the binary runs on any Linux of this architecture".to_owned());
        guess
            .build
            .env
            .insert("CGO_ENABLED".to_owned(), "0".to_owned());
    }
    if folder.is_dir("vendor") {
        guess.because(About::Build, "vendor/", "holds the dependencies");
    }
    let sources = folder.sources(TYPES);
    let programs = match loose {
        true => vec![without_module(folder)],
        false => {
            let path = own.as_deref().and_then(module_path);
            commands(folder, &sources, path, &members)
        }
    };
    let preferred: Vec<&str> = name.as_deref().into_iter().collect();
    match programs::run(&mut guess, programs, &preferred) {
        Some(main) => {
            let package = match main.build.rsplit_once(" ./") {
                Some((_, dir)) => format!("{dir}/"),
                None => "the project's folder".to_owned(),
            };
            guess.because(About::Build, package, "holds the main package");
            guess.name = guess.name.or(Some(main.name).filter(|_| !loose));
            runtime_files::add(folder, &mut guess, "", &sources);
        }
        None => guess.because(About::Build, "no main package", "was seen"),
    }
    if !loose && has_tests(folder, "", 0) {
        guess.because(About::Test, "the sources", "hold tests");
        let packages: Vec<String> = members.iter().map(|dir| format!("./{dir}/...")).collect();
        guess.test.push(match packages.is_empty() {
            true => "go test ./...".to_owned(),
            false => format!("go test {}", packages.join(" ").replace("././...", "./...")),
        });
    }
    Some(guess)
}

/// The folders of the modules that `go.work` uses: `use ./api`, `use ( … )`.
fn members(text: &str) -> Vec<String> {
    let mut block = false;
    let mut found = Vec::new();
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or_default().trim();
        let path = if block {
            block = line != ")";
            block.then_some(line)
        } else if let Some(rest) = line.strip_prefix("use") {
            block = rest.trim() == "(";
            (!block && rest.starts_with(' ')).then_some(rest)
        } else {
            None
        };
        let path = path.map(|path| path.trim().trim_matches('"'));
        if let Some(path) = path.filter(|path| !path.is_empty() && !path.contains("..")) {
            found.push(
                path.trim_start_matches("./")
                    .trim_end_matches('/')
                    .to_owned(),
            );
        }
    }
    found
}

/// The module's path: `example.com/shop/v2`.
fn module_path(module_file: &str) -> Option<&str> {
    let module = module_file
        .lines()
        .find_map(|line| line.trim().strip_prefix("module "))?;
    Some(module.split("//").next()?.trim().trim_matches('"'))
}

/// The last part of the module's path that is not a version: `shop` of `example.com/shop/v2`.
fn module_name(module_file: &str) -> Option<String> {
    let module = module_path(module_file)?;
    let name = module.rsplit('/').find(|part| !is_version(part))?;
    (!name.is_empty()).then(|| name.to_owned())
}

/// `v2` of a module path.
fn is_version(part: &str) -> bool {
    part.strip_prefix('v')
        .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

/// The file of a folder without a module in which a program begins.
fn loose_main(folder: &Folder) -> Option<String> {
    let begins = |name: &&str| {
        let text = folder.read(name).unwrap_or_default();
        text.contains("package main") && text.contains("func main()")
    };
    let mut files = folder.names().filter(|name| name.ends_with(".go"));
    files.find(begins).map(str::to_owned)
}

/// The program of a folder without a module: its files by name, as `go run` takes them.
fn without_module(folder: &Folder) -> Program {
    let files: Vec<&str> = folder
        .names()
        .filter(|name| name.ends_with(".go") && !name.ends_with("_test.go"))
        .filter(|name| programs::is_plain(name))
        .collect();
    Program {
        name: "app".to_owned(),
        path: "bin/app".to_owned(),
        build: format!("go build -o bin/app {}", files.join(" ")),
        ..Program::default()
    }
}

/// The main packages, each as a program in `bin/`.
fn commands(
    folder: &Folder,
    sources: &[&Source],
    module: Option<&str>,
    members: &[String],
) -> Vec<Program> {
    let own_name = module.and_then(|path| path.rsplit('/').find(|part| !is_version(part)));
    let mut packages: BTreeMap<&str, Vec<&Source>> = BTreeMap::new();
    for source in sources {
        let (dir, _) = source.path.rsplit_once('/').unwrap_or(("", ""));
        packages.entry(dir).or_default().push(source);
    }
    let mains: Vec<(&str, &Vec<&Source>)> = packages
        .iter()
        .filter(|(dir, sources)| builds(folder, dir, members) && sources.iter().any(|s| is_main(s)))
        .map(|(dir, sources)| (*dir, sources))
        .collect();
    // The server may be in a package of its own that only one command uses.
    let many = mains.len() > 1;
    let mut taken = BTreeSet::new();
    mains
        .iter()
        .filter_map(|(dir, _)| {
            let folder_name = match dir.rsplit_once('/') {
                Some((parent, "cmd")) => parent.rsplit('/').next().unwrap_or(parent),
                Some((_, last)) => last,
                None => dir,
            };
            let name = match *dir {
                "" | "cmd" => own_name.unwrap_or("app"),
                _ => folder_name,
            };
            taken.insert(name.to_owned()).then(|| Program {
                name: name.to_owned(),
                path: format!("bin/{name}"),
                build: match *dir {
                    "" => format!("go build -o bin/{name} ."),
                    dir => format!("go build -o bin/{name} ./{dir}"),
                },
                home: String::new(),
                serves: many && serves(dir, &packages, module),
            })
        })
        .collect()
}

/// Whether the program in `dir`, or a package of the module that it imports, listens.
fn serves(dir: &str, packages: &BTreeMap<&str, Vec<&Source>>, module: Option<&str>) -> bool {
    let mut dirs = vec![dir];
    let mut at = 0;
    while let Some(sources) = dirs.get(at).map(|dir| packages.get(dir)) {
        at += 1;
        let sources = sources.into_iter().flatten();
        let lines = sources.clone().flat_map(|source| source.lines());
        if sources
            .clone()
            .any(|source| programs::listens(&source.text))
        {
            return true;
        }
        for path in lines.flat_map(literals) {
            let below = module.and_then(|module| path.strip_prefix(module)?.strip_prefix('/'));
            let package = below.and_then(|below| packages.get_key_value(below));
            if let Some((package, _)) = package.filter(|(package, _)| !dirs.contains(package)) {
                dirs.push(package);
            }
        }
    }
    false
}

/// Whether `go build` from here reaches `dir`: it is in this module, or in one of the workspace.
fn builds(folder: &Folder, dir: &str, members: &[String]) -> bool {
    let below = |module: &str| {
        module.is_empty()
            || module == "."
            || dir == module
            || dir
                .strip_prefix(module)
                .is_some_and(|rest| rest.starts_with('/'))
    };
    if !members.is_empty() {
        return members.iter().any(|module| below(module));
    }
    // A folder with a go.mod of its own is another module.
    let mut at = dir;
    loop {
        if !at.is_empty() && folder.is_file(&format!("{at}/go.mod")) {
            return false;
        }
        match at.rsplit_once('/') {
            Some((parent, _)) => at = parent,
            None => return true,
        }
    }
}

/// Whether a file belongs to a program: not one that `go run` alone builds.
fn is_main(source: &Source) -> bool {
    let ignored = source
        .text
        .lines()
        .any(|line| line.starts_with("//go:build ignore") || line.starts_with("// +build ignore"));
    !ignored
        && source.lines().any(|line| line.trim() == "package main")
        && source.text.contains("func main()")
}

fn imports_c(folder: &Folder) -> bool {
    folder
        .sources(TYPES)
        .iter()
        .any(|source| source.lines().any(|line| line.trim() == "import \"C\""))
}

fn has_tests(folder: &Folder, dir: &str, depth: u8) -> bool {
    let names = if dir.is_empty() {
        folder.names().map(str::to_owned).collect()
    } else {
        folder.names_in(dir)
    };
    names.iter().any(|name| name.ends_with("_test.go"))
        || depth < 4
            && names
                .iter()
                .filter(|n| {
                    !n.starts_with('.') && !["vendor", "node_modules"].contains(&n.as_str())
                })
                .any(|name| {
                    let path = if dir.is_empty() {
                        name.clone()
                    } else {
                        format!("{dir}/{name}")
                    };
                    folder.is_dir(&path) && has_tests(folder, &path, depth + 1)
                })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_modules_of_a_workspace() {
        for (text, expected) in [
            ("go 1.23\nuse ./api\n", &["api"][..]),
            (
                "use (\n\t./api // the server\n\t\"./shared\"\n)\n",
                &["api", "shared"],
            ),
            ("use .\n", &["."]),
            ("use ../other\n", &[]),
            ("user ./x\n", &[]),
        ] {
            assert_eq!(members(text), expected, "{text}");
        }
    }
}
