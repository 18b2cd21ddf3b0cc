//! The file of remembered digests, as another program, another version or a broken disk may leave
//! it. The first byte says whether the rest is the file, or what is in it beside its checksum.

#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use ship::artifact::{DigestSource, Digests, FileStamp, TreePath};
use ship::model::Digest;

static FILE: LazyLock<PathBuf> = LazyLock::new(|| ship_fuzz::scratch("digests").join("digests"));

fuzz_target!(|bytes: &[u8]| {
    let Some((mode, rest)) = bytes.split_first() else {
        return;
    };
    let file = match mode % 2 {
        0 => rest.to_vec(),
        _ => [ship_fuzz::DIGESTS, blake3::hash(rest).as_bytes(), rest].concat(),
    };
    let digests = ship_fuzz::open_digests(&FILE, &file);
    let path = TreePath::try_from("app/main.js").expect("a path");
    let stamp = FileStamp {
        size: 4,
        mtime_ns: 1,
        ctime_ns: 2,
        inode: 3,
    };
    let before = digests.known(&path, &stamp);
    let digest = Digest::of(b"main");
    digests.learned(&path, &stamp, digest);
    assert_eq!(digests.known(&path, &stamp), before);
    digests.save([&path].into_iter()).expect("memory takes it");
    assert_eq!(Digests::open(&FILE).known(&path, &stamp), Some(digest));
});
