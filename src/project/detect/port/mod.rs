//! The port, if it can be seen: in the command, the sources, the app's configuration file, `.env`,
//! the Dockerfile, or else what the framework takes by itself.

mod file;
mod option;
mod server;

use super::constants;
use super::folder::{Folder, Source};
use super::text::{has_word, head, leading_port, literals, plausible};
use super::variables::EXAMPLES;

/// Calls that start a server, with its address among their arguments.
const STARTS: &[&str] = &[
    ".listen(",
    "run(",
    "serve(",
    "run_app(",
    "make_server(",
    "Server(",
    "SocketAddr::new(",
];

/// A port and where it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Port {
    pub number: u16,
    pub from: String,
    /// Whether it is what the framework takes where `$PORT` says nothing.
    pub is_usual: bool,
}

/// Finds the port of the service that runs `command`; `framework` is a name and its default.
pub(super) fn find(
    folder: &Folder,
    command: &str,
    sources: &[&Source],
    framework: Option<&(String, u16)>,
) -> Option<Port> {
    let seen = |number, from: &str| Port {
        number,
        from: from.to_owned(),
        is_usual: false,
    };
    if let Some(number) = in_command(command) {
        return Some(seen(number, "the command"));
    }
    if binds_there(command) && !folder.is_file("gunicorn.conf.py") {
        return Some(Port {
            is_usual: true,
            ..seen(8000, "the default of Gunicorn")
        });
    }
    // The file that is started knows best; then what is near the root.
    let mut sources = sources.to_vec();
    sources.sort_by_key(|source| !has_word(command, &source.path));
    if let Some((number, path)) = sources
        .iter()
        .find_map(|source| Some((in_source(source)?, &source.path)))
    {
        return Some(seen(number, path));
    }
    if let Some(port) = file::find(folder, command, &sources) {
        return Some(port);
    }
    for file in [".env", ".env.production"].iter().chain(EXAMPLES) {
        if let Some(number) = folder.read(file).as_deref().and_then(in_dotenv) {
            return Some(seen(number, file));
        }
    }
    // Below 1024, which only root may take, it is that of a server in front.
    let is_own = |number: &u16| *number >= 1024 || !command.contains("PORT");
    let exposed = folder.read("Dockerfile").as_deref().and_then(in_dockerfile);
    if let Some(number) = exposed.filter(is_own) {
        return Some(seen(number, "Dockerfile"));
    }
    if let Some((name, number)) = framework {
        return Some(Port {
            is_usual: true,
            ..seen(*number, &format!("the default of {name}"))
        });
    }
    if let Some((name, number)) = sources.iter().find_map(|source| server::usual(source)) {
        return Some(seen(number, &format!("the default of {name}")));
    }
    // It wants a port and does not say which.
    if command.contains("$PORT") || command.contains("${PORT") {
        return Some(seen(8080, "free choice: the command reads $PORT"));
    }
    sources
        .iter()
        .find(|source| reads(source))
        .map(|source| seen(8080, &format!("free choice: {} reads PORT", source.path)))
}

/// Whether the command or a source reads `$PORT`.
pub(super) fn is_read(command: &str, sources: &[&Source]) -> bool {
    command.contains("PORT") || binds_there(command) || sources.iter().any(|source| reads(source))
}

/// Whether a command starts Gunicorn without an address: that binds to `$PORT` by itself (Gunicorn's
/// settings, `bind`).
fn binds_there(command: &str) -> bool {
    let mut words = command.split_whitespace();
    let is_bind = |word: &str| word == "-b" || word.starts_with("--bind");
    has_word(command, "gunicorn") && !words.any(|word| is_bind(word) || word == "-c")
}

/// Whether `source` starts a server.
pub(super) fn serves(source: &Source) -> bool {
    server::usual(source).is_some() || in_source(source).is_some()
}

fn reads(source: &Source) -> bool {
    source.lines().any(|line| has_word(line, "PORT"))
}

/// Hosts that all machines reach, and those that only this one does; and the same as numbers.
const ALL: (&[&str], &[&str]) = (
    &["", "0.0.0.0", "[::]", "::"],
    &["[0, 0, 0, 0]", "Addr::UNSPECIFIED"],
);
const LOCAL: (&[&str], &[&str]) = (
    &["127.0.0.1", "localhost", "[::1]", "::1"],
    &["[127, 0, 0, 1]", "[127,0,0,1]", "Addr::LOCALHOST"],
);

