//! What the fuzz targets and the maker of their seeds have in common.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use ship::artifact::{
    Assembly, Digests, Entry, Index, Kind, Known, NoCache, Staging, scan, select,
};
use ship::model::Digest;

/// A folder in memory for this process, made anew.
#[must_use]
pub fn scratch(name: &str) -> PathBuf {
    let folder = PathBuf::from(format!("/dev/shm/ship-fuzz-{name}-{}", std::process::id()));
    let _ = ship::artifact::remove_tree(&folder);
    std::fs::create_dir_all(&folder).expect("a folder in /dev/shm");
    folder
}

/// Text that differs everywhere and compresses, as code does.
#[must_use]
pub fn text(name: &str, bytes: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes + 64);
    for line in 0_u64.. {
        if text.len() >= bytes {
            break;
        }
        let word = line.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        text.extend(format!("{name} {line}: call {word:#x}\n").bytes());
    }
    text.truncate(bytes);
    text
}

/// A tree with a folder, files, an executable and links.
#[must_use]
pub fn index() -> Index {
    let file = |text: &str, executable| Kind::File {
        digest: Digest::of(text.as_bytes()),
        size: text.len() as u64,
        executable,
    };
    let link = |target: &str| Kind::Symlink {
        target: target.into(),
    };
    let entries = [
        ("app", Kind::Dir),
        ("app/empty", Kind::Dir),
        ("app/link", link("main.js")),
        ("app/main.js", file("main", false)),
        ("app/tool", file("tool", true)),
        ("app/twin", file("tool", false)),
        ("nothing", file("", false)),
        ("up", link("app/../nothing")),
    ];
    let entry = |(path, kind)| Entry {
        path: ship::artifact::TreePath::try_from(path).expect("a path"),
        kind,
    };
    Index::new(entries.map(entry).into()).expect("an index")
}

/// The length of a large file, bytes: it may travel as chunks.
pub const LARGE: usize = 300 << 10;

/// The old content of a large file.
#[must_use]
pub fn old(name: &str) -> Vec<u8> {
    text(name, LARGE)
}

/// The new content of a large file: changed in the middle, in several places, and longer.
#[must_use]
pub fn new(name: &str) -> Vec<u8> {
    let mut content = old(name);
    let middle = content.len() / 2;
    for at in (middle - 3000..middle + 3000).step_by(701) {
        content[at] ^= 0x20;
    }
    content.splice(middle..middle, *b"a line that was not there before\n");
    content
}

/// The names of the large files: one comes as chunks, the other as a difference.
pub const CHUNKED: &str = "app/chunked";
/// See there.
pub const PATCHED: &str = "app/patched";

/// Writes the project from before, or the new one.
pub fn write_project(root: &Path, large: fn(&str) -> Vec<u8>, small: &str) {
    std::fs::create_dir_all(root.join("app")).expect("a folder");
    let write = |path: &str, content: &[u8]| {
        std::fs::write(root.join(path), content).expect("a file");
    };
    for path in [CHUNKED, PATCHED] {
        write(path, &large(path));
    }
    write("app/small", small.as_bytes());
    write("app/twin", small.as_bytes());
    write("app/nothing", b"");
}

/// The index of the project at `root`.
#[must_use]
pub fn index_of(root: &Path) -> Arc<Index> {
    let selection = select(root, &[".".to_owned()], &[]).expect("a selection");
    Arc::new(scan(root, &selection, &NoCache).expect("an index"))
}

/// A host with an old release, to which a new one is sent.
pub struct Receiver {
    /// Holds the new project, the old release and what is being made.
    pub folder: PathBuf,
    /// The new tree.
    pub index: Arc<Index>,
    /// The old tree.
    pub base: Arc<Index>,
    known: Known,
}

