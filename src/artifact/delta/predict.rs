//! By how much an address moved, foretold.
//!
//! A word that differs is nearly always an address, and its difference follows from how far its
//! target moved: an absolute address moves with its target, a relative one by the target's move less
//! its own. The moves are remembered in two ways, both the same on both ends: by target, in granules
//! of 2 KiB, and the latest of them by number.

/// A word that is spelled out.
pub(super) const SPELLED: u8 = 0;
/// `1..` names a recent move as an absolute address, `RECENT_RELATIVE..` as a relative one.
const RECENT_ABSOLUTE: u8 = 1;
const RECENT_RELATIVE: u8 = RECENT_ABSOLUTE + RECENT as u8;
const TARGET_ABSOLUTE: u8 = RECENT_RELATIVE + RECENT as u8;
const TARGET_RELATIVE: u8 = TARGET_ABSOLUTE + 1;

/// Moves that have a number.
const RECENT: usize = 126;
const GRANULE_LOG: u32 = 11;
const TARGETS_LOG: u32 = 16;
const PLACES_LOG: u32 = 12;

/// A place in the old file where the new one differs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site {
    /// The old word.
    pub word: u32,
    /// Its offset in the old file, mod 2^32.
    pub offset: u32,
    /// How far it moved: new offset less old one, mod 2^32.
    pub shift: u32,
}

/// What both ends remember.
#[derive(Debug)]
pub(super) struct Predictor {
    recent: [u32; RECENT],
    /// The next of `recent` to be forgotten.
    oldest: usize,
    /// Where in `recent` a move might be, by hash.
    places: Vec<u8>,
    /// The last move of each granule, by hash.
    targets: Vec<u32>,
}

impl Predictor {
    pub(super) fn new() -> Self {
        Self {
            recent: [0; RECENT],
            oldest: 0,
            places: vec![0; 1 << PLACES_LOG],
            targets: vec![0; 1 << TARGETS_LOG],
        }
    }

    /// How to name `difference` at `site`, unless it must be spelled out.
    pub(super) fn code(&self, difference: u32, site: Site) -> Option<u8> {
        let moved = difference.wrapping_add(site.shift);
        if self.targets[relative(site)] == moved {
            return Some(TARGET_RELATIVE);
        }
        if self.targets[absolute(site)] == difference {
            return Some(TARGET_ABSOLUTE);
        }
        if let Some(place) = self.place(moved) {
            return Some(RECENT_RELATIVE + place);
        }
        Some(RECENT_ABSOLUTE + self.place(difference)?)
    }

    /// The difference that `code` names at `site`. None for [`SPELLED`] and codes without a meaning.
    pub(super) fn difference(&self, code: u8, site: Site) -> Option<u32> {
        match code {
            SPELLED => None,
            TARGET_RELATIVE => Some(self.targets[relative(site)].wrapping_sub(site.shift)),
            TARGET_ABSOLUTE => Some(self.targets[absolute(site)]),
            RECENT_ABSOLUTE..RECENT_RELATIVE => {
                Some(self.recent[usize::from(code - RECENT_ABSOLUTE)])
            }
            RECENT_RELATIVE..TARGET_ABSOLUTE => {
                let moved = self.recent[usize::from(code - RECENT_RELATIVE)];
                Some(moved.wrapping_sub(site.shift))
            }
            _ => None,
        }
    }

    /// Remembers that `difference` was right at `site`.
    pub(super) fn learn(&mut self, difference: u32, site: Site, spelled: bool) {
        let moved = difference.wrapping_add(site.shift);
        self.targets[relative(site)] = moved;
        self.targets[absolute(site)] = difference;
        if spelled {
            self.remember(moved);
        }
    }

    /// Something moved by `moved`: what points there will follow.
    pub(super) fn remember(&mut self, moved: u32) {
        if self.place(moved).is_some() {
            return;
        }
        self.recent[self.oldest] = moved;
        self.places[place_hash(moved)] = self.oldest as u8;
        self.oldest = (self.oldest + 1) % RECENT;
    }

    fn place(&self, moved: u32) -> Option<u8> {
        let place = self.places[place_hash(moved)];
        (self.recent[usize::from(place)] == moved).then_some(place)
    }
}

fn absolute(site: Site) -> usize {
    target_hash(site.word)
}

fn relative(site: Site) -> usize {
    target_hash(site.word.wrapping_add(site.offset))
}

fn target_hash(target: u32) -> usize {
    spread(target >> GRANULE_LOG, TARGETS_LOG)
}

fn place_hash(moved: u32) -> usize {
    spread(moved, PLACES_LOG)
}

/// Fibonacci hashing: the upper `bits` of the product.
fn spread(value: u32, bits: u32) -> usize {
    (value.wrapping_mul(0x9E37_79B1) >> (32 - bits)) as usize
}
