//! `ship complete`: what may come next on a command line. The scripts of `ship completions` ask it
//! at each Tab. It says nothing on stderr, connects to nothing and asks nobody.

use std::path::PathBuf;

use clap::{Arg, ArgAction, Args, Command};

use super::session;
use crate::project::Names;
use crate::rollout::cache::Cache;

/// Says what may come next on a command line
#[derive(Debug, Clone, Args)]
pub struct CompleteArgs {
    /// The words after `ship`; the last one is being typed
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "WORD"
    )]
    pub words: Vec<String>,
}

/// Prints a candidate per line, with what it means behind a tab; the exit code. A line of `:files`
/// or `:dirs` asks the shell for its own.
pub fn run(args: &CompleteArgs) -> u8 {
    let lines: Vec<String> = candidates(&args.words)
        .into_iter()
        .map(|candidate| match candidate.about.as_str() {
            "" => candidate.text,
            about => format!("{}\t{about}", candidate.text),
        })
        .collect();
    if !lines.is_empty() {
        super::print(format!("{}\n", lines.join("\n")).as_bytes());
    }
    0
}

/// Something that may come next.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Candidate {
    text: String,
    about: String,
}

impl Candidate {
    fn new(text: impl Into<String>, about: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            about: about.into(),
        }
    }
}

/// The command line as far as it was typed.
struct Line<'a> {
    command: &'a Command,
    /// The option whose value comes next.
    pending: Option<&'a Arg>,
    positionals: Vec<&'a str>,
    project: Option<&'a str>,
    /// Whether `--` was there.
    is_after_dashes: bool,
}

fn candidates(words: &[String]) -> Vec<Candidate> {
    let mut definition = super::definition();
    definition.build();
    let (typed, before) = match words.split_last() {
        Some((typed, before)) => (typed.as_str(), before),
        None => ("", words),
    };
    // Some versions of PowerShell pass an empty word in this way only.
    let typed = if typed == "\"\"" { "" } else { typed };
    let line = Line::read(&definition, before);
    let found = line.next(typed);
    found
        .into_iter()
        .filter(|candidate| candidate.text.starts_with(typed) || candidate.text.starts_with(':'))
        .collect()
}

impl<'a> Line<'a> {
    fn read(definition: &'a Command, words: &'a [String]) -> Self {
        let mut line = Self {
            command: definition,
            pending: None,
            positionals: Vec::new(),
            project: None,
            is_after_dashes: false,
        };
        for word in words {
            line.hear(word);
        }
        line
    }

    fn hear(&mut self, word: &'a str) {
        if let Some(option) = self.pending.take() {
            let is_optional = option.get_num_args().is_some_and(|n| n.min_values() == 0);
            if !(is_optional && word.starts_with('-')) {
                self.value(option, word);
                return;
            }
        }
        if self.is_after_dashes {
            self.positionals.push(word);
        } else if word == "--" {
            self.is_after_dashes = true;
        } else if let Some(long) = word.strip_prefix("--") {
            match long.split_once('=') {
                Some((long, value)) => {
                    if let Some(option) = self.option(|arg| arg.get_long() == Some(long)) {
                        self.value(option, value);
                    }
                }
                None => self.pending = self.option(|arg| arg.get_long() == Some(long)),
            }
        } else if let Some(short) = word.strip_prefix('-').and_then(|rest| rest.chars().last()) {
            // Of several short options together, only the last one can want the next word.
            self.pending = self.option(|arg| arg.get_short() == Some(short));
        } else if let Some(command) = self.subcommand(word) {
            self.command = command;
        } else {
            self.positionals.push(word);
        }
    }

    fn value(&mut self, option: &Arg, value: &'a str) {
        if option.get_id() == "project" {
            self.project = Some(value);
        }
    }

