//! Access control lists of POSIX.1e draft 17, as Linux keeps them: the extended attribute
//! `system.posix_acl_access` (xattr(7); the layout is that of `linux/posix_acl_xattr.h`).

use std::io;
use std::os::fd::AsFd;

use rustix::fs::XattrFlags;
use rustix::io::Errno;

const NAME: &str = "system.posix_acl_access";
const VERSION: u32 = 2;

const USER_OBJ: u16 = 0x01;
const USER: u16 = 0x02;
const GROUP_OBJ: u16 = 0x04;
const MASK: u16 = 0x10;
const OTHER: u16 = 0x20;

/// The id of an entry that names nobody.
const NOBODY: u32 = u32::MAX;

/// May look through a folder.
const SEARCH: u16 = 1;

/// The longest list that is read, bytes.
const LONGEST: usize = 64 << 10;

/// Who, and what they may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    tag: u16,
    id: u32,
    permissions: u16,
}

/// The list that has the permissions of `mode` and lets `readers` look through.
pub fn list(mode: u32, readers: &[u32]) -> Vec<Entry> {
    let bits = |shift: u32| (mode >> shift & 0o7) as u16;
    let entry = |tag, id, permissions| Entry {
        tag,
        id,
        permissions,
    };
    let mut list = vec![
        entry(USER_OBJ, NOBODY, bits(6)),
        entry(GROUP_OBJ, NOBODY, bits(3)),
        entry(MASK, NOBODY, bits(3) | SEARCH),
        entry(OTHER, NOBODY, bits(0)),
    ];
    list.extend(readers.iter().map(|id| entry(USER, *id, SEARCH)));
    list.sort_unstable();
    list
}

/// The list of an open folder, sorted; `None` where it has none beside its mode.
///
/// # Errors
/// When the system does not say, or says what is not a list.
pub fn read(folder: &impl AsFd) -> io::Result<Option<Vec<Entry>>> {
    let mut bytes = vec![0; LONGEST];
    let length = match rustix::fs::fgetxattr(folder, NAME, bytes.as_mut_slice()) {
        Ok(length) => length,
        Err(Errno::NODATA | Errno::OPNOTSUPP) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    bytes.truncate(length);
    let odd = || io::Error::other("an access control list that ship does not understand");
    let (head, entries) = bytes.split_first_chunk::<4>().ok_or_else(odd)?;
    if u32::from_le_bytes(*head) != VERSION || entries.len() % 8 != 0 {
        return Err(odd());
    }
    let mut list: Vec<Entry> = entries.chunks_exact(8).map(decode).collect();
    list.sort_unstable();
    Ok(Some(list))
}

fn decode(bytes: &[u8]) -> Entry {
    let two = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    Entry {
        tag: two(0),
        permissions: two(2),
        id: u32::from(two(4)) | u32::from(two(6)) << 16,
    }
}

/// Gives an open folder this list.
///
/// # Errors
/// When the file system has no such lists, or this process may not.
pub fn write(folder: &impl AsFd, list: &[Entry]) -> io::Result<()> {
    let mut bytes = VERSION.to_le_bytes().to_vec();
    for entry in list {
        bytes.extend(entry.tag.to_le_bytes());
        bytes.extend(entry.permissions.to_le_bytes());
        bytes.extend(entry.id.to_le_bytes());
    }
    match rustix::fs::fsetxattr(folder, NAME, &bytes, XattrFlags::empty()) {
        Err(Errno::OPNOTSUPP) => Err(io::Error::other(
            "its file system has no access control lists, which `readable-by` needs",
        )),
        set => Ok(set?),
    }
}

/// Takes the list of an open folder away; its mode stays.
///
/// # Errors
/// When this process may not.
pub fn remove(folder: &impl AsFd) -> io::Result<()> {
    match rustix::fs::fremovexattr(folder, NAME) {
        Err(Errno::NODATA | Errno::OPNOTSUPP) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
