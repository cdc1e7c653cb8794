//! Where a photo is most like a text, as numbers over its patches.
//!
//! A map is a similarity, not a reason: it says which patches move the photo's feature towards a text, not what makes a
//! diagnosis right. The shares are those of Gandelsman et al. (arXiv 2310.05916): what patches add to the class token
//! through the attention of the last blocks. [`VisionTower::similarity_map`](crate::VisionTower::similarity_map) computes
//! them.

mod contrast;

use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// How much each patch of the square that a model looks at adds to the similarity with a text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SimilarityMap {
    /// Patches from top to bottom.
    pub rows: usize,
    /// Patches from left to right.
    pub columns: usize,
    /// `[rows, columns]`, row by row: what the patch adds to the cosine of photo and text. Below zero, it makes the photo
    /// less like the text.
    pub values: Vec<f32>,
}

/// A third of a side of the square.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Third {
    /// The top or left one.
    First,
    /// The one in the middle.
    Middle,
    /// The bottom or right one.
    Last,
}

/// A part of the square, to say in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// From top to bottom.
    pub vertical: Third,
    /// From left to right.
    pub horizontal: Third,
}

impl SimilarityMap {
    /// Creates a map.
    ///
    /// # Errors
    /// [`Error::Tensor`] when there is not one value for each patch.
    pub fn new(rows: usize, columns: usize, values: Vec<f32>) -> Result<Self> {
        if values.len() != rows * columns {
            let detail = format!("a map of {rows} x {columns} patches with {} values", values.len());
            return Err(Error::Tensor(candle_core::Error::Msg(detail)));
        }
        Ok(Self { rows, columns, values })
    }

    /// Returns row and column of the patch that is most like the text; `None` where no patch makes the photo more like it.
    pub fn maximum(&self) -> Option<(usize, usize)> {
        let is_better = |best: Option<(usize, f32)>, value: f32| value > best.map_or(0.0, |(_, value)| value);
        let best = self
            .values
            .iter()
            .enumerate()
            .fold(None, |best, (at, &value)| if is_better(best, value) { Some((at, value)) } else { best });
        best.map(|(at, _)| (at / self.columns, at % self.columns))
    }

    /// Returns for each patch how strongly to mark it: its value over the largest one, and 0 for values below zero.
    pub fn strengths(&self) -> Vec<f32> {
        let largest = self.values.iter().copied().fold(0f32, f32::max);
        let strength = |&value: &f32| if value > 0.0 { value / largest } else { 0.0 };
        self.values.iter().map(strength).collect()
    }

    /// Returns the part of the square where [`Self::maximum`] is.
    pub fn place(&self) -> Option<Place> {
        let third = |at: usize, n: usize| match (2 * at + 1) * 3 / (2 * n) {
            0 => Third::First,
            1 => Third::Middle,
            _ => Third::Last,
        };
        let (row, column) = self.maximum()?;
        Some(Place { vertical: third(row, self.rows), horizontal: third(column, self.columns) })
    }
}

impl Place {
    /// Returns the place in English: `top left`, `center`.
    pub fn in_words(self) -> &'static str {
        use Third::{First, Last, Middle};
        match (self.vertical, self.horizontal) {
            (First, First) => "top left",
            (First, Middle) => "top",
            (First, Last) => "top right",
            (Middle, First) => "left",
            (Middle, Middle) => "center",
            (Middle, Last) => "right",
            (Last, First) => "bottom left",
            (Last, Middle) => "bottom",
            (Last, Last) => "bottom right",
        }
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
