//! Whatever the trees, the right one arrives.

use proptest::prelude::*;
use proptest::sample::Index as Pick;

use super::tree::{Node, Place, Tree, deploy, deploy_over, index, make, read, whole};
use crate::artifact::{Assembly, Index, Known, Level, Unpacker, full_verify, pack, remove_tree};

/// Names that shells, terminals and other systems stumble over.
const NAMES: &[&[u8]] = &[
    b"a",
    b"b",
    b"A",
    b" ",
    b"x\ny",
    b"\xff\xfe",
    b"-rf",
    b"*",
    b"[id].js",
    b"...",
    b".env",
    b"'\"$`",
    "\u{e9}".as_bytes(),
    b"._a",
    b"%",
    b".shipped",
];

fn any_tree() -> impl Strategy<Value = Tree> {
    let name = proptest::sample::select(NAMES);
    let content = prop_oneof![
        Just(Vec::new()),
        Just(b"twin".to_vec()),
        Just(vec![7; 300_000]),
        proptest::collection::vec(any::<u8>(), 0..2000),
        (0_u64..2, any::<Pick>(), any::<u8>()).prop_map(|(seed, at, byte)| {
            let mut content = noise(seed, 400_000);
            let at = at.index(content.len());
            content.splice(at..at, [byte; 3]);
            content
        }),
    ];
    let node = prop_oneof![
        4 => (content, any::<bool>()).prop_map(|(content, x)| Node::File(content, x)),
        1 => Just(Node::Dir),
        // The target is filled in when the tree is known.
        1 => Just(Node::Link(Vec::new())),
    ];
    let entry = (proptest::collection::vec(name, 1..4), node, any::<Pick>());
    proptest::collection::vec(entry, 1..25).prop_map(|entries| {
        let mut tree = Tree::from([(b"keep".to_vec(), Node::File(b"kept".to_vec(), false))]);
        let mut links = Vec::new();
        'entries: for (names, node, pick) in entries {
            let mut path = Vec::new();
            for (depth, name) in names.iter().enumerate() {
                if depth > 0 {
                    path.push(b'/');
                }
                path.extend_from_slice(name);
                let is_last = depth + 1 == names.len();
                let wanted = if is_last { node.clone() } else { Node::Dir };
                let found = tree.entry(path.clone()).or_insert(wanted);
                if !is_last && *found != Node::Dir {
                    continue 'entries;
                }
            }
            if matches!(tree[&path], Node::Link(_)) {
                links.push((path, pick));
            }
        }
        // The twin of a file is macOS's own and does not travel.
        let twins: Vec<_> = tree
            .keys()
            .filter(|path| path.ends_with(b"._a"))
            .filter(|path| tree.contains_key(&[&path[..path.len() - 3], b"a"].concat()))
            .cloned()
            .collect();
        for twin in twins {
            tree.retain(|path, _| *path != twin && !path.starts_with(&[&twin[..], b"/"].concat()));
        }
        let ends: Vec<_> = tree
            .iter()
            .filter(|(_, node)| !matches!(node, Node::Link(_)))
            .map(|(path, _)| path.clone())
            .collect();
        for (link, pick) in links {
            let depth = link.iter().filter(|&&b| b == b'/').count();
            let target = [b"../".repeat(depth), pick.get(&ends).clone()].concat();
            if let Some(node) = tree.get_mut(&link) {
                *node = Node::Link(target);
            }
        }
        tree
    })
}

