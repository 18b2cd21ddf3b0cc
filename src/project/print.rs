//! A project as the manifest that says everything, defaults included.

use std::collections::BTreeMap;
use std::fmt::Write;

use toml::Value;

use super::manifest::duration;
use super::model::{
    Batch, Environment, Hook, HookScope, OnFailure, Pipeline, Project, RuntimeRequest, Step,
    Strategy,
};
use crate::model::service::{Run, StartType};
use crate::model::{HealthCheck, Probe, ServiceSpec, Status};

impl Project {
    /// The manifest of this project with every default filled in: TOML that reads as the same
    /// self. What has no value (a service without a port) stays left out.
    #[must_use]
    pub fn print(&self) -> String {
        let mut out = Printer::default();
        out.table("app");
        out.text("name", self.app.as_str());
        out.text("source", &source(self));
        if let Some(environment) = &self.default_environment {
            out.text("default-environment", environment.as_str());
        }
        if !self.runtimes.is_empty() {
            out.table("runtimes");
            for (name, request) in &self.runtimes {
                out.key(name, &runtime(request));
            }
        }
        out.pipeline("build", &self.build);
        out.pipeline("test", &self.test);
        out.table("release");
        out.texts("include", &self.release.include);
        out.texts("exclude", &self.release.exclude);
        out.bool("gitignore", self.release.gitignore);
        out.texts("shared", &self.release.shared);
        out.texts("readable-by", &self.release.readable_by);
        out.number("keep", self.release.keep);
        for service in &self.services {
            out.service(service);
        }
        out.table("hooks");
        out.list("before-activate", self.before_activate.iter().map(hook));
        out.list("after-activate", self.after_activate.iter().map(hook));
        for environment in self.environments.values() {
            out.environment(environment);
        }
        out.text
    }
}

/// The way from the folder of the manifest up to `source`.
fn source(project: &Project) -> String {
    let up: Vec<&str> = project.place().components().map(|_| "..").collect();
    match up.is_empty() {
        true => ".".to_owned(),
        false => up.join("/"),
    }
}

#[derive(Default)]
struct Printer {
    text: String,
}

impl Printer {
    fn table(&mut self, name: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let _ = writeln!(self.text, "[{name}]");
    }

    /// One key; `value` is TOML already.
    fn key(&mut self, key: &str, value: &str) {
        let _ = writeln!(self.text, "{key} = {value}");
    }

    fn text(&mut self, key: &str, value: &str) {
        self.key(key, &quoted(value));
    }

    fn number(&mut self, key: &str, value: u32) {
        self.key(key, &value.to_string());
    }

    fn time(&mut self, key: &str, ms: u64) {
        self.text(key, &duration::format(ms));
    }

    fn bool(&mut self, key: &str, value: bool) {
        self.key(key, &value.to_string());
    }

    fn texts(&mut self, key: &str, values: &[String]) {
        self.key(key, &list(values.iter().map(|value| quoted(value))));
    }

    /// A list of tables, one on each line.
    fn list(&mut self, key: &str, items: impl Iterator<Item = String>) {
        let items: Vec<String> = items.collect();
        if items.is_empty() {
            return self.key(key, "[]");
        }
        let lines: String = items.iter().map(|item| format!("    {item},\n")).collect();
        self.key(key, &format!("[\n{lines}]"));
    }

    fn pipeline(&mut self, name: &str, pipeline: &Pipeline) {
        self.table(name);
        self.list("steps", pipeline.steps.iter().map(step));
        self.key("env", &map(&pipeline.env));
        self.key("inherit-env", &pipeline.inherit_env.to_string());
    }

    fn service(&mut self, service: &ServiceSpec) {
        self.table(&format!("services.{}", service.name));
        match &service.run {
            Run::Shell(line) => self.text("command", line),
            Run::Argv(words) => self.texts("command", words),
            // The demo is never in a manifest: `ship try` makes its project itself.
            Run::Static(folder) => self.text("static", folder),
        }
        if let Some(page) = &service.fallback {
            self.text("fallback", page);
        }
        if let Some(port) = service.port {
            self.number("port", port.into());
        }
        self.key("env", &map(&service.env));
        let start_type = match service.start_type {
            StartType::Simple => "simple",
            StartType::Notify => "notify",
        };
        self.text("type", start_type);
        self.time("stop-timeout", service.stop_timeout_ms);
        self.time("settle", service.health.settle_ms);
        self.table(&format!("services.{}.health", service.name));
        self.health(&service.health);
    }