    /// An option that takes a value.
    fn option(&self, is_it: impl Fn(&Arg) -> bool) -> Option<&'a Arg> {
        let mut options = self.command.get_arguments();
        options.find(|arg| {
            is_it(arg) && matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
        })
    }

    fn subcommand(&self, word: &str) -> Option<&'a Command> {
        let mut commands = self.command.get_subcommands();
        commands.find(|command| command.get_name() == word && self.positionals.is_empty())
    }

    /// What may come next, whatever was begun.
    fn next(&self, typed: &str) -> Vec<Candidate> {
        if let Some(option) = self.pending {
            return self.values(option);
        }
        if self.is_after_dashes {
            return match self.positional() {
                Some(_) => vec![Candidate::new(":files", "")],
                None => Vec::new(),
            };
        }
        if let Some((flag, _)) = typed.split_once('=') {
            let long = flag.trim_start_matches('-');
            let option = self.option(|arg| arg.get_long() == Some(long));
            let mut values = option.map_or_else(Vec::new, |option| self.values(option));
            for value in values
                .iter_mut()
                .filter(|value| !value.text.starts_with(':'))
            {
                value.text = format!("{flag}={}", value.text);
            }
            return values;
        }
        if typed.starts_with('-') {
            return self.flags();
        }
        if self.command.has_subcommands() {
            let shown = self.command.get_subcommands().filter(|c| !c.is_hide_set());
            return shown
                .map(|command| Candidate::new(command.get_name(), about(command.get_about())))
                .collect();
        }
        self.positional()
            .map_or_else(Vec::new, |arg| self.values(arg))
    }

    fn flags(&self) -> Vec<Candidate> {
        let shown = self
            .command
            .get_arguments()
            .filter(|arg| !arg.is_hide_set());
        let each = shown.flat_map(|arg| {
            let long = arg.get_long().map(|long| format!("--{long}"));
            let short = arg.get_short().map(|short| format!("-{short}"));
            let about = about(arg.get_help());
            let names = long.into_iter().chain(short);
            names.map(move |name| Candidate::new(name, about.clone()))
        });
        each.collect()
    }

    /// The positional that comes next; the last one may come again and again.
    fn positional(&self) -> Option<&'a Arg> {
        let all: Vec<&Arg> = self.command.get_positionals().collect();
        let next = all.get(self.positionals.len()).copied();
        let repeats = |arg: &&&Arg| arg.get_num_args().is_some_and(|n| n.max_values() > 1);
        next.or_else(|| all.last().filter(repeats).copied())
    }

    /// What a value may be, by what the help calls it.
    fn values(&self, arg: &Arg) -> Vec<Candidate> {
        let possible = arg.get_possible_values();
        if !possible.is_empty() {
            let each = possible.iter().filter(|value| !value.is_hide_set());
            return each
                .map(|value| Candidate::new(value.get_name(), about(value.get_help())))
                .collect();
        }
        let name = arg.get_value_names().and_then(|names| names.first());
        let names = || Names::in_folder(&session::folder_of(self.project.map(PathBuf::from)));
        match name.map_or("", |name| name.as_str()) {
            "ENV" => environments(&names()),
            "ENV | SERVICE" => self.environment_or_services(&names()),
            "SERVICE" => services(&names(), &[]),
            "HOST" if self.command.get_name() != "init" => self.hosts(&names()),
            "RELEASE" => self.releases(&names()),
            "NAME" if self.command.get_name() == "pin" => {
                let runtimes = names().runtimes.into_iter();
                runtimes
                    .map(|name| Candidate::new(name, "runtime"))
                    .collect()
            }
            "DURATION" => ["30s", "10m", "1h"]
                .map(|time| Candidate::new(time, ""))
                .to_vec(),
            "DIR" => vec![Candidate::new(":dirs", "")],
            "FILE" | "PATH" => vec![Candidate::new(":files", "")],
            _ => Vec::new(),
        }
    }

    /// The environment that was typed, or the default one.
    fn environment<'b>(&'b self, names: &'b Names) -> Option<&'b str> {
        let is_one = |word: &&&str| names.environments.iter().any(|(name, _)| name == **word);
        let typed = self.positionals.iter().find(is_one).copied();
        typed.or_else(|| names.default_environment())
    }

    fn environment_or_services(&self, names: &Names) -> Vec<Candidate> {
        let mut found = match self.positionals.is_empty() {
            true => environments(names),
            false => Vec::new(),
        };
        found.extend(services(names, &self.positionals));
        found
    }

    fn hosts(&self, names: &Names) -> Vec<Candidate> {
        let environment = match self.command.get_name() {
            "trust" => None,
            _ => self.environment(names),
        };
        let mut found: Vec<Candidate> = Vec::new();
        for (name, hosts) in &names.environments {
            if environment.is_some_and(|environment| environment != name) {
                continue;
            }
            for host in hosts {
                let is_there = found.iter().any(|other| other.text == *host);
                let is_local = environment.is_none() && name == "local";
                if !is_there && !is_local {
                    found.push(Candidate::new(host, name));
                }
            }
        }
        found
    }

    /// The releases that this machine has seen on the environment's hosts, the newest first.
    fn releases(&self, names: &Names) -> Vec<Candidate> {
        let (Some(app), Some(environment)) = (&names.app, self.environment(names)) else {
            return Vec::new();
        };
        let cache = Cache::at(session::cache_folder());
        let hosts = names.hosts_of(environment).iter();
        let mut known: Vec<_> = hosts
            .flat_map(|host| cache.releases(app, environment, host))
            .filter(|release| release.is_target)
            .collect();
        known.sort_by_key(|release| std::cmp::Reverse(release.id));
        known.dedup_by_key(|release| release.id);
        let each = known.into_iter();
        each.map(|release| Candidate::new(release.id.to_string(), one_line(&release.about)))
            .collect()
    }
}