/// Bytes that do not compress, always the same for a seed.
pub(super) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new()
        .update(&seed.to_le_bytes())
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_tree_arrives_over_any_other(old in any_tree(), new in any_tree()) {
        let place = Place::new();
        let (from_old, from_new) = (place.at("old"), place.at("new"));
        make(&from_old, &old);
        make(&from_new, &new);
        let mut known = Known::new();
        let first = deploy(&from_old, &place.at("v1"), &mut known);

        let digests = |index: &Index| index.contents().into_iter().map(|(digest, _)| digest).collect::<Vec<_>>();
        let wanted = digests(&index(&from_new));
        let plan = Assembly::plan(index(&from_new), &known);
        let held = digests(&first);
        for digest in plan.missing() {
            prop_assert!(wanted.contains(digest));
            prop_assert!(!held.contains(digest), "what is known was asked for");
        }
        drop(plan);
        let second = deploy(&from_new, &place.at("v2"), &mut known);

        prop_assert_eq!(read(&place.at("v2")), new);
        prop_assert_eq!(full_verify(&place.at("v2"), &second, &[]).unwrap(), vec![]);
        remove_tree(&place.at("v2")).unwrap();
        prop_assert_eq!(read(&place.at("v1")), old);
        prop_assert_eq!(full_verify(&place.at("v1"), &first, &[]).unwrap(), vec![]);
        prop_assert_eq!(place.names(), ["new", "old", "v1"]);
    }

    #[test]
    fn any_tree_arrives_as_a_change_of_any_other(old in any_tree(), new in any_tree()) {
        let place = Place::new();
        let (from_old, from_new) = (place.at("old"), place.at("new"));
        make(&from_old, &old);
        make(&from_new, &new);
        let mut known = Known::new();
        let first = deploy(&from_old, &place.at("v1"), &mut known);
        deploy_over(&from_new, &place.at("v2"), (&place.at("v1"), &first), &known);
        prop_assert_eq!(read(&place.at("v2")), new);
        let differences = full_verify(&place.at("v2"), &index(&from_new), &[]).unwrap();
        prop_assert_eq!(differences, vec![]);
        prop_assert_eq!(read(&place.at("v1")), old);
        prop_assert_eq!(full_verify(&place.at("v1"), &first, &[]).unwrap(), vec![]);
        prop_assert_eq!(place.names(), ["new", "old", "v1", "v2"]);
    }

    #[test]
    fn a_damaged_stream_is_an_error_or_harmless(
        tree in any_tree(),
        at in any::<Pick>(),
        bit in 0_u8..8,
        cut in any::<bool>(),
        piece in 1_usize..5000,
    ) {
        let place = Place::new();
        make(&place.at("from"), &tree);
        let index = index(&place.at("from"));
        let staging = Assembly::plan(index.clone(), &Known::new()).begin(&place.at("to")).unwrap();
        let mut stream = Vec::new();
        pack(&place.at("from"), &index, &whole(&staging.missing()), Level::default(), &mut stream, &mut |_| {}).unwrap();
        let at = at.index(stream.len());
        if cut {
            stream.truncate(at);
        } else {
            stream[at] ^= 1 << bit;
        }
        let mut unpacker = Unpacker::new(staging).unwrap();
        let mut result = Ok(());
        for piece in stream.chunks(piece) {
            result = result.and_then(|()| unpacker.push(piece));
        }
        match result.and_then(|()| unpacker.finish()).and_then(|staging| staging.finish()) {
            Ok(_) => prop_assert_eq!(read(&place.at("to")), tree),
            Err(_) => prop_assert_eq!(place.names(), ["from"], "something stayed behind"),
        }
    }

    #[test]
    fn a_damaged_index_never_panics(tree in any_tree(), at in any::<Pick>(), byte in any::<u8>()) {
        let place = Place::new();
        make(&place.at("from"), &tree);
        let index = index(&place.at("from"));
        let mut bytes = index.encode().unwrap();
        prop_assert_eq!(&Index::decode(&bytes).unwrap(), &*index);
        let at = at.index(bytes.len());
        prop_assert!(Index::decode(&bytes[..at]).is_err());
        bytes[at] = byte;
        if let Ok(other) = Index::decode(&bytes) {
            prop_assert_eq!(other == *index, other.digest() == index.digest());
        }
    }

    #[test]
    fn noise_is_no_index(bytes in proptest::collection::vec(any::<u8>(), 1..300)) {
        let _ = Index::decode(&bytes);
    }
}
