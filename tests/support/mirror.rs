//! A mirror of the publishers, with their layouts, on loopback and as a folder; it can be told to
//! behave as badly as mirrors do.

use super::runtimes::{Real, sha256};
use super::temp::TempDir;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How a mirror answers with something else than what it has.
#[derive(Clone, Debug)]
pub enum Fault {
    /// A page for people, with status 200.
    Html,
    /// So many bytes, then the connection is closed; parts of files can be asked for.
    StopAfter(usize),
    /// The same, but each answer is the beginning again.
    StopWithoutRanges(usize),
    /// The whole file and a byte more, and no word on how long it is.
    Endless,
    /// Says that the file is longer than it is.
    SaysLonger,
    /// Says that the file is shorter than it is.
    SaysShorter,
    /// One byte is another.
    Corrupt,
    /// Leads somewhere else.
    Redirect(String),
    /// So many bytes, then nothing more; the connection stays.
    HangAfter(usize),
    /// Takes this long for each 64 KiB.
    Slow(Duration),
    /// This status and no content.
    Status(u16),
    /// Hangs up on a HEAD.
    NoHead,
}

/// What a mirror was asked for, and how it answers.
#[derive(Default)]
struct State {
    /// `GET /node/index.json` → how often.
    requests: BTreeMap<String, usize>,
    /// By the end of the path.
    faults: BTreeMap<String, Fault>,
}

/// A mirror; ends when it is dropped.
pub struct Mirror {
    root: Arc<TempDir>,
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Mirror {
    /// A mirror that has these. `None`, loudly, where one cannot be had.
    pub fn of(runtimes: &[Real]) -> Option<Self> {
        let root = Arc::new(TempDir::new());
        for real in runtimes {
            add(root.path(), real)?;
        }
        write_indexes(root.path(), runtimes);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::<Mutex<State>>::default();
        let (served, shared) = (Arc::clone(&root), Arc::clone(&state));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (served, shared) = (Arc::clone(&served), Arc::clone(&shared));
                // Whoever goes away is no trouble of the mirror's.
                thread::spawn(move || drop(serve(served.path(), &shared, stream)));
            }
        });
        Some(Self { root, port, state })
    }

    /// The address for `SHIP_<NAME>_MIRROR`.
    pub fn address(&self, name: &str) -> String {
        format!("http://127.0.0.1:{}/{name}", self.port)
    }

    /// The same files, as an address of a folder.
    pub fn folder(&self, name: &str) -> String {
        format!("file://{}", self.root.path().join(name).display())
    }

    /// A file of the mirror.
    pub fn file(&self, real: &Real) -> PathBuf {
        self.root.path().join(real.name).join(real.place)
    }

    /// How often a path that ends so was asked for (not counting HEAD).
    pub fn requests(&self, end: &str) -> usize {
        let state = self.state.lock().expect("the mirror");
        let asked = state.requests.iter();
        asked
            .filter(|(what, _)| what.starts_with("GET ") && what.ends_with(end))
            .map(|(_, count)| count)
            .sum()
    }

    /// How often anything was asked for.
    pub fn all_requests(&self) -> usize {
        let state = self.state.lock().expect("the mirror");
        state.requests.values().sum()
    }

    /// From now on, what ends so is answered like this.
    pub fn fault(&self, end: &str, fault: Fault) {
        let mut state = self.state.lock().expect("the mirror");
        state.faults.insert(end.to_owned(), fault);
    }

    /// From now on, everything is answered as it should be.
    pub fn heal(&self) {
        self.state.lock().expect("the mirror").faults.clear();
    }
}

/// Puts the archive in its place, and a list of checksums where its publisher has one.
fn add(root: &Path, real: &Real) -> Option<()> {
    let archive = real.archive()?;
    let place = root.join(real.name).join(real.place);
    let folder = place.parent().expect("a folder");
    fs::create_dir_all(folder).expect("create the mirror's folders");
    symlink(&archive, &place).expect("a link to the archive");
    let name = place.file_name().expect("a name").to_string_lossy();
    let line = format!("{}  {name}\n", sha256(&archive));
    let list = match real.name {
        "node" | "bun" => folder.join("SHASUMS256.txt"),
        "python" => folder.join("SHA256SUMS"),
        "deno" => folder.join(format!("{name}.sha256sum")),
        _ => return Some(()),
    };
    let before = fs::read_to_string(&list).unwrap_or_default();
    fs::write(list, before + &line).expect("write the checksums");
    Some(())
}

