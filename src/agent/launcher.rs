//! The launcher of a service: the one thing that a unit starts. It lives in the release, so that
//! command, runtimes and port change with the release and not with the unit.

use std::path::Path;

use super::command_line;
use super::runtimes::{DEFAULT_PATH, RuntimeEnvironment};
use crate::model::service::Run;
use crate::model::{ReleaseId, ServiceSpec};

/// The variable at the end of a release's environment file that holds the release's number. Where a
/// unit has the service manager read the file, the launcher sees by it that this was done.
pub const MARKER: &str = "SHIP_ENV";

/// The variable by which whoever starts an instance tells it where to listen. Without it an instance
/// listens on the port of its service.
pub const INSTANCE_PORT: &str = "SHIP_INSTANCE_PORT";

/// The text of the launcher of `service` in the release at `release_dir`, which runs on `runtimes`.
///
/// It goes to the release's real folder (so that a process keeps its release when `current`
/// moves), reads the release's environment, puts the runtimes in front of whatever `PATH` the unit, the manifest or a secret gave
/// (they are named by their own folders, so that a rollback brings the old ones back), tells in
/// `$RUNTIME_DIRECTORY/release` which process runs which release (the proof that the agent reads),
/// and becomes the command, keeping the process id.
#[must_use]
pub fn launcher(
    service: &ServiceSpec,
    id: ReleaseId,
    release_dir: &Path,
    runtimes: &RuntimeEnvironment,
) -> String {
    let dir = release_dir.display().to_string();
    let mut lines = vec![
        "#!/bin/sh".to_owned(),
        format!(
            "# Written by ship: service {} of release {id}.",
            service.name
        ),
        format!("cd -P {} || exit 1", quote(&dir)),
    ];
    lines.push(read_environment(id, release_dir));
    // Without it the host's own would run, if it has one: not what was tested.
    lines.extend(runtimes.path.iter().map(|folder| {
        let folder = folder.display().to_string();
        let gone = quote(&format!("ship: {folder} is gone; a deploy brings it back"));
        format!(
            "[ -d {} ] || {{ echo {gone} >&2; exit 1; }}",
            quote(&folder)
        )
    }));
    if let Some(port) = service.port {
        lines.push(format!("export PORT=\"${{{INSTANCE_PORT}:-{port}}}\""));
    }
    lines.push(format!("unset {INSTANCE_PORT}"));
    let mut export = |key: &str, value: &str| lines.push(format!("export {key}={}", quote(value)));
    for (key, value) in &runtimes.variables {
        export(key, value);
    }
    for (key, value) in &service.env {
        export(key, value);
    }
    export("SHIP_RELEASE", &id.to_string());
    if !runtimes.path.is_empty() {
        let folders = quote(&runtimes.path_text());
        lines.push(format!(
            "export PATH={folders}:\"${{PATH:-{DEFAULT_PATH}}}\""
        ));
    }
    lines.push(format!(
        "[ -z \"$RUNTIME_DIRECTORY\" ] || echo \"$$ {id}\" > \"$RUNTIME_DIRECTORY/release\""
    ));
    lines.push(match &service.run {
        Run::Shell(command) => command_line::last_line(command),
        Run::Argv(argv) => {
            format!(
                "exec {}",
                argv.iter()
                    .map(|word| quote(word))
                    .collect::<Vec<_>>()
                    .join(" ")
            )
        }
        Run::Static(folder) => {
            let page = service.fallback.as_ref();
            let fallback = page.map(|page| format!("--fallback={} ", quote(page)));
            format!(
                "exec {} agent site {}{}",
                quote(&format!("{dir}/.ship/ship")),
                fallback.unwrap_or_default(),
                quote(folder)
            )
        }
    });
    lines.push(String::new());
    lines.join("\n")
}

/// The lines of a launcher that read the environment of release `id` at `release_dir`.
///
/// A unit of an older ship has systemd read the file (`EnvironmentFile=`), which may then be closed to
/// the service's user; the file's own [`MARKER`] says that this was done. A service that has neither
/// does not start: it would run without its secrets.
#[must_use]
pub fn read_environment(id: ReleaseId, release_dir: &Path) -> String {
    let file = release_dir.join(".ship/env").display().to_string();
    let refusal = quote(&format!(
        "ship: this user cannot read {file}; `ship setup` of the environment mends that"
    ));
    let file = quote(&file);
    format!(
        "if [ -r {file} ]; then set -a; . {file}; set +a\n\
         elif [ \"${MARKER}\" != {id} ]; then echo {refusal} >&2; exit 1; fi\n\
         unset {MARKER}"
    )
}

