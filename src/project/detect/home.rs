//! An app that is a member of a workspace: where its workspace is, which member is the app, and how
//! what was detected in its folder is said from the root.

use std::path::Path;

use super::folder::Folder;
use super::guess::{Detected, Guess, HookGuess, Include, Stack};
use super::node::Package;
use super::node_scripts;
use super::node_tool::PackageManager;
use super::nx;
use super::reason::{About, Reason};
use super::workspace::{Member, Workspace, WorkspaceKind};

/// The workspace of a member.
#[derive(Debug)]
pub(super) struct Home {
    pub root: Folder,
    pub workspace: Workspace,
    pub member: Member,
    /// Whether the manifest lies in the member's folder, and not in the root's.
    is_above: bool,
}

impl Home {
    /// The workspace that `dir`, an absolute path, is a member of; or the one whose root it is, with
    /// the member that is the app, unless the root itself runs something. Notes what was chosen.
    pub fn find(dir: &Path, notes: &mut Vec<String>) -> Option<Self> {
        if let Some((workspace, member)) = Workspace::around(dir, is_known) {
            return Some(Self::new(workspace, member, true));
        }
        let root = Folder::open(dir);
        let all = Workspace::at(dir).into_iter();
        let all: Vec<Workspace> = all.filter(|found| is_known(found.kind)).collect();
        let is_run = |it: &Workspace| !it.kind.is_node() && runs(&root, it);
        if root.is_file("Procfile") || all.iter().any(is_run) {
            return None;
        }
        let mut found = Vec::new();
        for workspace in all {
            let mut own = Vec::new();
            let start = node_scripts::start(&root).filter(|_| workspace.kind.is_node());
            let member = match start {
                Some(start) => node_scripts::member(&workspace, &start).map(|(it, _)| it.clone()),
                None => choose(&workspace, &mut own),
            };
            let Some(member) = member else { continue };
            let pages = super::best(&Folder::open(&workspace.root.join(&member.dir)));
            let pages = pages.and_then(|guess| guess.services.first()?.static_dir.clone());
            found.push((pages.is_some(), Self::new(workspace, member, false), own));
        }
        // A server comes before the pages of another workspace.
        found.sort_by_key(|(is_pages, ..)| *is_pages);
        let mut found = found.into_iter();
        let (_, home, own) = found.next()?;
        notes.extend(own);
        notes.extend(found.map(|(_, other, _)| {
            let (this, other) = (&home.member.dir, &other.member.dir);
            format!("this is for {this}; {other} can be deployed as well: ship init {other}")
        }));
        Some(home)
    }

    /// The member's folder as seen from the root, and the way up to the root.
    pub fn places(&self) -> (&str, String) {
        (&self.member.dir, up(&self.member.dir))
    }

    /// Whether what was detected has to be said from the root, because the manifest lies there.
    pub fn is_lifted(&self) -> bool {
        !self.is_above
    }

    fn new(workspace: Workspace, member: Member, is_above: bool) -> Self {
        Self {
            root: Folder::open(&workspace.root),
            workspace,
            member,
            is_above,
        }
    }

    /// The members that the app needs, in the order of their builds, without the app.
    pub fn needed(&self) -> Vec<&Member> {
        let mut needed = self.workspace.closure(&self.member);
        needed.retain(|member| member.dir != self.member.dir);
        needed
    }

