//! Whatever the files, the right one comes out; whatever the delta, nothing bad.

mod finds;

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Write};

use proptest::prelude::*;

use super::encode::{Sizes, encode_with};
use super::format::{HEADER, MAX_SECTION, SECTIONS, put_varint, take_varint, unzigzag, zigzag};
use super::pages::Pages;
use super::predict::{Predictor, Site};
use super::{Decoder, Encoded, Mode, Options, Reason, encode};

fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn options(mode: Mode) -> Options<'static> {
    Options {
        mode,
        max_bytes: u64::MAX,
        stop: &|| false,
    }
}

/// So small that every limit is met.
fn tiny() -> Sizes {
    Sizes {
        chunk: 100,
        page: 32,
        pages: 2,
        index_bits: 5,
        patience: 1,
    }
}

fn delta(old: &[u8], new: &[u8], mode: Mode, sizes: &Sizes) -> Option<Vec<u8>> {
    let mut delta = Vec::new();
    let encoded = encode_with(&file(old), &file(new), &mut delta, &options(mode), sizes).unwrap();
    match encoded {
        Encoded::Whole { bytes, .. } => {
            assert_eq!(bytes, delta.len() as u64);
            Some(delta)
        }
        Encoded::GaveUp(reason) => {
            assert_eq!((mode, reason), (Mode::Quick, Reason::TooDifferent));
            None
        }
    }
}

fn apply(old: &[u8], delta: &[u8], expected: usize, piece: usize) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut decoder = Decoder::new(file(old), expected as u64)?;
    for piece in delta.chunks(piece) {
        let pushed = decoder.push(piece, &mut out);
        assert!(out.len() <= expected);
        pushed?;
    }
    decoder.finish()?;
    assert_eq!(out.len(), expected);
    Ok(out)
}

fn full(old: &[u8], new: &[u8]) -> Vec<u8> {
    let delta = delta(old, new, Mode::Full, &Sizes::default()).unwrap();
    assert!(apply(old, &delta, new.len(), 1 << 20).unwrap() == new);
    delta
}

/// Numbers that look random and are always the same.
fn noise(seed: u64) -> impl Iterator<Item = u64> {
    std::iter::successors(Some(seed | 1), |state| {
        let mut state = *state;
        state ^= state << 13;
        state ^= state >> 7;
        Some(state ^ state << 17)
    })
}

fn noisy(seed: u64, length: usize) -> Vec<u8> {
    noise(seed)
        .flat_map(u64::to_le_bytes)
        .take(length)
        .collect()
}

/// Code of functions that call each other and read data, as a linker lays them out: `base` is where
/// the data is, `extra` the bytes that the first function is longer.
fn program(functions: u32, base: u32, extra: u32) -> Vec<u8> {
    const LENGTH: u32 = 48;
    let mut program = Vec::new();
    for number in 0..functions {
        let mut random = noise(u64::from(number) * 7919 + 1).map(|it| (it >> 33) as u32);
        let mut random = || random.next().unwrap();
        program.extend(noisy(u64::from(number) + 1, 16));
        if number == 0 {
            program.extend(vec![0x90; extra as usize]);
        }
        for _ in 0..2 {
            let target = random() % functions * LENGTH + extra;
            let here = program.len() as u32 + 5;
            program.push(0xe8);
            program.extend(target.wrapping_sub(here).to_le_bytes());
            let here = program.len() as u32 + 6;
            program.extend([0x8b, 0x05]);
            program.extend((base + random() % 4096).wrapping_sub(here).to_le_bytes());
            program.extend((random() as u16).to_le_bytes());
        }
        program.extend([0xc3; 6]);
    }
    for number in 0..functions {
        program.extend(u64::from(number * LENGTH + extra).to_le_bytes());
    }
    program
}

