//! Package managers that are Python packages with dependencies: Poetry, PDM, Pipenv. Their archive
//! is uv, which installs them: the lock names every package with its checksums, and uv puts those
//! into a virtual environment of the cache (see `runtime/tool.rs`).
//!
//! A mirror holds:
//!
//! ```text
//! simple/uv.json                    what the index tells of the package `uv` (PEP 691)
//! simple/poetry.json                and of `poetry`
//! simple/                           an index of the packages and what they depend on (PEP 503)
//! packages/…/uv-0.9.9-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl
//! ```

use super::managers::LAUNCHERS;
use super::registry::{pypi, pypi_file, tags, wheels};
use super::{Layout, Offer, Source, needs};
use crate::model::runtime::{ArchiveFormat, Platform};
use crate::model::version::{Request, Version};

macro_rules! tool {
    ($name:literal, $title:literal, $with:expr) => {
        Source {
            name: $name,
            title: $title,
            programs: &[$name],
            packages: Some($with),
            index: pypi!("uv/"),
            places: &[
                (pypi!("uv/"), "simple/uv.json"),
                (
                    concat!(pypi!(""), $name, "/"),
                    concat!("simple/", $name, ".json"),
                ),
                (pypi_file!(""), "packages/"),
            ],
            lists: Some(|_: &str, _: &Request| Ok(vec![concat!(pypi!(""), $name, "/").to_owned()])),
            offers,
            marks,
            layout,
        }
    };
}

/// Poetry, with the plugin that writes a requirements file.
pub(super) static POETRY: Source = tool!("poetry", "Poetry", &["poetry-plugin-export"]);

/// PDM.
pub(super) static PDM: Source = tool!("pdm", "PDM", &[]);

/// Pipenv.
pub(super) static PIPENV: Source = tool!("pipenv", "Pipenv", &[]);

/// Each version of the tool, with the newest uv as its archive.
fn offers(uv: &str, tool: &str) -> Result<Vec<Offer>, String> {
    let newest = wheels(uv)?.into_iter().rfind(|(uv, _)| !uv.is_prerelease());
    let builds = newest.map(|(_, builds)| builds).unwrap_or_default();
    let offers = wheels(tool)?.into_keys().map(|version| Offer {
        version,
        lts: None,
        builds: builds.clone(),
    });
    Ok(offers.collect())
}

fn marks(_: &Version, platform: Platform) -> Vec<String> {
    let (system, machine) = tags(platform);
    ["/uv-", system, machine].map(str::to_owned).into()
}

fn layout(_: &Version, _: Platform) -> Layout {
    Layout {
        needs: needs((2, 17), &[]),
        ..Layout::of(ArchiveFormat::Zip, 0, LAUNCHERS)
    }
}
