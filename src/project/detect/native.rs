//! Languages whose build makes one native program. One table: how each builds, and where the
//! names of its programs stand. A language more is an entry more.

mod names;

use std::collections::BTreeSet;

use super::folder::Folder;
use super::guess::{Guess, Stack, Strength};
use super::programs::{self, Program};
use super::reason::About;
use super::runtime_files;
use names::{after, keys};

/// How one tool builds.
struct Builder {
    /// What a person calls the language.
    language: &'static str,
    /// The file that shows it: a name, or `*.ending`.
    marker: &'static str,
    /// The endings of its sources.
    types: &'static [&'static str],
    /// The files in which programs are named, each a name or `*.ending`.
    files: &'static [&'static str],
    /// How they are named there.
    names: Names,
    /// What stands before the name of a folder with more such files; empty for none.
    below: &'static str,
    /// The build; `{name}` is the program's.
    steps: &'static [&'static str],
    /// Where the program is then; `{at}` is the folder of the file that names it.
    program: &'static str,
    /// A folder of tests, and what runs them.
    tests: (&'static str, &'static str),
    /// Frameworks: a word in the marker file, the name, the port that it takes by itself, and the
    /// arguments with which the program serves.
    frameworks: &'static [(&'static str, &'static str, u16, &'static str)],
}

/// How a file names programs.
enum Names {
    /// The word that follows all of these, in order.
    After(&'static [&'static str]),
    /// The keys of this table of a YAML file.
    Keys(&'static str),
    /// The files in this folder with this ending.
    Sources(&'static str, &'static str),
}

