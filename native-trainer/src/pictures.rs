//! Decoding that no file can end the program with.

use shared_model::preprocess::{self, DecodedImage, Orientation};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Decodes a picture, or says what is wrong with it.
///
/// One file in a hundred thousand that a decoder cannot bear must not end a run of days.
pub fn decode(bytes: &[u8], orientation: Orientation) -> Result<DecodedImage, String> {
    match catch_unwind(AssertUnwindSafe(|| preprocess::decode(bytes, orientation))) {
        Ok(decoded) => decoded.map_err(|err| err.to_string()),
        Err(_) => Err("the decoder gave up".into()),
    }
}
