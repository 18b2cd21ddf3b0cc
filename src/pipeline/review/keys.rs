//! Keys and passwords among the files of a release.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;

use super::{Look, Remark, is_dependency, named, toml_list};
use crate::artifact::{SelectedKind, TreePath};
use crate::pipeline::git;

/// How much of a file is looked at, bytes.
const HEAD: u64 = 16 << 10;
/// The largest JSON file that is looked at because it may be the key of a service account, bytes.
const ACCOUNT: u64 = 8 << 10;
/// How many files are opened at most.
const OPENED: usize = 2000;

/// Extensions of files that hold secrets.
const EXTENSIONS: [&str; 16] = [
    "agekey",
    "bks",
    "jks",
    "kdbx",
    "key",
    "keystore",
    "ovpn",
    "p12",
    "p8",
    "pem",
    "pfx",
    "pkcs12",
    "ppk",
    "tfstate",
    "tfvars",
    "kubeconfig",
];

/// Names of files that hold secrets.
const NAMES: [&str; 37] = [
    ".boto",
    ".dockercfg",
    ".dockerconfigjson",
    ".envrc",
    ".git-credentials",
    ".htpasswd",
    ".my.cnf",
    ".netrc",
    ".npmrc",
    ".pgpass",
    ".pypirc",
    ".rclone.conf",
    ".s3cfg",
    ".vault-token",
    ".vault_pass",
    "_netrc",
    "auth.json",
    "client_secret.json",
    "credentials",
    "credentials.json",
    "credentials.yaml",
    "credentials.yml",
    "id_dsa",
    "id_ecdsa",
    "id_ecdsa_sk",
    "id_ed25519",
    "id_ed25519_sk",
    "id_rsa",
    "kubeconfig",
    "local.settings.json",
    "secret.json",
    "secrets.json",
    "secrets.toml",
    "secrets.yaml",
    "secrets.yml",
    "secrets.properties",
    "terraform.tfstate.backup",
];

/// Parts of names of files that are worth a look at their content.
const HINTS: [&str; 15] = [
    "key",
    "secret",
    "private",
    "credential",
    "token",
    "passw",
    "rsa",
    "ed25519",
    "ecdsa",
    "cert",
    "jwt",
    "pgp",
    "gpg",
    "ssl",
    "tls",
];

/// Extensions of program text and of what browsers show, which speak of keys and are none.
const TEXTS: [&str; 34] = [
    "c", "cc", "cjs", "class", "cpp", "cs", "css", "erb", "ex", "exs", "gif", "go", "h", "html",
    "java", "jpg", "js", "jsx", "kt", "map", "md", "mjs", "php", "png", "py", "pyc", "rb", "rs",
    "scss", "svg", "ts", "tsx", "vue", "woff2",
];

/// What a name says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    /// Files of this name hold secrets.
    Secret,
    /// Its content decides.
    Perhaps,
}

/// What the beginning of a file says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    /// A secret, called this.
    Secret(&'static str),
    /// None: empty, a certificate, settings without a token.
    Harmless,
    Unclear,
}

/// A warning that names keys. A file counts when its content is one, whoever has it; when only its
/// name says so, it counts unless git tracks it. Naming a file exactly in `include` is consent.
pub(super) fn remark(look: &Look<'_>) -> Option<Remark> {
    let (mut found, mut unclear, mut opened) = (Vec::new(), Vec::new(), 0);
    for entry in look.selection.entries() {
        if entry.kind != SelectedKind::File {
            continue;
        }
        let Some(name) = by_name(&entry.path) else {
            continue;
        };
        if is_dependency(&entry.path) || look.chooser.names_exactly(&entry.path) {
            continue;
        }
        opened += 1;
        if opened > OPENED {
            break;
        }
        match (content(look, &entry.path, name), name) {
            (Content::Secret(what), _) => found.push((entry.path.to_string(), what)),
            (Content::Unclear, Name::Secret) => unclear.push(entry.path.to_string()),
            (Content::Unclear | Content::Harmless, _) => {}
        }
    }
    let paths: Vec<&str> = unclear.iter().map(String::as_str).collect();
    let tracked = git::tracked(&look.project.source, &paths);
    let untracked = unclear.iter().filter_map(|path| match &tracked {
        Some(tracked) if tracked.contains(path) => None,
        Some(_) => Some((path.clone(), "not in git")),
        None => Some((path.clone(), "by its name")),
    });
    found.extend(untracked);
    if found.is_empty() {
        return None;
    }
    found.sort();
    let names: Vec<String> = found
        .iter()
        .map(|(path, what)| format!("{path} ({what})"))
        .collect();
    let exclude = toml_list(found.iter().map(|(path, _)| format!("/{path}")));
    Some(Remark {
        text: format!(
            "the release holds files that look secret: {}",
            named(&names)
        ),
        hint: Some(format!(
            "leave them out with exclude = {exclude}; if the app needs one, name exactly that file in `include`"
        )),
    })
}

