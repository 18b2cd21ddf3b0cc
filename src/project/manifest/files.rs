//! Whether the files that the manifest names are there.

use std::ops::Range;
use std::path::Path;

use super::context::Context;
use super::release::{Included, Release};
use super::service::Service;
use super::values;
use crate::model::service::Run;

/// Looks for what `release.include` and static services name. What is not there is an error, or,
/// when the build may still make it, a warning.
pub(super) fn check(
    ctx: &mut Context,
    dir: &Path,
    release: &Release<'_>,
    services: &[Service],
    is_built: bool,
) {
    for Included {
        spot,
        path,
        is_glob,
    } in &release.include
    {
        if !is_glob && dir.join(path).symlink_metadata().is_err() {
            absent(ctx, path, spot.span.clone(), is_built);
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
            Ok(_) => {}
            Err(_) if is_shared => {}
            Err(_) => absent(ctx, path, span.clone(), is_built),
        }
    }
}

fn absent(ctx: &mut Context, path: &str, span: Range<usize>, is_built: bool) {
    let message = format!("`{path}` does not exist");
    if is_built {
        ctx.warning(span, message, "not there yet: the build must make it");
    } else {
        ctx.error(
            span,
            message,
            "not in the project, and there are no build steps",
        );
    }
}
