//! A difference to a file that is here. The first byte says whether the rest is one, or the plain
//! sections of one (see `pack_blocks`); the second says how large the pieces are that arrive.

#![no_main]

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use ship::artifact::delta::Decoder;

/// The length of the result, bytes.
const EXPECTED: u64 = ship_fuzz::LARGE as u64 + 33;

static OLD: LazyLock<PathBuf> = LazyLock::new(|| {
    let file = ship_fuzz::scratch("delta").join("old");
    std::fs::write(&file, ship_fuzz::old(ship_fuzz::PATCHED)).expect("a file in memory");
    file
});

/// Counts.
struct Count(u64);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        assert!(self.0 <= EXPECTED, "more than was expected");
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fuzz_target!(|bytes: &[u8]| {
    let [mode, piece, rest @ ..] = bytes else {
        return;
    };
    let delta = match mode % 2 {
        0 => rest.to_vec(),
        _ => ship_fuzz::pack_blocks(rest),
    };
    let old = File::open(&*OLD).expect("the old file");
    let mut decoder = Decoder::new(old, EXPECTED).expect("a decoder");
    let mut made = Count(0);
    for piece in delta.chunks(usize::from(*piece) * 64 + 1) {
        if decoder.push(piece, &mut made).is_err() {
            assert!(decoder.push(b"more", &mut made).is_err());
            return;
        }
    }
    if decoder.finish().is_ok() {
        assert_eq!(made.0, EXPECTED);
    }
});
