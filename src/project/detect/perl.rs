//! Perl: Mojolicious, and whatever speaks PSGI.

use super::files::requires;
use super::folder::Folder;
use super::guess::{Guess, Include, Stack, Strength};
use super::reason::About;

/// Files that tell a project in Perl, beside its scripts.
const SIGNS: &[&str] = &["cpanfile", "Makefile.PL", "Build.PL", "dist.ini"];

/// Where PSGI apps lie by custom.
const PSGI: &[&str] = &["app.psgi", "bin/app.psgi", "script/app.psgi"];

/// Folders of a project's own programs.
const PROGRAMS: &[&str] = &["script", "bin", "."];

/// Servers for PSGI, best first: the module in small letters, and the command without the app.
const SERVERS: &[(&str, &str)] = &[
    ("starman", "starman -E {env} --port $PORT"),
    ("gazelle", "plackup -s Gazelle -E {env} --port $PORT"),
    ("starlet", "plackup -s Starlet -E {env} --port $PORT"),
    ("twiggy", "twiggy -E {env} --port $PORT"),
];

/// Where the packages of the cpanfile are installed, and what `PERL5LIB` says then.
const LOCAL: &str = "local";
const LIBRARIES: (&str, &str) = ("PERL5LIB", "local/lib/perl5");

const TYPES: &[&str] = &["pl", "pm", "psgi"];

/// Looks for a project in Perl.
pub(super) fn detect(folder: &Folder) -> Option<Guess> {
    let sign = folder.first(SIGNS);
    let psgi = folder.first(PSGI);
    let program = mojolicious(folder);
    let shows = sign.or(psgi).map(str::to_owned).or(program.clone())?;
    let mut guess = Guess::new(Stack::Perl, TYPES);
    guess.because(About::App, shows, "is there");
    guess.needs("perl");
    let modules = folder.read("cpanfile").unwrap_or_default();
    match (program, psgi) {
        (Some(program), _) => {
            guess.because(About::Service, &program, "starts Mojolicious");
            guess.framework = Some(("Mojolicious".to_owned(), 3000));
            guess.runs(
                Strength::Certain,
                format!("perl {program} prefork -m production -l http://*:$PORT"),
            );
        }
        (None, Some(app)) => {
            guess.because(About::Service, app, "is a PSGI app");
            guess.framework = Some(("PSGI".to_owned(), 5000));
            let server = SERVERS.iter().find(|(name, _)| requires(&modules, name));
            if server.is_none() {
                guess.note(
                    "`plackup` is a server for development: list Starman in the cpanfile, then \
                     `ship init --force`",
                );
            }
            let server = server.map_or("plackup -E {env} --port $PORT", |(_, line)| line);
            let server = server.replace("{env}", environment(folder));
            guess.runs(Strength::Certain, format!("{server} {app}"));
        }
        (None, None) => {}
    }
    let mut add = Vec::new();
    match (folder.is_file("cpanfile.snapshot"), modules.is_empty()) {
        (true, _) => {
            guess.because(About::Build, "cpanfile.snapshot", "locks the modules");
            guess.build.push("carton install --deployment");
        }
        (false, false) => {
            guess.because(About::Build, "cpanfile", "lists the modules");
            guess
                .build
                .push("cpanm --quiet --notest --installdeps --local-lib-contained local .");
        }
        (false, true) => guess.note(
            "no cpanfile lists the modules, so they must be on each machine that runs the app",
        ),
    }
    if !guess.build.run.is_empty() {
        add.push(LOCAL.to_owned());
        let (name, value) = LIBRARIES;
        let libraries = || (name.to_owned(), value.to_owned());
        for service in &mut guess.services {
            service.env.extend([libraries()]);
            service.command = service.command.as_ref().map(|line| installed(line));
        }
        guess.test.env.extend([libraries()]);
    }
    if folder.names_in("t").iter().any(|name| name.ends_with(".t")) {
        guess.because(About::Test, "t/", "holds tests");
        guess.test.push("prove -lr t");
    }
    guess.include = Include::Sources { add, drop: vec![] };
    Some(guess)
}

/// The environment that a PSGI app runs in: that of plackup(1) for servers, or the one that the
/// project has settings for (Dancer2).
fn environment(folder: &Folder) -> &'static str {
    match folder.is_file("environments/production.yml") {
        true => "production",
        false => "deployment",
    }
}

/// `line` with the program of an installed module: `local/bin/starman`.
fn installed(line: &str) -> String {
    match line.starts_with("perl ") {
        true => line.to_owned(),
        false => format!("perl {LOCAL}/bin/{line}"),
    }
}

/// The program that starts an app of Mojolicious.
fn mojolicious(folder: &Folder) -> Option<String> {
    PROGRAMS.iter().find_map(|dir| {
        let names = folder.names_in(dir).into_iter();
        let mut paths = names.map(|name| match *dir {
            "." => name,
            dir => format!("{dir}/{name}"),
        });
        paths.find(|path| {
            let is_named = path.ends_with(".pl") || !path.contains('.');
            is_named && folder.read(path).is_some_and(|text| is_app(&text))
        })
    })
}

/// Whether a program is an app of Mojolicious: it uses `Mojolicious::Lite`, or starts one.
fn is_app(text: &str) -> bool {
    text.starts_with("#!")
        && text
            .lines()
            .next()
            .is_some_and(|line| line.contains("perl"))
        && (text.contains("use Mojolicious::Lite") || text.contains("use Mojolicious::Commands"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::seen;
    use super::*;

    #[test]
    fn an_app_of_mojolicious_is_no_static_site() {
        let files = [
            (
                "script/my_app",
                "#!/usr/bin/env perl\nuse Mojolicious::Commands;\nMojolicious::Commands->start_app('MyApp');\n",
            ),
            ("lib/MyApp.pm", "package MyApp;\n"),
            ("public/index.html", "<h1>static</h1>"),
            ("t/basic.t", "use Test::More;\n"),
        ];
        let found = seen(&files);
        assert_eq!(found.stack, Some(Stack::Perl));
        let service = &found.services[0];
        assert_eq!(
            service.command.as_deref(),
            Some("perl script/my_app prefork -m production -l http://*:$PORT")
        );
        assert_eq!(service.port, Some(3000));
        assert_eq!(found.test.run, ["prove -lr t"]);
        assert_eq!(found.include, ["."]);
    }

    #[test]
    fn a_psgi_app_runs_on_the_server_that_it_lists() {
        let command = |cpanfile: &str| {
            let files = [
                ("cpanfile", cpanfile),
                ("app.psgi", "sub { [200, [], []] }"),
                ("environments/production.yml", ""),
            ];
            let found = seen(&files);
            assert_eq!(found.services[0].env["PERL5LIB"], "local/lib/perl5");
            assert_eq!(found.include, [".", "local"]);
            found.services[0].command.clone().unwrap_or_default()
        };
        assert_eq!(
            command("requires 'Dancer2';\nrequires 'Starman';\n"),
            "perl local/bin/starman -E production --port $PORT app.psgi"
        );
        assert_eq!(
            command("requires 'Plack';\n"),
            "perl local/bin/plackup -E production --port $PORT app.psgi"
        );
    }
}
