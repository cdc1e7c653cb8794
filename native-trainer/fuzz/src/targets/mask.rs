//! A cell of a training table that holds a mask.

use super::check;
use dermake_data::mask::{MAX_MASK_LEN, parse_mask};

/// Reads the input as a mask, and what is written of it again.
pub(super) fn run(input: &[u8]) {
    let cell = check::text(input);
    match parse_mask(cell) {
        Ok(mask) => {
            assert!(mask.len() <= MAX_MASK_LEN);
            let entries: Vec<&str> = mask.iter().map(|&counts| if counts { "1" } else { "0" }).collect();
            assert_eq!(parse_mask(&format!("[{}]", entries.join(", "))), Ok(mask));
        }
        Err(err) => assert!(!err.to_string().is_empty()),
    }
}
