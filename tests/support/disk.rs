//! A small disk of a host's own: a real ext4 on a loop device.

use super::command::{attempt, finish, run};
use super::poll::within;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// What to make: where it is mounted in the host, and how much fits.
#[derive(Clone, Debug)]
pub struct Disk {
    at: String,
    bytes: u64,
    inodes: Option<u64>,
}

impl Disk {
    /// A disk of so many MiB at this absolute path; at `/`, it holds all that the
    /// host writes. It can be filled, and a power cut loses what was not synced.
    pub fn at(path: &str, mib: u64) -> Self {
        assert!(path.starts_with('/'), "{path} is not absolute");
        Self {
            at: path.to_owned(),
            bytes: mib << 20,
            inodes: None,
        }
    }

    /// With about this many inodes (files and folders).
    pub fn inodes(self, inodes: u64) -> Self {
        Self {
            inodes: Some(inodes),
            ..self
        }
    }

    pub fn is_root(&self) -> bool {
        self.at == "/"
    }

    /// Whether this path of the host is on this disk.
    pub fn holds(&self, path: &str) -> bool {
        Path::new(path).starts_with(&self.at)
    }

    /// The place of its mount point below this root.
    pub fn below(&self, root: &Path) -> PathBuf {
        root.join(&self.at[1..])
    }
}

/// The loop device of a made disk.
pub struct LoopDevice(String);

impl LoopDevice {
    /// Makes the file system in `image` and attaches it.
    pub fn make(disk: &Disk, image: &Path) -> Self {
        File::create(image)
            .and_then(|file| file.set_len(disk.bytes))
            .expect("create the disk image");
        let mut mkfs = Command::new("mkfs.ext4");
        // No blocks in reserve for root: full is full. Nothing is left for the kernel to make in
        // the background.
        mkfs.args(["-q", "-F", "-m", "0"]);
        mkfs.args(["-E", "lazy_itable_init=0,lazy_journal_init=0"]);
        if let Some(inodes) = disk.inodes {
            mkfs.args(["-N", &inodes.to_string()]);
        }
        finish(mkfs.arg(image));
        Self(run(
            "losetup",
            &["--find".as_ref(), "--show".as_ref(), image.as_os_str()],
        ))
    }

    pub fn mount(&self, at: &Path) {
        fs::create_dir_all(at).expect("create the mount point");
        // What is not synced is not on the disk, however long ago it was written.
        let options = "commit=3600";
        run(
            "mount",
            &[
                "-t".as_ref(),
                "ext4".as_ref(),
                "-o".as_ref(),
                options.as_ref(),
                self.0.as_ref(),
                at,
            ],
        );
    }

    /// Forgets, as a power cut does, everything that was not synced; nothing can
    /// be read or written until the disk is mounted anew.
    pub fn lose_unsynced(&self, at: &Path) {
        // EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH, linux/fs/ext4/ext4.h.
        run(
            "perl",
            &[
                "-e".as_ref(),
                r#"open(my $disk, "<", $ARGV[0]) or die $!;
                   my $flags = pack("I", 2);
                   ioctl($disk, 0x8004587d, $flags) or die $!"#
                    .as_ref(),
                at.as_os_str(),
            ],
        );
    }

    /// Waits until nobody has the file system mounted any more: mounted again
    /// before that, it would be the same dead one.
    pub fn wait_unmounted(&self) {
        let name = self.0.trim_start_matches("/dev/");
        let mounted = Path::new("/sys/fs/ext4").join(name);
        // A machine that boots beside it holds a copy of all mounts for a while.
        within(Duration::from_secs(60), "the disk to be unmounted", || {
            (!mounted.exists()).then_some(())
        });
    }
}

/// Detaches every loop device of this image; fine when there is none.
pub fn detach(image: &Path) {
    let Ok(list) = Command::new("losetup").arg("-j").arg(image).output() else {
        return;
    };
    for line in String::from_utf8_lossy(&list.stdout).lines() {
        if let Some((device, _)) = line.split_once(':') {
            attempt("losetup", &["-d", device]);
        }
    }
}
