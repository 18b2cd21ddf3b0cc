//! The package managers of Python: one table.

/// How a package manager fills a folder with packages. In its texts, `{dir}` is that folder,
/// `{file}` what lists the packages, and `{state}` a folder for what is in between; `{root}` goes to
/// the root of a workspace, and `{here}` is the project's folder there.
pub(super) struct Manager {
    /// The file that tells that the project uses it; `None` where the project's own files do.
    pub lock: Option<&'static str>,
    /// What its steps start besides Python.
    pub needs: Option<&'static str>,
    /// The steps that install what the app needs, and nothing that only its tests need.
    pub install: &'static [&'static str],
    /// The steps that install the project itself, for one that asks for its own version.
    pub own: &'static [&'static str],
    /// The steps that install what the tests need besides, into `{dir}`; `{group}` is a flag of
    /// [`Self::group`].
    pub tests: &'static [&'static str],
    /// The flags for a group of dependencies and for an extra of the package, `{name}`.
    pub group: (&'static str, &'static str),
    /// The program that the tests run in, when it keeps an environment of its own.
    pub runner: Option<&'static str>,
    /// Environment of all these steps.
    pub env: &'static [(&'static str, &'static str)],
    /// The step that copies the script `{name}` of a package, where the others leave it behind.
    pub scripts: Option<&'static str>,
    /// How one adds a package: `{package}`.
    pub add: &'static str,
}

/// A folder is always filled anew: what is left of an older list would be released, too. Bytecode
/// is left out, because each build writes other times into it.
pub(super) const PIP: &str = "python3 -m pip install --no-compile --target {dir} -r {file}";

/// These name this machine's folders and the time of the build.
const FORGET: &str = "rm -f {dir}/*.dist-info/RECORD {dir}/*.dist-info/direct_url.json \
                      {dir}/*.dist-info/uv_cache.json";

const BASE: Manager = Manager {
    lock: None,
    needs: None,
    install: &["rm -rf {dir}", PIP],
    own: &[
        "python3 -m pip install --no-compile --no-deps --target {dir} .",
        FORGET,
    ],
    tests: &[PIP],
    group: ("", ""),
    runner: None,
    env: &[],
    scripts: None,
    add: "add the line `{package}` to {file}",
};

pub(super) const UV: Manager = Manager {
    lock: Some("uv.lock"),
    needs: Some("uv"),
    install: &[
        "mkdir -p {state}",
        "uv export --quiet --frozen --no-dev --no-emit-project -o {state}/requirements.txt",
        "uv pip sync --quiet --system --target {dir} {state}/requirements.txt",
    ],
    own: &[
        "uv pip install --quiet --system --no-deps --target {dir} .",
        FORGET,
    ],
    tests: &[
        "uv export --quiet --frozen{group} --no-emit-project -o {state}/test-requirements.txt",
        "uv pip sync --quiet --system --target {dir} {state}/test-requirements.txt",
    ],
    group: (" --group {name}", " --extra {name}"),
    add: "run `uv add {package}`",
    ..BASE
};

/// A project with packages of its own repository beside it. Their paths in the export start at the
/// root of the workspace, and uv would take a package that it has built before for the same.
pub(super) const UV_WORKSPACE: Manager = Manager {
    install: &[
        "mkdir -p {state}",
        "uv export --quiet --frozen --no-dev --no-emit-project --no-editable -o {state}/requirements.txt",
        "{root}uv pip sync --quiet --system --reinstall --target {here}{dir} {here}{state}/requirements.txt",
        FORGET,
    ],
    tests: &[
        "uv export --quiet --frozen{group} --no-emit-project --no-editable -o {state}/test-requirements.txt",
        "{root}uv pip sync --quiet --system --reinstall --target {here}{dir} {here}{state}/test-requirements.txt",
    ],
    ..UV
};

