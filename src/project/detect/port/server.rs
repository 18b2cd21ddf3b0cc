//! The ports that servers take when their code names none, and the calls that take a number.

use super::super::folder::Source;
use super::super::text::{head, leading_port, literals};

/// A server that a source starts.
struct Server {
    /// What its source holds, as an import.
    imports: &'static str,
    /// The call that listens.
    starts: &'static str,
    name: &'static str,
    port: u16,
}

const fn server(
    imports: &'static str,
    starts: &'static str,
    name: &'static str,
    port: u16,
) -> Server {
    Server {
        imports,
        starts,
        name,
        port,
    }
}

const PYTHON: &[&str] = &["py"];
const SCRIPT: &[&str] = &["js", "mjs", "cjs", "ts", "mts", "cts", "tsx", "jsx"];
const JVM: &[&str] = &["java", "kt", "scala"];

/// By the ends of the sources' names.
#[rustfmt::skip]
const SERVERS: &[(&[&str], &[Server])] = &[
    (PYTHON, &[
        server("aiohttp", "run_app(", "aiohttp", 8080),
        server("cherrypy", "cherrypy.quickstart(", "CherryPy", 8080),
        server("cherrypy", "cherrypy.engine.start(", "CherryPy", 8080),
        server("nicegui", "ui.run(", "NiceGUI", 8080),
        server("import dash", ".run", "Dash", 8050),
        server("from dash", ".run", "Dash", 8050),
        server("gradio", ".launch(", "Gradio", 7860),
        server("from robyn", ".start(", "Robyn", 8080),
        server("from sanic", ".run(", "Sanic", 8000),
        server("from waitress", "serve(", "waitress", 8080),
        server("import waitress", "waitress.serve(", "waitress", 8080),
        server("import uvicorn", "uvicorn.run(", "uvicorn", 8000),
        server("from bottle", "run(", "Bottle", 8080),
        server("import bottle", "run(", "Bottle", 8080),
        server("flask_socketio", ".run(", "Flask-SocketIO", 5000),
    ]),
    (SCRIPT, &[
        server("", "Bun.serve(", "Bun", 3000),
        server("from \"bun\"", "serve(", "Bun", 3000),
        server("from 'bun'", "serve(", "Bun", 3000),
        server("", "Deno.serve(", "Deno", 8000),
        server("@hono/node-server", "serve(", "Hono", 3000),
    ]),
    (JVM, &[
        server("io.javalin", ".start(", "Javalin", 8080),
        server("spark.Spark", "get(", "Spark", 4567),
        server("io.ktor", "embeddedServer(", "Ktor", 80),
        server("org.http4k", "asServer(SunHttp", "http4k", 8000),
    ]),
];

/// What a number follows that is the port: the ends of sources' names, what the source holds, and
/// the call.
const CALLS: &[(&[&str], &str, &str)] = &[
    (JVM, "", "InetSocketAddress("),
    (JVM, "", "ServerSocket("),
    (JVM, "undertow", "addHttpListener("),
    (JVM, "org.eclipse.jetty", "new Server("),
    (JVM, "io.javalin", ".start("),
    (JVM, "io.ktor", "embeddedServer(Netty, "),
    (JVM, "spark.Spark", "port("),
    (JVM, "io.vertx", "setPort("),
    (JVM, "com.linecorp.armeria", ".http("),
    (JVM, "org.http4k", "asServer(SunHttp("),
    (JVM, "org.http4k", "asServer(Jetty("),
    (JVM, "org.http4k", "asServer(Netty("),
    (&["cs", "fs"], "", "ListenAnyIP("),
    (&["cs", "fs"], "", "ListenLocalhost("),
    (&["dart"], "", "anyIPv4, "),
    (&["dart"], "", "anyIPv6, "),
    (&["dart"], "", "loopbackIPv4, "),
    (&["nim"], "", "Port("),
    (&["rb", "ru"], "", "set :port, "),
];

/// Calls of .NET that take the address: `http://*:5000`.
const URLS: &[&str] = &["UseUrls(", "Urls.Add(", "app.Run("];

/// The port that a call in `source` is given.
pub(super) fn given(source: &Source) -> Option<u16> {
    let calls = CALLS
        .iter()
        .filter(|(types, import, _)| source.is(types) && source.text.contains(import));
    let calls: Vec<&str> = calls.map(|(_, _, call)| *call).collect();
    if let Some(number) = socket(source) {
        return Some(number);
    }
    source.lines().find_map(|line| {
        let number = |call: &&str| leading_port(line.split_once(*call)?.1);
        calls.iter().find_map(number).or_else(|| {
            let takes = source.is(&["cs", "fs"]) && URLS.iter().any(|call| line.contains(call));
            let text = literals(line).into_iter().find(|_| takes)?;
            leading_port(text.strip_prefix("http://")?.rsplit_once(':')?.1)
        })
    })
}

