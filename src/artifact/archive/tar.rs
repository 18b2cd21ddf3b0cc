//! Reads `.tar.gz` (POSIX.1-2008 pax, ustar and GNU tar headers).

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::rc::Rc;

use flate2::read::MultiGzDecoder;
use tar::{Archive, Entry, EntryType};

use super::refuse;
use super::tree::Tree;
use crate::artifact::error::TreeError;

/// Most bytes of an entry that are not its content: headers, long names, padding.
const HEADERS: u64 = 1 << 20;

pub(super) fn read(archive: &Path, tree: &mut Tree) -> Result<(), TreeError> {
    let broken = |error: io::Error| TreeError::io("unpack", archive, error);
    let file = File::open(archive).map_err(|error| TreeError::io("open", archive, error))?;
    let allowed = Rc::new(Cell::new(HEADERS));
    let mut tar = Archive::new(Metered {
        inner: MultiGzDecoder::new(BufReader::with_capacity(128 * 1024, file)),
        allowed: Rc::clone(&allowed),
    });
    let mut empty = true;
    let mut entries = tar.entries().map_err(broken)?;
    loop {
        // Names are read into memory by the next line: no more of them than is sane.
        allowed.set(HEADERS);
        let Some(entry) = entries.next() else { break };
        let mut entry = entry.map_err(broken)?;
        allowed.set(u64::MAX);
        empty = false;
        add(&mut entry, tree)?;
    }
    if empty {
        let nothing = io::Error::other("there is nothing in it");
        return Err(broken(nothing));
    }
    Ok(())
}

fn add(entry: &mut Entry<'_, impl Read>, tree: &mut Tree) -> Result<(), TreeError> {
    let name = entry.path_bytes().into_owned();
    let target = |entry: &Entry<'_, _>| {
        entry
            .link_name_bytes()
            .map(std::borrow::Cow::into_owned)
            .ok_or_else(|| refuse(&name, "is a link without a target"))
    };
    match entry.header().entry_type() {
        // Old archives have folders as files whose names end in a slash.
        EntryType::Regular | EntryType::Continuous if name.ends_with(b"/") => tree.folder(&name),
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
            let mode = entry.header().mode();
            let executable = mode.is_ok_and(|mode| mode & 0o111 != 0);
            tree.file(&name, executable, entry)
        }
        EntryType::Directory => tree.folder(&name),
        EntryType::Symlink => tree.link(&name, &target(entry)?),
        EntryType::Link => tree.hard_link(&name, &target(entry)?),
        EntryType::Char => Err(refuse(&name, "is a character device")),
        EntryType::Block => Err(refuse(&name, "is a block device")),
        EntryType::Fifo => Err(refuse(&name, "is a fifo")),
        // Comments for the whole archive (git archive writes the commit there).
        EntryType::XGlobalHeader => Ok(()),
        other => Err(refuse(
            &name,
            format!(
                "is of a kind that is not known ({:?})",
                char::from(other.as_byte())
            ),
        )),
    }
}

/// Lets so many bytes through and no more.
struct Metered<R> {
    inner: R,
    allowed: Rc<Cell<u64>>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let allowed = self.allowed.get();
        let most = usize::try_from(allowed).unwrap_or(usize::MAX);
        if most == 0 && !buffer.is_empty() {
            return Err(io::Error::other("the headers of an entry are too long"));
        }
        let most = most.min(buffer.len());
        let length = self.inner.read(&mut buffer[..most])?;
        let used = u64::try_from(length).unwrap_or(u64::MAX);
        self.allowed.set(allowed.saturating_sub(used));
        Ok(length)
    }
}
