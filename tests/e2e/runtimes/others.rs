//! Other runtimes than Node each run a service, on a host that has none of them.

use crate::shop::{Shop, answer};
use crate::support::runtimes::{BUN_1, DENO_2, GO_1, PYTHON_312, Real};
use crate::support::{Host, Mirror, require_hosts};

/// An app of one file, and what it answers.
struct App<'a> {
    real: &'a Real,
    file: &'a str,
    text: &'a str,
    build: &'a str,
    command: &'a str,
    says: &'a str,
}

impl App<'_> {
    #[track_caller]
    fn serves(&self) {
        let Some(()) = require_hosts() else { return };
        let Some(mirror) = Mirror::of(std::slice::from_ref(self.real)) else {
            return;
        };
        let host = Host::boot("web1");
        let mut shop = Shop::on([&host]);
        let name = self.real.name;
        let variable = format!("SHIP_{}_MIRROR", name.to_uppercase());
        shop.set_env(&variable, &mirror.address(name));
        shop.write(self.file, self.text);
        let request = self.real.version;
        let (build, command) = (self.build, self.command);
        shop.tables = format!(
            "[runtimes]\n{name} = \"{request}\"\n\n[build]\nsteps = [{build}]\n\n\
             [services.web]\ncommand = '''{command}'''\nport = 3000\n\
             health = {{ path = \"/\", timeout = \"30s\" }}\nsettle = \"1s\"\n"
        );
        shop.write_manifest();
        shop.ship(&["pin"]).ok();
        shop.deploy().ok();
        assert_eq!(answer(&host, "/"), self.says);
        let pinned = format!("{name} {request}");
        shop.ship(&["status"]).ok().stdout_has(&pinned);
    }
}

#[test]
fn python() {
    App {
        real: &PYTHON_312,
        file: "app/web.py",
        text: r#"
import os, platform, ssl, sqlite3
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Web(BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"python {platform.python_version()}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

ThreadingHTTPServer(("", int(os.environ["PORT"])), Web).serve_forever()
"#,
        build: "\"python3 -m py_compile app/web.py\"",
        command: "python3 app/web.py",
        says: "python 3.12.1",
    }
    .serves();
}

#[test]
fn go() {
    App {
        real: &GO_1,
        file: "app/main.go",
        text: r#"
package main

import ("fmt"; "net/http"; "os"; "runtime")

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, runtime.Version())
	})
	http.ListenAndServe(":"+os.Getenv("PORT"), nil)
}
"#,
        build: "\"cd app && go build -o web main.go\"",
        command: "app/web",
        says: "go1.23.9",
    }
    .serves();
}

#[test]
fn bun() {
    App {
        real: &BUN_1,
        file: "app/web.ts",
        text: "Bun.serve({ port: process.env.PORT, fetch: () => new Response(`bun ${Bun.version}\\n`) });\n",
        build: "",
        command: "bun app/web.ts",
        says: "bun 1.1.38",
    }
    .serves();
}

#[test]
fn deno() {
    App {
        real: &DENO_2,
        file: "app/web.ts",
        text: "Deno.serve({ port: Number(Deno.env.get(\"PORT\")) }, () => new Response(`deno ${Deno.version.deno}\\n`));\n",
        build: "",
        command: "deno run --allow-net --allow-env app/web.ts",
        says: "deno 2.4.4",
    }
    .serves();
}
