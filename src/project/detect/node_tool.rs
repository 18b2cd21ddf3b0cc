//! npm, pnpm, yarn and bun: how each installs and builds, alone and in a workspace.

use std::collections::BTreeMap;

use super::folder::Folder;
use super::home::Home;
use super::node::Package;
use super::workspace::{Member, Workspace, WorkspaceKind};

/// Which one, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PackageManager {
    kind: Kind,
    /// The lock file, if there is one.
    pub lock: Option<&'static str>,
    packages: Packages,
    has_members: bool,
    has_turbo: bool,
}

/// Where the packages are after an install.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packages {
    /// In `node_modules`.
    Folder,
    /// The same, by an order to yarn: the project itself leaves them in a cache outside.
    Unpacked,
    /// In archives that are committed (zero-installs of yarn).
    Archives,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Npm,
    Pnpm,
    Yarn,
    /// Yarn 2 and later.
    YarnBerry,
    Bun,
}

impl PackageManager {
    /// By the lock file, else by the `packageManager` field (of Corepack), else npm. Both are looked
    /// for in the root of the workspace when `folder` is a member of one.
    pub fn of(folder: &Folder, package: &Package) -> Self {
        let root = folder.root();
        let field = Package::read(root);
        let field = field.as_ref().and_then(|root| root.text("packageManager"));
        let field = field.or(package.text("packageManager")).unwrap_or_default();
        let config = root.read(".yarnrc.yml");
        let berry = config.is_some()
            || (field.starts_with("yarn@") && !field.starts_with("yarn@1"))
            || root
                .read("yarn.lock")
                .is_some_and(|text| text.contains("\n__metadata:"));
        let yarn = if berry { Kind::YarnBerry } else { Kind::Yarn };
        let locks = [
            ("pnpm-lock.yaml", Kind::Pnpm),
            ("bun.lock", Kind::Bun),
            ("bun.lockb", Kind::Bun),
            ("yarn.lock", yarn),
            ("package-lock.json", Kind::Npm),
            ("npm-shrinkwrap.json", Kind::Npm),
        ];
        let asked = match field.split('@').next() {
            Some("pnpm") => Some(Kind::Pnpm),
            Some("yarn") => Some(yarn),
            Some("bun") => Some(Kind::Bun),
            Some("npm") => Some(Kind::Npm),
            _ if root.is_file("pnpm-workspace.yaml") => Some(Kind::Pnpm),
            _ => None,
        };
        // A field beats a lock file left over from another one.
        let found = locks
            .into_iter()
            .find(|(file, kind)| root.is_file(file) && asked.is_none_or(|asked| asked == *kind));
        let types = ["@types/bun", "bun-types"].iter();
        let typed = types.into_iter().any(|name| package.has(name));
        let usual = if typed { Kind::Bun } else { Kind::Npm };
        let kind = found.map(|(_, kind)| kind).or(asked).unwrap_or(usual);
        let packages = match kind {
            Kind::YarnBerry
                if config.is_some_and(|text| text.contains("nodeLinker: node-modules")) =>
            {
                Packages::Folder
            }
            // Committed, so that nobody installs anything.
            Kind::YarnBerry if root.is_file(".pnp.cjs") && !ignores_pnp(root) => Packages::Archives,
            Kind::YarnBerry => Packages::Unpacked,
            _ => Packages::Folder,
        };
        let members = Workspace::at(root.dir()).into_iter();
        Self {
            kind,
            lock: found.map(|(file, _)| file),
            packages,
            has_turbo: root.is_file("turbo.json"),
            has_members: members.map(|it| it.kind).any(WorkspaceKind::is_node),
        }
    }