const BUILDERS: &[Builder] = &[
    Builder {
        language: "C++ (CMake)",
        marker: "CMakeLists.txt",
        types: &["c", "cc", "cpp", "cxx"],
        files: &["CMakeLists.txt"],
        names: Names::After(&["add_executable("]),
        below: "add_subdirectory(",
        steps: &[
            "cmake -S . -B build -DCMAKE_BUILD_TYPE=Release",
            "cmake --build build --parallel",
        ],
        program: "build/{at}{name}",
        tests: ("tests", "ctest --test-dir build --output-on-failure"),
        frameworks: &[],
    },
    Builder {
        language: "C++ (Meson)",
        marker: "meson.build",
        types: &["c", "cc", "cpp", "cxx"],
        files: &["meson.build"],
        names: Names::After(&["executable("]),
        below: "subdir(",
        steps: &[
            "test -d build || meson setup build --buildtype=release",
            "meson compile -C build",
        ],
        program: "build/{at}{name}",
        tests: ("tests", "meson test -C build"),
        frameworks: &[],
    },
    Builder {
        language: "Crystal",
        marker: "shard.yml",
        types: &["cr"],
        files: &["shard.yml"],
        names: Names::Keys("targets"),
        below: "",
        steps: &["shards build --release --production"],
        program: "bin/{name}",
        tests: ("spec", "crystal spec"),
        frameworks: &[
            ("kemal", "Kemal", 3000, "--port $PORT"),
            ("lucky:", "Lucky", 5000, ""),
        ],
    },
    Builder {
        language: "Dart",
        marker: "pubspec.yaml",
        types: &["dart"],
        files: &["pubspec.yaml"],
        names: Names::Sources("bin", ".dart"),
        below: "",
        steps: &[
            "dart pub get",
            "mkdir -p build && dart compile exe bin/{name}.dart -o build/{name}",
        ],
        program: "build/{name}",
        tests: ("test", "dart test"),
        frameworks: &[("shelf", "shelf", 8080, "")],
    },
    Builder {
        language: "Haskell (Stack)",
        marker: "stack.yaml",
        types: &["hs"],
        files: &["*.cabal"],
        names: Names::After(&["\nexecutable "]),
        below: "",
        steps: &["stack build --copy-bins --local-bin-path bin"],
        program: "bin/{name}",
        tests: ("test", "stack test"),
        frameworks: &[("yesod", "Yesod", 3000, "")],
    },
    Builder {
        language: "Haskell (Stack)",
        marker: "package.yaml",
        types: &["hs"],
        files: &["package.yaml"],
        names: Names::Keys("executables"),
        below: "",
        steps: &["stack build --copy-bins --local-bin-path bin"],
        program: "bin/{name}",
        tests: ("test", "stack test"),
        frameworks: &[("yesod", "Yesod", 3000, "")],
    },
    Builder {
        language: "Haskell (Cabal)",
        marker: "*.cabal",
        types: &["hs"],
        files: &["*.cabal"],
        names: Names::After(&["\nexecutable "]),
        below: "",
        steps: &[
            "cabal build exe:{name}",
            "mkdir -p bin && cp \"$(cabal list-bin exe:{name})\" bin/{name}",
        ],
        program: "bin/{name}",
        tests: ("test", "cabal test"),
        frameworks: &[],
    },
    Builder {
        language: "Swift",
        marker: "Package.swift",
        types: &["swift"],
        files: &["Package.swift"],
        names: Names::After(&["executableTarget(", "name:"]),
        below: "",
        steps: &["swift build --configuration release --static-swift-stdlib --product {name}"],
        program: ".build/release/{name}",
        tests: ("Tests", "swift test"),
        frameworks: &[
            (
                "vapor",
                "Vapor",
                8080,
                "serve --env production --hostname 0.0.0.0 --port $PORT",
            ),
            ("hummingbird", "Hummingbird", 8080, ""),
        ],
    },
    Builder {
        language: "Zig",
        marker: "build.zig",
        types: &["zig"],
        files: &["build.zig"],
        names: Names::After(&["addExecutable(", ".name"]),
        below: "",
        steps: &["zig build -Doptimize=ReleaseSafe"],
        program: "zig-out/bin/{name}",
        tests: ("test", "zig build test"),
        frameworks: &[],
    },
    Builder {
        language: "Nim",
        marker: "*.nimble",
        types: &["nim"],
        files: &["*.nimble"],
        names: Names::After(&["\nbin", "@["]),
        below: "",
        steps: &["nimble build -d:release --accept"],
        program: "{name}",
        tests: ("tests", "nimble test --accept"),
        frameworks: &[
            ("jester", "Jester", 5000, ""),
            ("prologue", "Prologue", 8080, ""),
        ],
    },
    Builder {
        language: "D",
        marker: "dub.json",
        types: &["d"],
        files: &["dub.json"],
        names: Names::After(&["\"name\""]),
        below: "",
        steps: &["dub build --build=release"],
        program: "{name}",
        tests: ("tests", "dub test"),
        frameworks: &[("vibe", "vibe.d", 8080, "")],
    },
    Builder {
        language: "D",
        marker: "dub.sdl",
        types: &["d"],
        files: &["dub.sdl"],
        names: Names::After(&["name "]),
        below: "",
        steps: &["dub build --build=release"],
        program: "{name}",
        tests: ("tests", "dub test"),
        frameworks: &[("vibe", "vibe.d", 8080, "")],
    },
    Builder {
        language: "OCaml",
        marker: "dune-project",
        types: &["ml"],
        files: &["bin/dune", "src/dune", "dune"],
        names: Names::After(&["(executable", "(name "]),
        below: "",
        steps: &["dune build --profile release"],
        program: "_build/default/{at}{name}.exe",
        tests: ("test", "dune test"),
        frameworks: &[("dream", "Dream", 8080, "")],
    },
    // Many projects have a Makefile that builds nothing: it counts beside sources in C only.
    Builder {
        language: "C (make)",
        marker: "Makefile",
        types: &["c", "cc", "cpp", "cxx"],
        files: &["Makefile"],
        names: Names::After(&[" -o "]),
        below: "",
        steps: &["make"],
        program: "{name}",
        tests: ("tests", "make test"),
        frameworks: &[],
    },
];

/// Looks for a project whose build makes a native program.
pub(super) fn detect(folder: &Folder) -> Option<Guess> {
    BUILDERS.iter().find_map(|builder| builder.detect(folder))
}

