//! Lines of a site's `_redirects` and `_headers` that ship does not follow.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::{Look, NAMED, Remark, When};
use crate::model::service::Run;
use crate::model::site::{HEADERS, Headers, MAX_FILE, Problem, REDIRECTS, Redirects};

/// The page of a folder (`ship` serves it for `/`).
const INDEX: &str = "index.html";

/// Where generators keep the files that they copy into the site as they are.
const SOURCES: &[&str] = &["public", "static", "."];

/// A warning for each file with such lines. Before the build, the file is looked for where generators
/// take it from, too.
pub(super) fn remarks(look: &Look<'_>, when: When) -> Vec<Remark> {
    let services = look.project.services.iter();
    let folders = services.filter_map(|service| match &service.run {
        Run::Static(folder) => Some(folder.as_str()),
        Run::Shell(_) | Run::Argv(_) => None,
    });
    let mut remarks = Vec::new();
    for folder in folders {
        let sources = match when {
            When::BeforeBuild => SOURCES,
            When::Built => &[],
        };
        let places: Vec<&str> = [folder]
            .into_iter()
            .chain(sources.iter().copied())
            .collect();
        let find = |name: &str| {
            places.iter().find_map(|place| {
                let path = Path::new(place).join(name);
                let shown = path
                    .strip_prefix(".")
                    .unwrap_or(&path)
                    .display()
                    .to_string();
                Some((shown, text(&look.project.source.join(&path))?))
            })
        };
        let page = Path::new(folder).join(INDEX);
        if when == When::Built && !look.project.source.join(&page).is_file() {
            remarks.push(Remark {
                text: format!(
                    "there is no {}, so the site answers 404 to whoever asks for its first page",
                    page.display()
                ),
                hint: None,
            });
        }
        let redirects = find(REDIRECTS).map(|(path, text)| (path, Redirects::parse(&text).1));
        let headers = find(HEADERS).map(|(path, text)| (path, Headers::parse(&text).1));
        let found = [redirects, headers].into_iter().flatten();
        remarks.extend(found.filter_map(|(path, problems)| remark(&path, &problems)));
    }
    remarks.dedup();
    remarks
}

fn text(path: &Path) -> Option<String> {
    let file = path.metadata().ok()?.is_file().then(|| File::open(path))?;
    let mut bytes = Vec::new();
    file.ok()?
        .take(MAX_FILE as u64)
        .read_to_end(&mut bytes)
        .ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn remark(path: &str, problems: &[Problem]) -> Option<Remark> {
    let lines = match problems.len() {
        0 => return None,
        1 => "a line".to_owned(),
        more => format!("{more} lines"),
    };
    let shown = problems.iter().take(NAMED);
    let mut shown: Vec<String> = shown
        .map(|Problem { line, why }| format!("line {line}: {}", why.escape_debug()))
        .collect();
    if problems.len() > NAMED {
        shown.push(format!("and {} more", problems.len() - NAMED));
    }
    Some(Remark {
        text: format!(
            "ship does not follow {lines} of {path}: {}",
            shown.join("; ")
        ),
        hint: Some("the other lines are followed".to_owned()),
    })
}
