//! What travels and what is made when little changed.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::time::SystemTime;

use super::property::noise;
use super::tree::{Place, deploy, deploy_over, index, make, path, read, tree, whole};
use crate::artifact::delta::{Mode, Options, encode};
use crate::artifact::{
    Assembly, Kind, Known, Level, Parcel, Spare, Unpacker, Way, pack, remove_tree,
};

/// Brings `one` to `v1`, then `two` over it to `v2`; the bytes that travelled for `two`.
fn second(place: &Place) -> usize {
    let mut known = Known::new();
    let first = deploy(&place.at("one"), &place.at("v1"), &mut known);
    let sent = deploy_over(
        &place.at("two"),
        &place.at("v2"),
        (&place.at("v1"), &first),
        &known,
    );
    assert_eq!(read(&place.at("v2")), read(&place.at("two")));
    assert_eq!(read(&place.at("v1")), read(&place.at("one")));
    sent
}

#[test]
fn a_byte_in_a_large_file_costs_a_chunk_or_two() {
    let place = Place::new();
    for name in ["one", "two"] {
        make(&place.at(name), &tree(&["small"]));
        let mut content = noise(1, 8 << 20);
        if name == "two" {
            content[5 << 20] ^= 1;
            content.insert(1000, 7);
        }
        fs::write(place.at(name).join("large"), content).unwrap();
    }
    let sent = second(&place);
    assert!(sent < 400_000, "{sent} bytes");
}

#[test]
fn a_difference_to_what_was_damaged_is_followed_by_the_whole() {
    let place = Place::new();
    for (name, byte) in [("one", 1), ("two", 2)] {
        make(&place.at(name), &tree(&["a"]));
        let mut content = noise(1, 1 << 20);
        content[1 << 19] = byte;
        fs::write(place.at(name).join("large"), content).unwrap();
    }
    let mut known = Known::new();
    let first = deploy(&place.at("one"), &place.at("v1"), &mut known);
    let old = first.get(&path("large")).unwrap();
    let Kind::File {
        digest: base, size, ..
    } = *old
    else {
        unreachable!()
    };
    let (source, index) = (place.at("two"), index(&place.at("two")));
    let send = |damage: bool, at: &str| {
        let mut plan = Assembly::plan(Arc::clone(&index), &known);
        let digest = plan.missing()[0];
        assert!(plan.add_base(digest, base, size, &known));
        let staging = plan.begin(&place.at(at)).unwrap();
        let open = |name: &str| fs::File::open(place.at(name).join("large")).unwrap();
        let mut delta = Vec::new();
        let options = Options {
            mode: Mode::Full,
            max_bytes: u64::MAX,
            stop: &|| false,
        };
        encode(&open("one"), &open("two"), &mut delta, &options).unwrap();
        if damage {
            fs::write(place.at("v1").join("large"), noise(9, 1 << 20)).unwrap();
        }
        let mut stream = Vec::new();
        let parcels = [Parcel {
            digest,
            way: Way::Delta {
                base,
                delta: Arc::new(delta),
            },
        }];
        pack(
            &source,
            &index,
            &parcels,
            Level::default(),
            &mut stream,
            &mut |_| {},
        )
        .unwrap();
        assert!(stream.len() < 1000, "{} bytes", stream.len());
        let mut unpacker = Unpacker::new(staging).unwrap();
        stream
            .chunks(100)
            .for_each(|piece| unpacker.push(piece).unwrap());
        unpacker.finish().unwrap()
    };
    let done = send(false, "good").finish().unwrap();
    assert_eq!(read(done.path()), read(&source));
    let staging = send(true, "damaged");
    assert_eq!(staging.missing().len(), 1);
    let done = super::tree::send(&source, &index, staging, 5000)
        .finish()
        .unwrap();
    assert_eq!(read(done.path()), read(&source));
}

#[test]
fn a_renamed_folder_sends_nothing() {
    let place = Place::new();
    let lines =
        |folder: &str| -> Vec<String> { (0..1000).map(|n| format!("{folder}/{n}")).collect() };
    for (name, folder) in [("one", "old"), ("two", "new")] {
        make(&place.at(name), &tree(&["keep"]));
        fs::create_dir(place.at(name).join(folder)).unwrap();
        for (line, from) in lines(folder).iter().zip(lines("x")) {
            fs::write(place.at(name).join(line), from).unwrap();
        }
    }
    let sent = second(&place);
    assert!(sent < 20, "{sent} bytes");
    let inode = |at: &str| place.at(at).metadata().unwrap().ino();
    assert_eq!(inode("v1/old/7"), inode("v2/new/7"));
}

