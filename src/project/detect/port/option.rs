//! The ports that are defaults of options: `add_argument("--port", default=8080)`,
//! `flag.Int("port", 8080, …)`, `#[arg(default_value_t = 8080)] port: u16`.

use super::super::text::{head, leading_port, literals, spans};

/// Options that hold a port, and those that hold an address with one.
const PORTS: &[&str] = &[
    "http-port",
    "http.port",
    "http_port",
    "httpPort",
    "listen-port",
    "listen_port",
    "port",
    "server-port",
    "server.port",
    "server_port",
    "web-port",
];
const ADDRESSES: &[&str] = &[
    "addr",
    "address",
    "bind",
    "bind-addr",
    "bind-address",
    "bind_addr",
    "http",
    "http-addr",
    "http.addr",
    "http_addr",
    "listen",
    "listen-addr",
    "listen-address",
    "listen_addr",
    "listen_address",
    "server-addr",
    "web.listen-address",
];

/// How far behind the name of an option its default stands.
const NEAR: usize = 300;

/// What an option holds.
#[derive(Clone, Copy)]
enum Holds {
    Port,
    Address,
}

/// The default of the first such option that `code` declares.
pub(super) fn default(code: &str) -> Option<u16> {
    declared(code)
        .or_else(|| attribute(code))
        .or_else(|| documented(code))
}

/// Of an option whose name is a text: in a call, what is called a default there, else the argument
/// that is a port.
fn declared(code: &str) -> Option<u16> {
    let mut begin = 0;
    for line in code.split_inclusive('\n') {
        for (at, text) in spans(line) {
            let end = begin + at + text.len() + 1;
            let Some(holds) = option(text) else { continue };
            let Some(rest) = code.get(end..).map(|rest| call(head(rest, NEAR))) else {
                continue;
            };
            let port = named_default(rest, holds).or_else(|| argument(rest, holds));
            if port.is_some() {
                return port;
            }
        }
        begin += line.len();
    }
    None
}

/// `port`, `--port`, `-p, --port <number>`.
fn option(text: &str) -> Option<Holds> {
    let is_one = |word: &str| holds(word.trim_start_matches('-'));
    match text.starts_with('-') {
        true => text.split([',', ' ', '|', '=']).find_map(is_one),
        false => is_one(text),
    }
}

fn holds(name: &str) -> Option<Holds> {
    match name {
        name if PORTS.contains(&name) => Some(Holds::Port),
        name if ADDRESSES.contains(&name) => Some(Holds::Address),
        _ => None,
    }
}

/// To the end of the call that is open at the beginning of `text`, and of those that are chained
/// to it.
fn call(text: &str) -> &str {
    let mut depth = 0i32;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ';' if depth <= 0 => return &text[..at],
            _ => {}
        }
        let chained = text[at + c.len_utf8()..].trim_start().starts_with('.');
        if depth < 0 && !chained {
            return &text[..at];
        }
        depth = depth.max(if c == ')' { 0 } else { -1 });
    }
    text
}

/// `default=8080`, `default_value = "8080"`, `.default_value("8080")`, `Value: 8080`.
fn named_default(text: &str, holds: Holds) -> Option<u16> {
    ["default", "Default", "Value:"].iter().find_map(|word| {
        let (_, rest) = text.split_once(word)?;
        let rest = rest.trim_start_matches(|c: char| c.is_alphabetic() || c == '_');
        port(
            rest.trim_start_matches(['=', ':', '(', '>', ' ', '&']),
            holds,
        )
    })
}

/// The argument that is nothing but a port.
fn argument(text: &str, holds: Holds) -> Option<u16> {
    let arguments = text.split(',').skip(1).map(str::trim);
    let mut whole = arguments.filter(|it| {
        let bare = it.trim_matches(['"', '\'', '`']);
        bare.ends_with(|c: char| c.is_ascii_digit()) && !bare.contains([' ', '='])
    });
    whole.find_map(|it| port(it, holds))
}

/// The port of a value.
fn port(value: &str, holds: Holds) -> Option<u16> {
    match holds {
        Holds::Port => leading_port(value),
        Holds::Address => {
            let quoted = value.starts_with(['"', '\'', '`']);
            let text = literals(value.lines().next()?).first().copied()?;
            let (host, number) = text.rsplit_once(':').filter(|_| quoted)?;
            let own = [
                "",
                "0.0.0.0",
                "127.0.0.1",
                "localhost",
                "[::]",
                "[::1]",
                "*",
            ];
            own.contains(&host).then(|| leading_port(number)).flatten()
        }
    }
}

