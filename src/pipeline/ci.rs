//! Which CI run this is, from its environment.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// A CI run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CiRun {
    /// Who started it, as the CI system calls them.
    pub who: Option<String>,
    /// The run's address.
    pub url: Option<String>,
    /// The id of the commit that it runs for, in full.
    pub commit: Option<String>,
}

/// A CI system: how it is recognized, and the variables that it sets. Of several names the first
/// that has a value counts.
struct Provider {
    /// Set, and neither `false` nor `0`, in every run.
    marks: &'static [&'static str],
    who: &'static [&'static str],
    url: &'static [&'static str],
    commit: &'static [&'static str],
}

/// The first that is recognized counts; the last knows the variables of all that only set `CI`.
const PROVIDERS: [Provider; 7] = [
    // Gitea and Forgejo set the same.
    Provider {
        marks: &["GITHUB_ACTIONS"],
        who: &["GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR"],
        url: &[],
        commit: &["GITHUB_SHA"],
    },
    Provider {
        marks: &["GITLAB_CI"],
        who: &["GITLAB_USER_LOGIN", "GITLAB_USER_NAME"],
        url: &["CI_JOB_URL", "CI_PIPELINE_URL"],
        commit: &["CI_COMMIT_SHA"],
    },
    Provider {
        marks: &["TF_BUILD"],
        who: &["BUILD_REQUESTEDFOR"],
        url: &[],
        commit: &["BUILD_SOURCEVERSION"],
    },
    Provider {
        marks: &["JENKINS_URL"],
        who: &["BUILD_USER_ID"],
        url: &["BUILD_URL"],
        commit: &["GIT_COMMIT"],
    },
    Provider {
        marks: &["TEAMCITY_VERSION"],
        who: &[],
        url: &["BUILD_URL"],
        commit: &["BUILD_VCS_NUMBER"],
    },
    Provider {
        marks: &["CODEBUILD_BUILD_ID"],
        who: &["CODEBUILD_INITIATOR"],
        url: &["CODEBUILD_PUBLIC_BUILD_URL"],
        commit: &["CODEBUILD_RESOLVED_SOURCE_VERSION"],
    },
    Provider {
        marks: &["CI"],
        who: &[
            "BUILDKITE_BUILD_CREATOR",
            "CIRCLE_USERNAME",
            "CI_COMMIT_AUTHOR",
            "BUILD_USER_ID",
        ],
        url: &[
            "BUILDKITE_BUILD_URL",
            "CIRCLE_BUILD_URL",
            "CI_PIPELINE_URL",
            "DRONE_BUILD_LINK",
            "TRAVIS_BUILD_WEB_URL",
            "BITRISE_BUILD_URL",
            "BUILD_URL",
        ],
        commit: &[
            "BUILDKITE_COMMIT",
            "CIRCLE_SHA1",
            // Woodpecker.
            "CI_COMMIT_SHA",
            "DRONE_COMMIT_SHA",
            "DRONE_COMMIT",
            "TRAVIS_COMMIT",
            "BITBUCKET_COMMIT",
            "APPVEYOR_REPO_COMMIT",
            "SEMAPHORE_GIT_SHA",
            "CIRRUS_CHANGE_IN_REPO",
            "BITRISE_GIT_COMMIT",
            // Codefresh.
            "CF_REVISION",
            // Xcode Cloud.
            "CI_COMMIT",
            "GIT_COMMIT",
            "COMMIT_SHA",
        ],
    },
];

/// The CI run that has the environment `env`; `None` where no CI system is recognized.
#[must_use]
pub fn detect(env: &BTreeMap<OsString, OsString>) -> Option<CiRun> {
    let var = |name: &str| {
        let value = env.get(OsStr::new(name))?.to_str()?;
        let value: String = value.trim().chars().filter(|c| !c.is_control()).collect();
        (!value.is_empty()).then_some(value)
    };
    let first = |names: &[&str]| names.iter().find_map(|name| var(name));
    let is_set = |name: &&str| var(name).is_some_and(|value| value != "false" && value != "0");
    let provider = PROVIDERS
        .iter()
        .find(|provider| provider.marks.iter().any(is_set))?;
    Some(CiRun {
        who: first(provider.who),
        url: github_run(&var).or_else(|| first(provider.url)),
        commit: provider
            .commit
            .iter()
            .filter_map(|name| var(name))
            .find(|commit| is_commit(commit)),
    })
}

