//! What the encoder finds, and when it gives up.

use super::*;

#[test]
fn a_relink_is_foretold() {
    let old = program(30_000, 2_000_000, 0);
    let new = program(30_000, 2_000_016, 16);
    let different = old.iter().zip(&new).filter(|(old, new)| old != new).count();
    assert!(different > 1_000_000);
    let delta = full(&old, &new);
    assert!(delta.len() < 500, "{}", delta.len());
}

#[test]
fn blocks_that_changed_places_are_found() {
    let old = noisy(1, 3 << 20);
    let new = [&old[2 << 20..], &old[1 << 20..2 << 20], &old[..1 << 20]].concat();
    let delta = full(&old, &new);
    assert!(delta.len() < 20_000, "{}", delta.len());
}

#[test]
fn a_line_deleted_from_a_dump_costs_little() {
    let lines: Vec<String> = noise(5)
        .take(40_000)
        .map(|it| {
            format!(
                "INSERT INTO orders VALUES ({it}, NULL, NULL, '{:x}');\n",
                it >> 40
            )
        })
        .collect();
    let some = lines
        .iter()
        .enumerate()
        .filter(|(number, _)| number % 1000 != 7);
    let new: String = some.map(|(_, line)| &line[..]).collect();
    let delta = full(lines.concat().as_bytes(), new.as_bytes());
    assert!(delta.len() < 12_000, "{}", delta.len());
}

#[test]
fn a_few_bytes_need_no_index() {
    let old = noisy(1, 8 << 20);
    let mut new = old.clone();
    new[5_000_000] ^= 1;
    new.splice(3_000_000..3_000_000, *b"a line");
    let quick = delta(&old, &new, Mode::Quick, &Sizes::default()).unwrap();
    assert!(apply(&old, &quick, new.len(), 1 << 20).unwrap() == new);
    assert!(quick.len() < 1000, "{}", quick.len());
    assert_eq!(full(&old, &new), quick);
}

#[test]
fn the_encoder_gives_up_as_told() {
    let (old, new) = (file(&noisy(1, 2 << 20)), file(&noisy(2, 2 << 20)));
    let mut out = Vec::new();
    let short = Options {
        max_bytes: 1 << 20,
        ..options(Mode::Full)
    };
    let encoded = encode(&old, &new, &mut out, &short).unwrap();
    assert_eq!(encoded, Encoded::GaveUp(Reason::TooLong));
    assert!(out.len() <= 1 << 20);

    let encoded = encode(&old, &new, &mut out, &options(Mode::Quick)).unwrap();
    assert_eq!(encoded, Encoded::GaveUp(Reason::TooDifferent));

    let asked = Cell::new(0);
    let stopped = Options {
        stop: &|| asked.replace(asked.get() + 1) > 3,
        ..options(Mode::Full)
    };
    let encoded = encode(&old, &new, &mut out, &stopped).unwrap();
    assert_eq!(encoded, Encoded::GaveUp(Reason::Stopped));
}

#[test]
fn a_file_that_shrank_is_an_error() {
    let old = file(&[1; 100]);
    let mut pages = Pages::new(&old, 100, 64, 1);
    assert_eq!(pages.from(0).unwrap().len(), 100);
    old.set_len(80).unwrap();
    assert!(pages.from(64).is_err());
    // Not the bytes that the failed read left.
    old.set_len(10).unwrap();
    assert!(pages.from(0).is_err());
}