/// Of a field: in the attribute in front of it (clap), or in its tag (Go).
fn attribute(code: &str) -> Option<u16> {
    let lines: Vec<&str> = code.lines().collect();
    lines.iter().enumerate().find_map(|(at, line)| {
        let words = ["default_value", "efault:\""];
        let value = words
            .iter()
            .find_map(|word| Some(line.split_once(word)?.1))?;
        let tagged = line.contains("efault:\"");
        let next = lines[at + 1..].iter().map(|line| line.trim_start());
        let is_field = |line: &&str| !line.starts_with(['#', '/', ')', ']']) && !line.is_empty();
        let field = match tagged {
            true => line.trim_start(),
            false => next.take(8).find(is_field)?,
        };
        let field = field.strip_prefix("pub ").unwrap_or(field);
        let name = field.split([':', ' ', '\t']).next()?.to_ascii_lowercase();
        let value = match tagged {
            true => value,
            false => value.trim_start_matches(|c: char| c == '_' || c.is_alphabetic()),
        };
        let value = value.trim_start_matches(['=', ' ']);
        match (holds(&name)?, tagged) {
            (Holds::Port, _) => leading_port(value),
            (Holds::Address, false) => port(value, Holds::Address),
            (Holds::Address, true) => port(&format!("\"{value}"), Holds::Address),
        }
    })
}

/// Of an option in a text for people: `--port=<n>  The port [default: 8080]`.
fn documented(code: &str) -> Option<u16> {
    let mut lines = code.lines().filter(|line| line.contains("--port"));
    lines.find_map(|line| leading_port(line.split_once("[default: ")?.1.split(']').next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_have_defaults() {
        for (code, expected) in [
            (
                "p.add_argument(\"--port\", type=int, default=8080)",
                Some(8080),
            ),
            (
                "p.add_argument('-p', '--port', help='on which (default: any)',\n  default=8081)",
                None,
            ),
            (
                "p.add_argument('-p', '--port',\n  type=int,\n  default=8082)",
                Some(8082),
            ),
            (
                "@click.option(\"--port\", \"-p\", default=8083, help=\"x\")",
                Some(8083),
            ),
            (
                "flags.DEFINE_integer(\"port\", 8084, \"The port\")",
                Some(8084),
            ),
            (
                "define(\"port\", default=8888, help=\"x\", type=int)",
                Some(8888),
            ),
            ("port := flag.Int(\"port\", 8085, \"the port\")", Some(8085)),
            (
                "flag.IntVar(&port, \"port\", 8086, \"the port\")",
                Some(8086),
            ),
            (
                "flag.StringVar(&port, \"port\", \"8087\", \"the port\")",
                Some(8087),
            ),
            (
                "addr := flag.String(\"addr\", \":8088\", \"x\")",
                Some(8088),
            ),
            ("addr := flag.String(\"redis\", \":6380\", \"x\")", None),
            (
                "flag.String(\"addr\", \"db.example.com:8000\", \"x\")",
                None,
            ),
            ("&cli.IntFlag{Name: \"port\", Value: 8089}", Some(8089)),
            ("cmd.Flags().IntP(\"port\", \"p\", 8090, \"x\")", Some(8090)),
            ("viper.SetDefault(\"port\", 8091)", Some(8091)),
            (
                ".option('-p, --port <number>', 'the port', '3001')",
                Some(3001),
            ),
            (
                ".option('port', { type: 'number', default: 3002 })",
                Some(3002),
            ),
            (
                "Arg::new(\"port\").long(\"x\").default_value(\"8092\")",
                Some(8092),
            ),
            (
                "#[arg(short, long, default_value_t = 8093)]\n    port: u16,",
                Some(8093),
            ),
            (
                "#[arg(long, default_value = \"8094\")]\n    #[arg(x)]\n    pub port: u16,",
                Some(8094),
            ),
            (
                "#[clap(long, default_value = \"0.0.0.0:8095\")]\n    listen: SocketAddr,",
                Some(8095),
            ),
            (
                "#[arg(default_value_t = 3000)]\n    size: u16,\n    port: u16,",
                None,
            ),
            ("Port int `default:\"8096\"`", Some(8096)),
            ("  --port=<n>  The port [default: 8097].", Some(8097)),
            ("p.add_argument('--db-port', default=7000)", None),
            (
                "p.add_argument('--port', type=int)\np.add_argument('--n', default=9000)",
                None,
            ),
            ("x = row[\"port\"]\ny = f(1, 9000)", None),
            ("config.get('port', 8098)", Some(8098)),
            ("ü('--port', default=ü)", None),
        ] {
            assert_eq!(default(code), expected, "{code}");
        }
    }
}