/// The source with an address that only this machine reaches, if no source listens for all.
pub(super) fn only_local<'a>(sources: &[&'a Source]) -> Option<&'a str> {
    let listens = |source: &Source, (hosts, numbers): (&[&str], &[&str])| {
        let known = constants::written_out(source);
        let source = known.as_ref().unwrap_or(source);
        source.lines().any(|line| {
            let is_host = |text: &str| match text.rsplit_once(':') {
                Some((host, port)) if leading_port(port).is_some() => hosts.contains(&host),
                _ => !text.is_empty() && hosts.contains(&text),
            };
            let starts = STARTS.iter().any(|word| line.contains(word));
            (starts || in_line(line).is_some())
                && (literals(line).into_iter().any(is_host)
                    || numbers.iter().any(|number| line.contains(number)))
        })
    };
    if sources.iter().any(|source| listens(source, ALL)) {
        return None;
    }
    let found = sources.iter().find(|source| listens(source, LOCAL))?;
    Some(found.path.as_str())
}

/// `--port 5000`, `--port=5000`, `-p 5000`, `--bind 0.0.0.0:8000`, `runserver 8000`.
fn in_command(command: &str) -> Option<u16> {
    let words: Vec<&str> = command.split_whitespace().collect();
    words.iter().enumerate().find_map(|(at, word)| {
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (*word, words.get(at + 1).copied()),
        };
        let flags = ["--port", "-p", "--bind", "-b", "--listen", "-l", "-S"];
        let value = if flags.contains(&flag) || flag.ends_with("port") && flag.starts_with('-') {
            value?
        } else if flag == "http.server" {
            let given = words[at + 1..].iter().find(|word| !word.starts_with('-'));
            return given.map_or(Some(8000), |word| leading_port(word));
        } else if flag == "runserver" {
            words[at + 1..].iter().find(|word| !word.starts_with('-'))?
        } else {
            return None;
        };
        leading_port(value.rsplit(':').next()?)
    })
}

/// Reads one source, with the values of its constants first.
fn in_source(source: &Source) -> Option<u16> {
    let known = constants::written_out(source);
    known.as_ref().and_then(in_text).or_else(|| in_text(source))
}

/// What stands beside `PORT`, an address, a `listen(…)`, a `port = …`.
fn in_text(source: &Source) -> Option<u16> {
    let lines: Vec<&str> = source.lines().collect();
    let text = lines.join("\n");
    let beside_variable = || {
        text.match_indices("PORT").find_map(|(at, word)| {
            let quoted = text[..at].ends_with(['"', '\'', '.', '{']);
            let after = &text[at + word.len()..];
            if !quoted || after.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
                return None;
            }
            first_number(head(after, 160))
        })
    };
    beside_variable()
        .or_else(|| option::default(&text))
        .or_else(|| server::given(source))
        .or_else(|| lines.iter().find_map(|line| in_line(line)))
        .or_else(|| constant(&text))
}

/// The first plausible number of `text`, before the sentence is over.
fn first_number(text: &str) -> Option<u16> {
    text.char_indices().find_map(|(at, c)| {
        let alone = !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.');
        (c.is_ascii_digit() && alone)
            .then(|| leading_port(&text[at..]))
            .flatten()
    })
}

/// `.listen(4000`, `"0.0.0.0:8080"`, `("", 8000)`, `([127, 0, 0, 1], 3000)`.
fn in_line(line: &str) -> Option<u16> {
    let listen = || {
        let (_, after) = line.split_once("listen(")?;
        leading_port(after)
    };
    let address = || {
        literals(line).into_iter().find_map(|text| {
            let (host, port) = text.rsplit_once(':')?;
            let any = ["", "0.0.0.0", "127.0.0.1", "localhost", "[::]", "[::1]"];
            let number = any.contains(&host).then(|| leading_port(port)).flatten()?;
            // A client of something on this machine has a scheme or a method beside it.
            (!line.contains("connect") && !line.contains("dial")).then_some(number)
        })
    };
    let tuple = || {
        [
            "''",
            "\"\"",
            "0.0.0.0'",
            "0.0.0.0\"",
            "127.0.0.1'",
            "127.0.0.1\"",
            "0]",
            "1]",
        ]
        .iter()
        .find_map(|end| {
            let (_, after) = line.split_once(&format!("{end},"))?;
            leading_port(after)
        })
        .filter(|_| line.contains('('))
    };
    listen().or_else(address).or_else(tuple)
}