fn by_name(path: &TreePath) -> Option<Name> {
    let name = String::from_utf8_lossy(path.name()).to_ascii_lowercase();
    let (stem, extension) = name.rsplit_once('.').unwrap_or((&name, ""));
    if TEXTS.contains(&extension) {
        return None;
    }
    if let Some(rest) = name.strip_prefix(".env") {
        let example = [
            "example", "sample", "template", "dist", "defaults", "schema",
        ];
        let is_one = rest.is_empty() || rest.starts_with('.');
        return (is_one && !example.contains(&extension)).then_some(Name::Secret);
    }
    let is_account = || {
        let accounts = [
            "service-account",
            "service_account",
            "serviceaccount",
            "adminsdk",
        ];
        extension == "json" && accounts.iter().any(|part| stem.contains(part))
    };
    if EXTENSIONS.contains(&extension)
        || extension == "env"
        || NAMES.contains(&name.as_str())
        || is_account()
    {
        return Some(Name::Secret);
    }
    let may_be = extension == "json" || HINTS.iter().any(|part| name.contains(part));
    may_be.then_some(Name::Perhaps)
}

fn content(look: &Look<'_>, path: &TreePath, name: Name) -> Content {
    let file = File::options()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path.below(&look.project.source));
    let Ok(file) = file else {
        // Whoever reads the files says so.
        return Content::Unclear;
    };
    let size = file.metadata().map_or(0, |found| found.len());
    let is_json = path.name().ends_with(b".json");
    if name == Name::Perhaps && is_json && size > ACCOUNT {
        return Content::Harmless;
    }
    let mut head = Vec::new();
    if file.take(HEAD).read_to_end(&mut head).is_err() {
        return Content::Unclear;
    }
    judge(
        &String::from_utf8_lossy(path.name()).to_ascii_lowercase(),
        &String::from_utf8_lossy(&head),
    )
}

fn judge(name: &str, text: &str) -> Content {
    if text.trim().is_empty() {
        return Content::Harmless;
    }
    let mut begins = text.match_indices("-----BEGIN ").map(|(at, _)| &text[at..]);
    let is_private = |part: &str| {
        let label = part.split_terminator("-----").nth(1).unwrap_or_default();
        label.contains("PRIVATE KEY") && label.len() < 60
    };
    if begins.any(is_private)
        || text.starts_with("PuTTY-User-Key-File-")
        || text.contains("AGE-SECRET-KEY-1")
    {
        return Content::Secret("a private key");
    }
    if text.contains("aws_secret_access_key") {
        return Content::Secret("a key of AWS");
    }
    // RFC 7292: a key with its certificates, a DER sequence.
    let is_bundle = [".p12", ".pfx", ".pkcs12"]
        .iter()
        .any(|end| name.ends_with(end));
    if is_bundle && text.starts_with('0') {
        return Content::Secret("a key store");
    }
    // RFC 7468: certificates and public keys are for everybody.
    if text.contains("-----BEGIN ") {
        return Content::Harmless;
    }
    if name == ".npmrc" {
        return match text.lines().any(has_token) {
            true => Content::Secret("with a token"),
            false => Content::Harmless,
        };
    }
    Content::Unclear
}

/// A line of npmrc(5) with a token or a password that is not taken from the environment.
fn has_token(line: &str) -> bool {
    let Some((key, value)) = line.split_once('=') else {
        return false;
    };
    let (key, value) = (key.trim(), value.trim().trim_matches('"'));
    let secret = ["_authToken", "_auth", "_password"];
    secret.iter().any(|end| key.ends_with(end)) && !value.is_empty() && !value.starts_with("${")
}
