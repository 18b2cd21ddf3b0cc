//! The terminal that a person sits at: raw while a command on a host has it, and as it was before
//! at whatever end.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::stdio;
use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr};

use crate::model::Failure;
use crate::wire::{Size, Terminal};

/// How the terminal was before, for an end that runs no destructors.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// The terminal that is both standard input and standard output.
#[derive(Debug, Clone)]
pub struct LocalTerminal {
    kind: String,
}

impl LocalTerminal {
    /// The terminal, when standard input and standard output are one.
    #[must_use]
    pub fn find() -> Option<Self> {
        let kind = std::env::var("TERM").ok().filter(|kind| !kind.is_empty());
        (isatty(stdio::stdin()) && isatty(stdio::stdout())).then(|| Self {
            kind: kind.unwrap_or_else(|| "dumb".to_owned()),
        })
    }

    /// The terminal that the command is to have.
    #[must_use]
    pub fn wanted(&self) -> Terminal {
        Terminal {
            size: Self::size(),
            kind: self.kind.clone(),
        }
    }

    /// Its size now.
    #[must_use]
    pub fn size() -> Size {
        // One that does not know its size, as of an editor or a test, says 0.
        let size = tcgetwinsize(stdio::stdout()).ok();
        let size = size.filter(|size| size.ws_row > 0 && size.ws_col > 0);
        let (rows, columns) = size.map_or((24, 80), |size| (size.ws_row, size.ws_col));
        Size { rows, columns }
    }

    /// Passes every key on, until [`restore`].
    ///
    /// # Errors
    /// When the terminal refuses.
    pub fn enter_raw_mode(&self) -> Result<RawMode, Failure> {
        let before = tcgetattr(stdio::stdin()).map_err(std::io::Error::from)?;
        let mut saved = lock();
        if saved.is_none() {
            *saved = Some(before.clone());
            let told = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                restore();
                told(panic);
            }));
        }
        drop(saved);
        again()?;
        Ok(RawMode)
    }
}

/// Makes the terminal raw once more: a shell that stopped this program has changed it.
///
/// # Errors
/// When the terminal refuses.
pub fn again() -> std::io::Result<()> {
    let Some(mut modes) = lock().clone() else {
        return Ok(());
    };
    modes.make_raw();
    Ok(tcsetattr(stdio::stdin(), OptionalActions::Drain, &modes)?)
}

/// Makes the terminal what it was before.
pub fn restore() {
    if let Some(before) = lock().take() {
        let _ = tcsetattr(stdio::stdin(), OptionalActions::Drain, &before);
    }
}

/// A terminal that passes every key on; it is what it was before when this is dropped.
#[derive(Debug)]
#[must_use]
pub struct RawMode;

impl Drop for RawMode {
    fn drop(&mut self) {
        restore();
    }
}

fn lock() -> MutexGuard<'static, Option<Termios>> {
    BEFORE.lock().unwrap_or_else(PoisonError::into_inner)
}
