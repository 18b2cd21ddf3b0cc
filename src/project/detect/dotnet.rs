//! .NET: project files in C#, F# or Visual Basic, and which of a solution's is the app.

use super::folder::Folder;
use super::guess::{Guess, Include, ServiceGuess, Stack, Strength};
use super::programs::is_plain;
use super::reason::About;

const TYPES: &[&str] = &["cs", "fs"];

const ENDINGS: &[&str] = &[".csproj", ".fsproj", ".vbproj"];

/// Folders deep in which a solution keeps its projects: `src/Shop.Web/Shop.Web.csproj`.
const DEPTH: u8 = 3;

/// What a project makes, by how much it is the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Web,
    Worker,
    Program,
}

#[derive(Debug, Clone)]
struct Project {
    /// The file, relative to the folder.
    path: String,
    /// What the program is called: the assembly's name.
    name: String,
    kind: Kind,
    text: String,
}

/// Looks for a .NET program.
pub(super) fn detect(folder: &Folder) -> Option<Guess> {
    let files = project_files(folder, "", DEPTH);
    let solution = folder
        .names()
        .find(|name| name.ends_with(".sln") || name.ends_with(".slnx"));
    // A project file deep down alone does not make this folder a .NET project.
    if solution.is_none() && !files.iter().any(|file| file.matches('/').count() <= 2) {
        return None;
    }
    let mut guess = Guess::new(Stack::Dotnet, TYPES);
    if let Some(solution) = solution {
        guess.because(About::App, solution, "is there");
    }
    let tests = files
        .iter()
        .any(|file| folder.read(file).is_some_and(|text| is_test(&text)));
    let mut projects: Vec<Project> = files
        .into_iter()
        .filter_map(|path| Project::read(folder, path))
        .collect();
    projects.sort_by_key(|project| (project.kind, project.path.matches('/').count()));
    let Some(main) = projects.first().cloned() else {
        guess.because(About::Service, "no project file", "makes a program");
        return Some(guess);
    };
    guess.because(
        About::Service,
        main.path.clone(),
        format!("makes the program {}", main.name),
    );
    guess.name = Some(main.name.clone());
    guess.build.why =
        vec!["the .NET runtime is part of the release, so the hosts need none".to_owned()];
    guess.build.push(main.publish("publish"));
    let web = main.kind == Kind::Web;
    guess.runs(Strength::Certain, main.command("publish", web));
    let mut include = vec!["publish".to_owned()];
    if web {
        guess.framework = Some(("ASP.NET Core".to_owned(), 8080));
    }
    for other in &projects[1..] {
        if other.kind != Kind::Worker || !web {
            guess.note(format!(
                "{} is not released; add a step that publishes it if a host needs it",
                other.path
            ));
            continue;
        }
        guess.because(About::Service, other.path.clone(), "is a worker");
        guess.build.push(other.publish("publish-worker"));
        guess.services.push(ServiceGuess {
            name: "worker".to_owned(),
            command: Some(other.command("publish-worker", false)),
            ..ServiceGuess::default()
        });
        include.push("publish-worker".to_owned());
    }
    guess.include = Include::Only(include);
    if tests {
        guess.because(About::Test, "a project file", "is for tests");
        guess.test.push("dotnet test");
    }
    if !main.text.contains("<InvariantGlobalization>true") {
        guess.note(format!(
            "the hosts need the package libicu, unless {} sets InvariantGlobalization to true",
            main.path
        ));
    }
    if projects
        .iter()
        .any(|p| p.text.contains("Microsoft.EntityFrameworkCore.Design"))
    {
        guess.note("if the app does not migrate its database when it starts, add a hook that runs a bundle made by `dotnet ef migrations bundle`");
    }
    Some(guess)
}

impl Project {
    /// Reads a project file; `None` for libraries and tests.
    fn read(folder: &Folder, path: String) -> Option<Self> {
        let text = folder.read(&path)?;
        let kind = if text.contains("Microsoft.NET.Sdk.Web\"") {
            Kind::Web
        } else if text.contains("Microsoft.NET.Sdk.Worker\"") {
            Kind::Worker
        } else if text.contains("<OutputType>Exe") {
            Kind::Program
        } else {
            return None;
        };
        // A desktop or phone app has no business on a host.
        let platform = ["UseWPF>true", "UseMaui>true", "UseWindowsForms>true"]
            .iter()
            .any(|word| text.contains(word));
        let file = path.rsplit('/').next()?;
        let (stem, _) = file.rsplit_once('.')?;
        let name = element(&text, "AssemblyName").unwrap_or(stem).to_owned();
        // `dotnet new` gives an Aspire host and a browser's app the SDKs above, too.
        let other = text.contains("IsAspireHost>true") || text.contains("Sdk.BlazorWebAssembly");
        (!is_test(&text) && !platform && !other && is_plain(&path) && is_plain(&name)).then_some(
            Self {
                name,
                path,
                kind,
                text,
            },
        )
    }

    fn publish(&self, out: &str) -> String {
        format!(
            "dotnet publish {} --configuration Release --use-current-runtime --self-contained --output {out}",
            self.path
        )
    }

    /// Its settings and its wwwroot are found in the folder in which it starts.
    fn command(&self, out: &str, web: bool) -> String {
        let urls = if web {
            "ASPNETCORE_URLS=http://0.0.0.0:$PORT "
        } else {
            ""
        };
        format!("cd {out} && {urls}exec ./{}", self.name)
    }
}

fn is_test(text: &str) -> bool {
    text.contains("Microsoft.NET.Test.Sdk") || text.contains("<IsTestProject>true")
}

/// The text of the first `<name>…</name>`.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (value, _) = rest.split_once(&format!("</{name}>"))?;
    let value = value.trim();
    (!value.is_empty() && !value.contains('$')).then_some(value)
}

/// The project files in `dir` and below it.
fn project_files(folder: &Folder, dir: &str, depth: u8) -> Vec<String> {
    const SKIPPED: &[&str] = &[
        "bin",
        "obj",
        "node_modules",
        "publish",
        "packages",
        "target",
    ];
    let names: Vec<String> = if dir.is_empty() {
        folder.names().map(str::to_owned).collect()
    } else {
        folder.names_in(dir)
    };
    let path = |name: &str| match dir {
        "" => name.to_owned(),
        dir => format!("{dir}/{name}"),
    };
    let mut found: Vec<String> = names
        .iter()
        .filter(|name| ENDINGS.iter().any(|ending| name.ends_with(ending)))
        .map(|name| path(name))
        .collect();
    if depth > 0 {
        let dirs = names
            .iter()
            .filter(|name| !name.starts_with('.') && !SKIPPED.contains(&name.as_str()))
            .map(|name| path(name))
            .filter(|path| folder.is_dir(path))
            .take(100);
        found.extend(dirs.flat_map(|dir| project_files(folder, &dir, depth - 1)));
    }
    found
}
