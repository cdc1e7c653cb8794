//! Rows to check by hand: the same ones each time, spread over the table.

use crate::extraction::Extraction;
use anyhow::Result;
use std::collections::BinaryHeap;

/// Rows of the sample.
const SIZE: usize = 200;

/// A row with its caption and what was found in it.
#[derive(Clone, Debug)]
pub struct SampleRow {
    pub row: u64,
    pub image: String,
    pub caption: String,
    pub extraction: Extraction,
}

/// The rows with the smallest hash of their number.
#[derive(Default)]
pub struct Sample {
    chosen: BinaryHeap<(u64, u64)>,
    rows: std::collections::HashMap<u64, SampleRow>,
}

impl Sample {
    /// Offers a row; `make` is called if it is taken.
    pub fn offer(&mut self, row: u64, make: impl FnOnce() -> SampleRow) {
        let hash = mixed(row);
        if self.chosen.len() == SIZE && self.chosen.peek().is_some_and(|(largest, _)| *largest <= hash) {
            return;
        }
        self.chosen.push((hash, row));
        self.rows.insert(row, make());
        if self.chosen.len() > SIZE
            && let Some((_, dropped)) = self.chosen.pop()
        {
            self.rows.remove(&dropped);
        }
    }

    /// The rows, in an order that does not depend on the table's.
    pub fn rows(&self) -> Vec<&SampleRow> {
        let mut rows: Vec<&SampleRow> = self.rows.values().collect();
        rows.sort_by_key(|row| mixed(row.row));
        rows
    }

    /// The sheet: what was found, and empty columns for what a person reads.
    ///
    /// # Errors
    /// Never in practice: it is written to memory.
    pub fn to_csv(&self) -> Result<Vec<u8>> {
        let mut sheet = csv::Writer::from_writer(Vec::new());
        sheet.write_record([
            "row",
            "image",
            "caption",
            "condition",
            "concepts",
            "negated",
            "condition_by_hand",
            "concepts_by_hand",
            "negated_by_hand",
        ])?;
        for SampleRow { row, image, caption, extraction } in self.rows() {
            let condition = extraction.condition.as_deref().unwrap_or_default();
            let (concepts, negated) = (extraction.concepts.join(", "), extraction.negated.join(", "));
            sheet.write_record([&row.to_string(), image, caption, condition, &concepts, &negated, "", "", ""])?;
        }
        Ok(sheet.into_inner()?)
    }
}

/// A number that looks random (the finalizer of SplitMix64).
pub fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Lexicon, read};

    #[test]
    fn the_sample_is_the_same_in_any_order_and_bounded() {
        let lexicon = Lexicon::new(None);
        let row = |row| SampleRow {
            row,
            image: format!("{row}.png"),
            caption: "A nevus".into(),
            extraction: read(&lexicon, "A nevus"),
        };
        let (mut forward, mut back) = (Sample::default(), Sample::default());
        (0..1000).for_each(|at| forward.offer(at, || row(at)));
        (0..1000).rev().for_each(|at| back.offer(at, || row(at)));
        assert_eq!(forward.rows().len(), SIZE);
        assert_eq!(forward.to_csv().unwrap(), back.to_csv().unwrap());
    }
}