/// `port = 4000`, `PORT: u16 = 4000`, `port=5000`, `port: 3000`, `server.port=8081`.
fn constant(text: &str) -> Option<u16> {
    let lower = text.to_ascii_lowercase();
    lower.match_indices("port").find_map(|(at, word)| {
        let before = lower[..at]
            .rsplit(|c: char| !(c.is_alphanumeric() || c == '_'))
            .next()?;
        let own = [
            "", "http", "http_", "server", "server_", "app_", "listen", "listen_", "default_",
            "socket_",
        ];
        if !own.contains(&before) {
            return None;
        }
        let after = lower[at + word.len()..].trim_start();
        // `'server.socket_port': 8080` of CherryPy
        let quoted = after
            .strip_prefix(['\'', '"'])
            .filter(|_| before == "socket_");
        let mut after = quoted.unwrap_or(after);
        for kind in [": u16", ":u16", ": number", ": int", " int", " uint16"] {
            after = after
                .strip_prefix(kind.trim_start())
                .unwrap_or(after)
                .trim_start();
        }
        let value = after
            .strip_prefix(":=")
            .or_else(|| {
                after
                    .strip_prefix('=')
                    .filter(|rest| !rest.starts_with('='))
            })
            .or_else(|| after.strip_prefix(':'))?;
        let value = value.trim_start();
        // Spring: server.port=${PORT:8081}
        let value = value.strip_prefix("${port:").unwrap_or(value);
        leading_port(value).or_else(|| wrapped(value))
    })
}

/// `typer.Option(8080, …)`, `Field(default=8080)`, `Annotated[int, …] = 8080`.
fn wrapped(value: &str) -> Option<u16> {
    if let Some(rest) = value.strip_prefix("annotated[") {
        return leading_port(head(rest, 200).lines().next()?.rsplit_once("] = ")?.1);
    }
    let (callee, rest) = value.split_once('(')?;
    let last = callee.rsplit('.').next().unwrap_or(callee);
    let known = ["argument", "field", "int", "number", "option", "parseint"];
    let rest = rest.trim_start();
    leading_port(rest.strip_prefix("default=").unwrap_or(rest)).filter(|_| known.contains(&last))
}

/// `PORT=3000`, with or without `export` and quotes.
fn in_dotenv(text: &str) -> Option<u16> {
    text.lines().find_map(|line| {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        leading_port(line.strip_prefix("PORT=")?)
    })
}

