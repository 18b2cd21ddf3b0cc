//! A host's file system: an overlay on the base tree.

use super::command::{attempt, run};
use super::disk::{self, Disk, LoopDevice};
use super::slot;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

/// In the folder of a slot: `root` is the mounted tree, `layer` what the host
/// wrote, `disk.img` its own disk.
pub struct Tree {
    dir: PathBuf,
    base: PathBuf,
    disk: Option<(Disk, LoopDevice)>,
}

impl Tree {
    /// Makes and mounts it, on top of `base`.
    pub fn create(dir: &Path, base: PathBuf, disk: Option<&Disk>) -> Self {
        let disk = disk.map(|disk| {
            let _lock = slot::lock();
            (disk.clone(), LoopDevice::make(disk, &dir.join("disk.img")))
        });
        let tree = Self {
            dir: dir.to_owned(),
            base,
            disk,
        };
        tree.share();
        tree.mount();
        tree
    }

    /// A host that boots gets a copy of all that is mounted here, and hides it. Where mounts are
    /// shared, what is unmounted here goes there too (mount_namespaces(7)); else the disk of this
    /// host would be in use as long as any host lives that was booted after it.
    fn share(&self) {
        let dir = self.dir.as_os_str();
        run("mount", &["--bind".as_ref(), dir, dir]);
        run("mount", &["--make-shared".as_ref(), dir]);
    }

    pub fn root(&self) -> PathBuf {
        self.dir.join("root")
    }

    /// Whether this path of the host is on a disk of its own.
    pub fn is_on_own_disk(&self, path: &str) -> bool {
        self.disk.as_ref().is_some_and(|(disk, _)| disk.holds(path))
    }

    /// Writes a file of the host with this mode before it boots; owned by root.
    pub fn put(&self, path: &str, mode: u32, content: &str) {
        let file = self.root().join(path.trim_start_matches('/'));
        fs::write(&file, content).unwrap_or_else(|error| panic!("write {path}: {error}"));
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("chmod");
    }

    /// Gives a file to the first ordinary user.
    pub fn give(&self, path: &str, id: u32) {
        let file = self.root().join(path.trim_start_matches('/'));
        chown(file, Some(id), Some(id)).expect("chown");
    }

    /// Makes what was written so far last through a power cut.
    pub fn sync(&self) {
        if self.disk.is_some() {
            run("sync", &["-f".as_ref(), self.root().as_os_str()]);
        }
    }

    /// What a power cut does to the disk. Without a disk of its own, the host
    /// keeps all it wrote. Nothing of the host may run.
    pub fn power_cut(&self) {
        let Some((disk, device)) = &self.disk else {
            return;
        };
        device.lose_unsynced(&self.disk_mount(disk));
        // The folder itself may be in memory, see `mount`; that stays.
        for mounted in ["root", "layer"] {
            unmount_all(&self.dir.join(mounted));
        }
        device.wait_unmounted();
        self.mount();
    }

    fn disk_mount(&self, disk: &Disk) -> PathBuf {
        if disk.is_root() {
            self.dir.join("layer")
        } else {
            disk.below(&self.root())
        }
    }

    fn mount(&self) {
        let root_disk = self.disk.as_ref().filter(|(disk, _)| disk.is_root());
        if let Some((disk, device)) = root_disk {
            device.mount(&self.disk_mount(disk));
        }
        if !self.mount_overlay() {
            // The folder is itself on an overlay, as in a container; memory is not.
            run(
                "mount",
                &[
                    "-t".as_ref(),
                    "tmpfs".as_ref(),
                    "ship-tests".as_ref(),
                    self.dir.as_os_str(),
                ],
            );
            run("mount", &["--make-shared".as_ref(), self.dir.as_os_str()]);
            assert!(self.mount_overlay(), "cannot mount an overlay");
        }
        if let Some((disk, device)) = self.disk.as_ref().filter(|(disk, _)| !disk.is_root()) {
            device.mount(&self.disk_mount(disk));
        }
    }

    fn mount_overlay(&self) -> bool {
        let [upper, work] = ["layer/upper", "layer/work"].map(|name| self.dir.join(name));
        for folder in [&upper, &work, &self.root()] {
            fs::create_dir_all(folder).expect("create the layers");
        }
        let options = format!(
            "lowerdir={},upperdir={},workdir={}",
            self.base.display(),
            upper.display(),
            work.display()
        );
        attempt(
            "mount",
            &[
                "-t".as_ref(),
                "overlay".as_ref(),
                "ship-tests".as_ref(),
                "-o".as_ref(),
                options.as_ref(),
                self.root().as_os_str(),
            ],
        )
    }
}

/// Removes a tree, mounted or not; fine when there is none.
pub fn remove(dir: &Path) {
    unmount_all(dir);
    disk::detach(&dir.join("disk.img"));
    let _ = fs::remove_dir_all(dir);
}

/// Unmounts everything at and below this folder, the last mounted first.
fn unmount_all(dir: &Path) {
    let mounts = fs::read_to_string("/proc/self/mounts").expect("read the mounts");
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(1));
    let mut points: Vec<_> = points
        .filter(|point| Path::new(point).starts_with(dir))
        .collect();
    points.reverse();
    for point in points {
        if !attempt("umount", &[point]) {
            attempt("umount", &["--lazy", point]);
        }
    }
}
