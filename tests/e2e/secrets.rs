//! Secrets of odd shapes on a real host, where systemd's journal cuts long lines.

use crate::support::secrets::{Judge, tables};
use crate::support::{Controller, Host, require_hosts};

#[test]
fn no_secret_is_seen_in_output_files_or_arguments_at_either_end() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let mut controller = Controller::knowing([&host]);
    let judge = Judge::of(&mut controller);
    controller.write(
        "ship.toml",
        format!(
            "[app]\nname = \"shop\"\n\n[services.web]\ncommand = \"python3 app.py\"\nport = 3000\n\
             health = {{ path = \"/\", timeout = \"40s\" }}\nsettle = \"0s\"\n\n{}\
             hosts = [\"deploy@{}\"]\n",
            tables("production"),
            host.name()
        ),
    );
    let setup = controller.ship(&["setup", "production", "--as", "root"]);
    judge.run("setup", setup, 0);
    // The host's processes are this machine's, too: their arguments are looked at.
    judge.story(&controller, "production", "40s");
    for name in ["operations/*.jsonl", "history.jsonl"] {
        let text = host.sh(&format!("cat /srv/shop/.ship/{name}"));
        assert!(!text.is_empty(), "{name}");
        judge.look(name, &text);
    }
    for user in ["nobody", "www-data"] {
        let read = host.exec(&format!(
            "setpriv --reuid={user} --regid=$(id -g {user}) --clear-groups sh -c \
             'find / -xdev \\( -path /proc -o -path /sys -o -path /usr \\) -prune -o -type f -readable -print0 \
             | xargs -0 grep -las -e shop -e SHOP_ -e hunter2 | while read -r it; do echo \"== $it\"; cat \"$it\"; done'"
        ));
        let text = String::from_utf8_lossy(&read.stdout);
        assert!(
            text.contains("== /etc/systemd/system/shop-web.service"),
            "{user}: {text:.3000}"
        );
        judge.look(&format!("what {user} can read"), &text);
    }
    judge.files(&controller.project().join(".ship"));
    judge.files(&controller.home());
    judge.found_nothing();
}
