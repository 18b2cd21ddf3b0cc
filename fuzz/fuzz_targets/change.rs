//! A change of an index that both ends have.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use ship::artifact::{Change, Index};

static OLD: LazyLock<Index> = LazyLock::new(ship_fuzz::index);

fuzz_target!(|bytes: &[u8]| {
    let Ok(change) = Change::decode(bytes) else {
        return;
    };
    let encoded = change.encode().expect("an encoding");
    assert_eq!(Change::decode(&encoded).as_ref(), Ok(&change));
    let Ok(new) = change.apply(&OLD) else {
        return;
    };
    // A tree that came so is a tree like any other.
    let whole = new.encode().expect("an encoding");
    assert_eq!(Index::decode(&whole).as_ref(), Ok(&new));
    assert_eq!(Change::between(&OLD, &new).apply(&OLD).as_ref(), Ok(&new));
});