    /// Says from the root what was detected in the member's folder; `first` are steps of the root,
    /// before those of the member, and `hooks` are the root's own.
    pub fn lift(&self, detected: &mut Detected, first: Vec<String>, hooks: Vec<HookGuess>) {
        let dir = &self.member.dir;
        let below = |path: &str| match path {
            "." => dir.clone(),
            path => format!("{dir}/{path}"),
        };
        if self.is_above {
            detected.source = Some(up(&self.member.dir));
        }
        let says = format!("makes {dir} a member of its workspace");
        let list = self.workspace.kind.list();
        detected.reasons.push(Reason::new(About::Build, list, says));
        let own = detected.build.run.iter().map(|step| self.step(step));
        detected.build.run = first.into_iter().chain(own).collect();
        for step in &mut detected.test.run {
            *step = self.step(step);
        }
        for service in &mut detected.services {
            service.static_dir = service.static_dir.as_deref().map(below);
            service.command = service.command.as_deref().map(|it| self.command(it));
        }
        for hook in &mut detected.hooks {
            *hook = HookGuess {
                run: self.command(&hook.run),
                each_host: hook.each_host,
            };
        }
        detected.hooks.extend(hooks);
        detected.include = self.include(&detected.include);
        detected.gitignore &= detected.include.iter().any(|path| path.ends_with("/**"));
        for glob in &mut detected.exclude {
            if glob.contains('/') && !glob.starts_with("node_modules") {
                *glob = below(glob.trim_start_matches('/'));
            }
        }
        for path in &mut detected.shared {
            *path = below(path);
        }
    }

    /// A step of the member, said from the root.
    fn step(&self, step: &str) -> String {
        match nx::is_target(step) {
            true => step.to_owned(),
            false => format!("cd {} && {step}", self.member.dir),
        }
    }

    /// A command of the app, as it runs in a release.
    fn command(&self, command: &str) -> String {
        self.command_of(&self.member, command)
    }

    /// A command of `member`, as it runs in a release. A tool is found in the packages of the
    /// member or in those of the root, wherever the package manager put it.
    pub fn command_of(&self, member: &Member, command: &str) -> String {
        let dir = &member.dir;
        let plain = command.replace("./node_modules/.bin/", "");
        let path = match plain == command {
            true => String::new(),
            false => format!(
                "PATH=\"$PWD/node_modules/.bin:$PWD/{}/node_modules/.bin:$PATH\" ",
                up(dir)
            ),
        };
        let first = plain.split(' ').next().unwrap_or_default();
        let is_list = plain.contains([';', '&', '|', '\n']) || first.contains('=');
        if is_list || first == "exec" {
            let path = path.trim_end();
            return match path.is_empty() {
                true => format!("cd {dir} && {plain}"),
                false => format!("cd {dir} && export {path} && {plain}"),
            };
        }
        format!("cd {dir} && {path}exec {plain}")
    }

    /// What a release holds: with packages, the app, the members that it needs and the packages of
    /// the root; without, only what was found in the member.
    fn include(&self, own: &[String]) -> Vec<String> {
        let dir = &self.member.dir;
        if !own.iter().any(|path| path == "node_modules") {
            return own
                .iter()
                .map(|path| match path.as_str() {
                    // Not what git ignores, as of a folder that is named.
                    "." => format!("{dir}/**"),
                    path => format!("{dir}/{path}"),
                })
                .collect();
        }
        let needed = self.needed().into_iter().map(|member| member.dir.clone());
        let mut list: Vec<String> = [dir.clone()].into_iter().chain(needed).collect();
        list.extend(["node_modules", "package.json"].map(str::to_owned));
        // What is built beside the members.
        let way = format!("{}/", up(dir));
        let outside = own.iter().filter_map(|path| path.strip_prefix(&way));
        list.extend(outside.map(str::to_owned));
        list
    }
}

/// The way from the folder `dir` of a member up to the root.
fn up(dir: &str) -> String {
    vec![".."; dir.split('/').count()].join("/")
}

/// A command of a project that is the root of a workspace, when it starts a script of a member
/// through the package manager: as it runs in a release.
pub(super) fn started(folder: &Folder, command: &str, guess: &mut Guess) -> Option<String> {
    let workspace = at_root(folder)?;
    let (member, script) = node_scripts::member(&workspace, command)?;
    let member = member.clone();
    let package = Package::read(&Folder::open(&workspace.root.join(&member.dir)))?;
    let manager = PackageManager::of(folder, &Package::read(folder)?);
    let plain = manager.production(&package, package.script(&script)?, guess);
    let home = Home::new(workspace, member, false);
    Some(home.command(&plain.command()?))
}

