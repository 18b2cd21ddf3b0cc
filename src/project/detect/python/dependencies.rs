//! What a Python project depends on, and how that gets into a folder.

use super::super::files::requires;
use super::super::folder::Folder;
use super::super::reason::{About, Reason};
use super::super::workspace::WorkspaceKind;
use super::manager::{
    BUILT, FILE, LISTED, Manager, NAMED, PDM, PIP, PIPENV, POETRY, STATE, UV, UV_WORKSPACE,
};
use super::packages::{Packages, strings};

/// Locks, the most telling first.
const LOCKS: &[Manager] = &[UV, POETRY, PDM, PIPENV];

/// Lists of what production needs, for pip.
const FILES: &[&str] = &[
    "requirements.txt",
    "requirements/production.txt",
    "requirements/prod.txt",
    "requirements-prod.txt",
    "requirements_prod.txt",
    "requirements/base.txt",
    "requirements/common.txt",
    "requirements/main.txt",
    "requirements.in",
];

/// Lists of what only tests need.
const TEST_FILES: &[&str] = &[
    "requirements-dev.txt",
    "requirements-test.txt",
    "requirements_dev.txt",
    "requirements_test.txt",
    "dev-requirements.txt",
    "test-requirements.txt",
    "requirements/dev.txt",
    "requirements/test.txt",
    "requirements/tests.txt",
    "requirements/testing.txt",
    "requirements/local.txt",
    "requirements/development.txt",
    "requirements-tests.txt",
    "requirements_tests.txt",
    "requirements.dev.txt",
    "requirements.test.txt",
    "dev_requirements.txt",
    "test_requirements.txt",
    "tests/requirements.txt",
    "test/requirements.txt",
    "requirements/test-requirements.txt",
    "requirements/requirements-dev.txt",
    "requirements/test",
    "requirements/tests",
];

/// Names of groups and extras for tests, the most telling first.
const TEST_GROUPS: &[&str] = &["test", "tests", "testing", "dev", "develop", "development"];

/// Where the test packages go: beside the app's own, so that they are not released.
pub(super) const TEST_PACKAGES: &str = ".ship/test-packages";

/// What a project depends on, and how it gets there.
pub(super) struct Dependencies {
    /// What the app asks for, without its development groups.
    pub packages: Packages,
    /// What was seen.
    pub saw: Option<Reason>,
    /// What to know.
    pub note: Option<String>,
    /// `None` when there are none.
    pub manager: Option<&'static Manager>,
    /// What lists the packages, for [`FILE`], [`BUILT`] and [`NAMED`].
    file: String,
    /// Goes to the root of the workspace.
    root: String,
    /// The project's folder there, with a slash.
    here: String,
    /// Whether the app asks for the version of its own package at run time.
    pub asks_for_itself: bool,
}