/// The first `EXPOSE`.
fn in_dockerfile(text: &str) -> Option<u16> {
    text.lines().find_map(|line| {
        let rest = line.trim().strip_prefix("EXPOSE ")?;
        let digits: String = rest
            .trim()
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        plausible(digits.parse().ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(path: &str, text: &str) -> Option<u16> {
        in_source(&Source {
            path: path.to_owned(),
            text: text.to_owned(),
        })
    }

    #[test]
    fn ports_are_seen_in_sources() {
        for (path, text, expected) in [
            ("a.js", "app.listen(process.env.PORT || 3000)", 3000),
            (
                "a.js",
                "const port = parseInt(process.env.PORT ?? '8081', 10);",
                8081,
            ),
            ("a.js", "server.listen(4000, () => {})", 4000),
            ("a.js", "const { PORT = 3001 } = process.env", 3001),
            ("a.ts", "const port: number = 4100;\napp.listen(port)", 4100),
            ("a.py", "app.run(debug=True, port=5000)", 5000),
            ("a.py", "ThreadingHTTPServer((\"\", 8000), H)", 8000),
            (
                "a.py",
                "port = int(os.environ.get(\"PORT\", \"8002\"))",
                8002,
            ),
            ("a.py", "uvicorn.run(app, host='0.0.0.0', port=8003)", 8003),
            (
                "a.rs",
                "let port = env::var(\"PORT\")\n    .ok()\n    .and_then(|p| p.parse::<u16>().ok())\n    .unwrap_or(3002);",
                3002,
            ),
            ("a.rs", "TcpListener::bind(\"0.0.0.0:8088\")", 8088),
            ("a.rs", "SocketAddr::from(([127, 0, 0, 1], 3005))", 3005),
            ("a.rs", "const PORT: u16 = 7878;", 7878),
            ("a.go", "http.ListenAndServe(\":8085\", nil)", 8085),
            (
                "a.go",
                "port := os.Getenv(\"PORT\")\nif port == \"\" {\n\tport = \"8086\"\n}",
                8086,
            ),
            ("a.rb", "set :port, ENV.fetch('PORT', 4567)", 4567),
            ("a.py", "port: int = typer.Option(8010, '-p')", 8010),
            ("a.py", "port: int = Field(default=8011)", 8011),
            (
                "a.py",
                "port: Annotated[int, typer.Option(help='x')] = 8012",
                8012,
            ),
            ("a.py", "{'server.socket_port': 8013}", 8013),
            (
                "a.ts",
                "import { serve } from 'bun';\nserve({ port: 3010 })",
                3010,
            ),
            ("a.properties", "server.port=${PORT:8087}", 8087),
            ("a.js", "const P = 3011\napp.listen(P)", 3011),
            (
                "a.js",
                "const P = 3012\napp.listen(process.env.PORT || P)",
                3012,
            ),
            (
                "a.rs",
                "let number = 8014_u16;\nbind(format!(\"0.0.0.0:{}\", number))",
                8014,
            ),
            (
                "a.go",
                "addr := \":8015\"\nhttp.ListenAndServe(addr, nil)",
                8015,
            ),
            (
                "A.java",
                "private static final int NUMBER = 8016;\nnew InetSocketAddress(NUMBER)",
                8016,
            ),
            ("a.py", "WEB = 8017\nHTTPServer((\"\", WEB), H)", 8017),
            (
                "a.py",
                "HOST = '0.0.0.0'\nWEB = 8018\nHTTPServer((HOST, WEB), H)",
                8018,
            ),
            (
                "a.py",
                "WEB = 8019\np.add_argument('--port', default=WEB)",
                8019,
            ),
        ] {
            assert_eq!(port(path, text), Some(expected), "{text}");
        }
    }

    #[test]
    fn an_address_for_this_machine_alone_is_known() {
        for (path, text, expected) in [
            ("a.py", "run(host='localhost', port=8080)", true),
            ("a.py", "HTTPServer(('127.0.0.1', 8000), H)", true),
            ("a.js", "const h = '127.0.0.1'\nx.listen(3000, h)", true),
            ("a.go", "http.ListenAndServe(\"localhost:8080\", nil)", true),
            ("a.rs", "bind(([127, 0, 0, 1], 3000))", true),
            (
                "a.js",
                "x.listen(3000, () => log('http://localhost:3000'))",
                false,
            ),
            (
                "a.js",
                "x.listen(3000, '0.0.0.0')\ny.listen(81, 'localhost')",
                false,
            ),
            ("a.go", "http.ListenAndServe(\":8080\", nil)", false),
            ("a.py", "connect(host='localhost')", false),
        ] {
            let source = Source {
                path: path.to_owned(),
                text: text.to_owned(),
            };
            assert_eq!(only_local(&[&source]).is_some(), expected, "{text}");
        }
    }

    #[test]
    fn other_numbers_are_no_port() {
        for text in [
            "// app.listen(3000)",
            "const db = connect({ port: 5432 })",
            "const redisPort = 7000",
            "import { x } from './transport' // 3000",
            "fetch('http://localhost:5173/')",
            "const timeout = 3000",
            "if (port === 3000) {}",
        ] {
            assert_eq!(port("a.js", text), None, "{text}");
        }
    }

    #[test]
    fn ports_are_seen_in_commands() {
        for (command, expected) in [
            ("next start -p 4000", Some(4000)),
            ("gunicorn app:app --bind 0.0.0.0:8001", Some(8001)),
            ("gunicorn -b :8002 app:app", Some(8002)),
            ("uvicorn main:app --port=8003", Some(8003)),
            ("java -jar x.jar --server.port=8004", Some(8004)),
            (
                "python3 manage.py runserver --noreload 0.0.0.0:8005",
                Some(8005),
            ),
            ("python3 -m http.server", Some(8000)),
            ("python3 -m http.server 8006 -d x", Some(8006)),
            ("gunicorn app:app --bind 0.0.0.0:$PORT", None),
            ("node server.js", None),
        ] {
            assert_eq!(in_command(command), expected, "{command}");
        }
    }

    #[test]
    fn ports_are_seen_in_files() {
        assert_eq!(in_dotenv("A=1\nexport PORT=\"3100\"\n"), Some(3100));
        assert_eq!(in_dockerfile("FROM x\nEXPOSE 8080/tcp 9\n"), Some(8080));
    }
}
