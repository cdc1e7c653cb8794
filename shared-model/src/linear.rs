//! One linear layer and one embedding table over dense or quantized weights, so that the towers are written once.

mod weighted_rows;

use crate::kernels::PanelMatrix;
use crate::kernels::dense::DenseMatrix;
use crate::kernels::int8::{BLOCK_WIDTH, Int8Matrix, Rounding};
use crate::kernels::short::ShortMatrix;
use crate::ops::matmul_bias;
use crate::weights::table::Table;
use crate::weights::{Placement, StoredTensor, WeightFormat, Weights};
use crate::{Error, Result, finite};
use candle_core::quantized::{QMatMul, QStorage, QTensor};
use candle_core::{DType, Device, Module, Tensor};
use std::borrow::Cow;
use std::sync::Arc;

/// `y = x W^T + b`, with W `[out, in]` in whatever form the checkpoint has it.
pub(crate) struct Linear {
    weight: LinearWeight,
    bias: Option<Tensor>,
}

enum LinearWeight {
    /// `[out, in]`, in the placement's dtype.
    Dense(Tensor),
    /// f32 in panels, the bias included, CPU only.
    Packed(DenseMatrix),
    /// GGML blocks along `in`; f32 activations.
    Ggml(QMatMul),
    /// One scale an output channel, the bias included; f32 activations, CPU only.
    Int8(Int8Matrix),
    /// 16-bit integers, for f32 activations on the CPU.
    Short(ShortMatrix),
}

impl Linear {
    /// Loads `weight` and, when named, `bias`.
    pub fn load(weights: &Weights, weight: &str, bias: Option<&str>, placement: &Placement) -> Result<Self> {
        Self::load_in_blocks(weights, weight, bias, placement, BLOCK_WIDTH)
    }

    /// [`Self::load`]; for int8 weights, activations are quantized in blocks of `block_width` columns.
    pub fn load_in_blocks(
        weights: &Weights,
        weight: &str,
        bias: Option<&str>,
        placement: &Placement,
        block_width: usize,
    ) -> Result<Self> {
        let bias = bias.map(|name| weights.tensor(name, placement)).transpose()?;
        let weight = match weights.quantized(weight) {
            None => return Self::dense(weights.tensor(weight, placement)?, bias),
            Some((format @ (WeightFormat::Int8 | WeightFormat::Int4), stored)) => {
                let matrix = int8_matrix(weights, weight, (format, stored), block_width)?;
                if placement.device.is_cpu() {
                    let matrix = match &bias {
                        Some(bias) => matrix.with_bias(bias)?,
                        None => matrix,
                    };
                    return Ok(Self { weight: LinearWeight::Int8(matrix), bias: None });
                }
                let dense = matrix.dequantize()?;
                LinearWeight::Dense(dense.to_dtype(placement.dtype)?.to_device(&placement.device)?)
            }
            Some((format, stored)) => {
                let blocks = ggml_tensor(weight, format, stored, &placement.device)?;
                LinearWeight::Ggml(QMatMul::from_qtensor(blocks)?)
            }
        };
        Ok(Self { weight, bias })
    }

    /// From a dense weight of any memory layout, which is packed where that pays.
    pub fn dense(weight: Tensor, bias: Option<Tensor>) -> Result<Self> {
        Ok(match DenseMatrix::new(&weight, bias.as_ref())? {
            Some(matrix) => Self { weight: LinearWeight::Packed(matrix), bias: None },
            None => Self { weight: LinearWeight::Dense(weight), bias },
        })
    }

    /// From a dense weight; its products are those of 16-bit integers, without a gradient, on the CPU.
    pub fn short(weight: &Tensor, bias: Option<Tensor>) -> Result<Self> {
        Ok(Self { weight: LinearWeight::Short(ShortMatrix::new(weight)?), bias })
    }

    /// The weight with its bias, where its products are those of [`crate::kernels`].
    pub fn int8(&self) -> Option<&Int8Matrix> {
        match &self.weight {
            LinearWeight::Int8(matrix) => Some(matrix),
            _ => None,
        }
    }

    /// The weight with its bias, where it is packed f32.
    pub fn packed(&self) -> Option<&DenseMatrix> {
        match &self.weight {
            LinearWeight::Packed(matrix) => Some(matrix),
            _ => None,
        }
    }