/// What brings the packages that only tests need.
pub(super) enum TestGroup {
    /// A list for pip.
    File(&'static str),
    /// A group of `[dependency-groups]`, or that of the manager itself: its name, and where its list
    /// is in pyproject.toml, as Python says it.
    Group(String, String),
    /// An extra of the package.
    Extra(String),
}

impl TestGroup {
    /// A group of `[dependency-groups]` (PEP 735).
    fn standard(name: String) -> Self {
        let list = format!("[\"dependency-groups\"][\"{name}\"]");
        Self::Group(name, list)
    }
}

/// The only list in the folder `requirements` that is not for tests by its name: often it has the name
/// of the app.
fn only_list(folder: &Folder) -> Option<String> {
    const DIR: &str = "requirements";
    const OTHERS: [&str; 8] = [
        "ci", "dev", "develop", "doc", "docs", "lint", "style", "tools",
    ];
    let names = folder.names_in(DIR).into_iter();
    let paths = names.map(|name| format!("{DIR}/{name}"));
    let mut lists = paths.filter(|path| {
        let name = path.rsplit('/').next().unwrap_or(path);
        let stem = name.strip_suffix(".txt").unwrap_or(name);
        !stem.contains('.')
            && !OTHERS.contains(&stem)
            && !TEST_FILES.contains(&path.as_str())
            && has_requirements(folder, path)
    });
    let only = lists.next()?;
    lists.next().is_none().then_some(only)
}

/// Reads them: a lock file wins over what it was made from.
pub(super) fn read(folder: &Folder, project: Option<&toml::Table>) -> Dependencies {
    let mut packages = Packages::default();
    let poetry = project.and_then(|p| p.get("tool")?.get("poetry")?.get("dependencies"));
    let own = project.and_then(|p| p.get("project"));
    packages.add_list(own.and_then(|p| p.get("dependencies")));
    packages.add_table(poetry);
    let listed = !packages.is_empty();
    let pipfile = folder.toml("Pipfile");
    packages.add_table(pipfile.as_ref().and_then(|p| p.get("packages")));
    let file = FILES
        .iter()
        .copied()
        .find(|file| has_requirements(folder, file));
    let only = only_list(folder);
    let file = file.or(only.as_deref());
    if let Some(file) = file {
        packages.add_file(folder, file);
    }
    let home = folder
        .home()
        .filter(|home| home.workspace.kind == WorkspaceKind::Uv);
    let root = home.map_or(folder, |home| &home.root);
    let lock = LOCKS.iter().find(|manager| {
        let there = manager.lock.is_some_and(|lock| root.is_file(lock));
        there && (listed || manager.lock == PIPENV.lock)
    });
    let dynamic = strings(own.and_then(|p| p.get("dynamic"))).any(|name| name == "dependencies");
    let setup = folder.first(&["setup.cfg", "setup.py"]);
    let build = setup.filter(|setup| {
        let text = folder.read(setup).unwrap_or_default();
        text.contains("install_requires")
    });
    let mut found = Dependencies {
        packages,
        saw: None,
        note: None,
        manager: None,
        file: String::new(),
        root: String::new(),
        here: String::new(),
        asks_for_itself: project.is_some_and(|p| p.contains_key("build-system"))
            && (asks_for_itself(folder) || is_looked_up(own)),
    };
    if let Some(home) = home {
        let (dir, up) = home.places();
        (found.root, found.here) = (format!("cd {up} && "), format!("{dir}/"));
    }
    if let Some(manager) = lock {
        let manager = match manager.lock {
            lock if lock == UV.lock && (home.is_some() || has_local(project)) => &UV_WORKSPACE,
            _ => manager,
        };
        let lock = manager.lock.unwrap_or_default();
        return found.by(manager, lock, "locks the dependencies", None);
    }
    if let Some(file) = file {
        let text = folder.read(file).unwrap_or_default();
        let pinned = text.contains("==") || text.contains("-r ");
        let note = format!("{file} pins no versions: two builds may differ");
        return found.by(&FILE, file, "lists dependencies", (!pinned).then_some(note));
    }
    let note = "pyproject.toml has no lock file: two builds may differ; commit one".to_owned();
    if listed && own.and_then(|p| p.get("dependencies")).is_some() {
        return found.by(&LISTED, "pyproject.toml", "lists dependencies", Some(note));
    }
    if let Some(file) = build
        .or(dynamic.then_some("pyproject.toml"))
        .or(listed.then_some("pyproject.toml"))
    {
        for line in setup
            .and_then(|file| folder.read(file))
            .unwrap_or_default()
            .lines()
        {
            super::super::text::literals(line)
                .into_iter()
                .chain([line])
                .for_each(|word| found.packages.add(word));
        }
        return found.by(&BUILT, file, "lists dependencies", Some(note));
    }
    found
}

/// Whether packages of uv come from folders of the same repository.
fn has_local(project: Option<&toml::Table>) -> bool {
    let uv = project.and_then(|p| p.get("tool")?.get("uv"));
    let sources = uv.and_then(|uv| uv.get("sources")?.as_table());
    let is_local =
        |source: &toml::Value| source.get("path").is_some() || source.get("workspace").is_some();
    sources.is_some_and(|sources| sources.values().any(is_local))
}

/// Whether the sources look up the metadata of an installed package. It may be another package's,
/// but then no harm is done.
fn asks_for_itself(folder: &Folder) -> bool {
    let looks = ["importlib.metadata", "importlib_metadata", "pkg_resources"];
    let sources = folder.sources(&["py"]);
    let mut lines = sources.iter().flat_map(|source| source.lines());
    lines.any(|line| line.contains("import") && looks.iter().any(|word| line.contains(word)))
}

/// Whether PasteDeploy looks up the app among the entry points of installed packages.
fn is_looked_up(project: Option<&toml::Value>) -> bool {
    let entries = project.and_then(|project| project.get("entry-points"));
    entries.is_some_and(|entries| entries.get("paste.app_factory").is_some())
}

/// Whether a file of requirements names anything.
fn has_requirements(folder: &Folder, file: &str) -> bool {
    let text = folder.read(file).unwrap_or_default();
    text.lines()
        .any(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
}

impl Dependencies {
    fn by(
        mut self,
        manager: &'static Manager,
        file: &str,
        says: &str,
        note: Option<String>,
    ) -> Self {
        self.manager = Some(manager);
        self.saw = Some(Reason::new(About::Build, file, says));
        self.note = note;
        self.file = file.to_owned();
        self
    }

    /// For a project that lists no packages, and whose sources import a framework.
    pub fn name(&mut self, requirements: &str, saw: Reason) {
        self.manager = Some(&NAMED);
        self.saw = Some(saw);
        self.file = requirements.to_owned();
        self.packages.add(requirements);
        self.note = Some(format!(
            "no file lists the packages that this needs, so the build installs {requirements} \
             alone: write a requirements.txt"
        ));
    }

    /// The steps that put the packages into `dir`.
    pub fn install(&self, dir: &str) -> Vec<String> {
        let Some(manager) = self.manager else {
            return vec![];
        };
        let own = if self.asks_for_itself {
            manager.own
        } else {
            &[]
        };
        let steps = manager.install.iter().chain(own);
        steps.map(|step| self.fill(step, dir, "")).collect()
    }

    /// The steps that put what the tests need besides into [`TEST_PACKAGES`].
    pub fn install_tests(&self, group: &TestGroup) -> Vec<String> {
        let manager = self.manager.unwrap_or(&FILE);
        let flag = match group {
            TestGroup::File(file) => {
                let pip = PIP.replace("{file}", file).replace("{dir}", TEST_PACKAGES);
                return vec![format!("rm -rf {TEST_PACKAGES}"), pip];
            }
            TestGroup::Group(name, list) => {
                let flag = manager.group.0.replace("{name}", name);
                flag.replace("{list}", list)
            }
            TestGroup::Extra(name) => manager.group.1.replace("{name}", name),
        };
        // It takes the lists that stand in the file, and knows no groups.
        let is_read = matches!(group, TestGroup::Group(..)) && manager.group.0 == LISTED.group.0;
        let steps = match is_read {
            true => LISTED.tests.iter(),
            false => manager.tests.iter(),
        };
        let first = (is_read && manager.tests != LISTED.tests).then_some(&"mkdir -p {state}");
        let mut steps: Vec<String> = first
            .into_iter()
            .chain(steps)
            .map(|step| self.fill(step, TEST_PACKAGES, &flag))
            .collect();
        let into = steps.iter().position(|step| step.contains("pip install"));
        if let Some(at) = into {
            steps.insert(at, format!("rm -rf {TEST_PACKAGES}"));
        }
        steps
    }

    /// How one adds `package` to the project.
    pub fn add(&self, package: &str) -> String {
        let manager = self.manager.unwrap_or(&FILE);
        let add = manager.add.replace("{package}", package);
        add.replace(
            "{file}",
            match self.file.as_str() {
                "" => "requirements.txt",
                file => file,
            },
        )
    }

    fn fill(&self, text: &str, dir: &str, group: &str) -> String {
        text.replace("{dir}", dir)
            .replace("{file}", &self.file)
            .replace("{state}", STATE)
            .replace("{root}", &self.root)
            .replace("{here}", &self.here)
            .replace("{group}", group)
            .replace(
                "{no-root}",
                if self.asks_for_itself {
                    ""
                } else {
                    " --no-root"
                },
            )
    }
}

/// What is meant for development or tests by its name, whatever it holds.
pub(super) fn named_test_group(
    folder: &Folder,
    project: Option<&toml::Table>,
) -> Option<TestGroup> {
    if let Some(file) = TEST_FILES
        .iter()
        .find(|file| has_requirements(folder, file))
    {
        return Some(TestGroup::File(file));
    }
    let named = |table: Option<&toml::Value>| {
        let table = table?.as_table()?;
        let name = TEST_GROUPS.iter().find(|name| table.contains_key(**name))?;
        Some((*name).to_owned())
    };
    let groups = named(project.and_then(|p| p.get("dependency-groups")));
    let extras = || named(project.and_then(|p| p.get("project")?.get("optional-dependencies")));
    groups
        .map(TestGroup::standard)
        .or_else(|| extras().map(TestGroup::Extra))
}

/// The group that holds `package`, or the one that is meant for tests.
pub(super) fn test_group(
    folder: &Folder,
    project: Option<&toml::Table>,
    package: &str,
) -> Option<TestGroup> {
    let file = TEST_FILES.iter().copied().find(|file| {
        let mut packages = Packages::default();
        packages.add_file(folder, file);
        packages.has(package)
    });
    if let Some(file) = file {
        return Some(TestGroup::File(file));
    }
    let holds = |list: &toml::Value| strings(Some(list)).any(|line| requires(line, package));
    let named = |table: Option<&toml::Value>| {
        let table = table.and_then(toml::Value::as_table)?;
        table
            .iter()
            .find(|(_, list)| holds(list))
            .map(|(name, _)| name.clone())
    };
    let tool = |name: &str| project.and_then(|p| p.get("tool")?.get(name));
    if let Some(name) = named(project.and_then(|p| p.get("dependency-groups"))) {
        return Some(TestGroup::standard(name));
    }
    if let Some(name) = named(project.and_then(|p| p.get("project")?.get("optional-dependencies")))
    {
        return Some(TestGroup::Extra(name));
    }
    let groups = tool("poetry").and_then(|p| p.get("group")?.as_table());
    let poetry = groups.into_iter().flatten().find(|(_, group)| {
        group
            .get("dependencies")
            .is_some_and(|list| list.get(package).is_some())
    });
    if let Some((name, _)) = poetry {
        let list = format!("[\"tool\"][\"poetry\"][\"group\"][\"{name}\"][\"dependencies\"]");
        return Some(TestGroup::Group(name.clone(), list));
    }
    let old = tool("poetry").and_then(|p| p.get("dev-dependencies")?.get(package));
    let uv = tool("uv")
        .and_then(|p| p.get("dev-dependencies"))
        .is_some_and(holds);
    let pdm = named(tool("pdm").and_then(|p| p.get("dev-dependencies")));
    let pipfile = folder.toml("Pipfile");
    let pipfile = pipfile.is_some_and(|p| {
        p.get("dev-packages")
            .is_some_and(|list| list.get(package).is_some())
    });
    let tool = if old.is_some() { "poetry" } else { "uv" };
    (old.is_some() || uv || pdm.is_some() || pipfile).then(|| {
        let list = format!("[\"tool\"][\"{tool}\"][\"dev-dependencies\"]");
        TestGroup::Group("dev".to_owned(), list)
    })
}

/// `vendor`, unless the project has such a folder with something of its own in it.
pub(super) fn vendor_dir(folder: &Folder) -> &'static str {
    let names = folder.names_in("vendor");
    if names.is_empty() || names.iter().any(|name| name.ends_with(".dist-info")) {
        "vendor"
    } else {
        "python-packages"
    }
}
