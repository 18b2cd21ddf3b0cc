//! The stream of contents, into a tree in memory that has an old release to take from.
//!
//! The first byte says whether the rest is the stream, or the records in it, which are compressed
//! here: a fuzzer would hardly ever change a compressed record into another. The second says how
//! large the pieces are that arrive.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use ship::artifact::{Staging, TreeError, Unpacker, full_verify, remove_tree};
use ship_fuzz::{Receiver, digest};

static RECEIVER: LazyLock<Receiver> = LazyLock::new(Receiver::new);

fuzz_target!(|bytes: &[u8]| {
    let [mode, piece, rest @ ..] = bytes else {
        return;
    };
    let stream = match mode % 2 {
        0 => rest.to_vec(),
        _ => zstd::encode_all(rest, 1).expect("memory takes everything"),
    };
    let piece = usize::from(*piece) * 64 + 1;
    match receive(&stream, piece) {
        Ok(staging) if staging.missing().is_empty() => complete(staging),
        Ok(staging) => drop(staging),
        Err(_) => {}
    }
    let mut names: Vec<_> = std::fs::read_dir(&RECEIVER.folder)
        .expect("a folder")
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["before", "project", "v1"]);
});

fn receive(stream: &[u8], piece: usize) -> Result<Staging, TreeError> {
    let mut unpacker = Unpacker::new(RECEIVER.begin())?;
    let chunks = unpacker.chunks(&digest(&RECEIVER.index, ship_fuzz::CHUNKED));
    assert!(!chunks.is_empty());
    for piece in stream.chunks(piece) {
        unpacker.push(piece)?;
    }
    unpacker.finish()
}

/// What says that it is complete is what it says.
fn complete(staging: Staging) {
    let tree = staging.finish().expect("nothing is missing");
    let differences = full_verify(tree.path(), &RECEIVER.index, &[]).expect("a tree");
    assert_eq!(differences, []);
    remove_tree(tree.path()).expect("memory forgets");
}
