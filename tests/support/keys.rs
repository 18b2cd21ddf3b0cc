//! ssh keys, made by `ssh-keygen`.

use super::command::run;
use super::temp::TempDir;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

/// A private key and its public line, both as OpenSSH writes them.
#[derive(Clone)]
pub struct KeyPair {
    pub private: String,
    pub public: String,
}

impl KeyPair {
    pub fn generate(comment: &str) -> Self {
        let dir = TempDir::new();
        let file = dir.path().join("key");
        run(
            "ssh-keygen",
            &[
                "-q".as_ref(),
                "-t".as_ref(),
                "ed25519".as_ref(),
                "-N".as_ref(),
                "".as_ref(),
                "-C".as_ref(),
                comment.as_ref(),
                "-f".as_ref(),
                file.as_os_str(),
            ],
        );
        let read = |path: &Path| fs::read_to_string(path).expect("ssh-keygen wrote a key");
        Self {
            private: read(&file),
            public: read(&file.with_extension("pub")),
        }
    }

    /// The person's key: every host of this process accepts it, every controller
    /// has it.
    pub fn person() -> &'static Self {
        static KEY: OnceLock<KeyPair> = OnceLock::new();
        KEY.get_or_init(|| Self::generate("person@ship-tests"))
    }
}
