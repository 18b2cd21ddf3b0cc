//! What a peer may send that no honest one does.

use std::sync::Arc;

use serde::Serialize;

use super::property::noise;
use super::tree::{Place, path};
use crate::artifact::{Assembly, Entry, Index, Kind, Known, Unpacker};
use crate::model::Digest;

/// An entry without the checks of the real one.
#[derive(Serialize)]
struct Raw(Vec<u8>, Kind);

fn file() -> Kind {
    Kind::File {
        digest: Digest::of(b"x"),
        size: 1,
        executable: false,
    }
}

fn empty() -> Kind {
    Kind::File {
        digest: Digest::of(b""),
        size: 0,
        executable: false,
    }
}

fn link(target: &str) -> Kind {
    Kind::Symlink {
        target: target.into(),
    }
}

fn decode(entries: Vec<(&str, Kind)>) -> Result<Index, String> {
    let raw: Vec<Raw> = entries
        .into_iter()
        .map(|(path, kind)| Raw(path.into(), kind))
        .collect();
    Index::decode(&postcard::to_stdvec(&raw).unwrap()).map_err(|error| error.to_string())
}

fn refusal(entries: Vec<(&str, Kind)>) -> String {
    decode(entries).expect_err("a hostile index was taken")
}

#[test]
fn an_index_stays_in_its_tree() {
    assert!(decode(vec![("a", Kind::Dir), ("a/b", file())]).is_ok());
    for bad in [
        "../x",
        "/etc/passwd",
        "a/../../x",
        "",
        ".",
        "a//b",
        ".ship/env",
        "a\0",
    ] {
        refusal(vec![("a", Kind::Dir), (bad, file())]);
        refusal(vec![(bad, file())]);
    }
    assert_eq!(
        refusal(vec![("a", file()), ("a", file())]),
        "the index is invalid: a is listed twice"
    );
    assert_eq!(
        refusal(vec![("b", file()), ("a", file())]),
        "the index is invalid: a is out of order"
    );
    for parent in [file(), link("b")] {
        assert_eq!(
            refusal(vec![("a", parent), ("a/b", file())]),
            "the index is invalid: a/b is not in a listed folder"
        );
    }
    assert_eq!(
        refusal(vec![("a/b", file())]),
        "the index is invalid: a/b is not in a listed folder"
    );
}

#[test]
fn a_link_stays_in_its_tree() {
    let tree = |target: &str| vec![("a", Kind::Dir), ("a/l", link(target))];
    for good in [
        "b",
        "../b",
        "..",
        ".",
        "./b/",
        "b/c/../../d",
        "../a/l2",
        "../a/../b",
    ] {
        assert!(decode(tree(good)).is_ok(), "{good} was refused");
    }
    for bad in [
        "",
        "/etc/passwd",
        "/",
        "../..",
        "../../a/b",
        "b/../../../x",
        "../.ship/env",
        "l",
    ] {
        refusal(tree(bad));
    }
    assert_eq!(
        refusal(tree("../../x")),
        "the index is invalid: the link a/l leads out of the tree (its target is `../../x`)"
    );
    // Inside by its text, outside through another link: d/l is the root, so d/l/.. is above it.
    let through = vec![
        ("d", Kind::Dir),
        ("d/l", link("..")),
        ("m", link("d/l/../x")),
    ];
    assert_eq!(
        refusal(through),
        "the index is invalid: the link m leads out of the tree (its target is `d/l/../x`)"
    );
    assert_eq!(
        refusal(vec![("a", link("b")), ("b", link("a/x"))]),
        "the index is invalid: the link a leads in a circle (its target is `b`)"
    );
}

#[test]
fn a_claimed_length_is_not_allocated() {
    // 2^60 entries; an entry whose path claims 2^60 bytes.
    let huge = postcard::to_stdvec(&(1_u64 << 60)).unwrap();
    assert!(Index::decode(&huge).is_err());
    assert!(Index::decode(&[&[1][..], &huge].concat()).is_err());
    let mut trailing = postcard::to_stdvec(&Vec::<Entry>::new()).unwrap();
    assert!(Index::decode(&trailing).is_ok());
    trailing.push(0);
    assert!(Index::decode(&trailing).is_err());
}

#[test]
fn a_content_has_one_size() {
    let sized = |text: &str, size| Kind::File {
        digest: Digest::of(text.as_bytes()),
        size,
        executable: false,
    };
    refusal(vec![("a", sized("x", 1)), ("b", sized("x", 2))]);
    refusal(vec![("a", sized("x", 0))]);
    refusal(vec![("a", sized("", 1))]);
}

/// A stream of one record: the content of the file at this position of the index.
fn record(at: u32, content: &[u8]) -> Vec<u8> {
    let plain = [&[0], &at.to_le_bytes()[..], content].concat();
    zstd::encode_all(&plain[..], 3).unwrap()
}