#[test]
fn what_was_damaged_in_the_spare_or_the_release_is_not_taken() {
    let place = Place::new();
    for name in ["one", "two"] {
        make(&place.at(name), &tree(&["a", "b", "d/c", name]));
    }
    let mut known = Known::new();
    let v1 = place.at("v1");
    let first = deploy(&place.at("one"), &v1, &mut known);
    let assembled = SystemTime::now();
    let mut only = Known::new();
    only.add(v1.clone(), Arc::clone(&first), assembled);
    let made = Assembly::plan(Arc::clone(&first), &only)
        .begin(&place.at("spare"))
        .unwrap()
        .finish()
        .unwrap();
    let spare = Spare {
        tree: made.path().to_owned(),
        index: first,
        made: SystemTime::now(),
    };
    // As root may: of the same length, in place, in the release; both trees have it.
    fs::write(v1.join("d/c"), "d/X").unwrap();
    // The clock of files ticks in milliseconds; this test is faster.
    let damaged = fs::File::options()
        .write(true)
        .open(v1.join("d/c"))
        .unwrap();
    let later = SystemTime::now() + std::time::Duration::from_secs(1);
    damaged.set_modified(later).unwrap();
    let staging = Assembly::plan_over(
        index(&place.at("two")),
        &spare,
        &spare.open().unwrap().damaged(),
        &only,
    )
    .begin(&place.at("staging"))
    .unwrap();
    let missing = staging.missing();
    assert_eq!(missing.len(), 2, "d/c and two");
    let mut stream = Vec::new();
    let parcels = whole(&missing);
    let (source, index) = (place.at("two"), index(&place.at("two")));
    pack(
        &source,
        &index,
        &parcels,
        Level::default(),
        &mut stream,
        &mut |_| {},
    )
    .unwrap();
    let mut unpacker = Unpacker::new(staging).unwrap();
    unpacker.push(&stream).unwrap();
    let done = unpacker.finish().unwrap().finish().unwrap();
    assert_eq!(read(done.path()), read(&place.at("two")));
    assert_eq!(fs::read(v1.join("d/c")).unwrap(), b"d/X");
    remove_tree(&v1).unwrap();
}

#[test]
fn an_interrupted_transfer_is_gone_on_with() {
    let place = Place::new();
    make(&place.at("one"), &tree(&["a", "b"]));
    for (name, seed) in [("large", 1), ("larger", 2)] {
        fs::write(place.at("one").join(name), noise(seed, 4 << 20)).unwrap();
    }
    let index = index(&place.at("one"));
    let begin = |known: &Known, at: &str| {
        Assembly::plan(Arc::clone(&index), known)
            .begin(&place.at(at))
            .unwrap()
    };
    let staging = begin(&Known::new(), "cut");
    let mut stream = Vec::new();
    let parcels = whole(&staging.missing());
    pack(
        &place.at("one"),
        &index,
        &parcels,
        Level::default(),
        &mut stream,
        &mut |_| {},
    )
    .unwrap();
    let mut unpacker = Unpacker::new(staging).unwrap();
    // The first large one is there, half of the second.
    unpacker.push(&stream[..6 << 20]).unwrap();
    unpacker.leave();

    let mut known = Known::new();
    known.add_leftover(place.at("cut"), (*index).clone());
    let staging = begin(&known, "again");
    assert_eq!(staging.missing().len(), 1);
    let digest = staging.missing()[0];
    let mut unpacker = Unpacker::new(staging).unwrap();
    let chunks = unpacker.chunks(&digest);
    let held: u64 = chunks.iter().map(|chunk| u64::from(chunk.length)).sum();
    assert!(held > 3 << 19, "{held} bytes of the second");

    // A file that was complete and is damaged is found out.
    let damaged = place.at("cut").join("large");
    fs::write(&damaged, noise(3, 4 << 20)).unwrap();
    let staging = begin(&known, "damaged");
    assert_eq!(staging.missing().len(), 2);
    assert!(index.get(&path("large")).is_some());
}

#[test]
fn a_change_of_contents_alone_obeys_the_rules_too() {
    use crate::artifact::{Change, Entry, Index};
    use crate::model::Digest;
    let file = |name: &str, content: &[u8], size| Entry {
        path: path(name),
        kind: Kind::File {
            digest: Digest::of(content),
            size,
            executable: false,
        },
    };
    let old = Index::new(vec![file("a", b"a", 1), file("b", b"b", 1)]).unwrap();
    let apply = |entries: Vec<Entry>| {
        // As it comes over the wire: paths that are gone, entries that are set.
        let bytes = postcard::to_stdvec(&(Vec::<crate::artifact::TreePath>::new(), entries));
        Change::decode(&bytes.unwrap()).unwrap().apply(&old)
    };
    let new = apply(vec![file("b", b"bb", 2)]).unwrap();
    assert_eq!(new, Index::new(new.entries().to_vec()).unwrap());
    for (wrong, why) in [
        (vec![file("b", b"a", 2)], "another size than a has"),
        (vec![file("b", b"bb", 0)], "empty, and is not"),
        (vec![file("b", b"", 7)], "not empty, and is"),
        (vec![file("b", b"b", 1), file("a", b"x", 1)], "not sorted"),
        (vec![file("b", b"x", 1), file("b", b"y", 1)], "twice"),
        (vec![file("a/c", b"c", 1)], "in no folder"),
    ] {
        assert!(apply(wrong).is_err(), "{why}");
    }
}
