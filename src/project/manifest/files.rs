//! Whether the files that the manifest names are there.

use std::ops::Range;
use std::path::Path;

use super::context::Context;
use super::release::{Included, Release};
use super::service::Service;
use super::values;
use crate::model::service::Run;

/// Looks for what `release.include` and static services name. What is not there is an error, unless
/// the build may still make it: then the release says so after the build.
pub(super) fn check(
    ctx: &mut Context,
    dir: &Path,
    release: &Release<'_>,
    services: &[Service],
    is_built: bool,
) {
    let mut told: Vec<&str> = Vec::new();
    for Included {
        spot,
        path,
        is_glob,
    } in &release.include
    {
        if !is_glob && dir.join(path).symlink_metadata().is_err() {
            absent(ctx, path, spot.span.clone(), is_built);
            told.push(path);
        }
    }
    for service in services {
        let (Run::Static(path), Some(span)) = (&service.spec.run, &service.folder) else {
            continue;
        };
        let is_shared = release
            .rules
            .shared
            .iter()
            .any(|shared| values::is_below(path, shared));
        match dir.join(path).metadata() {
            Ok(found) if !found.is_dir() => {
                let message = format!("`{path}` is not a folder");
                ctx.error(span.clone(), message, "expected a folder to serve");
            }
            Ok(_) => {
                if let (Some(page), Some(span)) = (&service.spec.fallback, &service.fallback)
                    && !dir.join(path).join(page).is_file()
                {
                    let page = format!("{path}/{page}");
                    let page = page.strip_prefix("./").unwrap_or(&page);
                    absent(ctx, page, span.clone(), is_built);
                }
            }
            Err(_) if is_shared => {}
            Err(_) if told.iter().any(|told| values::is_below(path, told)) => {}
            Err(_) => absent(ctx, path, span.clone(), is_built),
        }
    }
}

fn absent(ctx: &mut Context, path: &str, span: Range<usize>, is_built: bool) {
    if !is_built {
        ctx.error(
            span,
            format!("`{path}` does not exist"),
            "not in the project, and there are no build steps",
        );
    }
}