#[derive(Debug, Clone)]
enum Edit {
    Insert(usize, Vec<u8>),
    Delete(usize, usize),
    Move(usize, usize, usize),
    Flip(usize, u8),
    Repeat(usize, usize, usize),
    Add(usize, usize, u32),
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = 0..6000_usize;
    let length = 0..700_usize;
    prop_oneof![
        (at.clone(), prop::collection::vec(any::<u8>(), 0..90))
            .prop_map(|(a, b)| Edit::Insert(a, b)),
        (at.clone(), length.clone()).prop_map(|(a, b)| Edit::Delete(a, b)),
        (at.clone(), length.clone(), at.clone()).prop_map(|(a, b, c)| Edit::Move(a, b, c)),
        (at.clone(), 1..=255_u8).prop_map(|(a, b)| Edit::Flip(a, b)),
        (at.clone(), length, 0..5_usize).prop_map(|(a, b, c)| Edit::Repeat(a, b, c)),
        (at, 5..40_usize, any::<u32>()).prop_map(|(a, b, c)| Edit::Add(a, b, c)),
    ]
}

fn change(bytes: &mut Vec<u8>, edit: Edit) {
    let inside = |at: usize, length: usize| {
        let at = at.min(bytes.len());
        at..(at + length).min(bytes.len())
    };
    match edit {
        Edit::Insert(at, new) => drop(bytes.splice(inside(at, 0), new)),
        Edit::Delete(at, length) => drop(bytes.drain(inside(at, length))),
        Edit::Move(at, length, to) => {
            let moved: Vec<u8> = bytes.drain(inside(at, length)).collect();
            let to = to.min(bytes.len());
            bytes.splice(to..to, moved);
        }
        Edit::Flip(at, by) => inside(at, 1).for_each(|at| bytes[at] ^= by),
        Edit::Repeat(at, length, times) => {
            let again = bytes[inside(at, length)].repeat(times);
            let at = at.min(bytes.len());
            bytes.splice(at..at, again);
        }
        Edit::Add(from, step, by) => {
            let from = from.min(bytes.len());
            for word in bytes[from..].chunks_mut(step) {
                if let Some(word) = word.first_chunk_mut() {
                    *word = u32::from_le_bytes(*word).wrapping_add(by).to_le_bytes();
                }
            }
        }
    }
}

fn content() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(Vec::new()),
        prop::collection::vec(any::<u8>(), 0..6000),
        prop::collection::vec(0..3_u8, 0..6000),
        (1..60_u32, any::<u16>()).prop_map(|(functions, base)| program(functions, base.into(), 0)),
        (prop::collection::vec(any::<u8>(), 1..90), 1..60_usize).prop_map(|(a, b)| a.repeat(b)),
    ]
}

fn pair() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let edited = (content(), prop::collection::vec(edit(), 0..8)).prop_map(|(old, edits)| {
        let mut new = old.clone();
        edits.into_iter().for_each(|edit| change(&mut new, edit));
        (old, new)
    });
    prop_oneof![4 => edited, 1 => (content(), content())]
}

