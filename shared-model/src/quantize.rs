//! Quantizes dense weights, with a report of the error.
//!
//! Only the big matrices are quantized: the four of every block, those of an attention pool, and the token embedding.
//! The patch embedding, both projections and the position embeddings become f16. Norms, biases and the logit scale stay
//! f32.

use crate::config::Parameter;
use crate::weights::packing::{INT8_PANEL, INT8_QUAD, is_packable, pack};
use crate::weights::{Placement, StoredTensor, Weights, int4};
use crate::{Error, Result};
use candle_core::quantized::QTensor;
use candle_core::{DType, Device, Tensor};
use safetensors::Dtype;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

pub use crate::weights::WeightFormat;

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
}

/// The quantized tensors of one tower.
#[derive(Debug, Default)]
pub struct QuantizedTower {
    tensors: BTreeMap<String, StoredTensor>,
    /// A report for each tensor, in the order of the parameters.
    pub report: Vec<TensorReport>,
}

impl QuantizedTower {
    /// Returns a safetensors file with `metadata` as its `__metadata__`.
    ///
    /// # Errors
    /// [`Error::Safetensors`] when it cannot be serialized.
    pub fn to_safetensors(&self, metadata: HashMap<String, String>) -> Result<Vec<u8>> {
        Ok(safetensors::serialize(&self.tensors, Some(metadata))?)
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
    let mut tower = QuantizedTower::default();
    for Parameter { name, .. } in parameters {
        if weights.quantized(name).is_some() {
            return Err(Error::Weights { detail: format!("tensor {name} is quantized already") });
        }
        let dense = weights.tensor(name, &Placement::default())?;
        let is_table = name == "token_embedding.weight";
        let (stored, restored, stored_format) = if is_table || is_block_matrix(name) {
            match format {
                WeightFormat::Int4 if !is_table => int4(name, &dense)?,
                WeightFormat::Int8 | WeightFormat::Int4 => int8(name, &dense, is_table)?,
                WeightFormat::Q8_0 | WeightFormat::Q4_0 => ggml(name, &dense, format)?,
            }
        } else if dense.rank() >= 2 {
            half(name, &dense)?
        } else {
            full(name, &dense)?
        };
        // f16, alone or as a block's scale, ends at 65504.
        let mut relative_error = relative_error(&dense, &restored)?;
        let (stored, stored_format) = if relative_error.is_finite() {
            (stored, stored_format)
        } else {
            relative_error = 0.0;
            (full(name, &dense)?.0, "f32")
        };
        tower.report.push(TensorReport {
            name: name.clone(),
            format: stored_format,
            bytes: stored.iter().map(|(_, stored)| stored.data.len()).sum(),
            relative_error,
        });
        tower.tensors.extend(stored);
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

fn int8(name: &str, dense: &Tensor, is_table: bool) -> Result<Quantized> {
    let (n_out, n_in) = dense.dims2()?;
    if !is_table && !is_packable(n_out, n_in) {
        return half(name, dense);
    }
    let (values, scales) = quantize_rows(dense)?;
    let restored = Tensor::from_iter(values.iter().map(|&v| f32::from(v)), &Device::Cpu)?
        .reshape((n_out, n_in))?
        .broadcast_mul(&Tensor::new(scales.as_slice(), &Device::Cpu)?.unsqueeze(1)?)?;
    let (values, shape) = if is_table {
        (values, vec![n_out, n_in])
    } else {
        (pack(&values, n_out, n_in), vec![n_out / INT8_PANEL, n_in / INT8_QUAD, INT8_PANEL, INT8_QUAD])
    };
    let bytes: Vec<u8> = values.into_iter().map(|v| v as u8).collect();
    let scale_bytes: Vec<u8> = scales.iter().flat_map(|s| s.to_le_bytes()).collect();
    let stored = StoredTensor::new(Dtype::I8, &shape, bytes.into());
    let scales = StoredTensor::new(Dtype::F32, &[n_out], scale_bytes.into());
    Ok((with_scales(name, WeightFormat::Int8, stored, scales), restored, "int8"))
}

fn int4(name: &str, dense: &Tensor) -> Result<Quantized> {
    let (n_out, n_in) = dense.dims2()?;
    if !int4::is_packable(n_out, n_in) {
        return half(name, dense);
    }
    let (stored, scales, restored) = int4::pack(dense)?;
    Ok((with_scales(name, WeightFormat::Int4, stored, scales), restored, "int4"))
}

fn with_scales(
    name: &str,
    format: WeightFormat,
    stored: StoredTensor,
    scales: StoredTensor,
) -> Vec<(String, StoredTensor)> {
    vec![(format!("{name}{}", format.suffix()), stored), (format!("{name}{}", format.scale_suffix()), scales)]
}

/// Symmetric signed bytes, row by row: `w = scale * q` with `scale = max |w| / 127`.
fn quantize_rows(dense: &Tensor) -> Result<(Vec<i8>, Vec<f32>)> {
    let rows = dense.to_vec2::<f32>()?;
    let mut values = Vec::with_capacity(dense.elem_count());
    let mut scales = Vec::with_capacity(rows.len());
    for row in rows {
        let largest = row.iter().fold(0f32, |max, w| max.max(w.abs()));
        let scale = largest / 127.0;
        let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
        values.extend(row.iter().map(|w| (w * inverse).round_ties_even() as i8));
        scales.push(scale);
    }
    Ok((values, scales))
}

fn relative_error(dense: &Tensor, restored: &Tensor) -> Result<f64> {
    let square_sum = |x: &Tensor| -> Result<f64> { Ok(x.to_dtype(DType::F64)?.sqr()?.sum_all()?.to_scalar()?) };
    let norm = square_sum(dense)?;
    let error = square_sum(&(dense - restored)?)?;
    Ok(if norm > 0.0 { (error / norm).sqrt() } else { 0.0 })
}