    /// # Shapes
    /// - `x`: `[.., in]`
    /// - returns `[.., out]`, in the dtype of `x`
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (leading, n_in) = match x.dims() {
            [leading @ .., n_in] => (leading, *n_in),
            [] => return Err(Error::Tensor(candle_core::Error::Msg("linear layer on a scalar".into()))),
        };
        let rows = x.reshape(((), n_in))?;
        let quantized = |product: Tensor| -> Result<Tensor> {
            let product = product.to_dtype(x.dtype())?;
            Ok(match &self.bias {
                Some(bias) => product.broadcast_add(bias)?,
                None => product,
            })
        };
        let y = match &self.weight {
            LinearWeight::Dense(weight) => matmul_bias(&rows, weight, self.bias.as_ref())?,
            LinearWeight::Packed(matrix) => matrix.matmul(&rows)?,
            LinearWeight::Ggml(blocks) => quantized(blocks.forward(&rows.to_dtype(DType::F32)?)?)?,
            LinearWeight::Short(matrix) => quantized(matrix.matmul(&rows.to_dtype(DType::F32)?)?)?,
            LinearWeight::Int8(matrix) => matrix.matmul(&rows.to_dtype(DType::F32)?)?.to_dtype(x.dtype())?,
        };
        let n_out = y.dim(1)?;
        let shape: Vec<usize> = leading.iter().copied().chain([n_out]).collect();
        Ok(y.reshape(shape)?)
    }
}

/// Reads a weight that is stored as int8 or int4.
fn int8_matrix(
    weights: &Weights,
    name: &str,
    (format, stored): (WeightFormat, &StoredTensor),
    block_width: usize,
) -> Result<Int8Matrix> {
    let (scales, bits) = weights.scales(name, format)?;
    let rounding = Rounding { block_width, bits };
    let matrix = match format {
        WeightFormat::Int4 => Int8Matrix::from_int4(name, stored, scales, rounding),
        _ => Int8Matrix::from_stored(name, stored, scales, rounding),
    }?;
    Ok(match weights.column_factors(name, format, matrix.n_in())? {
        Some(factors) => matrix.with_factors(factors),
        None => matrix,
    })
}

/// A table of rows looked up by id.
pub(crate) enum Embedding {
    /// `[V, D]`
    Dense(Tensor),
    Ggml(Arc<QTensor>, DType),
    /// Rows of whole numbers with one scale each.
    Table(Table, Placement),
}

impl Embedding {
    pub fn load(weights: &Weights, name: &str, placement: &Placement) -> Result<Self> {
        Ok(match weights.quantized(name) {
            None => Self::Dense(weights.tensor(name, placement)?),
            Some((format @ (WeightFormat::Int8 | WeightFormat::Int4), stored)) => {
                Self::Table(Table::load(weights, name, format, stored)?, placement.clone())
            }
            Some((format, stored)) => {
                Self::Ggml(Arc::new(ggml_tensor(name, format, stored, &placement.device)?), placement.dtype)
            }
        })
    }

    /// # Shapes
    /// - `ids`: `[B, L]` u32, each below the table's length
    /// - returns `[B, L, D]`
    pub fn forward(&self, ids: &Tensor) -> Result<Tensor> {
        let (batch, length) = ids.dims2()?;
        match self {
            Self::Dense(table) => {
                let rows = table.index_select(&ids.flatten_all()?.to_device(table.device())?, 0)?;
                Ok(rows.reshape((batch, length, ()))?)
            }
            Self::Ggml(table, dtype) => Ok(table.embedding(ids)?.to_dtype(*dtype)?),
            Self::Table(table, placement) => {
                let mut values = Vec::with_capacity(batch * length * table.width());
                for id in ids.flatten_all()?.to_vec1::<u32>()? {
                    if table.push_row(id as usize, &mut values).is_none() {
                        let detail = format!("token id {id} of a vocabulary of {}", table.len());
                        return Err(Error::Weights { detail });
                    }
                }
                let tensor = Tensor::from_vec(values, (batch, length, table.width()), &Device::Cpu)?;
                Ok(tensor.to_dtype(placement.dtype)?.to_device(&placement.device)?)
            }
        }
    }
}

/// GGML blocks as candle keeps them.
fn ggml_tensor(name: &str, format: WeightFormat, stored: &StoredTensor, device: &Device) -> Result<QTensor> {
    let Some(dtype) = format.ggml_dtype() else {
        return Err(Error::Weights { detail: format!("tensor {name} has no GGML form") });
    };
    let shape = format.logical_shape(&stored.shape);
    let expected_bytes = shape.iter().product::<usize>() / dtype.block_size() * dtype.type_size();
    if stored.data.len() != expected_bytes || shape.len() != 2 {
        let detail = format!("tensor {name} has {} bytes, expected {expected_bytes}", stored.data.len());
        return Err(Error::Weights { detail });
    }
    // Both formats begin a block with its scale, an f16.
    let scales: Vec<u8> =
        stored.data.chunks_exact(dtype.type_size()).flat_map(|block| [block[0], block[1]]).collect();
    finite::check_bytes(&|| format!("scales of tensor {name}"), &scales, DType::F16)?;
    // candle reads the bytes as blocks of f16 and integers, which want an even address.
    let is_aligned = (stored.data.as_ptr() as usize).is_multiple_of(2);
    let data = if is_aligned { Cow::Borrowed(&stored.data[..]) } else { Cow::Owned(stored.data.to_vec()) };
    Ok(QTensor::new(QStorage::from_data(data, device, dtype)?, shape)?)
}
