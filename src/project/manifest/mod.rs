//! The text of a `ship.toml` → a [`Project`], or everything that is wrong with it.
//!
//! Two passes over the same tree: `walk` checks keys and types against [`schema`], the others make
//! the project and check what the values mean. Both report all that they find.

mod context;
mod cross;
pub mod duration;
mod environment;
mod files;
mod health;
mod node;
mod pipeline;
pub mod reference;
mod release;
mod rollout;
mod root;
mod runtimes;
pub mod schema;
mod service;
mod source;
mod suggest;
mod syntax;
#[cfg(test)]
mod tests;
mod values;
mod walk;

use std::path::Path;
use std::sync::Arc;

use toml::de::DeTable;

use self::context::Context;
use self::environment::Known;
use self::node::Node;
pub use self::runtimes::{is_mirror, runtime_span};
use super::diagnostic::{Diagnostic, Source};
use super::model::Project;
use crate::model::AppName;

/// What a manifest came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The project, when there is no error.
    pub project: Option<Project>,
    /// Everything to say, in the order of the file; only warnings when there is a project.
    pub diagnostics: Vec<Diagnostic>,
}

/// Where the files that a manifest names are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files<'a> {
    /// In this folder, the project's.
    In(&'a Path),
    /// Nowhere: the text alone is checked.
    Ignored,
}

/// Reads the manifest `text`, called `name` in diagnostics, of the project in `dir`.
#[must_use]
pub fn parse(text: &str, name: &str, dir: &Path, files: Files<'_>) -> Checked {
    let source = Arc::new(Source {
        name: name.to_owned(),
        text: text.to_owned(),
    });
    let mut ctx = Context::new(source);
    let (document, errors) = DeTable::parse_recoverable(text);
    let damage = syntax::report(&mut ctx, text, &document, &errors);
    if !damage.is_none() {
        let mut others = Context::new(Arc::clone(ctx.source()));
        let span = document.span();
        walk::table(&mut others, &schema::ROOT, document.get_ref(), &span, "");
        // What is missing may only be damaged, and has no place or that of a whole table.
        others.retain(|problem| {
            let place = problem.labels.first();
            place.is_some_and(|label| !damage.reaches(text, label.span.start))
        });
        let mut diagnostics = ctx.finish();
        diagnostics.extend(others.finish());
        return Checked {
            project: None,
            diagnostics,
        };
    }
    let span = document.span();
    walk::table(&mut ctx, &schema::ROOT, document.get_ref(), &span, "");
    let root = Node::new(&schema::ROOT, document.get_ref(), span);
    let project = lower(&mut ctx, &root, dir, files);
    let diagnostics = ctx.finish();
    let has_error = diagnostics.iter().any(Diagnostic::is_error);
    Checked {
        project: project.filter(|_| !has_error),
        diagnostics,
    }
}

fn lower(ctx: &mut Context, root: &Node<'_>, dir: &Path, files: Files<'_>) -> Option<Project> {
    let app = root.node("app", &schema::APP);
    let name = app.text("name");
    let name: Option<AppName> =
        name.and_then(|text| values::name(ctx, text.value, text.span, "an app"));
    let source = source::source(ctx, &app, dir, files);
    let files = match files {
        Files::In(_) => Files::In(&source),
        Files::Ignored => files,
    };
    let runtimes = runtimes::runtimes(ctx, root);
    let build = pipeline::pipeline(ctx, &root.node("build", &schema::BUILD));
    let test = pipeline::pipeline(ctx, &root.node("test", &schema::TEST));
    let release = release::release(ctx, &root.node("release", &schema::RELEASE), files);
    let services = service::services(ctx, root);
    let hooks = root.node("hooks", &schema::HOOKS);
    let before_activate = pipeline::hooks(ctx, &hooks, "before-activate");
    let after_activate = pipeline::hooks(ctx, &hooks, "after-activate");
    let entries = root.entries("services");
    let known = Known {
        app: name.as_ref(),
        services: entries.iter().map(|entry| entry.key).collect(),
        good: &services,
    };
    let environments = environment::environments(ctx, root, &known);
    let default_environment = cross::default_environment(ctx, &app, root);
    cross::ports(ctx, &services, &environments);
    cross::idle(ctx, &services, &environments);
    cross::neighbours(ctx, &services, &environments);
    cross::served(ctx, &services, &release);
    if let Files::In(dir) = files {
        files::check(ctx, dir, &release, &services, !build.steps.is_empty());
    }
    Some(Project {
        dir: dir.to_owned(),
        source,
        app: name?,
        runtimes,
        build,
        test,
        release: release.rules,
        services: services.into_iter().map(|service| service.spec).collect(),
        before_activate,
        after_activate,
        environments: environments
            .into_iter()
            .map(|spotted| (spotted.environment.name.clone(), spotted.environment))
            .collect(),
        default_environment,
    })
}