/// `text` as one word of POSIX sh (XCU 2.2.2: everything but a single quote is literal inside
/// single quotes).
#[must_use]
pub fn quote(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-:=@%+,".contains(&b);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    /// What the tool of a pinned runtime, and a program of the system of the same name, see of a
    /// launcher that is run with `env`, for a service with `own` variables.
    struct Tools {
        folder: tempfile::TempDir,
        own: BTreeMap<String, String>,
    }

    impl Tools {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let tools = Self {
                folder,
                own: BTreeMap::new(),
            };
            tools.make("runtimes/tool-1.2.3-abababababab", "pinned");
            tools.make("system", "installed");
            std::fs::create_dir_all(tools.path("releases/v7/.ship")).unwrap();
            tools.environment("");
            tools
        }

        fn path(&self, below: &str) -> std::path::PathBuf {
            self.folder.path().join(below)
        }

        fn environment(&self, text: &str) {
            std::fs::write(self.path("releases/v7/.ship/env"), text).unwrap();
        }

        fn make(&self, folder: &str, name: &str) {
            let folder = self.path(folder);
            std::fs::create_dir_all(&folder).unwrap();
            let text = format!("#!/bin/sh\necho {name} $TOOL_HOME $PATH\n");
            crate::artifact::start::write_program(&folder.join("tool"), &text);
        }

        fn launch(&self, path: &str) -> std::process::Output {
            self.launch_with("tool", None, &[("PATH", path)])
        }

        fn launch_with(
            &self,
            command: &str,
            port: Option<u16>,
            env: &[(&str, &str)],
        ) -> std::process::Output {
            let layout = crate::agent::Layout::at(self.folder.path());
            let tool = crate::agent::runtimes::example("tool", "1.2.3", Some("TOOL_HOME"));
            let runtimes = RuntimeEnvironment::of(&layout, &[tool]);
            let service = ServiceSpec {
                name: "web".try_into().unwrap(),
                run: Run::Shell(command.to_owned()),
                fallback: None,
                port,
                env: self.own.clone(),
                health: crate::model::HealthCheck {
                    probe: None,
                    timeout_ms: 0,
                    interval_ms: 0,
                    successes: 0,
                    settle_ms: 0,
                },
                start_type: crate::model::service::StartType::Simple,
                stop_timeout_ms: 0,
            };
            let text = launcher(&service, ReleaseId(7), &self.path("releases/v7"), &runtimes);
            Command::new("/bin/sh")
                .args(["-c", &text])
                .env_clear()
                .envs(env.iter().copied())
                .output()
                .unwrap()
        }

        fn said(&self, path: &str) -> String {
            let output = self.launch(path);
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        }
    }

    #[test]
    fn a_pinned_runtime_comes_before_any_other() {
        let mut tools = Tools::new();
        let pinned = tools.path("runtimes/tool-1.2.3-abababababab");
        let pinned = pinned.display();
        let system = tools.path("system").display().to_string();
        assert_eq!(
            tools.said(&format!("{system}:/bin")),
            format!("pinned {pinned} {pinned}:{system}:/bin")
        );
        // What the manifest says of PATH comes after the runtimes; of anything else, before.
        tools.own = BTreeMap::from([
            ("PATH".to_owned(), format!("{system}:/usr/bin")),
            ("TOOL_HOME".to_owned(), "/chosen".to_owned()),
        ]);
        assert_eq!(
            tools.said("/bin"),
            format!("pinned /chosen {pinned}:{system}:/usr/bin")
        );
    }

    #[test]
    fn an_instance_listens_where_whoever_starts_it_says() {
        let tools = Tools::new();
        let said = |env: &[(&str, &str)]| {
            let show = "echo $PORT${SHIP_INSTANCE_PORT-}";
            let output = tools.launch_with(show, Some(3000), env);
            String::from_utf8(output.stdout).unwrap()
        };
        assert_eq!(said(&[]), "3000\n");
        assert_eq!(said(&[(INSTANCE_PORT, "41001")]), "41001\n");
    }

    #[test]
    fn another_runtime_does_not_take_the_place_of_one_that_is_gone() {
        let tools = Tools::new();
        std::fs::remove_dir_all(tools.path("runtimes/tool-1.2.3-abababababab")).unwrap();
        let output = tools.launch(&format!("{}:/bin", tools.path("system").display()));
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(output.stdout.is_empty());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.ends_with("is gone; a deploy brings it back\n"),
            "{said}"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn sh_reads_a_quoted_word_as_it_was(text in "[^\u{0}]{0,40}") {
            let output = Command::new("/bin/sh")
                .args(["-c", &format!("printf %s {}", quote(&text))])
                .output()
                .unwrap();
            prop_assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
        }
    }
}
