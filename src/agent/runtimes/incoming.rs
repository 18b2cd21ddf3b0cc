//! The runtimes of the release that is on its way: what is missing, received and unpacked while the
//! release's own content travels.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path};
use std::thread::JoinHandle;

use super::install::install;
use super::receive::{Received, Receiver, have};
use super::{archive, installed, is_here, needs, refuse, sweep, title};
use crate::agent::host::Host;
use crate::agent::stage::Room;
use crate::agent::{Layout, disk};
use crate::model::{Failure, HostRuntime, Sha256};
use crate::wire::NeededArchive;

/// Archives are packed to about a quarter of what is in them.
const UNPACKED: u64 = 4;

/// The files of runtimes are larger than so many bytes of their archive, on average.
const BYTES_PER_FILE: u64 = 8 << 10;

/// What is known and done about the runtimes of an offered release.
#[derive(Debug)]
pub struct Incoming {
    layout: Layout,
    offered: Vec<HostRuntime>,
    /// Not here when they were offered, each archive once.
    missing: Vec<HostRuntime>,
    receiving: Option<Receiver>,
    /// Being unpacked.
    installing: Vec<JoinHandle<Result<(), Failure>>>,
    /// To come once more.
    spoiled: Vec<HostRuntime>,
    /// Whether this host can run them: found out while the release is on its way.
    checks: Option<JoinHandle<Result<(), Failure>>>,
}

impl Incoming {
    /// Looks which of the runtimes in `offered` are here, and begins to find out whether the others
    /// can run here. Call it under the lock.
    ///
    /// # Errors
    /// When one of them has a name that is not one, or the folder of runtimes cannot be made.
    pub fn begin(host: &Host, offered: &[HostRuntime]) -> Result<Self, Failure> {
        let mut missing: Vec<HostRuntime> = Vec::new();
        for runtime in offered {
            if runtime.folder().is_some_and(|name| !is_one_name(&name)) {
                return Err(Failure::unexpected(format!(
                    "`{}` is not the name of a runtime",
                    title(runtime)
                )));
            }
            if !is_here(&host.layout, runtime) && !missing.contains(runtime) {
                missing.push(runtime.clone());
            }
        }
        if !missing.is_empty() {
            make_folder(&host.layout.runtimes())?;
            sweep::clean(&host.layout);
        }
        let by_host = offered.iter().any(|runtime| archive(runtime).is_none());
        let checks = (by_host || !missing.is_empty()).then(|| {
            let (offered, missing) = (offered.to_vec(), missing.clone());
            let manager = host.deployment.manager;
            std::thread::spawn(move || {
                let mut problems = needs::problems(&missing.iter().collect::<Vec<_>>());
                problems.extend(installed::problems(&offered, manager));
                refuse(problems)
            })
        });
        Ok(Self {
            layout: host.layout.clone(),
            offered: offered.to_vec(),
            missing,
            receiving: None,
            installing: Vec::new(),
            spoiled: Vec::new(),
            checks,
        })
    }

    /// What must travel, when this host can run it. Where something must, that is waited for: an
    /// archive is not sent to a host that has no use for it.
    ///
    /// # Errors
    /// `Refused` when this host cannot run what was offered, as far as that is known.
    pub fn needed(&mut self) -> Result<Vec<NeededArchive>, Failure> {
        let is_known = self.checks.as_ref().is_some_and(JoinHandle::is_finished);
        if is_known || !self.missing.is_empty() {
            self.checked()?;
        }
        let needed = self.missing.iter().filter_map(|runtime| {
            Some(NeededArchive {
                sha256: archive(runtime)?.sha256,
                have: have(&self.layout, runtime),
            })
        });
        Ok(needed.collect())
    }

    /// The room that it takes, about.
    #[must_use]
    pub fn room(&self) -> Room {
        let archives = self.missing.iter().filter_map(|runtime| {
            let size = archive(runtime)?.size;
            let to_come = size.saturating_sub(have(&self.layout, runtime));
            Some(Room {
                bytes: to_come.saturating_add(size.saturating_mul(UNPACKED)),
                inodes: size / BYTES_PER_FILE,
            })
        });
        archives.fold(Room::default(), |all, one| Room {
            bytes: all.bytes.saturating_add(one.bytes),
            inodes: all.inodes.saturating_add(one.inodes),
        })
    }