/// The last argument of an address of Rust: `SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 8088)`.
fn socket(source: &Source) -> Option<u16> {
    if !source.is(&["rs"]) {
        return None;
    }
    let text = source.lines().collect::<Vec<_>>().join("\n");
    let calls = [
        "SocketAddr::new(",
        "SocketAddr::from(",
        "SocketAddrV4::new(",
        "SocketAddrV6::new(",
    ];
    let mut places = calls.iter().flat_map(|call| text.match_indices(call));
    places.find_map(|(at, call)| {
        let rest = head(&text[at + call.len()..], 120);
        let statement = rest.split(';').next().unwrap_or(rest);
        statement.match_indices(',').find_map(|(at, _)| {
            let argument = statement[at + 1..].trim_start();
            let behind = argument.trim_start_matches(|c: char| c.is_ascii_digit());
            let behind = behind.strip_prefix(',').unwrap_or(behind);
            let is_last = behind.trim_start().starts_with(')');
            leading_port(argument).filter(|_| is_last)
        })
    })
}

/// The name and the port of a server that `source` starts without saying where.
pub(super) fn usual(source: &Source) -> Option<(&'static str, u16)> {
    let of_type = SERVERS.iter().filter(|(types, _)| source.is(types));
    let mut servers = of_type.flat_map(|(_, servers)| *servers);
    let found = servers.find(|server| {
        source.text.contains(server.imports)
            && source.lines().any(|line| has_call(line, server.starts))
    })?;
    Some((found.name, found.port))
}

/// Whether a line has `call` as a name of its own: `serve(` is no end of `observe(`.
fn has_call(line: &str, call: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(call)
        .any(|(at, _)| call.starts_with('.') || !line[..at].ends_with(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn servers_have_ports_of_their_own() {
        for (path, text, expected) in [
            (
                "a.py",
                "from aiohttp import web\nweb.run_app(app)",
                Some(8080),
            ),
            (
                "a.py",
                "import cherrypy\ncherrypy.quickstart(App())",
                Some(8080),
            ),
            (
                "a.py",
                "from bottle import route, run\nrun(host='0.0.0.0')",
                Some(8080),
            ),
            ("a.py", "from sanic import Sanic\napp.run()", Some(8000)),
            ("a.py", "import subprocess\nsubprocess.run()", None),
            (
                "a.ts",
                "import { serve } from \"bun\";\nserve({ fetch })",
                Some(3000),
            ),
            ("a.ts", "Bun.serve({ fetch })", Some(3000)),
            ("a.ts", "observe(x)", None),
            (
                "A.java",
                "import io.javalin.Javalin;\nJavalin.create().start();",
                Some(8080),
            ),
            (
                "A.java",
                "import static spark.Spark.*;\nget(\"/\", x);",
                Some(4567),
            ),
        ] {
            let found = usual(&source(path, text)).map(|(_, port)| port);
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn calls_are_given_ports() {
        for (path, text, expected) in [
            (
                "A.java",
                "HttpServer.create(new InetSocketAddress(8001), 0)",
                Some(8001),
            ),
            (
                "A.java",
                "import io.javalin.Javalin;\nJavalin.create().start(7070);",
                Some(7070),
            ),
            (
                "A.java",
                "import static spark.Spark.*;\n  port(4600);",
                Some(4600),
            ),
            ("A.java", "report(4600);", None),
            ("a.cs", "app.Run(\"http://0.0.0.0:5050\");", Some(5050)),
            (
                "a.cs",
                "builder.WebHost.UseUrls(\"http://*:5001\");",
                Some(5001),
            ),
            ("a.cs", "options.ListenAnyIP(5002);", Some(5002)),
            (
                "a.dart",
                "serve(handler, InternetAddress.anyIPv4, 8003)",
                Some(8003),
            ),
            ("a.rb", "set :port, 4568", Some(4568)),
            (
                "a.rs",
                "let addr = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 8088);",
                Some(8088),
            ),
            (
                "a.rs",
                "SocketAddr::new(\n    IpAddr::V4(Ipv4Addr::new(192, 168, 1, 1)),\n    8089,\n)",
                Some(8089),
            ),
            ("a.rs", "SocketAddr::from(([0, 0, 0, 0], 8090))", Some(8090)),
            ("a.rs", "SocketAddr::new(host, port); f(1, 8091)", None),
        ] {
            assert_eq!(given(&source(path, text)), expected, "{text}");
        }
    }
}
