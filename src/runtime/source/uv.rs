//! uv, from its wheels: a native program.
//!
//! A mirror holds:
//!
//! ```text
//! simple/uv.json                    what the index tells of the package `uv` (PEP 691)
//! packages/uv/uv-0.9.9-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl
//! ```

use super::registry::{pypi, pypi_file, tags, wheels};
use super::{Layout, Offer, Source, needs};
use crate::model::runtime::{ArchiveFormat, Platform};
use crate::model::version::Version;

/// uv.
pub(super) static UV: Source = Source {
    name: "uv",
    title: "uv",
    programs: &["uv", "uvx"],
    packages: None,
    index: pypi!("uv/"),
    places: &[
        (pypi!("uv/"), "simple/uv.json"),
        (pypi_file!(""), "packages/"),
    ],
    lists: None,
    offers: |_, list| offers(list),
    marks,
    layout,
};

fn offers(list: &str) -> Result<Vec<Offer>, String> {
    let offers = wheels(list)?.into_iter().map(|(version, builds)| Offer {
        version,
        lts: None,
        builds,
    });
    Ok(offers.collect())
}

fn marks(version: &Version, platform: Platform) -> Vec<String> {
    let (system, machine) = tags(platform);
    vec![
        format!("/uv-{version}-"),
        system.to_owned(),
        machine.to_owned(),
    ]
}

fn layout(version: &Version, _: Platform) -> Layout {
    Layout {
        needs: needs((2, 17), &[]),
        ..Layout::of(ArchiveFormat::Zip, 0, &format!("uv-{version}.data/scripts"))
    }
}
