//! The environment that steps run in: defined, so that a build is the same whoever starts it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use super::git;
use crate::model::Redactor;
use crate::project::Project;
use crate::project::model::Pipeline;
use crate::runtime::Provided;

/// What steps see of the environment of whoever started `ship`: where tools and caches are, how
/// the network and private registries are reached, and which CI run this is. What changes the
/// result of a build (`NODE_ENV`, `RUSTFLAGS`, `CFLAGS`, `PYTHONPATH`…) belongs into `[build] env`,
/// where the next person has it too. `SSH_AUTH_SOCK` is left out: a dependency's install script has
/// no business with the keys that reach the hosts. A name that ends in `*` is a prefix.
pub const PASSED: &[(&str, &[&str])] = &[
    ("the user", &["HOME", "USER", "LOGNAME", "SHELL", "TZ"]),
    ("temporary files and caches", &["TMPDIR", "XDG_*"]),
    ("language of messages", &["LANG", "LANGUAGE", "LC_*"]),
    (
        "colour, when asked for",
        &["NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE"],
    ),
    (
        "the way to the network",
        &[
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "FTP_PROXY",
            "ALL_PROXY",
            "NO_PROXY",
            "http_proxy",
            "https_proxy",
            "ftp_proxy",
            "all_proxy",
            "no_proxy",
        ],
    ),
    (
        "trusted certificates",
        &[
            "SSL_CERT_FILE",
            "SSL_CERT_DIR",
            "CURL_CA_BUNDLE",
            "REQUESTS_CA_BUNDLE",
            "NODE_EXTRA_CA_CERTS",
            "GIT_SSL_CAINFO",
            "GIT_SSL_CAPATH",
            "NIX_SSL_CERT_FILE",
            "DENO_CERT",
            "DENO_TLS_CA_STORE",
        ],
    ),
    (
        "Node, Deno, Bun",
        &[
            "npm_config_*",
            "NPM_CONFIG_*",
            "NPM_TOKEN",
            "NODE_AUTH_TOKEN",
            "YARN_*",
            "PNPM_HOME",
            "COREPACK_*",
            "NVM_DIR",
            "FNM_DIR",
            "VOLTA_HOME",
            "DENO_DIR",
            "DENO_INSTALL_ROOT",
            "BUN_INSTALL",
            "PLAYWRIGHT_BROWSERS_PATH",
            "CYPRESS_CACHE_FOLDER",
            "PUPPETEER_CACHE_DIR",
        ],
    ),
    (
        "Python",
        &[
            "PIP_*",
            "UV_*",
            "POETRY_*",
            "PDM_*",
            "PIPENV_*",
            "PIPX_*",
            "PYENV_ROOT",
            "PYENV_VERSION",
        ],
    ),
    (
        "Ruby, PHP, Elixir",
        &[
            "BUNDLE_*",
            "GEM_HOME",
            "GEM_PATH",
            "RBENV_ROOT",
            "RBENV_VERSION",
            "COMPOSER_*",
            "MIX_HOME",
            "HEX_*",
            "REBAR_CACHE_DIR",
        ],
    ),
    (
        "Rust",
        &[
            "CARGO_HOME",
            "CARGO_HTTP_*",
            "CARGO_NET_*",
            "CARGO_REGISTRY_*",
            "CARGO_REGISTRIES_*",
            "RUSTUP_*",
            "RUSTC_WRAPPER",
            "SCCACHE_*",
            "CCACHE_*",
        ],
    ),
    (
        "Go",
        &[
            "GOROOT",
            "GOPATH",
            "GOBIN",
            "GOCACHE",
            "GOMODCACHE",
            "GOPROXY",
            "GOPRIVATE",
            "GONOPROXY",
            "GOSUMDB",
            "GONOSUMDB",
            "GOINSECURE",
            "GOAUTH",
            "GOTOOLCHAIN",
        ],
    ),
    (
        "Java, .NET",
        &[
            "JAVA_HOME",
            "JAVA_TOOL_OPTIONS",
            "MAVEN_*",
            "M2_HOME",
            "GRADLE_*",
            "DOTNET_*",
            "NUGET_*",
        ],
    ),
    (
        "containers and version managers",
        &[
            "DOCKER_*",
            "BUILDKIT_*",
            "BUILDX_*",
            "CONTAINER_HOST",
            "MISE_*",
            "ASDF_*",
            "NIX_PATH",
            "NIX_PROFILES",
        ],
    ),
    (
        "system libraries and SDKs",
        &[
            "PKG_CONFIG_PATH",
            "SDKROOT",
            "DEVELOPER_DIR",
            "ANDROID_HOME",
            "HOMEBREW_PREFIX",
        ],
    ),
    ("reproducible dates", &[DATE]),
    (
        "the CI run",
        &[
            "CI",
            "CI_*",
            "GITHUB_*",
            "RUNNER_*",
            "ACTIONS_*",
            "GITLAB_*",
            "BUILDKITE*",
            "CIRCLE*",
            "BITBUCKET_*",
            "JENKINS_URL",
            "BUILD_NUMBER",
            "BUILD_URL",
            "TF_BUILD",
            "TRAVIS*",
            "DRONE*",
            "TEAMCITY_VERSION",
        ],
    ),
];

/// When what a build makes was made.
const DATE: &str = "SOURCE_DATE_EPOCH";
const SECONDS_OF_A_DAY: u64 = 86_400;
/// `PATH` where the caller has none (execvp(3) has no portable default).
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// `LANG` where the caller has no locale: bytes are UTF-8, the order is that of bytes.
const DEFAULT_LANG: &str = "C.UTF-8";