/// Writes the list of versions of each publisher.
fn write_indexes(root: &Path, runtimes: &[Real]) {
    let of = |name: &str| {
        let those: Vec<&Real> = runtimes.iter().filter(|real| real.name == name).collect();
        (!those.is_empty()).then_some(those)
    };
    let write = |path: &str, text: String| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("create a folder");
        fs::write(path, text).expect("write an index");
    };
    let list = |items: Vec<String>| format!("[{}]", items.join(", "));
    if let Some(nodes) = of("node") {
        let item = |real: &&Real| {
            let lts = match real.version.split('.').next() {
                Some("16") => "\"Gallium\"",
                Some("18") => "\"Hydrogen\"",
                Some("20") => "\"Iron\"",
                _ => "\"Jod\"",
            };
            format!(
                r#"{{"version": "v{}", "date": "2024-02-14", "files": ["linux-x64", "src"], "lts": {lts}}}"#,
                real.version
            )
        };
        write("node/index.json", list(nodes.iter().map(item).collect()));
    }
    if let Some(buns) = of("bun") {
        let item = |real: &&Real| format!(r#"{{"ref": "refs/tags/bun-v{}"}}"#, real.version);
        write("bun/tags.json", list(buns.iter().map(item).collect()));
    }
    if let Some(denos) = of("deno") {
        let item = |real: &&Real| format!("\"v{}\"", real.version);
        let items = list(denos.iter().map(item).collect());
        write("deno/versions.json", format!("{{\"cli\": {items}}}"));
    }
    if let Some(gos) = of("go") {
        let item = |real: &&Real| {
            let (sum, size) = sum_and_size(root, real);
            format!(
                r#"{{"version": "go{}", "stable": true, "files": [{{"filename": "{}", "os": "linux",
                "arch": "amd64", "sha256": "{sum}", "size": {size}, "kind": "archive"}}]}}"#,
                real.version, real.place
            )
        };
        write("go/index.json", list(gos.iter().map(item).collect()));
    }
    if let Some(pythons) = of("python") {
        let item = |real: &&Real| {
            format!(
                r#""cpython-{}-linux-x86_64-gnu": {{"url": "https://github.com/astral-sh/python-build-standalone/releases/download/{}"}}"#,
                real.version,
                real.place.replace('+', "%2B")
            )
        };
        let items: Vec<String> = pythons.iter().map(item).collect();
        let text = format!("{{{}}}", items.join(", "));
        write("python/download-metadata.json", text);
    }
    if let Some(javas) = of("java") {
        let releases = r#"{"available_releases": [21], "available_lts_releases": [21]}"#;
        write("java/info/available_releases", releases.to_owned());
        let item = |real: &&Real| {
            let (sum, size) = sum_and_size(root, real);
            format!(
                r#"{{"binaries": [{{"architecture": "x64", "os": "linux", "image_type": "jdk",
                "package": {{"link": "https://github.com/adoptium/{}", "checksum": "{sum}",
                "size": {size}}}}}],
                "version_data": {{"major": 21, "minor": 0, "security": 4, "build": 7}}}}"#,
                real.place.replace('+', "%2B")
            )
        };
        let items = list(javas.iter().map(item).collect());
        write("java/assets/feature_releases/21/ga", items);
    }
}

fn sum_and_size(root: &Path, real: &Real) -> (String, u64) {
    let path = root.join(real.name).join(real.place);
    let size = fs::metadata(&path).expect("the archive").len();
    (sha256(&path), size)
}

