//! The manifest as text: only what the project needs, with comments that teach.

use crate::model::version::Grammar;
use crate::model::{AppName, EnvironmentName, HostName};

use super::guess::{Detected, ServiceGuess, Steps};
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
         [app]\nname = {}\n",
        answers.name,
        string(answers.name.as_str()),
    )];
    if !detected.runtimes.is_empty() {
        let pins: String = detected
            .runtimes
            .iter()
            .map(|(name, version)| runtime(name, version))
            .collect();
        sections.push(format!(
            "# As this project's files ask for them; `ship pin` writes the exact ones to ship.lock.\n\
             [runtimes]\n{pins}"
        ));
    }
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
            "# In the new release, before any host switches to it.\n[hooks]\n\
             before-activate = {}\n",
            array(&hooks)
        ));
    }
    sections.push(environment(answers));
    sections.join("\n")
}

/// A line of `[runtimes]`.
fn runtime(name: &str, version: &str) -> String {
    let (known, version) = (Grammar::of(name) != Grammar::Other, string(version));
    match known {
        true => format!("{} = {version}\n", key(name)),
        false => format!(
            "{} = {{ version = {version}, source = \"host\" }} # the host brings it\n",
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
    let mut out = "# What the hosts get; nothing else leaves this machine.\n[release]\n".to_owned();
    out.push_str(&format!("include = {}\n", list(&detected.include)));
    if !detected.exclude.is_empty() {
        out.push_str(&format!("exclude = {}\n", list(&detected.exclude)));
    }
    if !detected.shared.is_empty() {
        out.push_str(
            "# A release is read-only. These are the app's to write, and survive releases:\n",
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
    if let Some(command) = &service.command {
        lines.add(format!("command = {}", string(command)));
    }
    match service.port {
        Some(port) if service.static_dir.is_some() => lines.add(format!("port = {port}")),
        Some(port) => lines.explain(format!("port = {port}"), "the service finds it in $PORT"),
        None => {}
    }
    match (&service.health, service.port) {
        (Some(health), _) => {
            let value = if health.headers.is_empty() {
                string(&health.path)
            } else {
                format!("{{ path = {}, headers = {} }}", string(&health.path), table(&health.headers))
            };
            lines.explain(
                format!("health = {value}"),
                "a release is good once this answers 2xx",
            );
        }
        (None, Some(_)) => lines.add(
            "# An open port counts as healthy. Better is a route that answers 2xx: health = \"/healthz\"",
        ),
        (None, None) => {
            lines.explain("settle = \"5s\"", "a release is good once this runs for so long");
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
    if !detected.secrets.is_empty() && !hosts.is_empty() {
        body.push_str(
            "# Named in your .env files, which stay here; `ship secrets` takes the values:\n",
        );
        body.push_str(&format!("# secrets = {}\n", one_line(&detected.secrets)));
    }
    if hosts.is_empty() {
        return format!(
            "# Where it goes: your hosts, as you would give them to ssh.\n{}",
            commented(&body)
        );
    }
    body
}

/// A list that can stand behind a `#`.
fn one_line(items: &[String]) -> String {
    list(items)
        .lines()
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(" ")
}
