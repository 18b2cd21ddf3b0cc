//! Which settings of a Django project are those of production, where it has several.

use super::super::folder::Folder;
use super::settings::Settings;

/// Names of settings for production, the likeliest first.
const PRODUCTION: &[&str] = &["production", "prod", "prd", "live"];

/// Names of settings that only developers use, or that others are made of.
const OTHERS: &[&str] = &[
    "base",
    "common",
    "debug",
    "default",
    "defaults",
    "dev",
    "develop",
    "development",
    "local",
    "localhost",
    "test",
    "testing",
];

/// The settings for production beside `named`, where `manage.py` and the servers name those of
/// developers.
pub(super) fn beside(folder: &Folder, named: &Settings) -> Option<Settings> {
    let (package, last) = named.module.rsplit_once('.')?;
    let debug = named.value("DEBUG").is_some_and(|value| value == "True");
    if PRODUCTION.contains(&last) || !debug && !OTHERS.contains(&last) {
        return None;
    }
    let module = &named.module;
    let spelled = |name: &&str| {
        [
            format!("{module}.{name}"),
            format!("{package}.{name}"),
            format!("{module}_{name}"),
            format!("{package}.settings_{name}"),
            format!("{package}.{name}_settings"),
        ]
    };
    let mut found = PRODUCTION.iter().flat_map(spelled);
    found.find_map(|module| {
        let path = module.replace('.', "/");
        let files = [format!("{path}.py"), format!("{path}/__init__.py")];
        let text = files.iter().find_map(|file| folder.read(file))?;
        let is_settings = ["import *", "DEBUG", "ALLOWED_HOSTS", "DATABASES"];
        let is_settings = is_settings.iter().any(|word| text.contains(word));
        is_settings.then(|| Settings::read(folder, module))
    })
}
