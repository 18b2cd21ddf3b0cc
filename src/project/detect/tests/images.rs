//! The runtimes that a Dockerfile names, beside the project's own files.

use super::seen;

#[test]
fn a_dockerfile_counts_after_the_projects_own_files() {
    let python = ("main.py", "print(1)\n");
    let node = ("server.js", "require('http').createServer().listen(3000)\n");
    let engines = |range: &str| format!("{{\"engines\": {{\"node\": \"{range}\"}}}}");
    for (files, runtime, version, file) in [
        (
            vec![python, ("Dockerfile", "FROM python:3.11-slim\n")],
            "python",
            Some("3.11"),
            Some("Dockerfile"),
        ),
        (
            vec![
                python,
                (".python-version", "3.12\n"),
                ("Dockerfile", "FROM python:3.11-slim\n"),
            ],
            "python",
            Some("3.12"),
            Some(".python-version"),
        ),
        (
            vec![
                node,
                ("package.json", &engines(">=18")),
                ("docker/Dockerfile", "FROM node:20-alpine\n"),
            ],
            "node",
            Some("20"),
            Some("docker/Dockerfile"),
        ),
        (
            vec![
                node,
                ("package.json", &engines(">=22")),
                ("Dockerfile", "FROM node:20-alpine\n"),
            ],
            "node",
            None,
            Some("package.json"),
        ),
        (
            vec![
                node,
                ("package.json", "{}"),
                ("Dockerfile", "FROM node:lts\n"),
            ],
            "node",
            None,
            None,
        ),
    ] {
        let detected = seen(&files);
        let found = detected.runtimes.iter().find(|it| it.name == runtime);
        let found = found.unwrap_or_else(|| panic!("{files:?}"));
        let is = (found.version.as_deref(), found.file.as_deref());
        assert_eq!(is, (version, file), "{files:?}");
    }
}