    /// As in `[runtimes]`.
    pub fn name(&self) -> &'static str {
        match self.kind {
            Kind::Npm => "npm",
            Kind::Pnpm => "pnpm",
            Kind::Yarn | Kind::YarnBerry => "yarn",
            Kind::Bun => "bun",
        }
    }

    /// The lock file that it writes.
    pub fn own_lock(&self) -> &'static str {
        match self.kind {
            Kind::Npm => "package-lock.json",
            Kind::Pnpm => "pnpm-lock.yaml",
            Kind::Yarn | Kind::YarnBerry => "yarn.lock",
            Kind::Bun => "bun.lock",
        }
    }

    /// The command that installs exactly what is locked; `lean` leaves out what is for
    /// development. Without a lock it writes none: that would be a change that nobody committed, and
    /// the next deploy is refused then.
    pub fn install(&self, folder: &Folder, lean: bool) -> String {
        let locked = self.lock.is_some();
        let (command, flag) = match (self.kind, locked) {
            (Kind::Npm, true) => ("npm ci", " --omit=dev"),
            (Kind::Npm, false) => ("npm install --no-save", " --omit=dev"),
            (Kind::Pnpm, true) => ("pnpm install --frozen-lockfile", " --prod"),
            (Kind::Pnpm, false) => ("pnpm install --no-lockfile", " --prod"),
            (Kind::Yarn, true) => ("yarn install --frozen-lockfile", " --production"),
            (Kind::Yarn, false) => ("yarn install --pure-lockfile", " --production"),
            (Kind::YarnBerry, true) => ("yarn install --immutable", ""),
            (Kind::YarnBerry, false) => ("yarn install", ""),
            (Kind::Bun, true) => ("bun install --frozen-lockfile", " --production"),
            (Kind::Bun, false) => ("bun install --no-save", " --production"),
        };
        // A postinstall of the project itself may need what is for development.
        let scripts = folder
            .json("package.json")
            .and_then(|p| p.get("scripts").cloned());
        let hooks = scripts.is_some_and(|s| {
            ["prepare", "postinstall"]
                .iter()
                .any(|n| s.get(n).is_some())
        });
        let flag = if lean && !hooks { flag } else { "" };
        format!("{command}{flag}")
    }

    /// The command that runs a script of `package.json`.
    pub fn run(&self, script: &str) -> String {
        match (self.kind, script) {
            (Kind::Npm, "test") => "npm test".to_owned(),
            (Kind::Npm, _) => format!("npm run {script}"),
            (Kind::Pnpm, "test") => "pnpm test".to_owned(),
            (Kind::Pnpm, _) => format!("pnpm run {script}"),
            (Kind::Yarn | Kind::YarnBerry, _) => format!("yarn {script}"),
            (Kind::Bun, _) => format!("bun run {script}"),
        }
    }

    /// The step that runs the script `name` of `package`, or the target of Nx that stands in for it.
    pub fn run_script(&self, package: &Package, name: &str) -> String {
        match package.target(name) {
            Some(target) => format!("{} {target}", self.runner()),
            None => self.run(name),
        }
    }

    /// The environment without which its steps would not make what [`Self::shipped`] names.
    pub fn step_env(&self) -> BTreeMap<String, String> {
        match self.packages {
            Packages::Unpacked => {
                [("YARN_NODE_LINKER".to_owned(), "node-modules".to_owned())].into()
            }
            Packages::Folder | Packages::Archives => BTreeMap::new(),
        }
    }

    /// Where the installed packages are.
    pub fn shipped(&self) -> &'static [&'static str] {
        match self.packages {
            Packages::Archives => &[".pnp.cjs", ".pnp.loader.mjs", ".yarn"],
            Packages::Folder | Packages::Unpacked => &["node_modules"],
        }
    }

    /// Notes of the package manager and of tools among the packages: the times in them would make
    /// each build another release.
    pub fn left_out(&self, builds: bool) -> Vec<String> {
        let mut globs = Vec::new();
        if builds {
            globs.push("node_modules/.cache".to_owned());
        }
        if self.kind == Kind::Pnpm {
            globs.extend([".modules.yaml", ".pnpm-workspace-state*"].map(str::to_owned));
        }
        if self.has_turbo {
            globs.push(".turbo".to_owned());
        }
        globs
    }

    /// Links to members that the app of `home` does not need: Yarn 1 always installs all of them.
    pub fn foreign_links(&self, home: &Home) -> Vec<String> {
        if self.kind != Kind::Yarn {
            return Vec::new();
        }
        let needed = home.workspace.closure(&home.member);
        let others = home.workspace.members.iter();
        others
            .filter(|member| !needed.contains(member))
            .map(|member| format!("node_modules/{}", member.name))
            .collect()
    }

    /// Whether this is the root of a workspace, or a member of one.
    pub fn has_members(&self) -> bool {
        self.has_members
    }

    /// The steps in the root of the workspace of `home` that install what its app needs, and build
    /// what must be there before the app is built; and whether they build the app as well.
    pub fn workspace_steps(&self, home: &Home) -> (Vec<String>, bool) {
        let dir = &home.member.dir;
        let name = home.member.name.as_str();
        let root = Package::read(&home.root);
        let root_name = root.as_ref().and_then(|root| root.text("name"));
        let locked = self.lock.is_some();
        let install = match (self.kind, locked) {
            (Kind::Npm, true) => format!("npm ci --workspace {dir} --include-workspace-root"),
            (Kind::Npm, false) => {
                format!("npm install --no-save --workspace {dir} --include-workspace-root")
            }
            (Kind::Pnpm, _) => {
                let lock = match locked {
                    true => "--frozen-lockfile",
                    false => "--no-lockfile",
                };
                format!("pnpm install {lock} --filter '{name}...' --filter '{{.}}'")
            }
            (Kind::Yarn, true) => "yarn install --frozen-lockfile".to_owned(),
            (Kind::Yarn, false) => "yarn install --pure-lockfile".to_owned(),
            // Yarn 4 knows it without a plugin.
            (Kind::YarnBerry, true)
                if self.packages != Packages::Archives && is_yarn_4(&home.root) =>
            {
                let both = [Some(name), root_name];
                let both: Vec<&str> = both.into_iter().flatten().collect();
                format!("yarn workspaces focus {}", both.join(" "))
            }
            (Kind::YarnBerry, true) => "yarn install --immutable".to_owned(),
            (Kind::YarnBerry, false) => "yarn install".to_owned(),
            (Kind::Bun, true) => match root_name {
                Some(root) => {
                    format!("bun install --frozen-lockfile --filter {name} --filter {root}")
                }
                None => "bun install --frozen-lockfile".to_owned(),
            },
            (Kind::Bun, false) => "bun install --no-save".to_owned(),
        };
        let builds = |member: &Member| {
            let folder = Folder::open(&home.workspace.root.join(&member.dir));
            let package = Package::read(&folder);
            package.is_some_and(|it| it.script("build").is_some() && it.target("build").is_none())
        };
        let mut steps = vec![install];
        let own = builds(&home.member);
        let has_turbo =
            root.is_some_and(|root| root.has("turbo")) && home.root.is_file("turbo.json");
        let needed: Vec<&Member> = home.needed().into_iter().filter(|it| builds(it)).collect();
        if own && has_turbo {
            steps.push(format!("{} turbo run build --filter={name}", self.runner()));
            return (steps, true);
        }
        if self.kind == Kind::Pnpm && !needed.is_empty() {
            let dots = if own { "..." } else { "^..." };
            steps.push(format!("pnpm --filter '{name}{dots}' run build"));
            return (steps, own);
        }
        steps.extend(needed.iter().map(|member| self.build(member)));
        (steps, false)
    }

    /// The step in the root that builds a member.
    pub fn build(&self, member: &Member) -> String {
        let Member { name, dir, .. } = member;
        match self.kind {
            Kind::Npm => format!("npm run build --workspace {dir}"),
            Kind::Pnpm => format!("pnpm --filter '{name}' run build"),
            Kind::Yarn | Kind::YarnBerry => format!("yarn workspace {name} run build"),
            Kind::Bun => format!("bun run --cwd {dir} build"),
        }
    }

    /// What runs a tool of the project in a step.
    pub fn runner(&self) -> &'static str {
        match self.kind {
            Kind::Npm => "npx",
            Kind::Pnpm => "pnpm exec",
            Kind::Yarn | Kind::YarnBerry => "yarn",
            Kind::Bun => "bunx",
        }
    }

    /// What a service calls to run `tool` with its arguments: no package manager in between.
    pub fn tool(&self, command: &str) -> String {
        match self.packages {
            Packages::Archives => format!("yarn {command}"),
            Packages::Folder | Packages::Unpacked => format!("./node_modules/.bin/{command}"),
        }
    }

    /// The same for a command that may be one of Node itself.
    pub fn program(&self, command: &str) -> String {
        match command.starts_with("node ") {
            true => command.to_owned(),
            false => self.tool(command),
        }
    }

    /// What runs TypeScript in a service, if the project has it.
    pub fn typescript(&self, package: &Package) -> Option<String> {
        let tools = ["tsx", "ts-node"].into_iter();
        tools
            .filter(|tool| package.has(tool))
            .map(|tool| self.tool(tool))
            .next()
    }
}

fn ignores_pnp(root: &Folder) -> bool {
    let ignored = root.read(".gitignore").unwrap_or_default();
    ignored
        .lines()
        .any(|line| line.trim().trim_start_matches('/').starts_with(".pnp"))
}

/// Whether the lock file is one of Yarn 4.
fn is_yarn_4(root: &Folder) -> bool {
    let lock = root.read("yarn.lock").unwrap_or_default();
    let version = lock
        .lines()
        .find_map(|line| line.trim().strip_prefix("version: "));
    version
        .and_then(|text| text.parse::<u32>().ok())
        .is_some_and(|version| version >= 8)
}
