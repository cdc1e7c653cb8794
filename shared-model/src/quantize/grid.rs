//! The values that the weights of a matrix can take, and how they are stored.

use crate::lanes;
use crate::parallel::map_tasks;
use crate::weights::code_bits::CodeBits;
use crate::weights::packing::{INT8_PANEL, INT8_QUAD, is_packable, pack};
use crate::weights::scale_search::least_error_scale;
use crate::weights::{ActivationBits, StoredTensor, WeightFormat, int4, six_bits};
use half::f16;
use safetensors::Dtype;

/// The largest code of an int8 weight.
const LARGEST_BYTE: f32 = 127.0;

/// How the scales of a matrix are chosen.
#[derive(Clone, Copy)]
pub(super) enum Scales<'a> {
    /// For int8 from the largest weight; for int4 by the least squared error.
    Plain,
    /// By the least squared error, in which each column counts this much.
    ByError(&'a [f32]),
}

/// The values of each weight of a matrix `[out, in]`.
pub(super) enum Grid {
    Int8 {
        /// `[out]`
        scales: Vec<f32>,
    },
    /// A table of six bits.
    SixBits {
        /// `[V]`
        scales: Vec<f32>,
    },
    Int4 {
        bits: CodeBits,
        /// `[out, in / 32]`
        scales: Vec<f16>,
        /// `[out]`: of the bytes that the weights become when they are loaded.
        row_scales: Vec<f32>,
        n_blocks: usize,
    },
}

impl Grid {
    /// Returns whether a matrix `[n_out, n_in]` can be stored in this format.
    pub fn fits(format: WeightFormat, n_out: usize, n_in: usize) -> bool {
        match format {
            WeightFormat::Int8 => is_packable(n_out, n_in),
            WeightFormat::Int4 => int4::is_packable(n_out, n_in),
            WeightFormat::Q8_0 | WeightFormat::Q4_0 => false,
        }
    }

    /// Chooses the values for weights `[out, in]` in int8, or in int4 of these bits.
    pub fn choose(
        (format, bits): (WeightFormat, CodeBits),
        weights: &[f32],
        n_in: usize,
        scales: Scales<'_>,
    ) -> Self {
        let n_out = weights.len() / n_in;
        let row = |row: usize| &weights[row * n_in..][..n_in];
        if format != WeightFormat::Int4 {
            return Self::Int8 { scales: map_tasks(n_out, |at| byte_scale(row(at), scales)) };
        }
        let of_row = |at: usize| -> Vec<f16> {
            let blocks = row(at).chunks_exact(int4::BLOCK).enumerate();
            let scale = |(block, weights): (usize, &[f32])| match scales {
                Scales::Plain => int4::best_scale(weights, bits, |_| 1.0),
                Scales::ByError(importance) => {
                    let importance = &importance[block * int4::BLOCK..][..weights.len()];
                    int4::best_scale(weights, bits, |at| importance[at])
                }
            };
            blocks.map(scale).collect()
        };
        let rows = map_tasks(n_out, of_row);
        let row_scales = rows.iter().map(|row| int4::row_scale(bits, row.iter().map(|&scale| f32::from(scale))));
        Self::Int4 { bits, row_scales: row_scales.collect(), scales: rows.concat(), n_blocks: n_in / int4::BLOCK }
    }

    /// Chooses the values for a table `[V, D]` in six bits: for each row those with the least squared error.
    pub fn six_bits(weights: &[f32], width: usize) -> Self {
        let largest = f32::from(six_bits::LARGEST);
        let scale = |row: usize| best_scale(&weights[row * width..][..width], largest, |_| 1.0);
        Self::SixBits { scales: map_tasks(weights.len() / width, scale) }
    }

    /// Returns the code of the value that is nearest to `weight`, and that value.
    #[inline]
    pub fn nearest(&self, row: usize, column: usize, weight: f32) -> (i8, f32) {
        match self {
            Self::Int8 { scales } => {
                let code = nearest(weight, scales[row], LARGEST_BYTE);
                (code, f32::from(code) * scales[row])
            }
            Self::SixBits { scales } => {
                let code = nearest(weight, scales[row], six_bits::LARGEST.into());
                (code, f32::from(code) * scales[row])
            }
            Self::Int4 { bits, scales, row_scales, n_blocks } => {
                let scale = f32::from(scales[row * n_blocks + column / int4::BLOCK]);
                let code = int4::nearest(weight, *bits, scale);
                (code, f32::from(int4::byte(code, scale, row_scales[row])) * row_scales[row])
            }
        }
    }

