//! `install.sh`, with archives of the real binary.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const ARCHIVE: &str = "ship-0.1.0-test.tar.gz";

/// A folder, with spaces in its name, that holds a release archive and its checksum.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::Builder::new()
            .prefix("ship install ")
            .tempdir()
            .unwrap();
        let place = Self { dir };
        let binary = Path::new(env!("CARGO_BIN_EXE_ship"));
        ran(Command::new("tar")
            .arg("-czf")
            .arg(place.archive())
            .arg("-C")
            .args([
                binary.parent().unwrap().as_os_str(),
                binary.file_name().unwrap(),
            ]));
        let sum = checksum(&place.archive());
        fs::write(place.checksum_file(), format!("{sum}  {ARCHIVE}\n")).unwrap();
        place
    }

    fn archive(&self) -> PathBuf {
        self.dir.path().join(ARCHIVE)
    }

    fn checksum_file(&self) -> PathBuf {
        self.dir.path().join(format!("{ARCHIVE}.sha256"))
    }

    fn prefix(&self) -> PathBuf {
        self.dir.path().join("my prefix")
    }

    fn binary(&self) -> PathBuf {
        self.prefix().join("bin/ship")
    }

    /// Runs the script in this place, with nothing of this machine's environment but PATH.
    fn install<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Seen {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("install.sh");
        let output = Command::new("sh")
            .arg(script)
            .arg("--prefix")
            .arg(self.prefix())
            .args(arguments)
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.dir.path())
            .output()
            .unwrap();
        Seen::of(&output, self.dir.path())
    }

    /// All files below the prefix, by their paths in it.
    fn installed(&self) -> Vec<String> {
        let mut files = Vec::new();
        let mut folders = vec![self.prefix()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else {
                    let path = entry.path();
                    let path = path.strip_prefix(self.prefix()).unwrap();
                    let path = path.display().to_string();
                    // One for each command, and counted as one.
                    files.push(match path.starts_with("share/man/man1/ship-") {
                        true => "share/man/man1/ship-*.1".to_owned(),
                        false => path,
                    });
                }
            }
        }
        files.sort();
        files.dedup();
        files
    }
}

/// What a run said, with the place's own folder as `<here>`.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Seen {
    fn of(output: &Output, here: &Path) -> Self {
        let text = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            text.replace(here.to_str().unwrap(), "<here>")
                .replace(env!("CARGO_MANIFEST_DIR"), "<checkout>")
        };
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        Self {
            code: output.status.code(),
            stdout,
            stderr,
        }
    }

    fn refused(stderr: &str) -> Self {
        Self {
            code: Some(1),
            stdout: String::new(),
            stderr: stderr.to_owned(),
        }
    }
}