fn environments(names: &Names) -> Vec<Candidate> {
    let each = names.environments.iter();
    each.map(|(name, _)| Candidate::new(name, "environment"))
        .collect()
}

fn services(names: &Names, typed: &[&str]) -> Vec<Candidate> {
    let left = names
        .services
        .iter()
        .filter(|name| !typed.contains(&name.as_str()));
    left.map(|name| Candidate::new(name, "service")).collect()
}

fn about(text: Option<&clap::builder::StyledStr>) -> String {
    text.map_or_else(String::new, |text| one_line(&text.to_string()))
}

/// The first line of a text that others may have written, without what a terminal obeys.
fn one_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(70).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(words: &[&str]) -> Vec<String> {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        candidates(&words)
            .into_iter()
            .map(|found| found.text)
            .collect()
    }

    fn project() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let manifest = "[app]\nname = \"shop\"\n[services.web]\n[services.worker]\n\
            [environments.production]\nhosts = [\"deploy@web1:2222\", \"deploy@web2\"]\n\
            [environments.staging]\nhosts = [\"s1\"]\n";
        std::fs::write(dir.path().join("ship.toml"), manifest).unwrap();
        dir
    }

    #[test]
    fn names_of_the_project_are_offered_where_they_belong() {
        let dir = project();
        let there = dir.path().to_str().unwrap();
        let at = |words: &[&str]| texts(&[&["-C", there], words].concat());
        let environments = ["production", "staging", "local"];
        for command in [
            "deploy", "rollback", "status", "setup", "history", "check", "freeze",
        ] {
            assert_eq!(at(&[command, ""]), environments, "{command}");
        }
        assert_eq!(at(&["deploy", "st"]), ["staging"]);
        assert_eq!(at(&["deploy", "--wait", "10m", "st"]), ["staging"]);
        assert_eq!(at(&["deploy", "--wait", "--force", "st"]), ["staging"]);
        assert_eq!(at(&["deploy", "production", ""]), Vec::<String>::new());
        assert_eq!(
            at(&["logs", ""]),
            ["production", "staging", "local", "web", "worker"]
        );
        assert_eq!(at(&["logs", "production", ""]), ["web", "worker"]);
        assert_eq!(at(&["restart", "staging", "web", ""]), ["worker"]);
        let hosts = ["deploy@web1:2222", "deploy@web2"];
        assert_eq!(at(&["exec", "production", "--host", ""]), hosts);
        assert_eq!(
            at(&["exec", "production", "--host=deploy@web2"]),
            ["--host=deploy@web2"]
        );
        assert_eq!(at(&["exec", "staging", "--host", ""]), ["s1"]);
        assert_eq!(
            at(&["host", "trust", ""]),
            ["deploy@web1:2222", "deploy@web2", "s1"]
        );
        assert_eq!(at(&["exec", "staging", "--", "ca"]), [":files"]);
        let after = texts(&["deploy", "-C", there, "prod"]);
        assert_eq!(after, ["production"]);
        assert_eq!(
            texts(&["deploy", &format!("--project={there}"), "prod"]),
            ["production"]
        );
    }

    #[test]
    fn commands_and_flags_are_offered_and_nothing_hidden() {
        let commands = texts(&[""]);
        assert!(commands.contains(&"deploy".to_owned()));
        for hidden in ["agent", "dial", "acknowledge", "complete"] {
            assert!(!commands.contains(&hidden.to_owned()), "{hidden}");
        }
        assert_eq!(texts(&["depl"]), ["deploy"]);
        assert_eq!(texts(&["deploy", "--skip-t"]), ["--skip-tests"]);
        assert!(texts(&["deploy", "-"]).contains(&"--json".to_owned()));
        assert!(texts(&["completions", ""]).contains(&"fish".to_owned()));
        assert_eq!(texts(&["-C", ""]), [":dirs"]);
        assert_eq!(texts(&["host", ""])[0], "trust");
    }

    #[test]
    fn odd_lines_offer_nothing_and_break_nothing() {
        for words in [
            &["", "", ""][..],
            &["--", ""],
            &["nonsense", "x", ""],
            &["-", "-"],
            &["--=", ""],
        ] {
            let _ = texts(words);
        }
        assert!(texts(&["-C", "/nonexistent", "logs", ""]).is_empty());
    }
}