impl Builder {
    fn detect(&self, folder: &Folder) -> Option<Guess> {
        let marker = matching(folder, self.marker).into_iter().next()?;
        let sources = folder.sources(self.types);
        if sources.is_empty() {
            return None;
        }
        let mut guess = Guess::new(Stack::Native(self.language), self.types);
        guess.because(About::App, marker.clone(), "is there");
        let names = self.programs(folder);
        let several = names.len() > 1;
        let programs = names
            .into_iter()
            .filter(|(_, name)| !is_test(name))
            .map(|(at, name)| Program {
                path: self.program.replace("{at}", &at).replace("{name}", &name),
                serves: several
                    && sources.iter().any(|source| {
                        source.path.contains(&name) && programs::listens(&source.text)
                    }),
                name,
                ..Program::default()
            })
            .collect();
        let Some(main) = programs::run(&mut guess, programs, &[]) else {
            guess.note(format!("{marker} names no program that ship can read"));
            return Some(guess);
        };
        guess.strength = Strength::Runs;
        guess.because(
            About::Service,
            marker.clone(),
            format!("makes the program {}", main.name),
        );
        for step in self.steps {
            guess.build.push(step.replace("{name}", &main.name));
        }
        let (tests, run) = self.tests;
        if folder.is_dir(tests) {
            guess.because(About::Test, format!("{tests}/"), "is there");
            guess.test.push(run);
        }
        self.framework(folder, &marker, &mut guess);
        guess.name = Some(main.name);
        guess.note("the program links C libraries: build it on a system no newer than the hosts'");
        runtime_files::add(folder, &mut guess, "", &sources);
        Some(guess)
    }

    fn framework(&self, folder: &Folder, marker: &str, guess: &mut Guess) {
        let text = folder.read(marker).unwrap_or_default();
        let Some((_, name, port, arguments)) = self
            .frameworks
            .iter()
            .find(|(word, ..)| text.contains(word))
        else {
            return;
        };
        guess.because(About::Port, marker, format!("names {name}"));
        guess.framework = Some(((*name).to_owned(), *port));
        if let Some(command) = guess.services.first_mut().and_then(|s| s.command.as_mut())
            && !arguments.is_empty()
        {
            command.push_str(&format!(" {arguments}"));
        }
    }

    /// The programs: the folder of the file that names each (empty, or ending in `/`), and its
    /// name.
    fn programs(&self, folder: &Folder) -> Vec<(String, String)> {
        if let Names::Sources(dir, ending) = self.names {
            let names = folder.names_in(dir).into_iter();
            return names
                .filter_map(|name| name.strip_suffix(ending).map(str::to_owned))
                .map(|name| (String::new(), name))
                .collect();
        }
        let mut files: Vec<String> = self
            .files
            .iter()
            .flat_map(|file| matching(folder, file))
            .collect();
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        let mut above = String::new();
        // Files name further folders; a limit ends a circle of them.
        while let Some(file) = files.pop().filter(|_| seen.len() < 50) {
            let Some(text) = folder.read(&file).filter(|_| seen.insert(file.clone())) else {
                continue;
            };
            let (at, name) = match file.rsplit_once('/') {
                Some((dir, name)) => (format!("{dir}/"), name),
                None => (String::new(), file.as_str()),
            };
            above.push_str(&text);
            let names = match self.names {
                Names::After(words) => after(&text, &above, words),
                Names::Keys(table) => keys(&text, table),
                Names::Sources(..) => Vec::new(),
            };
            found.extend(names.into_iter().map(|name| (at.clone(), name)));
            if !self.below.is_empty() {
                let below = after(&text, &above, &[self.below]).into_iter();
                files.extend(
                    below
                        .filter(|dir| !dir.contains(".."))
                        .map(|dir| format!("{at}{dir}/{name}")),
                );
            }
        }
        found
    }
}

/// The files at the top that have this name, or this ending after a `*`; or the path, if it is one.
fn matching(folder: &Folder, pattern: &str) -> Vec<String> {
    match pattern.strip_prefix('*') {
        Some(ending) => folder
            .names()
            .filter(|name| name.ends_with(ending) && folder.is_file(name))
            .map(str::to_owned)
            .collect(),
        None => folder
            .is_file(pattern)
            .then(|| pattern.to_owned())
            .into_iter()
            .collect(),
    }
}

fn is_test(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.split(['-', '_'])
        .any(|part| ["test", "tests", "bench", "example"].contains(&part))
}
