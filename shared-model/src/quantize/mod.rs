//! Quantizes dense weights, with a report of the error.
//!
//! [`quantize`] rounds each weight by itself. [`quantize_vision`] and [`quantize_text`] quantize a tower for photos and
//! texts that are like given ones: they move scales, choose where to clip, make up for errors and correct biases.
//!
//! Only the big matrices are quantized: the four of every block, those of an attention pool, and the token embedding.
//! The patch embedding, both projections and the position embeddings become f16. Norms, biases and the logit scale stay
//! f32.

mod block;
mod cholesky;
mod columns;
mod equalize;
mod feedback;
mod grid;
mod layer;
mod options;
mod pool;
mod steps;
mod text_bits;
mod tower;

use crate::config::Parameter;
use crate::weights::code_bits::CodeBits;
use crate::weights::{ActivationBits, Placement, StoredTensor, Weights, six_bits};
use crate::{Error, Result};
use candle_core::quantized::QTensor;
use candle_core::{DType, Device, Tensor};
use grid::{Grid, Scales};
use safetensors::Dtype;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

pub use crate::weights::WeightFormat;
pub use options::Options;
pub use steps::Steps;
use text_bits::MatrixBits;
pub use tower::{Progress, quantize_text, quantize_vision};

/// The format, size and error of one quantized tensor.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TensorReport {
    /// open_clip's key.
    pub name: String,
    /// `q8_0`, `q4_0`, `int8`, `int4`, `f16` or `f32`.
    pub format: &'static str,
    /// Length of the values and scales in bytes.
    pub bytes: usize,
    /// `||w - w'|| / ||w||`; 0 for a tensor that is unchanged or zero.
    pub relative_error: f64,
    /// The error of the layer's outputs on a sample of what the model was calibrated on, relative to how they differ
    /// from their mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_error: Option<f64>,
}

/// The quantized tensors of one tower.
#[derive(Debug, Default)]
pub struct QuantizedTower {
    tensors: BTreeMap<String, StoredTensor>,
    /// A report for each tensor, in the order of the parameters.
    pub report: Vec<TensorReport>,
    /// The weights that the stored ones mean.
    restored: Vec<(String, Tensor)>,
}

impl QuantizedTower {
    /// Returns a safetensors file with `metadata` as its `__metadata__`.
    ///
    /// # Errors
    /// [`Error::Safetensors`] when it cannot be serialized.
    pub fn to_safetensors(&self, metadata: HashMap<String, String>) -> Result<Vec<u8>> {
        Ok(safetensors::serialize(&self.tensors, Some(metadata))?)
    }

    /// Adds a tensor; one that f16 cannot hold, alone or as a block's scale, stays f32.
    fn add(&mut self, name: &str, quantized: Quantized, dense: &Tensor, output_error: Option<f64>) -> Result<()> {
        let (mut stored, mut restored, mut format) = quantized;
        let mut relative_error = relative_error(dense, &restored)?;
        if !relative_error.is_finite() {
            (stored, restored, format) = full(name, dense)?;
            relative_error = 0.0;
        }
        self.report.push(TensorReport {
            name: name.into(),
            format,
            bytes: stored.iter().map(|(_, stored)| stored.data.len()).sum(),
            relative_error,
            output_error,
        });
        self.tensors.extend(stored);
        self.restored.push((name.into(), restored));
        Ok(())
    }

    /// Adds a vector as it is.
    fn add_full(&mut self, name: &str, values: &[f32]) -> Result<()> {
        let tensor = Tensor::from_slice(values, values.len(), &Device::Cpu)?;
        self.add(name, full(name, &tensor)?, &tensor, None)
    }

    /// Forgets tensors, which are added again.
    fn remove(&mut self, names: &[String]) {
        self.report.retain(|report| !names.contains(&report.name));
        self.restored.retain(|(name, _)| !names.contains(name));
    }

    /// Puts the report into the order of the parameters.
    fn sort(&mut self, parameters: &[Parameter]) {
        let places: HashMap<&str, usize> =
            parameters.iter().enumerate().map(|(place, parameter)| (parameter.name.as_str(), place)).collect();
        self.report.sort_by_key(|report| places.get(report.name.as_str()).copied());
    }
}

/// Quantizes the tensors of `parameters`.
///
/// A matrix whose sides do not suit the format becomes f16: q8_0 and q4_0 need `in` in multiples of 32; int8 needs
/// `out` in multiples of 16 and `in` of 4, int4 of 32. A tensor with values that f16 cannot hold (above 65504) stays
/// f32.
///
/// # Errors
/// [`Error::Weights`] naming a tensor that is missing or already quantized.
pub fn quantize(weights: &Weights, parameters: &[Parameter], format: WeightFormat) -> Result<QuantizedTower> {
    quantize_with(weights, parameters, format, &MatrixBits::of(parameters))
}

