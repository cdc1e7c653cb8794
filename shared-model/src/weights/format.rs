//! Formats of quantized matrices in files.

use super::packing::{INT8_PANEL, INT8_QUAD};
use super::{int4, six_bits};
use candle_core::quantized::GgmlDType;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Bits of the activations that an int8 or int4 matrix is multiplied by. The name of its scales says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ActivationBits {
    /// One pass of a kernel.
    Seven,
    /// Two passes: the upper seven bits, then the lower ones.
    Fourteen,
}

impl ActivationBits {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Seven, Self::Fourteen];

    /// Returns the number of passes.
    pub fn passes(self) -> usize {
        match self {
            Self::Seven => 1,
            Self::Fourteen => 2,
        }
    }
}

/// A format of a quantized matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum WeightFormat {
    /// GGML: blocks of 32 signed bytes along `in`, an f16 scale each; 8.5 bits a weight. U8 `[out, in / 32, 34]`.
    #[serde(rename = "q8_0")]
    Q8_0,
    /// GGML: blocks of 32 four-bit values along `in`, an f16 scale each; 4.5 bits a weight. U8 `[out, in / 32, 18]`.
    #[serde(rename = "q4_0")]
    Q4_0,
    /// Signed bytes with one f32 scale for each output channel, in the order of the kernels: I8
    /// `[out / 16, in / 4, 16, 4]`. A table of embeddings is I8 `[V, D]`. 8 bits a weight.
    Int8,
    /// Four bits with one f16 scale for 32 weights along `in`, in the same order: U8 `[out / 16, in / 4, 16, 2]`, the
    /// first of two weights in the lower bits. Loading expands it to int8. 4.5 bits a weight.
    ///
    /// A text tower's table of embeddings has six bits and a scale for each row, U8 `[V, D / 4, 3]`, and its matrices
    /// have the bits that this saves: five in U8 `[out / 16, in / 8, 16, 5]`, or six in U8 `[out / 16, in / 4, 16, 3]`.
    /// Files of older programs have a table of bytes and four bits.
    Int4,
}

impl WeightFormat {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::Q8_0, Self::Q4_0, Self::Int8, Self::Int4];

    /// Returns the suffix under which the scales of an `int8` or `int4` matrix are stored.
    pub(crate) fn scale_suffix(self, bits: ActivationBits) -> String {
        match bits {
            ActivationBits::Seven => format!("{}_scale", self.suffix()),
            ActivationBits::Fourteen => format!("{}_fine", self.suffix()),
        }
    }

    /// Returns the suffix under which the exponents of the columns of an `int8` or `int4` matrix are stored.
    pub(crate) fn columns_suffix(self) -> String {
        format!("{}_columns", self.suffix())
    }

    /// Returns whether a tensor belongs to a quantized one: its scales, or the exponents of its columns.
    pub(crate) fn is_part(stored_name: &str) -> bool {
        let suffixes = |format: Self| {
            ActivationBits::ALL.map(|bits| format.scale_suffix(bits)).into_iter().chain([format.columns_suffix()])
        };
        [Self::Int8, Self::Int4].into_iter().flat_map(suffixes).any(|suffix| stored_name.ends_with(&suffix))
    }

    /// Returns the name, as users write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Q8_0 => "q8_0",
            Self::Q4_0 => "q4_0",
            Self::Int8 => "int8",
            Self::Int4 => "int4",
        }
    }

    /// Returns the suffix of the weight's name in a file.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::Q8_0 => ".q8_0",
            Self::Q4_0 => ".q4_0",
            Self::Int8 => ".int8",
            Self::Int4 => ".int4",
        }
    }

    /// Splits `x.weight.q8_0` into `x.weight` and q8_0.
    pub(crate) fn split_suffix(stored_name: &str) -> Option<(&str, Self)> {
        Self::ALL.into_iter().find_map(|format| Some((stored_name.strip_suffix(format.suffix())?, format)))
    }

    pub(crate) fn ggml_dtype(self) -> Option<GgmlDType> {
        match self {
            Self::Q8_0 => Some(GgmlDType::Q8_0),
            Self::Q4_0 => Some(GgmlDType::Q4_0),
            Self::Int8 | Self::Int4 => None,
        }
    }

    /// Returns the shape `[out, in]` of a matrix from its stored shape; other shapes are returned unchanged.
    ///
    /// A stored shape with a 0 may have any other number, so products saturate.
    pub(crate) fn logical_shape(self, stored: &[usize]) -> Vec<usize> {
        match (self, stored) {
            (Self::Q8_0, [out, blocks, 34]) | (Self::Q4_0, [out, blocks, 18]) => {
                vec![*out, blocks.saturating_mul(32)]
            }
            (Self::Int8, [panels, quads, INT8_PANEL, INT8_QUAD]) => {
                vec![panels.saturating_mul(INT8_PANEL), quads.saturating_mul(INT8_QUAD)]
            }
            (Self::Int4, stored) => {
                let shape = int4::of_stored(stored).map(|(_, shape)| shape);
                shape.or_else(|| six_bits::of_stored(stored)).map_or_else(|| stored.to_vec(), Vec::from)
            }
            (_, other) => other.to_vec(),
        }
    }
}

impl FromStr for WeightFormat {
    type Err = String;

    /// Reads a name as users write it, in any case; the error is what was expected.
    fn from_str(name: &str) -> std::result::Result<Self, String> {
        let known = Self::ALL.into_iter().find(|format| format.name().eq_ignore_ascii_case(name));
        known.ok_or_else(|| format!("expected q8_0, q4_0, int8 or int4, found {name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_that_no_memory_holds_does_not_wrap_around() {
        let stored = |format| match format {
            WeightFormat::Q8_0 => vec![0, usize::MAX, 34],
            WeightFormat::Q4_0 => vec![0, usize::MAX, 18],
            WeightFormat::Int8 => vec![0, usize::MAX, INT8_PANEL, INT8_QUAD],
            WeightFormat::Int4 => vec![0, usize::MAX, INT8_PANEL, 2],
        };
        for format in WeightFormat::ALL {
            assert_eq!(format.logical_shape(&stored(format)), [0, usize::MAX], "{format:?}");
        }
    }
}
