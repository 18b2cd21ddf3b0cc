//! SHA-256 (FIPS 180-4), by which publishers name their archives. What ship names itself, it names
//! by blake3 ([`Digest`](crate::model::Digest)).

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use ring::digest::{Context, SHA256};

use crate::model::Sha256;

/// Takes bytes as they come and gives their sum.
#[derive(Clone)]
pub struct Sha256Hasher(Context);

impl Default for Sha256Hasher {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl std::fmt::Debug for Sha256Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sha256Hasher")
    }
}

impl Sha256Hasher {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The sum of all that was taken.
    #[must_use]
    pub fn finish(self) -> Sha256 {
        let mut sum = [0; 32];
        sum.copy_from_slice(self.0.finish().as_ref());
        Sha256::new(sum)
    }

    /// Takes the rest of `reader`; how many bytes that was.
    ///
    /// # Errors
    /// What reading says.
    pub fn read(&mut self, mut reader: impl Read) -> io::Result<u64> {
        let mut buffer = vec![0; 128 * 1024];
        let mut total = 0;
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok(total),
                Ok(length) => {
                    self.update(&buffer[..length]);
                    total += u64::try_from(length).unwrap_or(0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The sum of the file at `path`, and its length in bytes.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of_file(path: &Path) -> io::Result<(Sha256, u64)> {
        let mut hasher = Self::default();
        let length = hasher.read(File::open(path)?)?;
        Ok((hasher.finish(), length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of FIPS 180-2, appendix B.
    #[test]
    fn sums_are_those_of_the_standard() {
        let of = |text: &str| {
            let mut hasher = Sha256Hasher::default();
            assert_eq!(hasher.read(text.as_bytes()).unwrap(), text.len() as u64);
            hasher.finish().to_string()
        };
        assert_eq!(
            of("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(
            of(""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