fn ran(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn checksum(path: &Path) -> String {
    let line = ran(Command::new("sha256sum").arg("--").arg(path));
    // A name with a special character makes coreutils put a backslash in front.
    line.trim_start_matches('\\')
        .split(' ')
        .next()
        .unwrap()
        .to_owned()
}

const FILES: [&str; 6] = [
    "bin/ship",
    "share/bash-completion/completions/ship",
    "share/fish/vendor_completions.d/ship.fish",
    "share/man/man1/ship-*.1",
    "share/man/man1/ship.1",
    "share/zsh/site-functions/_ship",
];

#[test]
fn an_archive_is_verified_installed_and_removed() {
    let place = Place::new();
    let installed = place.install(&["--from", ARCHIVE]);
    let version = ran(Command::new(env!("CARGO_BIN_EXE_ship")).arg("--version"));
    let expected = Seen {
        code: Some(0),
        stdout: format!(
            "installed <here>/my prefix/bin/ship\n\
             installed <here>/my prefix/share/bash-completion/completions/ship\n\
             installed <here>/my prefix/share/zsh/site-functions/_ship\n\
             installed <here>/my prefix/share/fish/vendor_completions.d/ship.fish\n\
             installed <here>/my prefix/share/man/man1/ship.1\n\
             installed <here>/my prefix/share/man/man1/ship-*.1\n\
             {} is ready; to remove it: \
             <checkout>/install.sh --uninstall --prefix '<here>/my prefix'\n",
            version.trim_end()
        ),
        stderr: "warning: <here>/my prefix/bin is not on PATH; add it in your shell's profile:\n  \
                 export PATH=\"<here>/my prefix/bin:$PATH\"\n"
            .to_owned(),
    };
    assert_eq!(installed, expected);
    assert_eq!(place.installed(), FILES);
    assert_eq!(
        fs::metadata(place.binary()).unwrap().permissions().mode() & 0o777,
        0o755
    );
    assert_eq!(
        checksum(&place.binary()),
        checksum(Path::new(env!("CARGO_BIN_EXE_ship")))
    );
    assert_eq!(ran(Command::new(place.binary()).arg("--version")), version);

    let other = place.prefix().join("bin/other");
    fs::write(&other, "somebody's").unwrap();
    let removed = place.install(&["--uninstall"]);
    assert_eq!(
        (removed.code, removed.stdout.lines().count()),
        (Some(0), FILES.len())
    );
    assert_eq!(place.installed(), ["bin/other"]);
    let again = place.install(&["--uninstall"]);
    assert_eq!(again.stdout, "ship is not installed in <here>/my prefix\n");
    assert_eq!(again.code, Some(0));
}

#[test]
fn a_corrupted_archive_is_refused_and_nothing_is_installed() {
    let place = Place::new();
    let expected = checksum(&place.archive());
    let mut bytes = fs::read(place.archive()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(place.archive(), bytes).unwrap();
    let found = checksum(&place.archive());
    let said = |by: &str| {
        Seen::refused(&format!(
            "install.sh: the checksum of ./{ARCHIVE} is wrong; nothing was installed\n  \
             expected {expected} ({by})\n  found    {found}\n"
        ))
    };
    let beside = format!("./{ARCHIVE}.sha256");
    assert_eq!(place.install(&["--from", ARCHIVE]), said(&beside));
    assert_eq!(
        place.install(&["--from", ARCHIVE, "--insecure-no-checksum"]),
        said(&beside)
    );
    assert_eq!(
        place.install(&["--from", ARCHIVE, "--sha256", &expected]),
        said("--sha256")
    );
    assert!(!place.prefix().exists());
}

#[test]
fn without_a_checksum_it_has_to_be_told() {
    let place = Place::new();
    fs::remove_file(place.checksum_file()).unwrap();
    assert_eq!(
        place.install(&["--from", ARCHIVE]),
        Seen::refused(&format!(
            "install.sh: there is no checksum to verify ./{ARCHIVE} with; nothing was installed\n  \
             expected it in ./{ARCHIVE}.sha256; give it with --sha256 HEX,\n  \
             or take the file as it is with --insecure-no-checksum\n"
        ))
    );
    assert!(!place.prefix().exists());
    for not_one in ["", "abc", "../../x"] {
        let seen = place.install(&["--from", ARCHIVE, "--sha256", not_one]);
        assert_eq!(seen.code, Some(1), "{not_one}");
    }
    assert!(!place.prefix().exists());
    let upper = checksum(&place.archive()).to_uppercase();
    assert_eq!(
        place.install(&["--from", ARCHIVE, "--sha256", &upper]).code,
        Some(0)
    );
    let insecure = place.install(&["--from", ARCHIVE, "--insecure-no-checksum"]);
    assert_eq!(insecure.code, Some(0));
    assert!(
        insecure
            .stderr
            .starts_with(&format!("warning: ./{ARCHIVE} was not verified"))
    );
}

#[test]
fn a_running_binary_is_replaced_not_written_to() {
    let place = Place::new();
    assert_eq!(place.install(&["--from", ARCHIVE]).code, Some(0));
    let before = fs::metadata(place.binary()).unwrap().ino();
    // The site runs until it is told to stop: PORT 0 is any free one.
    let mut running = Command::new(place.binary())
        .args(["agent", "site", "."])
        .env("PORT", "0")
        .current_dir(place.dir.path())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let seen = place.install(&["--from", ARCHIVE]);
    let alive = running.try_wait().unwrap();
    running.kill().unwrap();
    running.wait().unwrap();
    assert_eq!((seen.code, alive), (Some(0), None), "{}", seen.stderr);
    assert_ne!(fs::metadata(place.binary()).unwrap().ino(), before);
    assert_eq!(place.installed(), FILES, "no temporary file is left");
}

#[test]
fn what_does_not_run_here_does_not_replace_what_does() {
    let place = Place::new();
    assert_eq!(place.install(&["--from", ARCHIVE]).code, Some(0));
    let before = checksum(&place.binary());
    let other = place.dir.path().join("ship-for-elsewhere");
    fs::write(&other, b"\x7fELF of another machine").unwrap();
    let sum = checksum(&other);
    let seen = place.install(&["--from", "ship-for-elsewhere", "--sha256", &sum]);
    assert_eq!(seen.code, Some(1));
    assert!(
        seen.stderr
            .starts_with("install.sh: this ship does not run on "),
        "{}",
        seen.stderr
    );
    assert_eq!(
        (checksum(&place.binary()), place.installed()),
        (before, FILES.map(String::from).to_vec())
    );
}

#[test]
fn addresses_are_fetched_with_their_checksum() {
    let place = Place::new();
    let path = place.archive().to_str().unwrap().replace(' ', "%20");
    let file = place.install(&["--from", &format!("file://{path}")]);
    assert_eq!(file.code, Some(0), "{}", file.stderr);
    assert_eq!(place.install(&["--uninstall"]).code, Some(0));

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let dir = place.dir.path().to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap();
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            let path = request
                .split(' ')
                .nth(1)
                .unwrap()
                .trim_start_matches('/')
                .to_owned();
            let (status, bytes) = match fs::read(dir.join(path)) {
                Ok(bytes) => ("200 OK", bytes),
                Err(_) => ("404 Not Found", Vec::new()),
            };
            let length = bytes.len();
            write!(
                stream,
                "HTTP/1.0 {status}\r\ncontent-length: {length}\r\n\r\n"
            )
            .unwrap();
            stream.write_all(&bytes).unwrap();
        }
    });
    let http = place.install(&["--from", &format!("http://127.0.0.1:{port}/{ARCHIVE}")]);
    assert_eq!(http.code, Some(0), "{}", http.stderr);
    assert_eq!(place.installed(), FILES);
    let missing = place.install(&["--from", &format!("http://127.0.0.1:{port}/none.tar.gz")]);
    assert_eq!(missing.code, Some(1));
    let last = missing.stderr.lines().last().unwrap();
    assert_eq!(
        last,
        format!(
            "install.sh: cannot get http://127.0.0.1:{port}/none.tar.gz; nothing was installed"
        )
    );
    fs::remove_file(place.checksum_file()).unwrap();
    let bare = place.install(&["--from", &format!("http://127.0.0.1:{port}/{ARCHIVE}")]);
    assert_eq!(bare.code, Some(1), "{}", bare.stderr);
}

#[test]
fn wrong_arguments_are_named() {
    let place = Place::new();
    let seen = |arguments: &[&str]| {
        place
            .install(arguments)
            .stderr
            .lines()
            .next()
            .map(str::to_owned)
    };
    let said = |text: &str| Some(format!("install.sh: {text}"));
    assert_eq!(seen(&["--form", "x"]), said("unknown argument: --form"));
    assert_eq!(seen(&["--from"]), said("--from needs a value"));
    assert_eq!(
        seen(&["--sha256=00"]),
        said("--sha256 and --insecure-no-checksum belong to --from")
    );
    assert_eq!(
        seen(&["--from", "ftp://x/y"]),
        said("cannot take ftp://x/y: only file:///, http:// and https:// addresses")
    );
    assert!(place.install(&["--help"]).stdout.contains("--uninstall"));
}
