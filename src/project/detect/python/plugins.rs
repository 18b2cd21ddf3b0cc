//! The plugins that the tests of a Python project need: its settings of pytest have options that
//! pytest alone refuses, and its tests have fixtures that it does not know.

use super::super::folder::Folder;

/// A plugin, and what shows it.
struct Plugin {
    package: &'static str,
    /// Beginnings of options.
    options: &'static [&'static str],
    /// Keys of settings.
    keys: &'static [&'static str],
    /// What tests hold.
    tests: &'static [&'static str],
}

#[rustfmt::skip]
const PLUGINS: &[Plugin] = &[
    Plugin { package: "pytest-aiohttp", options: &[], keys: &[], tests: &["aiohttp_client", "aiohttp_server"] },
    Plugin { package: "pytest-asyncio", options: &["--asyncio-mode"], keys: &["asyncio_mode"], tests: &["pytest.mark.asyncio", "pytest_asyncio"] },
    Plugin { package: "pytest-benchmark", options: &["--benchmark-"], keys: &[], tests: &[] },
    Plugin { package: "pytest-cov", options: &["--cov", "--no-cov"], keys: &[], tests: &[] },
    Plugin { package: "pytest-django", options: &["--ds", "--reuse-db", "--create-db", "--nomigrations", "--no-migrations"], keys: &["DJANGO_SETTINGS_MODULE"], tests: &["pytest.mark.django_db"] },
    Plugin { package: "pytest-env", options: &[], keys: &["env"], tests: &[] },
    Plugin { package: "pytest-html", options: &["--html", "--self-contained-html"], keys: &[], tests: &[] },
    Plugin { package: "pytest-httpx", options: &[], keys: &[], tests: &["httpx_mock"] },
    Plugin { package: "pytest-mock", options: &[], keys: &[], tests: &["mocker"] },
    Plugin { package: "pytest-randomly", options: &["--randomly-"], keys: &[], tests: &[] },
    Plugin { package: "pytest-rerunfailures", options: &["--reruns"], keys: &[], tests: &[] },
    Plugin { package: "pytest-socket", options: &["--disable-socket"], keys: &[], tests: &[] },
    Plugin { package: "pytest-timeout", options: &["--timeout"], keys: &["timeout"], tests: &["pytest.mark.timeout"] },
    Plugin { package: "pytest-xdist", options: &["-n", "--numprocesses", "--dist"], keys: &[], tests: &[] },
    Plugin { package: "requests-mock", options: &[], keys: &[], tests: &["requests_mock"] },
];

/// Files with settings of pytest, and the section that holds them.
const FILES: &[(&str, &str)] = &[
    ("pytest.ini", "[pytest]"),
    ("tox.ini", "[pytest]"),
    ("setup.cfg", "[tool:pytest]"),
    ("pyproject.toml", "[tool.pytest.ini_options]"),
];

/// The packages of the plugins that the settings and `tests`, the text of the tests, ask for.
pub(super) fn wanted(folder: &Folder, tests: &str) -> Vec<&'static str> {
    let settings = settings(folder);
    let shared = ["conftest.py", "tests/conftest.py", "test/conftest.py"];
    let shared = shared.iter().filter_map(|file| folder.read(file));
    let tests = &shared.fold(tests.to_owned(), |all, text| all + &text);
    let is_wanted = |plugin: &&Plugin| plugin.is_wanted(&settings, tests);
    let wanted = PLUGINS.iter().filter(is_wanted);
    wanted.map(|plugin| plugin.package).collect()
}

/// Whether a warning fails a test.
pub(super) fn fails_on_warnings(folder: &Folder) -> bool {
    let settings = settings(folder);
    let rest = settings.split_once("filterwarnings").map(|(_, rest)| rest);
    rest.is_some_and(|rest| rest.contains("error"))
}

/// The lines of the settings. pytest reads the first of its files that has the section.
fn settings(folder: &Folder) -> String {
    let found = FILES.iter().find_map(|(file, section)| {
        let text = folder.read(file)?;
        let (_, rest) = text.split_once(section)?;
        Some(rest.split("\n[").next().unwrap_or_default().to_owned())
    });
    found.unwrap_or_default()
}

impl Plugin {
    fn is_wanted(&self, settings: &str, tests: &str) -> bool {
        let lines = || {
            settings
                .lines()
                .filter(|line| !line.trim_start().starts_with('#'))
        };
        let has_key = || {
            let mut keys = lines().filter_map(|line| line.split_once('='));
            keys.any(|(key, _)| self.keys.contains(&key.trim()))
        };
        let split = |c: char| c.is_whitespace() || "\"',[]".contains(c);
        let mut words = lines().flat_map(|line| line.split(split));
        let is_option = |word: &str| {
            let mut options = self.options.iter();
            options.any(|option| match word.strip_prefix(option) {
                // `-n4`, `-nauto`: another option may begin so.
                Some(rest) if option.len() == 2 => {
                    rest.is_empty() || rest == "auto" || rest.parse::<u16>().is_ok()
                }
                rest => rest.is_some(),
            })
        };
        words.any(is_option) || has_key() || self.tests.iter().any(|word| tests.contains(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_and_tests_ask_for_plugins() {
        for (file, text, tests, packages) in [
            (
                "pytest.ini",
                "[pytest]\naddopts = -q --cov=shop -n auto\n",
                "",
                &["pytest-cov", "pytest-xdist"][..],
            ),
            (
                "pytest.ini",
                "[pytest]\nasyncio_mode = auto\n",
                "",
                &["pytest-asyncio"],
            ),
            (
                "setup.cfg",
                "[tool:pytest]\nDJANGO_SETTINGS_MODULE = a.b\n[flake8]\ntimeout = 3\n",
                "",
                &["pytest-django"],
            ),
            (
                "tox.ini",
                "[tox]\nenv = 1\n[pytest]\naddopts =\n    --timeout=3\n",
                "",
                &["pytest-timeout"],
            ),
            (
                "pyproject.toml",
                "[tool.pytest.ini_options]\naddopts = [\"--cov\", \"-n4\"]\n",
                "",
                &["pytest-cov", "pytest-xdist"],
            ),
            (
                "pytest.ini",
                "[pytest]\n# addopts = --cov\naddopts = -ra --no-header\ntestpaths = tests\n",
                "",
                &[],
            ),
            ("x", "", "def test_x(mocker): pass", &["pytest-mock"]),
            (
                "x",
                "",
                "@pytest.mark.asyncio\nasync def test_x(): pass",
                &["pytest-asyncio"],
            ),
        ] {
            let temp = tempfile::tempdir().unwrap();
            std::fs::write(temp.path().join(file), text).unwrap();
            assert_eq!(
                wanted(&Folder::open(temp.path()), tests),
                packages,
                "{text}{tests}"
            );
        }
    }
}