    /// Rounds weights `[out, in]` to the nearest values; returns codes and values.
    pub fn round(&self, weights: &[f32], n_in: usize) -> (Vec<i8>, Vec<f32>) {
        let row = |row: usize| -> Vec<(i8, f32)> {
            let weights = weights[row * n_in..][..n_in].iter().enumerate();
            weights.map(|(column, &weight)| self.nearest(row, column, weight)).collect()
        };
        map_tasks(weights.len() / n_in, row).into_iter().flatten().unzip()
    }

    /// Returns the tensors of the weight `name` whose codes are `[out, in]` and whose activations have these bits.
    pub fn store(
        &self,
        name: &str,
        codes: &[i8],
        n_in: usize,
        bits: ActivationBits,
    ) -> Vec<(String, StoredTensor)> {
        let n_out = codes.len() / n_in;
        let (format, stored, scales) = match self {
            Self::Int8 { scales } => {
                let shape = [n_out / INT8_PANEL, n_in / INT8_QUAD, INT8_PANEL, INT8_QUAD];
                let (stored, scales) = store_bytes(&pack(codes, n_out, n_in), &shape, scales);
                (WeightFormat::Int8, stored, scales)
            }
            Self::Int4 { bits, scales, .. } => {
                let (stored, scales) = int4::store(codes, *bits, scales, n_out, n_in);
                (WeightFormat::Int4, stored, scales)
            }
            Self::SixBits { .. } => return self.store_table(name, codes, n_in),
        };
        named(name, (format, bits), stored, scales)
    }

    /// Stores a table of rows of int8 or six bits, which is not packed.
    pub fn store_table(&self, name: &str, codes: &[i8], n_in: usize) -> Vec<(String, StoredTensor)> {
        let bits = ActivationBits::Seven;
        match self {
            Self::Int8 { scales } => {
                let (stored, scales) = store_bytes(codes, &[codes.len() / n_in, n_in], scales);
                named(name, (WeightFormat::Int8, bits), stored, scales)
            }
            Self::SixBits { scales } => {
                let stored = six_bits::store(codes, n_in);
                named(name, (WeightFormat::Int4, bits), stored, stored_scales(scales))
            }
            Self::Int4 { .. } => self.store(name, codes, n_in, bits),
        }
    }
}

fn named(
    name: &str,
    (format, bits): (WeightFormat, ActivationBits),
    stored: StoredTensor,
    scales: StoredTensor,
) -> Vec<(String, StoredTensor)> {
    vec![(format!("{name}{}", format.suffix()), stored), (format!("{name}{}", format.scale_suffix(bits)), scales)]
}

fn store_bytes(codes: &[i8], shape: &[usize], scales: &[f32]) -> (StoredTensor, StoredTensor) {
    let bytes: Vec<u8> = codes.iter().map(|&code| code as u8).collect();
    (StoredTensor::new(Dtype::I8, shape, bytes.into()), stored_scales(scales))
}

fn stored_scales(scales: &[f32]) -> StoredTensor {
    let bytes: Vec<u8> = scales.iter().flat_map(|scale| scale.to_le_bytes()).collect();
    StoredTensor::new(Dtype::F32, &[scales.len()], bytes.into())
}

/// Returns the nearest code between `-largest` and `largest`.
fn nearest(weight: f32, scale: f32, largest: f32) -> i8 {
    let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
    lanes::round((weight * inverse).clamp(-largest, largest)) as i8
}

/// Returns the scale of a row of signed bytes.
fn byte_scale(row: &[f32], scales: Scales<'_>) -> f32 {
    match scales {
        Scales::Plain => widest_scale(row, LARGEST_BYTE),
        Scales::ByError(importance) => best_scale(row, LARGEST_BYTE, |at| importance[at]),
    }
}

/// Returns the scale with which no weight of a row is cut off.
fn widest_scale(row: &[f32], largest: f32) -> f32 {
    lanes::largest_magnitude(row) / largest
}

/// Returns the scale of a row with the least squared error, each weight's counted `importance` times.
fn best_scale(row: &[f32], largest: f32, importance: impl Fn(usize) -> f32) -> f32 {
    let nearest = |weight, scale| nearest(weight, scale, largest);
    least_error_scale(row, widest_scale(row, largest), |scale| scale, nearest, importance)
}