proptest! {
    #[test]
    fn what_was_encoded_is_applied((old, new) in pair(), piece in 1..3000_usize) {
        for sizes in [Sizes::default(), tiny()] {
            for mode in [Mode::Full, Mode::Quick] {
                if let Some(delta) = delta(&old, &new, mode, &sizes) {
                    prop_assert_eq!(&apply(&old, &delta, new.len(), piece).unwrap(), &new);
                }
            }
        }
    }

    #[test]
    fn a_delta_applies_only_whole_and_to_its_length((old, new) in pair(), cut in any::<prop::sample::Index>()) {
        let delta = delta(&old, &new, Mode::Full, &tiny()).unwrap();
        if !delta.is_empty() {
            let cut = cut.index(delta.len());
            prop_assert!(apply(&old, &delta[..cut], new.len(), 1000).is_err());
            prop_assert!(apply(&old, &delta, new.len() - 1, 1000).is_err());
        }
        prop_assert!(apply(&old, &delta, new.len() + 1, 1000).is_err());
        prop_assert!(apply(&old, &[&delta[..], &[0]].concat(), new.len(), 1000).is_err());
    }

    #[test]
    fn a_damaged_delta_does_no_harm(
        (old, new) in pair(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        other in content(),
    ) {
        let mut delta = delta(&old, &new, Mode::Full, &tiny()).unwrap();
        let _ = apply(&other, &delta, new.len(), 1000);
        for (at, byte) in damage {
            if !delta.is_empty() {
                let at = at.index(delta.len());
                delta[at] = byte;
            }
        }
        let _ = apply(&old, &delta, new.len(), 1000);
    }

    #[test]
    fn any_bytes_do_no_harm(old in content(), delta in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = apply(&old, &delta, 3000, 7);
    }

    /// Sections that uncompress, with anything in them: what lies behind the compression.
    #[test]
    fn any_sections_do_no_harm(
        old in content(),
        sections in prop::array::uniform5(prop::collection::vec(0..40_u8, 0..60)),
        expected in 0..9000_usize,
    ) {
        let _ = apply(&old, &block(&sections), expected, 1000);
    }

    #[test]
    fn a_foretold_difference_is_the_right_one(
        fixes in prop::collection::vec((0..5_u32, 0..3_u32, 0..3_u32, 0..4_u32), 0..400),
    ) {
        let (mut writer, mut reader) = (Predictor::new(), Predictor::new());
        for (difference, word, offset, shift) in fixes {
            let site = Site { word: word << 11, offset: offset << 11, shift };
            let code = writer.code(difference, site);
            if let Some(code) = code {
                prop_assert_eq!(reader.difference(code, site), Some(difference));
            }
            writer.learn(difference, site, code.is_none());
            reader.learn(difference, site, code.is_none());
        }
    }

    #[test]
    fn numbers_are_read_as_written(numbers in prop::collection::vec(any::<i64>(), 0..50)) {
        let mut bytes = Vec::new();
        numbers.iter().for_each(|&number| put_varint(&mut bytes, zigzag(number)));
        let mut rest = &bytes[..];
        for number in numbers {
            prop_assert_eq!(unzigzag(take_varint(&mut rest).unwrap()), number);
        }
        prop_assert!(take_varint(&mut rest).is_err());
    }
}

fn block(sections: &[Vec<u8>; SECTIONS]) -> Vec<u8> {
    let packed = sections.each_ref().map(|section| match section[..] {
        [] => Vec::new(),
        _ => zstd::bulk::compress(section, 3).unwrap(),
    });
    let mut block = Vec::new();
    for (section, packed) in sections.iter().zip(&packed) {
        block.extend((section.len() as u32).to_le_bytes());
        block.extend((packed.len() as u32).to_le_bytes());
    }
    block.extend(packed.concat());
    block
}

fn refusal(old: &[u8], delta: &[u8], expected: usize) -> String {
    let error = apply(old, delta, expected, 1000).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    error.to_string()
}

fn operations(numbers: &[u64]) -> Vec<u8> {
    let mut bytes = Vec::new();
    numbers
        .iter()
        .for_each(|&number| put_varint(&mut bytes, number));
    bytes
}

#[test]
fn hostile_deltas_are_refused() {
    let old = [7; 100];
    let empty = || Vec::new();
    let one = |operations| [operations, empty(), empty(), empty(), empty()];
    let fix = |gaps: &[u64], codes: &[u8], words: &[u8]| {
        let copy = operations(&[0, 10, 0]);
        block(&[
            copy,
            operations(gaps),
            codes.to_vec(),
            words.to_vec(),
            empty(),
        ])
    };

    let outside = block(&one(operations(&[0, 101, 0])));
    assert_eq!(
        refusal(&old, &outside, 500),
        "damaged delta: a copy is outside of the old file"
    );
    let before = block(&one(operations(&[0, 10, zigzag(1)])));
    assert_eq!(
        refusal(&old, &before, 500),
        "damaged delta: a copy is outside of the old file"
    );
    let far = block(&one(operations(&[0, 10, zigzag(i64::MIN)])));
    assert_eq!(
        refusal(&old, &far, 500),
        "damaged delta: a copy is outside of the old file"
    );
    let long = block(&one(operations(&[0, u64::MAX, 0])));
    assert_eq!(
        refusal(&old, &long, 500),
        "damaged delta: it is longer than expected"
    );
    let lacking = block(&one(operations(&[5, 0, 0])));
    assert_eq!(
        refusal(&old, &lacking, 500),
        "damaged delta: literals are missing"
    );
    let idle = block(&one(operations(&[0, 0, 0])));
    assert_eq!(refusal(&old, &idle, 500), "damaged delta: a block is empty");
    assert_eq!(
        refusal(&old, &[0; HEADER], 500),
        "damaged delta: a block is empty"
    );
    assert_eq!(
        refusal(&old, &[0xff; HEADER], 500),
        "damaged delta: a section is too long"
    );
    assert_eq!(
        refusal(&old, &fix(&[7], &[0], &[1, 0, 0, 0]), 10),
        "damaged delta: a fix-up is not inside one copy"
    );
    assert_eq!(
        refusal(&old, &fix(&[u64::MAX], &[0], &[1, 0, 0, 0]), 10),
        "damaged delta: a block has bytes that nothing uses"
    );
    assert_eq!(
        refusal(&old, &fix(&[1], &[], &[]), 10),
        "damaged delta: a code is missing"
    );
    assert_eq!(
        refusal(&old, &fix(&[1], &[0], &[1]), 10),
        "damaged delta: a word is missing"
    );
    assert_eq!(
        refusal(&old, &fix(&[1], &[255], &[]), 10),
        "damaged delta: a code has no meaning"
    );

    let fine = fix(&[1], &[0], &[1, 0, 0, 0]);
    assert_eq!(
        apply(&old, &fine, 10, 1).unwrap(),
        [7, 8, 7, 7, 7, 7, 7, 7, 7, 7]
    );
}

#[test]
fn a_section_longer_than_it_says_is_refused() {
    let bomb = vec![0; 50 << 20];
    let packed = zstd::bulk::compress(&bomb, 3).unwrap();
    let mut delta = Vec::new();
    delta.extend((MAX_SECTION as u32).to_le_bytes());
    delta.extend((packed.len() as u32).to_le_bytes());
    delta.extend([0; HEADER - 8]);
    delta.extend(packed);
    let said = refusal(b"old", &delta, 500);
    assert!(said.starts_with("damaged delta: a section"), "{said}");
}

#[test]
fn a_section_of_another_length_is_refused() {
    let right = block(&[
        operations(&[3, 0, 0]),
        vec![],
        vec![],
        vec![],
        vec![1, 2, 3],
    ]);
    assert_eq!(apply(b"", &right, 3, 9).unwrap(), [1, 2, 3]);
    for length in [1, 2, 4, 5] {
        let mut wrong = right.clone();
        wrong[HEADER - 8] = length;
        let said = refusal(b"", &wrong, 3);
        assert_eq!(said, "damaged delta: a section has another length");
    }
}

/// The old file is read in pieces of 128 KiB.
#[test]
fn a_fix_up_may_lie_across_two_reads() {
    let old = noisy(1, 200 << 10);
    for at in 0..6 {
        let mut new = old.clone();
        let at = (128 << 10) - at;
        new[at..at + 3].iter_mut().for_each(|byte| *byte ^= 0x55);
        new[at + 40] ^= 1;
        assert!(full(&old, &new).len() < 200);
    }
}

/// The reader learns from every operation, so the writer must too, also from the one that only ends a
/// chunk of 256 KiB with literals: by then the shift may be forgotten.
#[test]
fn both_ends_remember_the_same() {
    let old = noisy(1, 600 << 10);
    let mut new = old.clone();
    let values: Vec<u64> = noise(3).take(200).collect();
    for (word, pick) in new.chunks_mut(40).zip(noise(9)) {
        let value = values[(pick >> 20) as usize % values.len()] as u32;
        if let Some(word) = word.first_chunk_mut() {
            *word = u32::from_le_bytes(*word).wrapping_add(value).to_le_bytes();
        }
    }
    let end = 256 << 10;
    new.splice(end - 200..end - 5, noisy(77, 200));
    full(&old, &new);
}

#[test]
fn after_an_error_there_is_no_more() {
    let mut decoder = Decoder::new(file(b"old"), 5).unwrap();
    let mut out = Vec::new();
    assert!(decoder.push(&[0xff; HEADER], &mut out).is_err());
    assert!(decoder.push(&[], &mut out).is_err());
    assert!(decoder.finish().is_err());
}