impl Receiver {
    /// In memory.
    #[must_use]
    pub fn new() -> Self {
        let folder = scratch("receiver");
        let (project, release) = (folder.join("project"), folder.join("v1"));
        write_project(&folder.join("before"), old, "small");
        write_project(&project, new, "other");
        let base = index_of(&folder.join("before"));
        copy_as_release(&folder.join("before"), &release, &base);
        let mut known = Known::new();
        known.add(release, Arc::clone(&base), SystemTime::now());
        Self {
            index: index_of(&project),
            base,
            known,
            folder,
        }
    }

    /// Where the new tree is made.
    #[must_use]
    pub fn staging(&self) -> PathBuf {
        self.folder.join("staging")
    }

    /// Begins the new tree.
    ///
    /// # Panics
    /// When memory is full.
    pub fn begin(&self) -> Staging {
        let mut plan = Assembly::plan(Arc::clone(&self.index), &self.known);
        let base = digest(&self.base, PATCHED);
        assert!(plan.add_base(
            digest(&self.index, PATCHED),
            base,
            LARGE as u64,
            &self.known
        ));
        plan.begin(&self.staging()).expect("a folder in memory")
    }
}

impl Default for Receiver {
    fn default() -> Self {
        Self::new()
    }
}

/// What `path` of `index` holds.
#[must_use]
pub fn digest(index: &Index, path: &str) -> Digest {
    let path = ship::artifact::TreePath::try_from(path).expect("a path");
    match index.get(&path) {
        Some(Kind::File { digest, .. }) => *digest,
        other => panic!("{path} is {other:?}"),
    }
}

/// Copies a project as releases are: nobody may write its files.
fn copy_as_release(from: &Path, to: &Path, index: &Index) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(to.join("app")).expect("a folder");
    for (path, ..) in index.files() {
        let to = path.below(to);
        std::fs::copy(path.below(from), &to).expect("a copy");
        std::fs::set_permissions(&to, std::fs::Permissions::from_mode(0o444)).expect("chmod");
    }
}

/// The format's name at the start of a file of digests.
pub const DIGESTS: &[u8] = b"shipdig2";

/// Reads a file of digests.
#[must_use]
pub fn open_digests(file: &Path, bytes: &[u8]) -> Digests {
    std::fs::write(file, bytes).expect("a file in memory");
    Digests::open(file)
}

/// The largest section of a made-up block, bytes.
const SECTION: usize = 1 << 12;

/// Makes a delta of `plain`, which are blocks: per block five lengths (u16, little-endian) and so
/// many bytes of the sections. A fuzzer would hardly ever change a compressed section into another.
#[must_use]
pub fn pack_blocks(mut plain: &[u8]) -> Vec<u8> {
    let section = || zstd::stream::write::Encoder::new(Vec::new(), 1).expect("a compressor");
    let mut sections: [_; 5] = std::array::from_fn(|_| section());
    let mut packed = Vec::new();
    while let Some((lengths, mut rest)) = plain.split_at_checked(10) {
        let (mut header, mut bodies) = (Vec::new(), Vec::new());
        for (section, length) in sections.iter_mut().zip(lengths.chunks_exact(2)) {
            let length = usize::from(u16::from_le_bytes([length[0], length[1]])) % SECTION;
            let (bytes, left) = rest.split_at(length.min(rest.len()));
            rest = left;
            let body = compress(section, bytes);
            header.extend(u32::try_from(bytes.len()).unwrap_or(0).to_le_bytes());
            header.extend(u32::try_from(body.len()).unwrap_or(0).to_le_bytes());
            bodies.extend(body);
        }
        packed.extend(header);
        packed.extend(bodies);
        plain = rest;
    }
    packed
}

fn compress(section: &mut zstd::stream::write::Encoder<'_, Vec<u8>>, bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    if bytes.is_empty() {
        return Vec::new();
    }
    let packed = section.write_all(bytes).and_then(|()| section.flush());
    packed.expect("memory takes everything");
    std::mem::take(section.get_mut())
}
