//! Writes the seeds: real encodings, one folder per target. `cargo run --example seeds`

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use ship::artifact::delta::{self, Mode, Options};
use ship::artifact::{Change, FileStamp, Index, Level, Parcel, TreePath, Unpacker, Way, pack};
use ship::model::runtime::{ArchiveFormat, RuntimeArchive, RuntimeNeeds, RuntimeSource};
use ship::model::{Deployment, Digest, HostRuntime, ReleaseId, ServiceManagerKind, Sha256};
use ship::wire::{
    ActivateRequest, Begin, DeltaOffer, Frame, FromAgent, Holder, Need, NeededArchive, Offer, Open,
    ToAgent, argument,
};
use ship_fuzz::{CHUNKED, PATCHED, Receiver, digest, index};
use tar::{EntryType, Header};
use zip::write::SimpleFileOptions;

fn main() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    frames(&seeds.join("frame"));
    indexes(&seeds.join("index"));
    changes(&seeds.join("change"));
    let receiver = Receiver::new();
    streams(&seeds.join("unpack"), &receiver);
    archives(&seeds.join("archive"));
    deltas(&seeds.join("delta"), &receiver);
    digests(&seeds.join("digests"));
    ship::artifact::remove_tree(&receiver.folder).expect("memory forgets");
}

fn put(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(folder).expect("a folder");
    fs::write(folder.join(name), bytes).expect("a seed");
}

fn message(message: &impl Serialize) -> Vec<u8> {
    Frame::message(message).expect("a message").encode()
}

fn frames(folder: &Path) {
    let open = Open {
        deployment: Deployment {
            app: "shop".try_into().expect("a name"),
            environment: "production".try_into().expect("a name"),
            root: None,
            manager: ServiceManagerKind::Systemd,
            user: "shop".into(),
            readable_by: Vec::new(),
        },
    };
    put(
        folder,
        "argument",
        argument::encode(&open).expect("an argument"),
    );
    let begin = Begin {
        holder: Holder {
            what: "deploy".into(),
            who: "ann@laptop".into(),
            since: "2026-01-02T03:04:05Z".into(),
            ci: None,
            doing: Some("staging v43".into()),
        },
        transaction: "t-1".into(),
        wait_ms: 0,
        lease_ms: 30_000,
        services: None,
    };
    let artifact = Digest::of(b"artifact");
    let sha256 = Sha256::new([0xab; 32]);
    let offer = Offer {
        artifact,
        base: Some(artifact),
        deltas: vec![DeltaOffer {
            content: 1,
            base: artifact,
            size: 300,
        }],
        whole: vec![2],
        runtimes: vec![node()],
        keep: 5,
    };
    let activate = ActivateRequest {
        release: ReleaseId(2),
        settle: true,
        commit: Some(5),
    };
    let to_agent = [
        message(&ToAgent::Open(Box::new(open))),
        message(&ToAgent::Begin(Box::new(begin))),
        message(&ToAgent::Offer(offer)),
        Frame::Data(vec![1, 2, 3]).encode(),
        message(&ToAgent::DataEnd),
        message(&ToAgent::Archive { sha256, from: 7 }),
        message(&ToAgent::Activate(activate)),
        message(&ToAgent::Commit { keep: 5 }),
    ];
    put(folder, "to-agent", to_agent.concat());
    let need = Need {
        missing: vec![(0, 3), (7, 1)],
        deltas: vec![1],
        chunks: vec![(7, vec![(u64::MAX, 32 << 10), (1, 8 << 10)])],
        reused: 1000,
        archives: vec![NeededArchive { sha256, have: 7 }],
    };
    let from_agent = [
        message(&FromAgent::Need(need)),
        message(&FromAgent::NeedIndex),
        message(&FromAgent::Published),
        message(&FromAgent::Exited { code: 1 }),
        message(&FromAgent::Heartbeat),
    ];
    put(folder, "from-agent", from_agent.concat());
}