/// Answers one request.
fn serve(root: &Path, state: &Mutex<State>, stream: TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_ascii_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Ok(());
    };
    let path = decoded(target.split('?').next().unwrap_or_default());
    let mut from = 0;
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 || header.trim().is_empty() {
            break;
        }
        let header = header.to_ascii_lowercase();
        if let Some(range) = header.strip_prefix("range: bytes=") {
            from = range.trim().trim_end_matches('-').parse().unwrap_or(0);
        }
    }
    let fault = {
        let mut state = state.lock().expect("the mirror");
        let asked = format!("{method} {path}");
        *state.requests.entry(asked).or_default() += 1;
        let mut faults = state.faults.iter();
        let fault = faults.find(|(end, _)| path.ends_with(end.as_str()));
        fault.map(|(_, fault)| fault.clone())
    };
    let answer = Answer {
        stream,
        head_only: method == "HEAD",
    };
    match fs::read(root.join(path.trim_start_matches('/'))) {
        Ok(content) => answer.send(content, from, fault),
        // Who leads somewhere need not have anything.
        Err(_) if matches!(fault, Some(Fault::Redirect(_))) => answer.send(Vec::new(), 0, fault),
        Err(_) => answer.head("404 Not Found", "Content-Length: 0\r\n"),
    }
}

struct Answer {
    stream: TcpStream,
    head_only: bool,
}

impl Answer {
    fn head(&self, status: &str, headers: &str) -> io::Result<()> {
        let head = format!("HTTP/1.1 {status}\r\n{headers}Connection: close\r\n\r\n");
        (&self.stream).write_all(head.as_bytes())
    }

    fn body(&self, bytes: &[u8]) -> io::Result<()> {
        match self.head_only {
            true => Ok(()),
            false => (&self.stream).write_all(bytes),
        }
    }

    fn send(&self, mut content: Vec<u8>, from: usize, fault: Option<Fault>) -> io::Result<()> {
        let length = |length: usize| format!("Content-Length: {length}\r\n");
        let whole = content.len();
        match fault {
            Some(Fault::Html) => {
                let page = b"<!DOCTYPE html>\n<html><body>Please log in</body></html>\n";
                let type_of = format!("Content-Type: text/html\r\n{}", length(page.len()));
                self.head("200 OK", &type_of)?;
                return self.body(page);
            }
            Some(Fault::Status(status)) => {
                return self.head(&format!("{status} Because"), &length(0));
            }
            Some(Fault::Redirect(to)) => {
                let location = format!("Location: {to}\r\n{}", length(0));
                return self.head("302 Found", &location);
            }
            Some(Fault::StopWithoutRanges(after)) => {
                self.head("200 OK", &length(whole))?;
                return self.body(&content[..after.min(whole)]);
            }
            Some(Fault::Endless) => {
                self.head("200 OK", "")?;
                content.push(0);
                return self.body(&content);
            }
            Some(Fault::SaysLonger) => {
                self.head("200 OK", &length(whole + 1000))?;
                return self.body(&content);
            }
            Some(Fault::SaysShorter) => {
                self.head("200 OK", &length(whole - 1000))?;
                return self.body(&content[..whole - 1000]);
            }
            Some(Fault::Corrupt) => content[whole / 2] ^= 1,
            Some(Fault::NoHead) if self.head_only => return Ok(()),
            _ => {}
        }
        let from = from.min(whole);
        if from > 0 {
            let range = format!("Content-Range: bytes {from}-{}/{whole}\r\n", whole - 1);
            self.head("206 Partial Content", &(range + &length(whole - from)))?;
        } else {
            self.head("200 OK", &length(whole))?;
        }
        let rest = &content[from..];
        match fault {
            Some(Fault::StopAfter(after)) => self.body(&rest[..after.min(rest.len())]),
            Some(Fault::HangAfter(after)) => {
                self.body(&rest[..after.min(rest.len())])?;
                // Until the other end has had enough.
                let mut reader = BufReader::new(self.stream.try_clone()?);
                while reader.fill_buf().is_ok_and(|bytes| !bytes.is_empty()) {
                    let length = reader.buffer().len();
                    reader.consume(length);
                }
                Ok(())
            }
            Some(Fault::Slow(pause)) => {
                for chunk in rest.chunks(64 * 1024) {
                    self.body(chunk)?;
                    thread::sleep(pause);
                }
                Ok(())
            }
            _ => self.body(rest),
        }
    }
}

/// `%2B` is `+` (RFC 3986, section 2.1).
fn decoded(path: &str) -> String {
    let mut parts = path.split('%');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let byte = part.get(..2).and_then(|d| u8::from_str_radix(d, 16).ok());
        text.push(byte.map_or('%', char::from));
        text.push_str(part.get(2..).unwrap_or_default());
    }
    text
}
