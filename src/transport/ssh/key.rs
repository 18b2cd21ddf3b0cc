//! The private key that `SHIP_SSH_KEY` gives: the path of a file, or the key itself as CI systems
//! hand it over. What they do to its lines on the way is mended where nothing has to be guessed;
//! anything else is refused before a connection is made. No message holds any of the value.

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::base64;
use crate::model::{Failure, FailureKind, Secret};

/// Larger files are not read, bytes: a key of 16,384 bits has 13 KiB.
const MAX_KEY: u64 = 64 << 10;

/// The first bytes of a key in OpenSSH's own format (PROTOCOL.key of OpenSSH).
const MAGIC: &[u8] = b"openssh-key-v1\0";

/// A private key to log in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SshKey {
    /// In this file.
    File(PathBuf),
    /// Its content, as ssh(1) reads it.
    Content(Secret),
}

impl SshKey {
    /// Reads `value`, the value of `SHIP_SSH_KEY`. `has_agent` says whether an ssh-agent(1) could
    /// hold the key of a file that has a passphrase.
    ///
    /// # Errors
    /// [`FailureKind::Usage`], when it is neither a private key nor the path of one.
    pub fn of_variable(value: &str, has_agent: bool) -> Result<Self, Failure> {
        let text = unquoted(value);
        let key = match Self::of_content(text) {
            Some(key) => key.and_then(|key| key.usable(has_agent)),
            None => Self::of_path(text, has_agent),
        };
        key.map_err(|why| {
            Failure::new(
                FailureKind::Usage,
                format!("SHIP_SSH_KEY is not a private key: {why}"),
            )
            .hint("its value is the whole file of a private key without a passphrase, or the path of one")
        })
    }

    /// The key in `text`; `None` where `text` has nothing of a key's content.
    fn of_content(text: &str) -> Option<Result<Pem, String>> {
        if text.is_empty() {
            return Some(Err("it is empty".to_owned()));
        }
        if let Some(why) = another_format(text) {
            return Some(Err(why.to_owned()));
        }
        if text.contains("PRIVATE KEY") {
            return Some(Pem::read(text));
        }
        let bytes = base64::decode(text)?;
        if bytes.starts_with(MAGIC) {
            return Some(Err("its BEGIN and END lines are missing".to_owned()));
        }
        // The whole file, encoded once more so that it fits on one line.
        let inner = String::from_utf8(bytes).ok()?;
        inner
            .contains("PRIVATE KEY")
            .then(|| Pem::read(unquoted(&inner)))
    }

    fn of_path(text: &str, has_agent: bool) -> Result<Self, String> {
        if text.contains(['\n', '\r']) || text.len() > 4096 {
            return Err("it has no line `-----BEGIN … PRIVATE KEY-----`".to_owned());
        }
        let path = at_home(text);
        let found = fs::metadata(&path).map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => "its file cannot be read".to_owned(),
            _ => "it is neither the content of a key nor the path of a file".to_owned(),
        })?;
        if found.is_dir() {
            return Err("it is the path of a folder".to_owned());
        }
        // A pipe can be read once, and that is ssh's to do.
        if !found.is_file() {
            return Ok(Self::File(path));
        }
        let mut bytes = Vec::new();
        fs::File::open(&path)
            .and_then(|file| file.take(MAX_KEY).read_to_end(&mut bytes))
            .map_err(|error| format!("its file cannot be read ({})", error.kind()))?;
        let content = String::from_utf8_lossy(&bytes);
        // With the file of a public key, ssh(1) has the agent use the private one.
        if has_agent && is_public(&content) {
            return Ok(Self::File(path));
        }
        let in_file = |why| format!("in the file that it names, {why}");
        let key = match Self::of_content(unquoted(&content)) {
            Some(key) => key.map_err(in_file)?,
            None => {
                return Err(in_file(
                    "there is no line `-----BEGIN … PRIVATE KEY-----`".to_owned(),
                ));
            }
        };
        // ssh(1) ignores its user's keys that others can read, and takes CRLF badly.
        let is_private =
            found.uid() != rustix::process::geteuid().as_raw() || found.mode() & 0o077 == 0;
        match is_private && key.text == content {
            true => key
                .usable(has_agent)
                .map_err(in_file)
                .map(|_| Self::File(path)),
            false if key.has_passphrase && has_agent => Ok(Self::File(path)),
            false => key.usable(false).map_err(in_file),
        }
    }
}

/// A private key in lines, as RFC 7468 has them.
struct Pem {
    text: String,
    has_passphrase: bool,
}

