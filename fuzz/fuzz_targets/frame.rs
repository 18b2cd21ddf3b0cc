//! Whatever comes over a connection, in both directions.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;
use ship::wire::{Frame, FrameReader, FromAgent, ToAgent, argument};

fuzz_target!(|bytes: &[u8]| {
    let mut reader = FrameReader::new(bytes);
    while let Ok(Some(frame)) = reader.next_frame() {
        let encoded = frame.encode();
        let again = FrameReader::new(&encoded[..]).next_frame();
        assert_eq!(again.expect("a frame"), Some(frame.clone()));
        same_again::<ToAgent>(&frame);
        same_again::<FromAgent>(&frame);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = argument::decode(text).map(|frame| frame.parse::<ToAgent>());
    }
});

/// What can be read is written as something that reads the same.
fn same_again<T: Serialize + DeserializeOwned>(frame: &Frame) {
    let Ok(message) = frame.parse::<T>() else {
        return;
    };
    let written = Frame::message(&message).expect("it was small enough before");
    let again = written.parse::<T>().expect("what was written can be read");
    assert_eq!(Frame::message(&again).expect("a frame"), written);
}