/// Reduces the release of a project that is the root of a workspace to the members that its
/// commands name, and to what those need; and builds these, where the root has no build of its own.
pub(super) fn narrow(folder: &Folder, guess: &mut Guess) {
    let Some(workspace) = at_root(folder).filter(|_| guess.stack == Stack::Node) else {
        return;
    };
    let commands = guess.services.iter().filter_map(|it| it.command.as_deref());
    let commands = commands.chain(guess.hooks.iter().map(|hook| hook.run.as_str()));
    let words = commands.flat_map(str::split_whitespace);
    let named = words.filter_map(|word| workspace.member_at(word.trim_start_matches("./")));
    let mut order: Vec<&Member> = Vec::new();
    for member in named.flat_map(|member| workspace.closure(member)) {
        if !order.iter().any(|other| other.dir == member.dir) {
            order.push(member);
        }
    }
    let (Some(package), false) = (Package::read(folder), order.is_empty()) else {
        return;
    };
    if package.script("build").is_none() {
        let manager = PackageManager::of(folder, &package);
        let builds = |member: &&&Member| {
            let package = Package::read(&Folder::open(&workspace.root.join(&member.dir)));
            package.is_some_and(|it| it.script("build").is_some() && it.target("build").is_none())
        };
        let steps = order.iter().filter(builds).map(|it| manager.build(it));
        guess.build.run.extend(steps);
    }
    if let Include::Sources { add, drop } = &mut guess.include {
        let tops = workspace
            .members
            .iter()
            .filter_map(|it| it.dir.split('/').next());
        drop.extend(tops.map(str::to_owned));
        add.retain(|path| !drop.contains(path));
        add.extend(order.iter().map(|member| member.dir.clone()));
    }
}

/// Whether the root of a workspace runs something that is not a member's.
fn runs(root: &Folder, workspace: &Workspace) -> bool {
    let guess = super::best(root).filter(|guess| !guess.services.is_empty());
    guess.is_some_and(|guess| {
        let of_service = |reason: &&Reason| reason.about == About::Service;
        let mut files = guess.reasons.iter().filter(of_service);
        !files.any(|reason| workspace.member_at(&reason.subject).is_some())
    })
}

/// Whether apps in workspaces of this kind are released with what they need of the others.
fn is_known(kind: WorkspaceKind) -> bool {
    kind.is_node() || kind == WorkspaceKind::Uv
}

/// The workspace of which `folder`, the project's own, is the root.
fn at_root(folder: &Folder) -> Option<Workspace> {
    if folder.home().is_some() {
        return None;
    }
    let mut all = Workspace::at(folder.dir()).into_iter();
    all.find(|found| found.kind.is_node())
}

/// Folders of members that hold no app that people mean.
const ASIDE: &[&str] = &[
    "docs",
    "doc",
    "storybook",
    "e2e",
    "example",
    "examples",
    "playground",
];

/// The member that is the app: the only one that runs a server, else the first. Notes the others.
fn choose(workspace: &Workspace, notes: &mut Vec<String>) -> Option<Member> {
    let mut apps: Vec<(bool, bool, &Member)> = workspace
        .members
        .iter()
        .filter_map(|member| {
            let folder = Folder::open(&workspace.root.join(&member.dir));
            let guess = super::best(&folder)?;
            let service = guess.services.first()?;
            let name = member.dir.rsplit('/').next().unwrap_or_default();
            let is_library = guess.stack == Stack::Node
                && service.static_dir.is_none()
                && !node_scripts::is_app(&folder);
            (!is_library).then_some((ASIDE.contains(&name), service.static_dir.is_some(), member))
        })
        .collect();
    apps.sort_by_key(|(is_aside, is_static, _)| (*is_aside, *is_static));
    let mut dirs = apps.iter().map(|(.., member)| member);
    let first = (*dirs.next()?).clone();
    let others: Vec<&str> = dirs.map(|member| member.dir.as_str()).collect();
    if let Some(other) = others.first() {
        notes.push(format!(
            "this is for {}; {} can be deployed as well: ship init {other}",
            first.dir,
            others.join(", ")
        ));
    }
    Some(first)
}
