//! A health route, when the sources surely have one. Unsure is `None`: then any page will do that is
//! no server error, or an open port where something else than HTTP may answer.

use super::folder::{Folder, Source};
use super::text::literals;

/// Routes that people use for this, best first.
const PATHS: &[&str] = &[
    "/healthz",
    "/health",
    "/livez",
    "/up",
    "/ping",
    "/status",
    "/api/healthz",
    "/api/health",
];

/// What a line looks like that answers a route with GET.
const ANSWERS: &[&str] = &[
    ".get(",
    ".route(",
    ".all(",
    ".add_route(",
    ".add_url_rule(",
    "Handle",
    "==",
    "case ",
    "=>",
    "path(",
    "get \"",
    "get '",
    "Mapping(",
    "#[get(",
    "@Get(",
    "GET(",
    ".Get(",
    "MapGet(",
    "MapHealthChecks(",
    "when ",
];

/// What a line looks like that asks one, or that may stand below a prefix.
const DOUBTS: &[&str] = &[
    "router.",
    "Router.",
    "bp.",
    "blueprint",
    "Blueprint",
    "fetch(",
    "axios",
    "requests.",
    "http://",
    "https://",
    "client.",
    "curl",
    "proxy",
    ".post(",
    "!=",
    "expect(",
    "assert",
];

/// The best route that the sources answer, and where.
pub(super) fn find(folder: &Folder, sources: &[&Source]) -> Option<(&'static str, String)> {
    let routed = PATHS.iter().find_map(|path| {
        let source = sources.iter().find(|source| answers(source, path))?;
        Some((*path, source.path.clone()))
    });
    routed.or_else(|| next_route(folder))
}

/// Listeners below HTTP.
const RAW: &[&str] = &[
    "net.createServer(",
    "tls.createServer(",
    "asyncio.start_server(",
    "socketserver.",
    "TCPServer.",
    "net.Listen(",
    "TcpListener",
    "ServerSocket(",
    "Deno.listen(",
    "Bun.listen(",
];

/// What sources with such a listener hold when they speak HTTP over it.
const HTTP: &[&str] = &[
    "http", "HTTP/1.", "axum", "actix", "hyper", "warp", "poem", "salvo",
];

/// Whether the port of the project's service surely answers HTTP/1.1.
pub(super) fn is_http(sources: &[&Source]) -> bool {
    let any = |words: &[&str]| {
        let has = |source: &&Source| words.iter().any(|word| source.text.contains(word));
        sources.iter().any(has)
    };
    !any(&["grpc", "tonic::"]) && (!any(RAW) || any(HTTP))
}

fn answers(source: &Source, path: &str) -> bool {
    // Below these, a route may have a prefix that the line does not show.
    let nested = [
        ".nest(",
        "web::scope(",
        "APIRouter(",
        ".Group(",
        ".Route(\"",
    ];
    if nested.iter().any(|word| source.text.contains(word)) {
        return false;
    }
    source.lines().any(|line| {
        let named = literals(line).iter().any(|text| {
            let text = text.strip_prefix("GET ").unwrap_or(text);
            text == path || text.strip_suffix('/') == Some(path) && !text.contains(' ')
        });
        named
            && ANSWERS.iter().any(|word| line.contains(word))
            && !DOUBTS.iter().any(|word| line.contains(word))
    })
}

/// Next.js routes are files.
fn next_route(folder: &Folder) -> Option<(&'static str, String)> {
    PATHS.iter().find_map(|path| {
        let files = ["", "src/"].iter().flat_map(|root| {
            ["ts", "js"].iter().flat_map(move |ext| {
                [
                    format!("{root}app{path}/route.{ext}"),
                    format!("{root}pages{path}.{ext}"),
                ]
            })
        });
        // A file below pages/ is an answer only in pages/api/.
        let mut files = files.filter(|file| !file.contains("pages/") || path.starts_with("/api/"));
        Some((*path, files.find(|file| folder.is_file(file))?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(path: &str, line: &str) -> bool {
        answers(
            &Source {
                path: "a.js".to_owned(),
                text: line.to_owned(),
            },
            path,
        )
    }

    #[test]
    fn a_listener_below_http_is_not_asked_for_a_page() {
        let is_http = |text: &str| {
            let source = Source {
                path: "a.js".to_owned(),
                text: text.to_owned(),
            };
            super::is_http(&[&source])
        };
        for text in [
            "app.listen(3000)",
            "let listener = TcpListener::bind(addr).await?; axum::serve(listener, app)",
            "l, _ := net.Listen(\"tcp\", addr); http.Serve(l, nil)",
        ] {
            assert!(is_http(text), "{text}");
        }
        for text in [
            "net.createServer(socket => socket.end())",
            "const grpc = require('@grpc/grpc-js'); require('http')",
            "for stream in TcpListener::bind(addr)?.incoming() {}",
        ] {
            assert!(!is_http(text), "{text}");
        }
    }

    #[test]
    fn routes_are_seen() {
        for line in [
            "app.get('/healthz', (req, res) => res.send('ok'))",
            "if (req.url === \"/healthz\") {",
            "@app.route(\"/healthz\")",
            "    .route(\"/healthz\", get(health))",
            "mux.HandleFunc(\"GET /healthz\", h)",
            "\"/healthz\" => ok(),",
            "get \"/healthz\" do",
        ] {
            assert!(has("/healthz", line), "{line}");
        }
    }

    #[test]
    fn doubtful_routes_are_not() {
        for line in [
            "router.get('/healthz', h)",
            "fetch('/healthz').then(r => r)",
            "app.post('/healthz', h)",
            "// app.get('/healthz', h)",
            "const skip = ['/healthz']",
            "let api = Router::new().route(\"/healthz\", get(h)); app.nest(\"/api\", api)",
        ] {
            assert!(!has("/healthz", line), "{line}");
        }
    }
}