/// A pinned runtime.
fn node() -> HostRuntime {
    HostRuntime {
        name: "node".into(),
        version: "20.11.1".into(),
        source: RuntimeSource::Archive(RuntimeArchive {
            sha256: Sha256::new([0xab; 32]),
            size: 40 << 20,
            format: ArchiveFormat::TarGz,
            strip: 1,
            bin: vec!["bin".into()],
            env: [("NODE_HOME".into(), String::new())].into(),
            settings: BTreeMap::new(),
            needs: RuntimeNeeds {
                glibc: Some((2, 28)),
                libraries: [("libstdc++.so.6".into(), "libstdc++6".into())].into(),
            },
        }),
    }
}

fn indexes(folder: &Path) {
    put(
        folder,
        "empty",
        Index::default().encode().expect("an index"),
    );
    put(folder, "tree", index().encode().expect("an index"));
}

fn changes(folder: &Path) {
    let (old, empty) = (index(), Index::default());
    let entries = old
        .entries()
        .iter()
        .filter(|entry| entry.path.name() != b"twin");
    let fewer = Index::new(entries.cloned().collect()).expect("an index");
    for (name, from, to) in [
        ("nothing", &old, &old),
        ("everything", &empty, &old),
        ("all-gone", &old, &empty),
        ("one-gone", &old, &fewer),
        ("one-more", &fewer, &old),
    ] {
        put(
            folder,
            name,
            Change::between(from, to).encode().expect("a change"),
        );
    }
}

/// The difference of the large file that comes as one.
fn patch(receiver: &Receiver) -> Vec<u8> {
    let open = |project: &str| File::open(receiver.folder.join(project).join(PATCHED));
    let (old, new) = (
        open("before").expect("a file"),
        open("project").expect("a file"),
    );
    let options = Options {
        mode: Mode::Full,
        max_bytes: 1 << 20,
        stop: &|| false,
    };
    let mut encoded = Vec::new();
    delta::encode(&old, &new, &mut encoded, &options).expect("a difference");
    encoded
}

fn streams(folder: &Path, receiver: &Receiver) {
    let mut unpacker = Unpacker::new(receiver.begin()).expect("an unpacker");
    let chunked = digest(&receiver.index, CHUNKED);
    let known = unpacker.chunks(&chunked).into_iter().collect();
    drop(unpacker);
    let chunks = Parcel {
        digest: chunked,
        way: Way::Chunks(std::sync::Arc::new(known)),
    };
    let delta = Parcel {
        digest: digest(&receiver.index, PATCHED),
        way: Way::Delta {
            base: digest(&receiver.base, PATCHED),
            delta: std::sync::Arc::new(patch(receiver)),
        },
    };
    let whole = Parcel {
        digest: digest(&receiver.index, "app/small"),
        way: Way::Whole,
    };
    let all = [whole.clone(), chunks.clone(), delta.clone()];
    let parcels: [(&str, &[Parcel]); 4] = [
        ("whole", &[whole]),
        ("chunks", &[chunks]),
        ("delta", &[delta]),
        ("all", &all),
    ];
    for (name, parcels) in parcels {
        let root: PathBuf = receiver.folder.join("project");
        let mut stream = Vec::new();
        let level = Level::default();
        pack(
            &root,
            &receiver.index,
            parcels,
            level,
            &mut stream,
            &mut |_| {},
        )
        .expect("a stream");
        let plain = zstd::decode_all(&stream[..]).expect("a stream");
        put(folder, name, [&[0, 255], &stream[..]].concat());
        put(
            folder,
            &format!("{name}-plain"),
            [&[1, 7], &plain[..]].concat(),
        );
    }
}

/// A name, its kind, and its content; for a link its target.
type Packed<'a> = (&'a str, EntryType, &'a str);

