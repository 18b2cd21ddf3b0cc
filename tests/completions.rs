//! The completions in real shells: bash, zsh and fish, where they are installed.

#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

const MANIFEST: &str = "[app]\nname = \"shop\"\n[services.web]\n[services.worker]\n\
    [environments.production]\nhosts = [\"deploy@web1:2222\", \"deploy@web2\"]\n\
    [environments.staging]\nhosts = [\"s1\"]\n";

/// What `script` prints in a folder with that manifest; `None` where the shell is missing.
fn ran(shell: &str, script: &str) -> Option<String> {
    if Command::new(shell).arg("--version").output().is_err() {
        support::skip(&format!("{shell} is not installed"));
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("ship.toml"), MANIFEST).unwrap();
    let bin = Path::new(env!("CARGO_BIN_EXE_ship")).parent().unwrap();
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", bin.display());
    let output = Command::new(shell)
        .args(["-c", script])
        .current_dir(dir.path())
        .env_clear()
        .env("PATH", path)
        .env("HOME", dir.path())
        .env("TERM", "dumb")
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(error, "", "{shell}");
    Some(String::from_utf8(output.stdout).unwrap())
}

fn script(name: &str) -> String {
    format!("{}/completions/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// bash breaks words at `=`, `:` and `@` before it asks.
#[test]
fn bash_offers_names_and_whole_addresses() {
    let text = format!(
        "source {}\n\
         try() {{ COMP_LINE=$1; COMP_POINT=${{#1}}; shift; COMP_WORDS=(\"$@\"); \
         COMP_CWORD=$((${{#COMP_WORDS[@]}}-1)); _ship; echo \"${{COMPREPLY[*]}}\"; }}\n\
         try 'ship deploy ' ship deploy ''\n\
         try 'ship logs production w' ship logs production w\n\
         try 'ship exec production --host deploy@w' ship exec production --host deploy @ w\n\
         try 'ship exec production --host deploy@web1:' ship exec production --host deploy @ web1 :\n\
         try 'ship exec production --host=deploy@web2' ship exec production --host = deploy @ web2\n",
        script("ship.bash")
    );
    if let Some(said) = ran("bash", &text) {
        assert_eq!(
            said,
            "production staging local\nweb worker\nweb1:2222 web2\n2222\nweb2\n"
        );
    }
}

#[test]
fn fish_offers_names_with_what_they_are() {
    let text = format!(
        "source {}\ncomplete -C 'ship deploy '\ncomplete -C 'ship logs production '\n\
         complete -C 'ship exec production --host deploy@web2'\n",
        script("ship.fish")
    );
    if let Some(said) = ran("fish", &text) {
        let mut lines: Vec<&str> = said.lines().collect();
        lines.sort_unstable();
        assert_eq!(
            lines,
            [
                "deploy@web2\tproduction",
                "local\tenvironment",
                "production\tenvironment",
                "staging\tenvironment",
                "web\tservice",
                "worker\tservice"
            ]
        );
    }
}

/// zsh's own completion runs in a terminal only: what it would be given is looked at.
#[test]
fn zsh_offers_names() {
    let text = format!(
        "compdef() {{ :; }}\nsource {}\n\
         compadd() {{ print -r -- ${{(P)@[-1]}}; }}\n\
         words=(ship deploy ''); CURRENT=3; _ship\n\
         words=(ship logs production ''); CURRENT=4; _ship\n\
         words=(ship exec production --host 'deploy@web1:'); CURRENT=5; _ship\n",
        script("_ship")
    );
    if let Some(said) = ran("zsh", &text) {
        assert_eq!(
            said,
            "production staging local\nweb worker\ndeploy@web1:2222\n"
        );
    }
}