/// `poetry export` is a plugin that many do not have, so the packages are copied out of an
/// environment that Poetry itself fills.
pub(super) const POETRY: Manager = Manager {
    lock: Some("poetry.lock"),
    needs: Some("poetry"),
    install: &[
        "poetry install --no-interaction{no-root} --only main --sync",
        "rm -rf {dir} && cp -R \"$(poetry env info --path)\"/lib/python3*/site-packages {dir}",
    ],
    own: &[FORGET],
    tests: &["poetry install --no-interaction{no-root}{group}"],
    group: (" --with {name}", " --extras {name}"),
    runner: Some("poetry run "),
    env: &[
        ("POETRY_VIRTUALENVS_IN_PROJECT", "false"),
        ("POETRY_VIRTUALENVS_PATH", "{state}/venvs"),
    ],
    scripts: Some(
        "mkdir -p {dir}/bin && cp \"$(poetry env info --path)\"/bin/{name} {dir}/bin/{name}",
    ),
    add: "run `poetry add {package}`",
};

pub(super) const PDM: Manager = Manager {
    lock: Some("pdm.lock"),
    needs: Some("pdm"),
    install: &[
        "mkdir -p {state}",
        "pdm export --prod -f requirements -o {state}/requirements.txt",
        "rm -rf {dir}",
        "python3 -m pip install --no-compile --target {dir} -r {state}/requirements.txt",
    ],
    tests: &[
        "pdm export --dev -f requirements -o {state}/test-requirements.txt",
        "python3 -m pip install --no-compile --target {dir} -r {state}/test-requirements.txt",
    ],
    add: "run `pdm add {package}`",
    ..BASE
};

pub(super) const PIPENV: Manager = Manager {
    lock: Some("Pipfile.lock"),
    needs: Some("pipenv"),
    install: &[
        "mkdir -p {state}",
        "pipenv requirements > {state}/requirements.txt",
        "rm -rf {dir}",
        "python3 -m pip install --no-compile --target {dir} -r {state}/requirements.txt",
    ],
    tests: &[
        "pipenv requirements --dev > {state}/test-requirements.txt",
        "python3 -m pip install --no-compile --target {dir} -r {state}/test-requirements.txt",
    ],
    add: "run `pipenv install {package}`",
    ..BASE
};

/// A file that pip reads.
pub(super) const FILE: Manager = BASE;

/// `dependencies` of pyproject.toml. pip cannot install them without the project itself, which need
/// not be a package at all.
pub(super) const LISTED: Manager = Manager {
    install: &[
        "mkdir -p {state}",
        "python3 -c 'import tomllib; print(*tomllib.load(open(\"pyproject.toml\", \"rb\"))[\"project\"][\"dependencies\"], sep=\"\\n\")' > {state}/requirements.txt",
        "rm -rf {dir}",
        "python3 -m pip install --no-compile --target {dir} -r {state}/requirements.txt",
    ],
    tests: &[
        "python3 -c 'import tomllib; print(*tomllib.load(open(\"pyproject.toml\", \"rb\")){group}, sep=\"\\n\")' > {state}/test-requirements.txt",
        "python3 -m pip install --no-compile --target {dir} -r {state}/test-requirements.txt",
    ],
    group: (
        "{list}",
        "[\"project\"][\"optional-dependencies\"][\"{name}\"]",
    ),
    add: "add \"{package}\" to `dependencies` in pyproject.toml",
    ..BASE
};

/// A project that only its own build knows: setup.py, setup.cfg, dynamic dependencies.
pub(super) const BUILT: Manager = Manager {
    install: &[
        "rm -rf {dir}",
        "python3 -m pip install --no-compile --target {dir} .",
        FORGET,
    ],
    own: &[],
    tests: &["python3 -m pip install --no-compile --target {dir} {group}"],
    group: ("{list}", "'.[{name}]'"),
    add: "add `{package}` to `install_requires` in {file}",
    ..BASE
};

/// No file lists the packages, but the sources tell the framework.
pub(super) const NAMED: Manager = Manager {
    install: &[
        "rm -rf {dir}",
        "python3 -m pip install --no-compile --target {dir} '{file}'",
    ],
    add: "write a requirements.txt that lists `{file}` and `{package}`",
    ..BASE
};

/// The folder of what is in between.
pub(super) const STATE: &str = ".ship";

impl Manager {
    /// Environment of its steps.
    pub fn environment(&self) -> impl Iterator<Item = (String, String)> {
        let fill = |value: &str| value.replace("{state}", STATE);
        self.env
            .iter()
            .map(move |(name, value)| ((*name).to_owned(), fill(value)))
    }
}