/// What the environment of steps is made from.
#[derive(Clone, Default)]
pub struct StepEnvironment {
    /// The environment of whoever started `ship`.
    pub caller: BTreeMap<OsString, OsString>,
    /// Folders of pinned runtimes, in front of `PATH`, the first first.
    pub runtimes: Vec<PathBuf>,
    /// Variables of pinned runtimes (`JAVA_HOME`).
    pub runtime_env: BTreeMap<String, OsString>,
    /// Masks what the steps say.
    pub redactor: Redactor,
}

impl std::fmt::Debug for StepEnvironment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The caller's environment holds tokens.
        f.debug_struct("StepEnvironment")
            .field("runtimes", &self.runtimes)
            .finish_non_exhaustive()
    }
}

impl StepEnvironment {
    /// The one of `caller`, on the runtimes that were `provided`; `redactor` masks what the steps say.
    ///
    /// Tools that write dates into what they build take the day of the commit, where the caller names
    /// no other time (`SOURCE_DATE_EPOCH`, reproducible-builds.org): two builds of one commit are the
    /// same. It is no closer than the day, because caches know what was built by it: the crate `cc`
    /// compiles all C code anew when it changes.
    #[must_use]
    pub fn on(
        project: &Project,
        mut caller: BTreeMap<OsString, OsString>,
        provided: Provided,
        redactor: Redactor,
    ) -> Self {
        if !caller.contains_key(OsStr::new(DATE))
            && let Some(time) = git::commit_time(&project.source)
        {
            let day = time - time % SECONDS_OF_A_DAY;
            caller.insert(DATE.into(), day.to_string().into());
        }
        Self {
            caller,
            runtimes: provided.paths,
            runtime_env: provided.env,
            redactor,
        }
    }

    /// The whole environment of the steps of `pipeline`: what is [`PASSED`] (everything with
    /// `inherit-env`), then what the pinned runtimes want, then `env` of the manifest; on top the
    /// pinned runtimes' folders in `PATH`.
    #[must_use]
    pub fn of(&self, pipeline: &Pipeline) -> BTreeMap<OsString, OsString> {
        let mut env: BTreeMap<OsString, OsString> = self
            .caller
            .iter()
            .filter(|(name, _)| pipeline.inherit_env || *name == "PATH" || is_passed(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let wanted = self.runtime_env.iter();
        env.extend(wanted.map(|(name, value)| (name.into(), value.into())));
        let own = pipeline.env.iter();
        env.extend(own.map(|(name, value)| (name.into(), value.into())));
        if !["LANG", "LC_ALL"]
            .iter()
            .any(|name| env.contains_key(OsStr::new(name)))
        {
            env.insert("LANG".into(), DEFAULT_LANG.into());
        }
        let path = env
            .remove(OsStr::new("PATH"))
            .unwrap_or_else(|| DEFAULT_PATH.into());
        let mut parts: Vec<&[u8]> = self
            .runtimes
            .iter()
            .map(|f| f.as_os_str().as_bytes())
            .collect();
        // An empty part would be the current folder.
        parts.extend(
            path.as_bytes()
                .split(|&b| b == b':')
                .filter(|part| !part.is_empty()),
        );
        env.insert("PATH".into(), OsString::from_vec(parts.join(&b':')));
        env
    }
}

fn is_passed(name: &OsStr) -> bool {
    let name = name.as_bytes();
    PASSED
        .iter()
        .flat_map(|(_, names)| *names)
        .any(|passed| match passed.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix.as_bytes()),
            None => name == passed.as_bytes(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> BTreeMap<OsString, OsString> {
        pairs
            .iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect()
    }

    #[test]
    fn steps_see_what_is_passed_and_what_the_manifest_says() {
        let environment = StepEnvironment {
            caller: env(&[
                ("PATH", "/bin::/usr/bin:"),
                ("HOME", "/home/a"),
                ("TERM", "xterm"),
                ("SSH_AUTH_SOCK", "/tmp/agent"),
                ("NODE_ENV", "production"),
                ("CI", "true"),
                ("GITHUB_SHA", "1"),
                ("npm_config_registry", "r"),
                ("CIVIL", "no"),
                ("SHIP_SECRET", "no"),
                ("JAVA_HOME", "/usr/lib/jvm/other"),
            ]),
            runtimes: vec!["/r/node/bin".into(), "/r/python/bin".into()],
            runtime_env: [("JAVA_HOME".to_owned(), "/r/java".into())].into(),
            redactor: Redactor::default(),
        };
        let mut pipeline = Pipeline {
            env: [("CI".to_owned(), "false".to_owned())].into(),
            ..Pipeline::default()
        };
        assert_eq!(
            environment.of(&pipeline),
            env(&[
                ("CI", "false"),
                ("GITHUB_SHA", "1"),
                ("HOME", "/home/a"),
                ("JAVA_HOME", "/r/java"),
                ("LANG", "C.UTF-8"),
                ("PATH", "/r/node/bin:/r/python/bin:/bin:/usr/bin"),
                ("npm_config_registry", "r"),
            ])
        );
        pipeline.inherit_env = true;
        let open = environment.of(&pipeline);
        assert_eq!(open.len(), environment.caller.len() + 1);
        assert_eq!(open[OsStr::new("TERM")], "xterm");
        assert_eq!(open[OsStr::new("CI")], "false");
    }

    #[test]
    fn an_empty_environment_still_has_a_path_and_a_locale() {
        let bare = StepEnvironment::default().of(&Pipeline::default());
        assert_eq!(bare, env(&[("LANG", "C.UTF-8"), ("PATH", DEFAULT_PATH)]));
    }
}
