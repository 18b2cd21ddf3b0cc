//! The manifest as text: only what the project needs, with comments that teach.

use crate::model::version::Grammar;
use crate::model::{AppName, EnvironmentName, HostName};

use super::database;
use super::guess::{Detected, RuntimeGuess, ServiceGuess, Stack, Steps};
use super::toml_text::{Lines, array, commented, key, list, string, table};

/// What `ship init` knows once everybody was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    /// `app.name`.
    pub name: AppName,
    /// The environment that is written.
    pub environment: EnvironmentName,
    /// Its hosts; with none, the environment is written as a comment.
    pub hosts: Vec<HostName>,
    /// The rest, as detected and corrected.
    pub detected: Detected,
}

/// The text of `ship.toml`: valid TOML, and valid as a manifest when every service has a command
/// or a static folder.
#[must_use]
pub fn render(answers: &Answers) -> String {
    let detected = &answers.detected;
    let mut sections = vec![format!(
        "# How {} is built, tested, shipped and run. `ship check` says whether this is right.\n\n\
         [app]\nname = {}\n{}",
        answers.name,
        string(answers.name.as_str()),
        detected.source.as_deref().map(source).unwrap_or_default(),
    )];
    sections.extend(runtimes(&detected.runtimes));
    if !detected.build.run.is_empty() {
        sections.push(format!(
            "# Runs on this machine, step by step. If one fails, no host is touched.\n[build]\n{}",
            steps(&detected.build)
        ));
    }
    if !detected.test.run.is_empty() {
        sections.push(format!("[test]\n{}", steps(&detected.test)));
    }
    sections.push(release(detected));
    sections.extend(detected.services.iter().map(service));
    if !detected.hooks.is_empty() {
        let hooks: Vec<String> = detected
            .hooks
            .iter()
            .map(|hook| {
                let on = if hook.each_host {
                    "each-host"
                } else {
                    "one-host"
                };
                format!("{{ run = {}, on = {} }}", string(&hook.run), string(on))
            })
            .collect();
        sections.push(format!(
            "# Runs in the new release, before any host switches to it.\n[hooks]\n\
             before-activate = {}\n",
            array(&hooks)
        ));
    }
    sections.push(environment(answers));
    sections.extend(local(detected));
    sections.join("\n")
}

/// `[runtimes]`: a comment as a whole when no line of it is more than that.
fn runtimes(runtimes: &[RuntimeGuess]) -> Option<String> {
    let mut lines = Lines::default();
    let (mut brought, mut any) = (false, false);
    for runtime in runtimes {
        let Some(version) = &runtime.version else {
            continue;
        };
        any = true;
        let line = entry(&runtime.name, version);
        let from = runtime.file.as_ref().map(|file| format!("from {file}"));
        match (&runtime.obstacle, runtime.why.clone().or(from)) {
            (Some(obstacle), _) => lines.explain(format!("# {line}"), obstacle),
            (None, Some(why)) => lines.explain(line, why),
            (None, None) => lines.add(line),
        }
        brought |= runtime.obstacle.is_none();
    }
    let head = match brought {
        true => {
            "# What the project runs on and is built with; `ship pin` writes exact versions to ship.lock.\n\
             [runtimes]\n"
        }
        false => {
            "# What the project runs on and is built with. These lines are comments, so each machine's\n\
             # own version is used:\n\
             # [runtimes]\n"
        }
    };
    any.then(|| format!("{head}{}", lines.text()))
}

/// The line that names the folder of the workspace.
fn source(path: &str) -> String {
    format!(
        "# The root of the workspace: steps run there, and the paths below are relative to it.\n\
         source = {}\n",
        string(path)
    )
}

/// A line of `[runtimes]`; a runtime that ship does not bring comes from the host.
fn entry(name: &str, version: &str) -> String {
    let (known, version) = (Grammar::of(name) != Grammar::Other, string(version));
    match known {
        true => format!("{} = {version}", key(name)),
        false => format!(
            "{} = {{ version = {version}, source = \"host\" }}",
            key(name)
        ),
    }
}

fn steps(steps: &Steps) -> String {
    let why: String = steps.why.iter().map(|line| format!("# {line}\n")).collect();
    let mut out = format!("{why}steps = {}\n", list(&steps.run));
    if !steps.env.is_empty() {
        out.push_str(&format!("env = {}\n", table(&steps.env)));
    }
    out
}

fn release(detected: &Detected) -> String {
    let mut out =
        "# The files that go to the hosts; nothing else leaves this machine.\n[release]\n"
            .to_owned();
    out.push_str(&format!("include = {}\n", list(&detected.include)));
    if !detected.exclude.is_empty() {
        out.push_str(&format!("exclude = {}\n", list(&detected.exclude)));
    }
    if detected.gitignore {
        out.push_str("gitignore = true  # what git ignores stays here, unless it is named above\n");
    }
    if !detected.shared.is_empty() {
        out.push_str(
            "# A release is read-only. The app may write to these paths, and they survive releases:\n",
        );
        out.push_str(&format!("shared = {}\n", list(&detected.shared)));
    }
    out
}