    fn health(&mut self, health: &HealthCheck) {
        match &health.probe {
            None => self.key("tcp", "false"),
            Some(Probe::Tcp { port }) => {
                self.key("tcp", "true");
                self.number("port", (*port).into());
            }
            Some(Probe::Command { run }) => self.text("command", run),
            Some(Probe::Http {
                path,
                port,
                status,
                body,
                headers,
            }) => {
                self.text("path", path);
                self.number("port", (*port).into());
                self.key(
                    "status",
                    &list(status.iter().map(|status| match status {
                        Status::Code(code) => code.to_string(),
                        Status::Class(class) => quoted(class.name()),
                    })),
                );
                if let Some(body) = body {
                    self.text("body", body);
                }
                self.key("headers", &map(headers));
            }
        }
        self.time("timeout", health.timeout_ms);
        self.time("interval", health.interval_ms);
        self.number("successes", health.successes);
    }

    fn environment(&mut self, environment: &Environment) {
        let is_local = environment.name.is_local();
        self.table(&format!("environments.{}", environment.name));
        if !is_local {
            let hosts = environment.hosts.iter().map(|host| match &host.services {
                None => quoted(host.name.as_str()),
                Some(services) => {
                    let services = list(services.iter().map(|name| quoted(name.as_str())));
                    let address = quoted(host.name.as_str());
                    format!("{{ address = {address}, services = {services} }}")
                }
            });
            self.list("hosts", hosts);
        }
        self.text("name", environment.app.as_str());
        if let Some(root) = &environment.root {
            self.text("root", root);
        }
        self.text("manager", environment.manager.as_str());
        if environment.user_is_named {
            self.text("user", &environment.user);
        } else if environment.manager.is_system_wide() {
            // Naming it allows an account that ship did not make: that is for a person to write.
            self.text("# user", &environment.user);
        }
        self.key("env", &map(&environment.env));
        self.texts("secrets", &environment.secrets);
        self.time("watch", environment.rollout.watch_ms);
        self.table(&format!("environments.{}.rollout", environment.name));
        let (strategy, batch, bake) = match environment.rollout.strategy {
            Strategy::AllAtOnce => ("all-at-once", None, None),
            Strategy::Rolling { batch } => ("rolling", Some(batch), None),
            Strategy::Canary { batch, bake_ms } => ("canary", Some(batch), Some(bake_ms)),
        };
        self.text("strategy", strategy);
        match batch {
            None => {}
            Some(Batch::Hosts(hosts)) => self.number("batch", hosts),
            Some(Batch::Percent(percent)) => self.text("batch", &format!("{percent}%")),
        }
        if let Some(ms) = bake {
            self.time("bake", ms);
        }
        let on_failure = match environment.rollout.on_failure {
            OnFailure::RevertAll => "revert-all",
            OnFailure::Stop => "stop",
            OnFailure::Continue => "continue",
        };
        self.text("on-failure", on_failure);
        if environment.rollout.on_failure == OnFailure::Continue {
            self.number("max-failures", environment.rollout.max_failures);
        }
        self.time("lease", environment.rollout.lease_ms);
    }
}

fn runtime(request: &RuntimeRequest) -> String {
    let version = quoted(&request.version);
    let source = if request.from_host { "host" } else { "ship" };
    let mirror = request.mirror.as_ref();
    let mirror = mirror.map_or(String::new(), |url| format!(", mirror = {}", quoted(url)));
    format!("{{ version = {version}, source = \"{source}\"{mirror} }}")
}

fn step(step: &Step) -> String {
    format!(
        "{{ name = {}, run = {}, timeout = \"{}\" }}",
        quoted(&step.name),
        quoted(&step.run),
        duration::format(step.timeout_ms)
    )
}

fn hook(hook: &Hook) -> String {
    format!(
        "{{ name = {}, run = {}, on = \"{}\", timeout = \"{}\" }}",
        quoted(&hook.name),
        quoted(&hook.run),
        match hook.on {
            HookScope::OneHost => "one-host",
            HookScope::EachHost => "each-host",
        },
        duration::format(hook.timeout_ms)
    )
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    format!("[{}]", items.join(", "))
}

fn map(map: &BTreeMap<String, String>) -> String {
    if map.is_empty() {
        return "{}".to_owned();
    }
    let entries: Vec<String> = map
        .iter()
        .map(|(key, value)| format!("{} = {}", name(key), quoted(value)))
        .collect();
    format!("{{ {} }}", entries.join(", "))
}

/// A key, in quotes where it needs them (header names may hold any token character).
fn name(key: &str) -> String {
    let bare = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    match !key.is_empty() && key.bytes().all(bare) {
        true => key.to_owned(),
        false => quoted(key),
    }
}

/// A TOML string of one line.
fn quoted(text: &str) -> String {
    if !text.contains('\n') {
        return Value::String(text.to_owned()).to_string();
    }
    // The writer would choose a string of several lines, which an inline table reads badly with.
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