impl Pem {
    fn read(text: &str) -> Result<Self, String> {
        let text = text.replace("\\r", "\r").replace("\\n", "\n");
        let text = text.replace('\r', "\n");
        let cut = || "it does not end with `-----END … PRIVATE KEY-----`".to_owned();
        let (_, rest) = text
            .split_once("-----BEGIN ")
            .ok_or("it does not begin with `-----BEGIN … PRIVATE KEY-----`")?;
        let (label, rest) = rest.split_once("-----").ok_or_else(cut)?;
        let (body, _) = rest
            .split_once(&format!("-----END {label}-----"))
            .ok_or_else(cut)?;
        // Headers, with which the old format tells of a passphrase (RFC 1421).
        if body.contains("Proc-Type:") || label.starts_with("ENCRYPTED") {
            return Ok(Self {
                text,
                has_passphrase: true,
            });
        }
        let bytes = base64::decode(body)
            .ok_or("between its BEGIN and END lines there is something that is not base64")?;
        let has_passphrase = match label {
            "OPENSSH PRIVATE KEY" => has_passphrase(&bytes).ok_or("it is damaged or cut short")?,
            _ if is_der(&bytes) => false,
            _ => return Err("it is damaged or cut short".to_owned()),
        };
        let mut text = format!("-----BEGIN {label}-----\n");
        let body: Vec<char> = body.chars().filter(|c| !c.is_whitespace()).collect();
        // As the file has them: OpenSSH's lines are longer than those of RFC 7468.
        let width = if label.starts_with("OPENSSH") { 70 } else { 64 };
        for line in body.chunks(width) {
            text.extend(line);
            text.push('\n');
        }
        text.push_str(&format!("-----END {label}-----\n"));
        Ok(Self {
            text,
            has_passphrase,
        })
    }

    /// As a key that ssh(1) can use without asking anybody.
    fn usable(self, has_agent: bool) -> Result<SshKey, String> {
        match self.has_passphrase && !has_agent {
            true => Err("it has a passphrase, and nobody is here to type it".to_owned()),
            false => Ok(SshKey::Content(Secret::new(self.text))),
        }
    }
}

/// Whether an OpenSSH key has a passphrase; `None` where its parts do not add up.
fn has_passphrase(bytes: &[u8]) -> Option<bool> {
    let mut rest = bytes.strip_prefix(MAGIC)?;
    let cipher = field(&mut rest)?;
    let _kdf = field(&mut rest)?;
    let _kdf_options = field(&mut rest)?;
    let count = number(&mut rest)?;
    let _public = field(&mut rest)?;
    let _private = field(&mut rest)?;
    (count == 1).then_some(cipher != b"none")
}

/// A number of RFC 4251, section 5.
fn number(rest: &mut &[u8]) -> Option<usize> {
    let (bytes, after) = rest.split_first_chunk::<4>()?;
    *rest = after;
    usize::try_from(u32::from_be_bytes(*bytes)).ok()
}

/// A string of RFC 4251, section 5.
fn field<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = number(rest)?;
    let (bytes, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(bytes)
}

/// Whether these bytes are one whole sequence of DER (X.690, 8.1.3).
fn is_der(bytes: &[u8]) -> bool {
    let [0x30, first, rest @ ..] = bytes else {
        return false;
    };
    match *first {
        short @ 0..0x80 => rest.len() == usize::from(short),
        long => {
            let count = usize::from(long & 0x7f);
            let Some((length, rest)) = rest.split_at_checked(count) else {
                return false;
            };
            count <= 4 && length.iter().fold(0, |n, byte| n << 8 | usize::from(*byte)) == rest.len()
        }
    }
}

/// What `text` is when it is a key of another kind.
fn another_format(text: &str) -> Option<&'static str> {
    if is_public(text) {
        return Some("it is a public key");
    }
    text.starts_with("PuTTY-User-Key-File")
        .then_some("it is in PuTTY's format; `puttygen KEY -O private-openssh` exports it")
}

fn is_public(text: &str) -> bool {
    let text = text.trim_start();
    let starts = [
        "ssh-",
        "ecdsa-sha2-",
        "sk-ssh-",
        "sk-ecdsa-",
        "---- BEGIN SSH2 PUBLIC",
    ];
    starts.iter().any(|start| text.starts_with(start))
        || text.starts_with("-----BEGIN PUBLIC KEY")
        || text.starts_with("-----BEGIN RSA PUBLIC KEY")
}

/// `text` without a byte order mark, white space around it, and a pair of quotes.
fn unquoted(text: &str) -> &str {
    let text = text.trim_start_matches('\u{feff}').trim();
    for quote in ['"', '\'', '`'] {
        let inner = text.strip_prefix(quote);
        if let Some(inner) = inner.and_then(|inner| inner.strip_suffix(quote)) {
            return inner.trim();
        }
    }
    text
}

