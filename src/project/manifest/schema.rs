//! The grammar of `ship.toml` in one table: what is known, of which type, with which default. The
//! check of keys and types, the suggestions, every default and `docs/manifest.md` come from here.

/// A table of the manifest.
#[derive(Debug)]
pub struct Table {
    /// How it is headed, with names in capitals for what the project chooses: `services.NAME`;
    /// empty for the file itself.
    pub title: &'static str,
    /// What it is for: sentences.
    pub doc: &'static str,
    /// A short example, as TOML.
    pub example: &'static str,
    /// What it may hold.
    pub keys: &'static [Key],
}

/// A key of a table.
#[derive(Debug)]
pub struct Key {
    /// As written in the manifest.
    pub name: &'static str,
    /// What it takes.
    pub ty: Type,
    /// What it is when it is left out.
    pub default: Fallback,
    /// What it is for: one line.
    pub doc: &'static str,
    /// Words that other tools use for it, and that people type.
    pub aliases: &'static [&'static str],
}

/// What a key takes.
#[derive(Debug)]
pub enum Type {
    /// Text, without NUL.
    Text,
    /// `true` or `false`.
    Bool,
    /// A whole number, with both ends allowed.
    Integer(i64, i64),
    /// Text such as `30s`, at least so many ms.
    Duration(u64),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list, with all items of a type.
    List(&'static Type),
    /// A table whose keys the project chooses, with all values of a type.
    Map(&'static Type),
    /// A table with known keys.
    Table(&'static Table),
    /// Any of these; no two of the same TOML type.
    Either(&'static [Type]),
}

/// What a key is when it is left out.
#[derive(Debug)]
pub enum Fallback {
    /// It may not be left out.
    Required,
    /// Nothing.
    Nothing,
    /// This value, as TOML.
    Value(&'static str),
    /// Worked out, in words.
    Words(&'static str),
}

impl Table {
    /// The key called `name`.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

impl Key {
    /// The default without the quotes of TOML; empty when there is none.
    #[must_use]
    pub fn default_text(&self) -> &'static str {
        match self.default {
            Fallback::Value(toml) => toml.trim_matches('"'),
            _ => "",
        }
    }

    const fn new(name: &'static str, ty: Type, default: Fallback, doc: &'static str) -> Self {
        Self {
            name,
            ty,
            default,
            doc,
            aliases: &[],
        }
    }

    const fn also(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }
}

/// What is never part of an artifact, whatever `release.include` says: names at any depth. Version
/// control and ship's own folder; droppings of desktops (`._*` is macOS); and files that hold
/// secrets of a developer's machine by convention. `ship.lock` is not among them.
pub const ALWAYS_EXCLUDED: &[&str] = &[
    ".git",
    ".hg",
    ".svn",
    ".jj",
    ".ship",
    ".DS_Store",
    "._*",
    "Thumbs.db",
    ".env",
    ".env.local",
    ".env.*.local",
];

use crate::model::StatusClass;
use Fallback::{Nothing, Required, Value, Words};
use Type::{Bool, Choice, Duration, Either, Integer, List, Map, Text};

const TEXTS: Type = List(&Text);
const ENV: Type = Map(&Text);
const COUNT: Type = Integer(1, 1000);
const PORT: Type = Integer(1, 65_535);
const STATUS: Type = Either(&[Integer(100, 599), Choice(&StatusClass::NAMES)]);
const SOME_TIME: Type = Duration(1);

/// The file.
#[rustfmt::skip]
pub static ROOT: Table = Table {
    title: "",
    doc: "",
    example: "",
    keys: &[
        Key::new("app", Type::Table(&APP), Required, "What the project is called."),
        Key::new("runtimes", Map(&Either(&[Text, Type::Table(&RUNTIME)])), Nothing, "The runtimes that the app needs, pinned.").also(&["tools", "engines"]),
        Key::new("build", Type::Table(&BUILD), Nothing, "How the release is made, on your machine."),
        Key::new("test", Type::Table(&TEST), Nothing, "What must pass before a host is touched.").also(&["check"]),
        Key::new("release", Type::Table(&RELEASE), Nothing, "Which files go to the hosts.").also(&["artifact", "package"]),
        Key::new("services", Map(&Type::Table(&SERVICE)), Required, "What runs on the hosts.").also(&["processes", "apps"]),
        Key::new("hooks", Type::Table(&HOOKS), Nothing, "Commands on the hosts around the switch."),
        Key::new("environments", Map(&Type::Table(&ENVIRONMENT)), Nothing, "Where the app runs.").also(&["envs", "stages", "targets"]),
    ],
};

/// `[app]`.
#[rustfmt::skip]
pub static APP: Table = Table {
    title: "app",
    doc: "What the project is called.",
    example: "[app]\nname = \"shop\"\n",
    keys: &[
        Key::new("name", Text, Required, "Names the folder, the units and the system user on the hosts: lower-case letters, digits and dashes, at most 31.").also(&["id"]),
        Key::new("source", Text, Value("\".\""), "The folder in which the steps run and to which the paths of `[release]` and `static` are relative, itself relative to the manifest: `.`, or `..` and the like, so a folder above that holds the manifest. For an app in a workspace that needs files of the workspace's root.").also(&["workspace", "base"]),
        Key::new("default-environment", Text, Words("the only environment besides `local`, or `local` alone"), "The environment for commands that do not name one.").also(&["environment"]),
    ],
};

/// A value of `[runtimes]`.
#[rustfmt::skip]
pub static RUNTIME: Table = Table {
    title: "runtimes.NAME",
    doc: "One runtime that the app needs: a version as text, or a table. `ship.lock` holds the exact version and its checksums.",
    example: "[runtimes]\nnode = \"20.11.1\"\nphp = { version = \"8.3\", source = \"host\" }\n",
    keys: &[
        Key::new("version", Text, Required, "An exact version, a prefix of one, or a range, in the runtime's own grammar."),
        Key::new("source", Choice(&["ship", "host"]), Value("\"ship\""), "Where it comes from: `ship` downloads and verifies it; with `host` it must be installed on the hosts."),
        Key::new("mirror", Text, Words("the publisher"), "An http, https or file address to download from instead; `SHIP_NAME_MIRROR` does the same from outside.").also(&["url"]),
    ],
};

const STEP_ITEM: Type = Either(&[Text, Type::Table(&STEP)]);
const STEP_LIST: Type = List(&STEP_ITEM);

#[rustfmt::skip]
const STEP_NAME: Key = Key::new("name", Text, Words("the first line of `run`"), "What it is called on the screen.");
#[rustfmt::skip]
const STEPS: Key = Key::new("steps", STEP_LIST, Value("[]"), "The commands, in order; the first failure stops them.").also(&["commands", "run", "script", "command"]);
#[rustfmt::skip]
const STEPS_ENV: Key = Key::new("env", ENV, Value("{}"), "Environment of the steps.").also(&["environment", "vars"]);
#[rustfmt::skip]
const INHERIT_ENV: Key = Key::new("inherit-env", Bool, Value("false"), "Whether the steps see the caller's whole environment.");

/// `[build]`.
#[rustfmt::skip]
pub static BUILD: Table = Table {
    title: "build",
    doc: "How the release is made, on your machine, with the pinned runtimes and an environment of its own.",
    example: "[build]\nsteps = [\"npm ci\", { name = \"bundle\", run = \"npm run build\", timeout = \"10m\" }]\n",
    keys: &[STEPS, STEPS_ENV, INHERIT_ENV],
};

/// `[test]`.
#[rustfmt::skip]
pub static TEST: Table = Table {
    title: "test",
    doc: "The tests that must pass, after the build, before anything changes on a host.",
    example: "[test]\nsteps = [\"npm test\"]\n",
    keys: &[STEPS, STEPS_ENV, INHERIT_ENV],
};

/// An item of `steps`.
#[rustfmt::skip]
pub static STEP: Table = Table {
    title: "build.steps[]",
    doc: "One step of `[build]` or `[test]`: a command as text, or a table.",
    example: "",
    keys: &[
        STEP_NAME,
        Key::new("run", Text, Required, "A line for `/bin/sh`, in the project's folder (`app.source`).").also(&["command", "cmd", "script"]),
        Key::new("timeout", SOME_TIME, Value("\"30m\""), "It is killed after this long, with everything that it started."),
    ],
};

/// `[release]`.
#[rustfmt::skip]
pub static RELEASE: Table = Table {
    title: "release",
    doc: "Which files go to the hosts. Paths are relative to the project's folder (`app.source`). A release is read-only on the host; paths that the app writes to belong in `shared`. (An app that runs as root can write into its release all the same: a deploy names what it wrote there.) Some names are never released, whatever `include` says: they are always part of `exclude`. `ship check` and a deploy warn about files that look like keys (a private key, or a name such as `master.key` that git does not track; folders of dependencies aside): to release one without the warning, name exactly that file in `include`. They also warn about files that `shared` hides, links whose target is not released, and scripts for an interpreter of this machine.",
    example: "[release]\ninclude = [\"dist\", \"node_modules\", \"package.json\"]\nexclude = [\"**/*.map\"]\nshared = [\"uploads\"]\n",
    keys: &[
        Key::new("include", TEXTS, Value("[\".\"]"), "Files, folders or globs that go to the hosts.").also(&["files", "paths"]),
        Key::new("exclude", TEXTS, Words("see below"), "Globs that stay here. With a `/` in front or inside: from the project's folder; without: a name at any depth. A `/` at the end: folders only.").also(&["ignore"]),
        Key::new("gitignore", Bool, Value("false"), "Whether what git ignores stays here, too. An entry of `include` that is an ignored file or folder, or lies in one (`node_modules`, `build/libs/*.jar`), takes it all the same; `.` and patterns such as `*.json` do not.").also(&["respect-gitignore"]),
        Key::new("shared", TEXTS, Value("[]"), "Files and folders that survive releases (uploads, a database); linked into each. An entry with an extension (`database.yml`) is a file, and so is a hidden secret (`.secret_key`); any other is a folder. Setup makes them empty. A deploy fills an empty one, once, with what is committed at its path, unless `exclude` names that, or it is more than 4 MiB or 200 files. Before the first release, any other empty file stops the deploy unless its name is that of a database or a log (`.sqlite3`, `.db`, `.log`, `.pid`…).").also(&["persist", "persistent", "linked-dirs", "linked-files", "shared-dirs", "shared-files", "volumes"]),
        Key::new("readable-by", TEXTS, Value("[]"), "Users of the hosts that may read releases, such as `[\"www-data\"]` for a web server; setup lets them in.").also(&["readers"]),
        Key::new("keep", COUNT, Value("5"), "How many good releases a host keeps.").also(&["keep-releases", "retain", "retention"]),
    ],
};

/// A value of `[services]`.
#[rustfmt::skip]
pub static SERVICE: Table = Table {
    title: "services.NAME",
    doc: "A long-running process of the app: exactly one of `command` and `static`. At least one service is needed. With a `port` and no `health`, the proof is a TCP connection to the port; with neither, the process must stay up for `settle`.",
    example: "[services.web]\ncommand = \"node dist/server.js\"\nport = 3000\nhealth = { path = \"/healthz\", timeout = \"30s\" }\n\n[services.site]\nstatic = \"dist/public\"\nport = 8080\n",
    keys: &[
        Key::new("command", Either(&[Text, TEXTS]), Nothing, "What runs, in the release's folder: a line for `/bin/sh`, or program and arguments.").also(&["cmd", "run", "start", "exec", "entrypoint"]),
        Key::new("static", Text, Nothing, "A folder of the release that `ship` itself serves over HTTP, with its `404.html`, `_redirects` and `_headers`; see [static sites](guides/static.md).").also(&["dir", "folder"]),
        Key::new("fallback", Text, Nothing, "With `static`: a page of that folder, such as `index.html`, that answers where no file does, for apps that route in the browser. A missing file (`/app.js`) is still a 404.").also(&["spa", "try-files", "single-page"]),
        Key::new("port", PORT, Nothing, "The TCP port that it listens on; exported to it as `PORT`.").also(&["ports", "listen"]),
        Key::new("env", ENV, Value("{}"), "Environment of this service only.").also(&["environment", "vars"]),
        Key::new("type", Choice(&["simple", "notify"]), Value("\"simple\""), "`notify` when it says `READY=1` by sd_notify(3)."),
        Key::new("stop-timeout", SOME_TIME, Value("\"30s\""), "How long it may take to stop before it is killed.").also(&["kill-timeout", "stop-grace-period"]),
        Key::new("health", Either(&[Text, Type::Table(&HEALTH)]), Words("see above"), "How a new release proves that it serves: a path, or a table.").also(&["healthcheck", "health-check", "check"]),
        Key::new("settle", Duration(0), Value("\"5s\""), "How long the process must have stayed up, from its start, without a restart."),
    ],
};

/// `health`.
#[rustfmt::skip]
pub static HEALTH: Table = Table {
    title: "services.NAME.health",
    doc: "The proof, asked on the host: one of `path`, `tcp` and `command`. `health = \"/healthz\"` is short for `health = { path = \"/healthz\" }`.",
    example: "",
    keys: &[
        Key::new("path", Text, Words("`/` for `static`"), "Asked with GET on 127.0.0.1; redirects are answers, not followed.").also(&["url", "http"]),
        Key::new("port", PORT, Words("the service's port"), "Where to ask."),
        Key::new("status", Either(&[Integer(100, 599), Choice(&StatusClass::NAMES), List(&STATUS)]), Value("[]"), "Accepted status codes, or classes of them such as `\"4xx\"`; an empty list accepts any 2xx.").also(&["code", "codes", "expect"]),
        Key::new("body", Text, Nothing, "Text that the answer must contain."),
        Key::new("headers", ENV, Value("{}"), "Headers to send, such as `Host`."),
        Key::new("tcp", Bool, Words("true with a port and no other question"), "Whether a TCP connection is the proof; false asks nothing."),
        Key::new("command", Text, Nothing, "A line for `/bin/sh`, in the release's folder with its environment, that must exit 0.").also(&["cmd", "run"]),
        Key::new("timeout", SOME_TIME, Value("\"30s\""), "How long the whole proof may take."),
        Key::new("interval", SOME_TIME, Value("\"250ms\""), "The pause between two questions."),
        Key::new("successes", COUNT, Value("2"), "How many good answers in a row are needed."),
    ],
};

const HOOK_LIST: Type = List(&Either(&[Text, Type::Table(&HOOK)]));

/// `[hooks]`.
#[rustfmt::skip]
pub static HOOKS: Table = Table {
    title: "hooks",
    doc: "Commands on the hosts around the switch, in the new release's folder with its environment.",
    example: "[hooks]\nbefore-activate = [{ run = \"node dist/migrate.js\", on = \"one-host\", timeout = \"5m\" }]\n",
    keys: &[
        Key::new("before-activate", HOOK_LIST, Value("[]"), "After everything is staged, before the first host switches; a failure ends the deploy.").also(&["before", "pre-activate", "pre-deploy", "before-deploy"]),
        Key::new("after-activate", HOOK_LIST, Value("[]"), "After every host has switched and proved that it serves; a failure is a failure of the rollout, and `on-failure` applies.").also(&["after", "post-activate", "post-deploy", "after-deploy"]),
    ],
};

/// An item of a list of hooks.
#[rustfmt::skip]
pub static HOOK: Table = Table {
    title: "hooks.before-activate[]",
    doc: "One hook: a command as text, or a table.",
    example: "",
    keys: &[
        STEP_NAME,
        Key::new("run", Text, Required, "A line for `/bin/sh`.").also(&["command", "cmd", "script"]),
        Key::new("on", Choice(&["one-host", "each-host"]), Value("\"one-host\""), "On one host of the fleet (migrations), or on each."),
        Key::new("timeout", SOME_TIME, Value("\"10m\""), "It is killed after this long, with everything that it started."),
    ],
};

/// A value of `[environments]`.
#[rustfmt::skip]
pub static ENVIRONMENT: Table = Table {
    title: "environments.NAME",
    doc: "A place where the app runs. `local` always exists: this machine, without SSH and without hosts, kept running by the supervisor; `[environments.local]` may set `env`, `root` and the like.",
    example: "[environments.production]\nhosts = [\"deploy@web1.example.com\", { address = \"deploy@web2.example.com\", services = [\"web\"] }]\nenv = { NODE_ENV = \"production\" }\nrollout = { strategy = \"rolling\", batch = 1, on-failure = \"revert-all\" }\n",
    keys: &[
        Key::new("hosts", List(&Either(&[Text, Type::Table(&HOST)])), Words("required, except for `local`"), "Where it runs, in order: each a destination as `ssh` takes it, or a table.").also(&["servers", "host", "nodes", "machines"]),
        Key::new("name", Text, Words("`app.name`"), "The app's name on these hosts; two environments on one host need two."),
        Key::new("root", Text, Words("`/srv/<name>`; `~/apps/<name>` with `systemd-user` and `supervisor`; `~/ship/apps/<name>` for `local`"), "The app's folder on the hosts: absolute, or beginning with `~/`.").also(&["path", "deploy-to", "dir"]),
        Key::new("manager", Choice(&["systemd", "systemd-user", "supervisor"]), Words("`systemd`; `supervisor` for `local`"), "What keeps the services running; `systemd-user` and `supervisor` need no root.").also(&["service-manager", "init"]),
        Key::new("user", Text, Words("`name`"), "The system user that the services run as; with `systemd` only. Without it setup makes a user called `name`, and takes no account or group that it did not make; an account that is there already runs the services only when it is named here."),
        Key::new("env", ENV, Value("{}"), "Environment of the services.").also(&["environment", "vars"]),
        Key::new("secrets", TEXTS, Value("[]"), "Names of secrets that a release needs. `ship deploy` takes each value from its own environment variable of that name."),
        Key::new("rollout", Type::Table(&ROLLOUT), Nothing, "How releases reach the hosts.").also(&["strategy", "deploy"]),
        Key::new("watch", Duration(0), Value("\"0s\""), "How long a new release is watched on all hosts after its proof, before it counts as good. If it turns bad in that time (it restarts, or fails three health checks in a row), it goes back."),
    ],
};

/// An item of `hosts`.
#[rustfmt::skip]
pub static HOST: Table = Table {
    title: "environments.NAME.hosts[]",
    doc: "One host.",
    example: "",
    keys: &[
        Key::new("address", Text, Required, "`user@host`, an alias of ssh_config(5), or `ssh://user@host:port`.").also(&["host", "name", "hostname"]),
        Key::new("services", TEXTS, Words("all"), "The services that run there.").also(&["roles", "service"]),
    ],
};

/// `rollout`.
#[rustfmt::skip]
pub static ROLLOUT: Table = Table {
    title: "environments.NAME.rollout",
    doc: "How the hosts are switched to a release that is staged on all of them.",
    example: "",
    keys: &[
        Key::new("strategy", Choice(&["all-at-once", "rolling", "canary"]), Value("\"all-at-once\""), "All hosts together; one batch after another; or one batch, a time of watching, then the rest."),
        Key::new("batch", Either(&[Integer(1, 10_000), Text]), Value("1"), "Hosts per batch: a number, or a percentage such as `\"25%\"`; with `rolling` and `canary`.").also(&["batch-size", "max-parallel", "size"]),
        Key::new("bake", Duration(0), Value("\"60s\""), "How long the first batch is watched before the rest follows, as with `watch`; with `canary`."),
        Key::new("on-failure", Choice(&["revert-all", "stop", "continue"]), Value("\"revert-all\""), "A host that fails goes back. Then `revert-all` takes every host of the rollout back, `stop` touches no more hosts, and `continue` goes on with the rest."),
        Key::new("max-failures", COUNT, Value("1"), "How many hosts may fail; one more ends the rollout. With `on-failure = \"continue\"`."),
        Key::new("lease", Duration(5_000), Value("\"30s\""), "How long a host waits for a lost controller before it reverts by itself; at least 5s."),
    ],
};

/// Every table, in the order of the reference.
pub static TABLES: &[&Table] = &[
    &ROOT,
    &APP,
    &RUNTIME,
    &BUILD,
    &TEST,
    &STEP,
    &RELEASE,
    &SERVICE,
    &HEALTH,
    &HOOKS,
    &HOOK,
    &ENVIRONMENT,
    &HOST,
    &ROLLOUT,
];