/// [`quantize`] with given bits of the matrices in int4, as for a part of a tower.
fn quantize_with(
    weights: &Weights,
    parameters: &[Parameter],
    format: WeightFormat,
    bits: &MatrixBits,
) -> Result<QuantizedTower> {
    let mut tower = QuantizedTower::default();
    for Parameter { name, .. } in parameters {
        if weights.quantized(name).is_some() {
            return Err(Error::Weights { detail: format!("tensor {name} is quantized already") });
        }
        let dense = weights.tensor(name, &Placement::default())?;
        let quantized = if name == text_bits::TABLE || is_block_matrix(name) {
            match format {
                WeightFormat::Int8 | WeightFormat::Int4 if name == text_bits::TABLE => {
                    embeddings(name, &dense, format)?
                }
                WeightFormat::Int8 | WeightFormat::Int4 => integers(name, &dense, (format, bits.of_matrix(name)))?,
                WeightFormat::Q8_0 | WeightFormat::Q4_0 => ggml(name, &dense, format)?,
            }
        } else if dense.rank() >= 2 {
            half(name, &dense)?
        } else {
            full(name, &dense)?
        };
        tower.add(name, quantized, &dense, None)?;
    }
    Ok(tower)
}

/// The stored tensors, the tensor that they restore to, and the name of their format.
type Quantized = (Vec<(String, StoredTensor)>, Tensor, &'static str);

fn is_block_matrix(name: &str) -> bool {
    let suffixes = [
        "attn.in_proj_weight",
        "attn.q.weight",
        "attn.kv.weight",
        "attn.out_proj.weight",
        "mlp.c_fc.weight",
        "mlp.c_proj.weight",
    ];
    suffixes.iter().any(|suffix| name.ends_with(suffix))
}

/// Returns the bits of the activations of a matrix.
///
/// A text's feature depends on few rows, and an attention pool computes one: no later layer averages the error of their
/// activations. The tokens of an image are many.
fn activation_bits(name: &str) -> ActivationBits {
    let pools = ["visual.attn_pool.attn.q.", "visual.attn_pool.attn.out_proj.", "visual.attn_pool.mlp."];
    let is_fine = !name.starts_with("visual.") || pools.iter().any(|pool| name.starts_with(pool));
    if is_fine { ActivationBits::Fourteen } else { ActivationBits::Seven }
}

fn full(name: &str, dense: &Tensor) -> Result<Quantized> {
    Ok((vec![(name.into(), StoredTensor::from_tensor(dense)?)], dense.clone(), "f32"))
}

fn half(name: &str, dense: &Tensor) -> Result<Quantized> {
    let half = dense.to_dtype(DType::F16)?;
    let values = half.flatten_all()?.to_vec1::<half::f16>()?;
    let bytes: Vec<u8> = values.into_iter().flat_map(half::f16::to_le_bytes).collect();
    let stored = StoredTensor::new(Dtype::F16, dense.dims(), bytes.into());
    Ok((vec![(name.into(), stored)], half.to_dtype(DType::F32)?, "f16"))
}

fn ggml(name: &str, dense: &Tensor, format: WeightFormat) -> Result<Quantized> {
    let (n_out, n_in) = dense.dims2()?;
    let Some(dtype) = format.ggml_dtype().filter(|dtype| n_in % dtype.block_size() == 0) else {
        return half(name, dense);
    };
    let blocks = QTensor::quantize(dense, dtype)?;
    let shape = [n_out, n_in / dtype.block_size(), dtype.type_size()];
    let stored = StoredTensor::new(Dtype::U8, &shape, blocks.data()?.to_vec().into());
    let stored_name = format!("{name}{}", format.suffix());
    Ok((vec![(stored_name, stored)], blocks.dequantize(&Device::Cpu)?, format.name()))
}

/// Rounds each weight by itself.
fn integers(name: &str, dense: &Tensor, (format, bits): (WeightFormat, CodeBits)) -> Result<Quantized> {
    let (n_out, n_in) = dense.dims2()?;
    if !Grid::fits(format, n_out, n_in) {
        return half(name, dense);
    }
    let weights: Vec<f32> = dense.flatten_all()?.to_vec1()?;
    let grid = Grid::choose((format, bits), &weights, n_in, Scales::Plain);
    let (codes, values) = grid.round(&weights, n_in);
    let restored = Tensor::from_vec(values, (n_out, n_in), &Device::Cpu)?;
    Ok((grid.store(name, &codes, n_in, activation_bits(name)), restored, format.name()))
}

/// A table of embeddings: bytes in int8, six bits in int4 where its width allows.
fn embeddings(name: &str, dense: &Tensor, format: WeightFormat) -> Result<Quantized> {
    let (n_rows, width) = dense.dims2()?;
    let weights: Vec<f32> = dense.flatten_all()?.to_vec1()?;
    let has_six_bits = format == WeightFormat::Int4 && six_bits::fits(width);
    let format = if has_six_bits { WeightFormat::Int4 } else { WeightFormat::Int8 };
    let grid = match has_six_bits {
        true => Grid::six_bits(&weights, width),
        false => Grid::choose((format, CodeBits::Four), &weights, width, Scales::Plain),
    };
    let (codes, values) = grid.round(&weights, width);
    let restored = Tensor::from_vec(values, (n_rows, width), &Device::Cpu)?;
    Ok((grid.store_table(name, &codes, width), restored, format.name()))
}

fn relative_error(dense: &Tensor, restored: &Tensor) -> Result<f64> {
    let square_sum = |x: &Tensor| -> Result<f64> { Ok(x.to_dtype(DType::F64)?.sqr()?.sum_all()?.to_scalar()?) };
    let norm = square_sum(dense)?;
    let error = square_sum(&(dense - restored)?)?;
    Ok(if norm > 0.0 { (error / norm).sqrt() } else { 0.0 })
}