fn at_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    use super::*;

    /// A private key as ssh-keygen(1) writes it.
    fn generate(arguments: &[&str]) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-C", "a test"]).args(arguments);
        assert!(keygen.arg("-f").arg(&path).status().unwrap().success());
        fs::read_to_string(path).unwrap()
    }

    fn content(value: &str) -> String {
        match SshKey::of_variable(value, false).expect("a key") {
            SshKey::Content(key) => key.reveal().to_owned(),
            SshKey::File(path) => panic!("a path: {path:?}"),
        }
    }

    /// What is said of `value`, without its beginning.
    fn refusal(value: &str) -> String {
        let failure = SshKey::of_variable(value, false).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Usage);
        let message = failure.message();
        let why = message.strip_prefix("SHIP_SSH_KEY is not a private key: ");
        why.expect("the sentence").to_owned()
    }

    #[test]
    fn what_ci_systems_do_to_the_lines_of_a_key_is_mended() {
        let kinds: [&[&str]; 4] = [
            &["-t", "ed25519", "-N", ""],
            &["-t", "rsa", "-b", "2048", "-N", ""],
            &["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", ""],
            &["-t", "ecdsa", "-m", "PKCS8", "-N", ""],
        ];
        for kind in kinds {
            let key = generate(kind);
            let line = |end: &str| key.trim().replace('\n', end);
            let indented = format!("    {}", line("\n    "));
            for value in [
                key.clone(),
                line("\n"),
                line("\\n"),
                format!("{}\\n", line("\\n")),
                line("\\r\\n"),
                line("\r\n"),
                line(" "),
                line(""),
                indented,
                format!("\"{key}\""),
                format!("'{}'", line("\\n")),
                format!("\u{feff}{key}"),
                base64::encode(key.as_bytes()),
                format!(
                    "{}\n",
                    base64::encode(key.as_bytes()).replace("LS0t", "LS0t\n")
                ),
            ] {
                assert_eq!(content(&value), key, "{kind:?} {value:?}");
            }
        }
    }

    #[test]
    fn anything_else_is_refused_without_a_word_of_it() {
        let key = generate(&["-t", "ed25519", "-N", ""]);
        let body: String = key.lines().filter(|line| !line.starts_with('-')).collect();
        let short = key.replacen(&body[..8], "", 1);
        let half = &key[..key.len() / 2];
        let secret = generate(&["-t", "ed25519", "-N", "hunter2"]);
        let old = generate(&["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "hunter2"]);
        let public =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl a";
        let putty = "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n";
        let passphrase = "it has a passphrase, and nobody is here to type it";
        for (value, why) in [
            ("", "it is empty"),
            (" \n", "it is empty"),
            ("\"\"", "it is empty"),
            (public, "it is a public key"),
            (
                putty,
                "it is in PuTTY's format; `puttygen KEY -O private-openssh` exports it",
            ),
            (&secret, passphrase),
            (&old, passphrase),
            (&body, "its BEGIN and END lines are missing"),
            (half, "it does not end with `-----END … PRIVATE KEY-----`"),
            (&short, "it is damaged or cut short"),
            (
                &key.replace(&body[8..12], "!*!"),
                "between its BEGIN and END lines there is something that is not base64",
            ),
            (
                "/no/such/file",
                "it is neither the content of a key nor the path of a file",
            ),
            (
                "hunter2",
                "it is neither the content of a key nor the path of a file",
            ),
            (
                "two\nlines",
                "it has no line `-----BEGIN … PRIVATE KEY-----`",
            ),
            ("/", "it is the path of a folder"),
        ] {
            assert_eq!(refusal(value), why, "{value:?}");
        }
        assert!(
            SshKey::of_variable(&secret, true).is_ok(),
            "the agent may have it"
        );
    }

    #[test]
    fn a_file_that_ssh_would_pass_over_is_used_by_its_content() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let name = path.to_str().unwrap();
        let key = generate(&["-t", "ed25519", "-N", ""]);
        let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        fs::write(&path, &key).unwrap();
        mode(0o600);
        let file = SshKey::File(path.clone());
        assert_eq!(
            SshKey::of_variable(&format!(" {name}\n"), false).unwrap(),
            file
        );
        mode(0o644);
        assert_eq!(content(name), key);
        mode(0o600);
        fs::write(&path, key.replace('\n', "\r\n")).unwrap();
        assert_eq!(content(name), key);
        fs::write(&path, "nothing").unwrap();
        let why = "in the file that it names, there is no line `-----BEGIN … PRIVATE KEY-----`";
        assert_eq!(refusal(name), why);
        fs::write(&path, "ssh-ed25519 AAAA me").unwrap();
        assert_eq!(
            refusal(name),
            "in the file that it names, it is a public key"
        );
        assert_eq!(
            SshKey::of_variable(name, true).unwrap(),
            file,
            "for the agent"
        );
    }
}