fn service(service: &ServiceGuess) -> String {
    let mut lines = Lines::default();
    let mut out = format!("[services.{}]\n", key(&service.name));
    for line in &service.why {
        out.push_str(&format!("# {line}\n"));
    }
    if let Some(dir) = &service.static_dir {
        lines.explain(
            format!("static = {}", string(dir)),
            "ship serves this folder itself",
        );
    }
    if let Some(page) = &service.fallback {
        lines.explain(
            format!("fallback = {}", string(page)),
            "the app routes in the browser: answers where no file does",
        );
    }
    if let Some(command) = &service.command {
        lines.add(format!("command = {}", string(command)));
    }
    match service.port {
        Some(port) if service.static_dir.is_some() => lines.add(format!("port = {port}")),
        Some(port) => {
            let says = match service.takes_port {
                true => "the service reads it from $PORT",
                false => "the service listens there by itself, as far as its files tell",
            };
            lines.explain(format!("port = {port}"), says);
        }
        None => {}
    }
    match (&service.health, service.port) {
        (Some(health), _) => {
            let mut keys = vec![format!("path = {}", string(&health.path))];
            if health.is_page {
                keys.push(match health.refuses_with_400 {
                    true => "status = [\"2xx\", \"3xx\", 401, 403, 404]".to_owned(),
                    false => "status = [\"2xx\", \"3xx\", \"4xx\"]".to_owned(),
                });
            }
            if !health.headers.is_empty() {
                keys.push(format!("headers = {}", table(&health.headers)));
            }
            let value = match keys.as_slice() {
                [_] => string(&health.path),
                keys => format!("{{ {} }}", keys.join(", ")),
            };
            let good = match health.is_page {
                true if health.refuses_with_400 => "400 is how Django refuses a host name; a route for health proves more",
                true => "a release counts as good once this is no server error; a route for health proves more",
                false => "a release counts as good once this answers 2xx",
            };
            lines.explain(format!("health = {value}"), good);
        }
        (None, Some(_)) => lines.add(
            "# An open port counts as healthy. A route that answers 2xx proves more: health = \"/healthz\"",
        ),
        (None, None) => {
            lines.explain("settle = \"5s\"", "a release counts as good once this has run for 5 s");
        }
    }
    if !service.env.is_empty() {
        lines.add(format!("env = {}", table(&service.env)));
    }
    out.push_str(&lines.text());
    out
}

fn environment(answers: &Answers) -> String {
    let hosts: Vec<String> = answers
        .hosts
        .iter()
        .map(|host| host.as_str().to_owned())
        .collect();
    let detected = &answers.detected;
    let mut body = format!("[environments.{}]\n", key(answers.environment.as_str()));
    let shown = if hosts.is_empty() {
        vec!["deploy@web1.example.com".to_owned()]
    } else {
        hosts.clone()
    };
    body.push_str(&format!("hosts = {}\n", list(&shown)));
    if !detected.env.is_empty() {
        body.push_str(&format!("env = {}\n", table(&detected.env)));
    }
    body.push_str(&settings(detected));
    if !detected.required.is_empty() {
        body.push_str(&required(&detected.required));
    }
    if !detected.secrets.is_empty() && !hosts.is_empty() {
        body.push_str(
            "# Named in your .env files, which stay here. `ship deploy` takes each value from its\n\
             # environment variable of the same name:\n",
        );
        body.push_str(&format!("# secrets = {}\n", one_line(&detected.secrets)));
    }
    if hosts.is_empty() {
        return format!(
            "# Where the app runs: your hosts, as you would name them to ssh.\n{}",
            commented(&body)
        );
    }
    body
}

/// What this machine needs to run the app as the hosts do; `None` for nothing.
fn local(detected: &Detected) -> Option<String> {
    // Without these, frameworks run as they do for a developer, with packages no release has.
    let by_mode = matches!(
        detected.stack,
        Some(Stack::Node | Stack::Python | Stack::Ruby | Stack::Php)
    );
    let same = by_mode && !detected.env.is_empty();
    // The project's examples are for a developer's machine, as this one is.
    let mut env = detected.env.clone();
    let examples = detected
        .settings
        .iter()
        .filter(|(_, value)| !value.is_empty());
    env.extend(examples.map(|(name, value)| (name.clone(), value.clone())));
    let open: Vec<&String> = detected
        .settings
        .keys()
        .filter(|name| !env.contains_key(*name))
        .collect();
    let is_file = |value: &String| database::path(value).is_some();
    let is_own = !detected.settings.is_empty() || detected.env.values().any(is_file);
    env.extend(detected.local_env.clone());
    if detected.required.is_empty() && !same && !is_own && detected.local_env.is_empty() {
        return None;
    }
    let mut body = "# This machine, with `ship deploy local`.\n[environments.local]\n".to_owned();
    if !env.is_empty() {
        body.push_str(&format!("env = {}\n", table(&env)));
    }
    if !open.is_empty() {
        body.push_str(&settings(detected));
    }
    if !detected.required.is_empty() {
        body.push_str(&format!("secrets = {}\n", list(&detected.required)));
    }
    Some(body)
}

/// The settings that the app needs and that only a person can choose: `env` as it would be with them.
fn settings(detected: &Detected) -> String {
    if detected.settings.is_empty() {
        return String::new();
    }
    let names: Vec<&str> = detected.settings.keys().map(String::as_str).collect();
    let mut all = detected.env.clone();
    all.extend(detected.settings.clone());
    let place = match detected.env.is_empty() {
        true => "Write your values into this line, and remove the `#`:",
        false => "Write your values into this line, and put it in place of `env` above:",
    };
    let said = wrap(&format!("The app needs {} to start.", names.join(", ")));
    format!("{said}# {place}\n# env = {}\n", table(&all))
}

/// A comment, on lines of readable length.
fn wrap(text: &str) -> String {
    const WIDTH: usize = 96;
    let mut lines = vec![String::from("#")];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("# {word}")),
        }
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// The line with the secrets without which the app does not start.
fn required(names: &[String]) -> String {
    format!(
        "# The app needs these. `ship deploy` takes each value from its own\n\
         # environment variable of that name:\n\
         secrets = {}\n",
        list(names)
    )
}

/// A list that can stand behind a `#`.
fn one_line(items: &[String]) -> String {
    list(items)
        .lines()
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(" ")
}
