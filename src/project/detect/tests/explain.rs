//! Each line of a manifest has its reasons.

use super::{answers, seen};
use crate::project::detect::{About, Reason, explain, render};

/// The manifest with its reasons, and no value without one.
fn explained(files: &[(&str, &str)]) -> String {
    let mut answers = answers(seen(files));
    let named = Reason::new(About::Hosts, "--host", "names them");
    answers.detected.reasons.push(named);
    let explained = explain(&render(&answers), &answers.detected);
    let mut out = String::new();
    for block in explained {
        let is_value = block.lines[0].contains(" = ") && !block.lines[0].starts_with("# A");
        let lines = block.lines.join("\n");
        assert!(!is_value || !block.because.is_empty(), "no reason: {lines}");
        out.push_str(&format!("{lines}\n"));
        for reason in block.because {
            out.push_str(&format!("    because {reason}\n"));
        }
    }
    out
}

#[test]
fn every_value_names_the_file_that_led_to_it() {
    insta::assert_snapshot!(explained(&[
        (
            "package.json",
            r#"{"name":"shop","engines":{"node":"20"},"dependencies":{"express":"4"},
                "scripts":{"start":"node server.js","build":"tsc","test":"node --test"}}"#,
        ),
        ("package-lock.json", "{}"),
        (
            "server.js",
            "app.get('/healthz', h); app.listen(3000); open('uploads')"
        ),
    ]));
}

#[test]
fn a_procfile_explains_each_service_by_its_own_line() {
    insta::assert_snapshot!(explained(&[(
        "Procfile",
        "web: ./serve --port $PORT\nworker: ./work\nrelease: ./migrate\n",
    )]));
}