fn archives(folder: &Path) {
    let long = format!("node-v20/lib/{}.js", "name".repeat(40));
    let runtime: [Packed; 6] = [
        ("node-v20/", EntryType::Directory, ""),
        ("node-v20/bin/node", EntryType::Regular, "elf"),
        ("node-v20/bin/npm", EntryType::Symlink, "../lib/npm.js"),
        ("node-v20/lib/npm.js", EntryType::Regular, "js"),
        ("node-v20/bin/nodejs", EntryType::Link, "node-v20/bin/node"),
        (&long, EntryType::Regular, "long"),
    ];
    let hostile: [Packed; 6] = [
        ("a/", EntryType::Directory, ""),
        ("a/up", EntryType::Symlink, ".."),
        ("out", EntryType::Symlink, "a/up/../beside"),
        ("out/file", EntryType::Regular, "written"),
        ("hard", EntryType::Link, "../beside/file"),
        ("/etc/passwd", EntryType::Regular, "root"),
    ];
    let tar = tarred(&runtime);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&tar).expect("memory takes everything");
    let tar_gz = gzip.finish().expect("memory takes everything");
    // One component of each name is dropped.
    put(folder, "tar-gz", [&[3], &tar_gz[..]].concat());
    put(folder, "tar", [&[4], &tar[..]].concat());
    put(folder, "zip", [&[5], &zipped(&runtime)[..]].concat());
    put(
        folder,
        "tar-hostile",
        [&[1], &tarred(&hostile)[..]].concat(),
    );
    put(
        folder,
        "zip-hostile",
        [&[2], &zipped(&hostile)[..]].concat(),
    );
}

/// With the names as they are, which the library's own writer refuses to write.
fn tarred(entries: &[Packed]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let put = |field: &mut [u8], text: &str| {
        let length = text.len().min(field.len());
        field[..length].copy_from_slice(&text.as_bytes()[..length]);
    };
    let mut add = |name: &str, kind: EntryType, text: &str| {
        let is_link = matches!(kind, EntryType::Symlink | EntryType::Link);
        let content = if is_link { "" } else { text };
        let mut header = Header::new_gnu();
        put(&mut header.as_old_mut().name, name);
        if is_link {
            put(&mut header.as_old_mut().linkname, text);
        }
        header.set_entry_type(kind);
        header.set_mode(0o755);
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append(&header, content.as_bytes()).expect("a tar");
    };
    for (name, kind, text) in entries {
        if name.len() > 100 {
            add("././@LongLink", EntryType::GNULongName, name);
        }
        add(name, *kind, text);
    }
    builder.into_inner().expect("a tar")
}

fn zipped(entries: &[Packed]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().unix_permissions(0o755);
    for (name, kind, text) in entries {
        let added = match kind {
            EntryType::Directory => writer.add_directory(*name, options),
            EntryType::Symlink => writer.add_symlink(*name, *text, options),
            _ => writer
                .start_file(*name, options)
                .and_then(|()| Ok(writer.write_all(text.as_bytes())?)),
        };
        added.expect("a zip");
    }
    writer.finish().expect("a zip").into_inner()
}

fn deltas(folder: &Path, receiver: &Receiver) {
    put(folder, "real", [&[0, 255], &patch(receiver)[..]].concat());
    put(folder, "blocks", [&[1, 3], &blocks()[..]].concat());
}

/// Sections of two blocks: a literal, a copy with a fix-up that is spelled out, another place.
fn blocks() -> Vec<u8> {
    let block = |operations: &[u8], gaps: &[u8], codes: &[u8], words: &[u8], literals: &[u8]| {
        let sections = [operations, gaps, codes, words, literals];
        let length = |section: &&[u8]| u16::try_from(section.len()).unwrap_or(0).to_le_bytes();
        let lengths: Vec<u8> = sections.iter().flat_map(length).collect();
        [lengths, sections.concat()].concat()
    };
    let first = block(
        &[5, 100, 0, 0, 50, 20],
        &[7, 9],
        &[0, 1],
        &[1, 2, 3, 4],
        b"hello",
    );
    let second = block(&[0, 200, 1, 0], &[3], &[254], &[], &[]);
    [first, second].concat()
}

fn digests(folder: &Path) {
    let entry = |path: &str, number: i128| {
        let stamp = FileStamp {
            size: 4,
            mtime_ns: number,
            ctime_ns: number,
            inode: 3,
        };
        let path = TreePath::try_from(path).expect("a path");
        (path, stamp, Digest::of(b"main"))
    };
    let entries = vec![entry("app/main.js", 2), entry("app/tool", i128::MAX)];
    let body = postcard::to_stdvec(&entries).expect("an encoding");
    let checksum = blake3::hash(&body);
    let file = [ship_fuzz::DIGESTS, checksum.as_bytes(), &body].concat();
    put(folder, "file", [&[0], &file[..]].concat());
    put(folder, "body", [&[1], &body[..]].concat());
}