#[test]
fn a_content_must_be_asked_for_and_be_what_it_says() {
    let place = Place::new();
    let receive = |stream: &[u8]| {
        let entries = [("a", file()), ("d", Kind::Dir), ("e", empty())].map(|(name, kind)| Entry {
            path: path(name),
            kind,
        });
        let index = Index::new(entries.to_vec()).unwrap();
        let plan = Assembly::plan(Arc::new(index), &Known::new());
        let staging = plan.begin(&place.at("to")).unwrap();
        let mut unpacker = Unpacker::new(staging).unwrap();
        let result = unpacker.push(stream).and_then(|()| unpacker.finish());
        let result = result.and_then(|staging| staging.finish());
        let result = result.map(|tree| crate::artifact::remove_tree(tree.path()).unwrap());
        let result = result.map_err(|error| {
            let text = error.to_string();
            text.rsplit_once(": ").unwrap().1.to_owned()
        });
        assert_eq!(place.names(), [""; 0], "something stayed behind");
        result
    };
    assert_eq!(receive(&record(0, b"x")), Ok(()));
    let name = |content: &[u8]| Digest::of(content).short();
    let short = "the stream ended early".to_owned();
    let no_file = "a content came of what is no file".to_owned();
    let cases: [(&[u8], String); 8] = [
        (&record(1, b"x"), no_file.clone()),
        (&record(3, b"x"), no_file.clone()),
        (&record(u32::MAX, b"x"), no_file),
        (
            &record(2, b""),
            format!("the content {} was not asked for", name(b"")),
        ),
        (
            &record(0, b"y"),
            format!("its content is {}, expected {}", name(b"y"), name(b"x")),
        ),
        (&record(0, b""), short.clone()),
        (&record(0, b"xx"), short),
        (b"", "1 contents are missing, such as that of a".to_owned()),
    ];
    for (stream, expected) in cases {
        assert_eq!(receive(stream), Err(expected));
    }
    // The same content twice; a stream that is none; more after an error.
    let twice = b"\0\0\0\0\0x".repeat(2);
    receive(&zstd::encode_all(&twice[..], 3).unwrap()).unwrap_err();
    receive(b"GET / HTTP/1.1\r\n\r\n").unwrap_err();
}

/// From the second MB on a thread of its own places what comes.
#[test]
fn late_in_a_long_stream_nothing_else_is_taken_and_nothing_stays() {
    let place = Place::new();
    let names = ["a", "b", "c", "d", "e", "f"];
    let contents: Vec<Vec<u8>> = (0..).map(|seed| noise(seed, 1 << 20)).take(6).collect();
    let entries = names.iter().zip(&contents).map(|(name, content)| Entry {
        path: path(name),
        kind: Kind::File {
            digest: Digest::of(content),
            size: content.len() as u64,
            executable: false,
        },
    });
    let index = Arc::new(Index::new(entries.collect()).unwrap());
    let begin = || {
        let plan = Assembly::plan(Arc::clone(&index), &Known::new());
        Unpacker::new(plan.begin(&place.at("to")).unwrap()).unwrap()
    };
    let stream = |last: &[u8]| {
        let mut stream = Vec::new();
        for (at, content) in (0..5).zip(&contents) {
            stream.extend(record(at, content));
        }
        stream.extend(record(5, last));
        stream
    };
    let good = stream(&contents[5]);
    let (found, expected) = (Digest::of(&contents[4]), Digest::of(&contents[5]));
    let wrong = format!(
        "its content is {}, expected {}",
        found.short(),
        expected.short()
    );
    let cases = [
        (stream(&contents[4]), wrong),
        (
            good[..good.len() - 9].to_vec(),
            "the stream ended early".to_owned(),
        ),
        (
            [&good[..], &record(5, &contents[5])].concat(),
            format!("the content {} was not asked for", expected.short()),
        ),
    ];
    for (stream, expected) in cases {
        let mut unpacker = begin();
        let mut pushed = stream.chunks(64 << 10).map(|piece| unpacker.push(piece));
        let refused = pushed.find_map(Result::err);
        let refused = refused.unwrap_or_else(|| unpacker.finish().unwrap_err());
        let text = refused.to_string();
        assert_eq!(text.rsplit_once(": ").unwrap().1, expected);
        assert_eq!(place.names(), [""; 0], "something stayed behind");
    }
    // Nobody waits for what was begun: the thread ends first.
    let mut unpacker = begin();
    unpacker.push(&good[..3 << 20]).unwrap();
    drop(unpacker);
    assert_eq!(place.names(), [""; 0], "something stayed behind");

    let mut unpacker = begin();
    unpacker.push(&good).unwrap();
    let tree = unpacker.finish().unwrap().finish().unwrap();
    for (name, content) in names.iter().zip(&contents) {
        assert_eq!(std::fs::read(tree.path().join(name)).unwrap(), *content);
    }
}

/// What an artifact is called on every host must never change.
#[test]
fn the_name_of_a_tree_is_the_hash_of_its_fields_after_their_lengths() {
    let executable = Kind::File {
        digest: Digest::of(b"y"),
        size: 1,
        executable: true,
    };
    let entries = [
        ("a", Kind::Dir),
        ("a/b", file()),
        ("a/c", executable),
        ("l", link("a/b")),
    ];
    let (x, y) = (Digest::of(b"x"), Digest::of(b"y"));
    let one = 1_u64.to_le_bytes();
    let fields: [&[u8]; 13] = [
        b"a",
        b"d",
        b"a/b",
        b"f",
        x.as_bytes(),
        &one,
        b"a/c",
        b"x",
        y.as_bytes(),
        &one,
        b"l",
        b"l",
        b"a/b",
    ];
    let mut hasher = blake3::Hasher::new_derive_key("ship artifact index 1");
    for field in fields {
        hasher.update(&(field.len() as u64).to_le_bytes());
        hasher.update(field);
    }
    let entries = entries.map(|(name, kind)| Entry {
        path: path(name),
        kind,
    });
    let index = Index::new(entries.to_vec()).unwrap();
    assert_eq!(index.digest(), Digest::from(hasher.finalize()));
}
