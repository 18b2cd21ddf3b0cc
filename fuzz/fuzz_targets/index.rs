//! The index of a tree.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ship::artifact::{Change, Index};

fuzz_target!(|bytes: &[u8]| {
    let Ok(index) = Index::decode(bytes) else {
        return;
    };
    let encoded = index.encode().expect("an encoding");
    let again = Index::decode(&encoded).expect("what was encoded");
    assert_eq!(again, index);
    assert_eq!(again.digest(), index.digest());
    for entry in index.entries() {
        assert_eq!(index.get(&entry.path), Some(&entry.kind));
        assert!(!entry.path.as_path().is_absolute());
    }
    assert!(index.contents().len() as u64 <= index.file_count());
    let _ = index.bytes();
    let empty = Index::default();
    for (old, new) in [(&empty, &index), (&index, &empty), (&index, &index)] {
        let made = Change::between(old, new).apply(old);
        assert_eq!(made.as_ref(), Ok(new));
    }
});