    /// The bytes of the archive `sha256` follow, from byte `from` on.
    ///
    /// # Errors
    /// When that was not asked for, or cannot be written.
    pub fn start(&mut self, sha256: Sha256, from: u64) -> Result<(), Failure> {
        let wanted = |runtime: &&HostRuntime| {
            archive(runtime).is_some_and(|archive| archive.sha256 == sha256)
        };
        let Some(runtime) = self.missing.iter().find(wanted) else {
            return Err(Failure::unexpected(
                "an archive arrived that nobody asked for",
            ));
        };
        let receiver = Receiver::open(&self.layout, runtime.clone(), from)?;
        self.receiving = Some(receiver);
        Ok(())
    }

    /// Whether bytes that come are an archive's.
    #[must_use]
    pub fn is_receiving(&self) -> bool {
        self.receiving.is_some()
    }

    /// Takes the next bytes of an archive.
    ///
    /// # Errors
    /// When more comes than was offered, or it cannot be written.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let pushed = self.receiving.as_mut().map_or(Ok(()), |r| r.push(bytes));
        if pushed.is_err() {
            self.receiving = None;
        }
        pushed
    }

    /// An archive has ended: it is verified here, and unpacked while the rest travels.
    ///
    /// # Errors
    /// `Refused` when it is not what was offered.
    pub fn end(&mut self) -> Result<(), Failure> {
        let Some(receiver) = self.receiving.take() else {
            return Ok(());
        };
        match receiver.finish()? {
            Received::Spoiled { runtime } => self.spoiled.push(runtime),
            Received::Verified { runtime, archive } => {
                let layout = self.layout.clone();
                let unpacking = move || install(&layout, &runtime, &archive);
                self.installing.push(std::thread::spawn(unpacking));
            }
        }
        Ok(())
    }

    /// Waits until `runtimes`, which were offered, are here and can run here. What must travel once
    /// more is returned; nothing may be published then.
    ///
    /// # Errors
    /// `Refused` when this host cannot run them, or what came cannot be unpacked.
    pub fn settle(&mut self, runtimes: &[HostRuntime]) -> Result<Vec<NeededArchive>, Failure> {
        if runtimes != self.offered {
            return Err(Failure::unexpected(
                "the release needs other runtimes than the ones offered",
            ));
        }
        self.checked()?;
        for unpacking in self.installing.drain(..) {
            joined(unpacking)?;
        }
        let spoiled = std::mem::take(&mut self.spoiled);
        if !spoiled.is_empty() {
            let again = |runtime: &HostRuntime| {
                let sha256 = archive(runtime)?.sha256;
                Some(NeededArchive { sha256, have: 0 })
            };
            return Ok(spoiled.iter().filter_map(again).collect());
        }
        let missing = self.missing.drain(..);
        let missing = missing.filter(|runtime| !is_here(&self.layout, runtime));
        if let Some(runtime) = missing.collect::<Vec<_>>().first() {
            return Err(Failure::unexpected(format!(
                "{} did not come",
                title(runtime)
            )));
        }
        Ok(Vec::new())
    }

    fn checked(&mut self) -> Result<(), Failure> {
        self.checks.take().map_or(Ok(()), joined)
    }
}

fn joined(thread: JoinHandle<Result<(), Failure>>) -> Result<(), Failure> {
    let ended = || Failure::unexpected("the work on a runtime ended early");
    thread.join().unwrap_or_else(|_| Err(ended()))
}

/// Whether `name` stays within the folder that it is joined to.
fn is_one_name(name: &str) -> bool {
    let mut components = Path::new(name).components();
    let only = (components.next(), components.next());
    !name.starts_with('.') && matches!(only, (Some(Component::Normal(_)), None))
}

/// Makes the folder of runtimes, which the services' user goes through.
fn make_folder(path: &Path) -> Result<(), Failure> {
    if path.is_dir() {
        return Ok(());
    }
    let made = fs::create_dir(path)
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o755)));
    made.map_err(|error| disk::named(error, path).into())
}