/// The address of a run of GitHub Actions, which no variable holds whole.
fn github_run(var: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let server = var("GITHUB_SERVER_URL")?;
    let (repository, id) = (var("GITHUB_REPOSITORY")?, var("GITHUB_RUN_ID")?);
    let attempt = var("GITHUB_RUN_ATTEMPT").filter(|attempt| attempt != "1");
    let attempt = attempt.map_or(String::new(), |n| format!("/attempts/{n}"));
    Some(format!("{server}/{repository}/actions/runs/{id}{attempt}"))
}

/// Whether `text` is a commit id in full, SHA-1 or SHA-256; some systems give `HEAD`.
fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(pairs: &[(&str, &str)]) -> Option<(Option<String>, Option<String>)> {
        let env = pairs.iter().map(|(k, v)| (k.into(), v.into())).collect();
        detect(&env).map(|run| (run.who, run.url))
    }

    #[test]
    fn runs_are_recognized() {
        let some = |text: &str| Some(text.to_owned());
        let github = [
            ("CI", "true"),
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_ACTOR", "alice"),
            ("GITHUB_SERVER_URL", "https://git.example.com"),
            ("GITHUB_REPOSITORY", "acme/shop"),
            ("GITHUB_RUN_ID", "42"),
            ("GITHUB_RUN_ATTEMPT", "2"),
        ];
        let url = "https://git.example.com/acme/shop/actions/runs/42";
        assert_eq!(
            run(&github),
            Some((some("alice"), Some(format!("{url}/attempts/2"))))
        );
        assert_eq!(run(&github[..6]), Some((some("alice"), some(url))));
        assert_eq!(run(&github[..2]), Some((None, None)));
        let gitlab = [
            ("GITLAB_CI", "true"),
            ("GITLAB_USER_LOGIN", "bob\n"),
            ("CI_JOB_URL", "u"),
        ];
        assert_eq!(run(&gitlab), Some((some("bob"), some("u"))));
        assert_eq!(
            run(&[("CI", "1"), ("BUILD_URL", "b")]),
            Some((None, some("b")))
        );
        assert_eq!(run(&[("CI", "true")]), Some((None, None)));
        assert_eq!(run(&[("CI", "false")]), None);
        assert_eq!(run(&[]), None);
    }

    #[test]
    fn the_commit_is_the_one_that_the_provider_names() {
        let id = "0123456789abcdef0123456789abcdef01234567";
        let commit = |mark: &str, name: &str, value: &str| {
            let pairs = [(mark, "true"), (name, value)];
            let env = pairs.iter().map(|(k, v)| (k.into(), v.into())).collect();
            detect(&env).unwrap_or_default().commit
        };
        for (mark, name) in [
            ("GITHUB_ACTIONS", "GITHUB_SHA"),
            ("GITLAB_CI", "CI_COMMIT_SHA"),
            ("TF_BUILD", "BUILD_SOURCEVERSION"),
            ("JENKINS_URL", "GIT_COMMIT"),
            ("TEAMCITY_VERSION", "BUILD_VCS_NUMBER"),
            ("CODEBUILD_BUILD_ID", "CODEBUILD_RESOLVED_SOURCE_VERSION"),
            ("CI", "BUILDKITE_COMMIT"),
            ("CI", "CIRCLE_SHA1"),
            ("CI", "DRONE_COMMIT_SHA"),
            ("CI", "TRAVIS_COMMIT"),
            ("CI", "BITBUCKET_COMMIT"),
            ("CI", "CI_COMMIT_SHA"),
        ] {
            assert_eq!(commit(mark, name, id).as_deref(), Some(id), "{name}");
        }
        // Not a commit, or a variable that somebody's shell happens to have.
        assert_eq!(commit("CI", "BUILDKITE_COMMIT", "HEAD"), None);
        assert_eq!(commit("HOME", "GIT_COMMIT", id), None);
    }
}
