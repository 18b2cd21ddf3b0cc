//! All of a release, for another host: what makes it one, its index, its content.

use std::io::{self, BufWriter, Write};

use super::host::Host;
use super::{careful, releases};
use crate::artifact::{Index, Level, Parcel, Way, pack};
use crate::model::{Failure, ReleaseId, Secret};
use crate::wire::{Exported, Frame, FromAgent};

/// The size of a data frame, bytes.
const PIECE: usize = 128 << 10;

/// Says release `id` through `say`, up to the last [`FromAgent::DataEnd`], which is the caller's.
///
/// # Errors
/// When the release is not there, not as it was deployed, or `say` fails. What was said before is
/// worth nothing then.
pub fn export(
    host: &Host,
    id: ReleaseId,
    say: &mut dyn FnMut(Frame) -> io::Result<()>,
) -> Result<(), Failure> {
    let layout = &host.layout;
    let loaded = host.release(id)?;
    let path = releases::index_path(layout, id);
    let bytes = careful::read(&path, careful::INDEX)?;
    let index = Index::decode_own(&bytes, &loaded.release.artifact)?;
    let env = loaded.env.into_iter();
    let exported = Exported {
        release: loaded.release,
        env: env.map(|(key, value)| (key, Secret::new(value))).collect(),
    };
    say(Frame::message(&FromAgent::Exported(Box::new(exported)))?)?;
    for piece in zstd::encode_all(&bytes[..], 3)?.chunks(PIECE) {
        say(Frame::Data(piece.to_vec()))?;
    }
    say(Frame::message(&FromAgent::DataEnd)?)?;
    let parcels: Vec<Parcel> = index
        .contents()
        .into_iter()
        .map(|(digest, _)| Parcel {
            digest,
            way: Way::Whole,
        })
        .collect();
    let mut sink = BufWriter::with_capacity(PIECE, Frames(say));
    pack(
        &loaded.dir,
        &index,
        &parcels,
        Level::default(),
        &mut sink,
        &mut |_| {},
    )
    .map_err(|error| Failure::unexpected(format!("{id} cannot be read: {error}")))?;
    sink.flush()?;
    Ok(())
}

/// Bytes as data frames.
struct Frames<'a>(&'a mut dyn FnMut(Frame) -> io::Result<()>);

impl Write for Frames<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = &bytes[..bytes.len().min(PIECE)];
        (self.0)(Frame::Data(piece.to_vec()))?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
