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
}

/// The CI run that has the environment `env`: GitHub Actions, GitLab CI, or whatever sets `CI`.
#[must_use]
pub fn detect(env: &BTreeMap<OsString, OsString>) -> Option<CiRun> {
    let var = |name: &str| {
        let value = env.get(OsStr::new(name))?.to_str()?;
        let value: String = value.trim().chars().filter(|c| !c.is_control()).collect();
        (!value.is_empty()).then_some(value)
    };
    let first = |names: &[&str]| names.iter().find_map(|name| var(name));
    let is_set = |name: &str| var(name).is_some_and(|value| value != "false" && value != "0");
    if is_set("GITHUB_ACTIONS") {
        let run = || {
            let server = var("GITHUB_SERVER_URL")?;
            let (repository, id) = (var("GITHUB_REPOSITORY")?, var("GITHUB_RUN_ID")?);
            let attempt = var("GITHUB_RUN_ATTEMPT").filter(|attempt| attempt != "1");
            let attempt = attempt.map_or(String::new(), |n| format!("/attempts/{n}"));
            Some(format!("{server}/{repository}/actions/runs/{id}{attempt}"))
        };
        return Some(CiRun {
            who: first(&["GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR"]),
            url: run(),
        });
    }
    if is_set("GITLAB_CI") {
        return Some(CiRun {
            who: first(&["GITLAB_USER_LOGIN", "GITLAB_USER_NAME"]),
            url: first(&["CI_JOB_URL", "CI_PIPELINE_URL"]),
        });
    }
    let jenkins = var("JENKINS_URL").is_some();
    if is_set("CI") || is_set("TF_BUILD") || jenkins {
        return Some(CiRun {
            who: first(&[
                "BUILDKITE_BUILD_CREATOR",
                "CIRCLE_USERNAME",
                "CI_COMMIT_AUTHOR",
                "BUILD_USER_ID",
            ]),
            url: first(&[
                "BUILDKITE_BUILD_URL",
                "CIRCLE_BUILD_URL",
                "CI_PIPELINE_URL",
                "DRONE_BUILD_LINK",
                "TRAVIS_BUILD_WEB_URL",
                "BUILD_URL",
            ]),
        });
    }
    None
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
}
