//! The constant buffers of a tower.

use super::buffer::Buffer;
use super::dispatch::{Blocks, Dispatch};
use crate::weights::table::Table;
use crate::weights::{ActivationBits, Placement, WeightFormat, Weights, int4, int8};
use crate::{Error, Result};
use bytes::Bytes;

/// A constant buffer.
#[derive(Clone, Debug)]
pub struct Constant {
    /// The tensor that it has, for messages.
    pub name: String,
    /// What it has.
    pub contents: Contents,
}

/// The contents of a constant buffer.
#[derive(Clone, Debug)]
pub enum Contents {
    /// These bytes, in whole 32-bit words. int8 weights are those of the file, not copied.
    Bytes(Bytes),
    /// So many bytes, which a dispatch computes once.
    Computed(u64),
}

impl Constant {
    /// Returns the number of bytes.
    pub fn n_bytes(&self) -> u64 {
        match &self.contents {
            Contents::Bytes(bytes) => bytes.len() as u64,
            Contents::Computed(n_bytes) => *n_bytes,
        }
    }
}

/// An int8 matrix in buffers.
#[derive(Clone, Copy)]
pub(super) struct Matrix {
    /// `[out / 16][in / 4][16][4]`
    pub values: Buffer,
    /// `[out]`: scale and bias
    pub channels: Buffer,
    /// `[blocks][out]`
    pub sums: Buffer,
    pub n_out: usize,
    pub n_in: Blocks,
}

/// Collects the constants of a tower, and the dispatches that compute some of them.
pub(super) struct Constants<'w> {
    weights: &'w Weights,
    pub constants: Vec<Constant>,
    pub preparation: Vec<Dispatch>,
}

impl<'w> Constants<'w> {
    pub fn new(weights: &'w Weights) -> Self {
        Self { weights, constants: Vec::new(), preparation: Vec::new() }
    }

    fn add(&mut self, name: &str, contents: Contents) -> Buffer {
        self.constants.push(Constant { name: name.into(), contents });
        Buffer::Constant(self.constants.len() - 1)
    }

    fn values(&self, name: &str) -> Result<Vec<f32>> {
        let tensor = self.weights.tensor(name, &Placement::default())?;
        Ok(tensor.flatten_all()?.to_vec1()?)
    }

    /// Adds a float tensor as f32.
    pub fn float(&mut self, name: &str) -> Result<Buffer> {
        let values = self.values(name)?;
        Ok(self.add(name, Contents::Bytes(bytes_of(values))))
    }

    /// Adds a projection `[D, E]`, as f32.
    pub fn projection(&mut self, name: &str) -> Result<Buffer> {
        let values: Vec<f32> = self.weights.projection(name, &Placement::default())?.flatten_all()?.to_vec1()?;
        Ok(self.add(name, Contents::Bytes(bytes_of(values))))
    }

    /// Adds weight and bias of a layer norm.
    pub fn norm(&mut self, prefix: &str) -> Result<Buffer> {
        let mut values = self.values(&format!("{prefix}.weight"))?;
        values.extend(self.values(&format!("{prefix}.bias"))?);
        Ok(self.add(prefix, Contents::Bytes(bytes_of(values))))
    }

    /// Adds the factors of a matrix's columns `[in]`.
    pub fn factors(&mut self, weight: &str, n_in: usize) -> Result<Buffer> {
        let factors = self.column_factors(weight, n_in)?.unwrap_or_else(|| vec![1.0; n_in]);
        Ok(self.add(weight, Contents::Bytes(bytes_of(factors))))
    }

    fn column_factors(&self, weight: &str, n_in: usize) -> Result<Option<Vec<f32>>> {
        let Some((format, _)) = self.weights.quantized(weight) else { return Err(not_int8(weight)) };
        self.weights.column_factors(weight, format, n_in)
    }

    /// Adds an int8 or int4 matrix behind a norm, whose columns have no factors.
    ///
    /// # Errors
    /// [`Error::GpuConfig`] if they have, and those of [`Self::matrix`].
    pub fn matrix_of_norm(&mut self, weight: &str, bias: &str, block_width: usize) -> Result<Matrix> {
        let matrix = self.matrix(weight, bias, block_width)?;
        if self.column_factors(weight, matrix.n_in.width)?.is_some() {
            let detail =
                format!("columns of {weight} have factors, which the kernel of norms does not multiply by");
            return Err(Error::GpuConfig { detail });
        }
        Ok(matrix)
    }

    /// Adds an int8 or int4 matrix and its bias. Activations share a step over `block_width` columns.
    pub fn matrix(&mut self, weight: &str, bias: &str, block_width: usize) -> Result<Matrix> {
        let (bytes, scales, bits) = self.int8(weight)?;
        let biases = self.values(bias)?;
        let n_out = scales.len();
        if biases.len() != n_out || n_out == 0 {
            let detail = format!("tensor {bias} has {} values, expected {n_out}", biases.len());
            return Err(Error::Weights { detail });
        }
        let n_in = Blocks { width: bytes.len() / n_out, block_width, passes: bits.passes() };
        let channels = scales.into_iter().zip(biases).flat_map(|(scale, bias)| [scale, bias]).collect();
        let values = self.add(weight, Contents::Bytes(bytes));
        let channels = self.add(bias, Contents::Bytes(bytes_of(channels)));
        let sums = self.add(weight, Contents::Computed(4 * (n_in.count() * n_out) as u64));
        self.preparation.push(Dispatch::weight_sums(n_out, n_in, [values, sums]));
        Ok(Matrix { values, channels, sums, n_out, n_in })
    }

    /// Returns the packed bytes of a matrix, its scales and the bits of its activations.
    fn int8(&self, name: &str) -> Result<(Bytes, Vec<f32>, ActivationBits)> {
        let Some((format @ (WeightFormat::Int8 | WeightFormat::Int4), stored)) = self.weights.quantized(name)
        else {
            return Err(not_int8(name));
        };
        let (scales, bits) = self.weights.scales(name, format)?;
        if format == WeightFormat::Int4 {
            let (bytes, scales) = int4::expand(name, stored, scales)?;
            return Ok((bytes.into(), scales, bits));
        }
        let (bytes, scales) = int8::read(name, stored, scales)?;
        Ok((bytes, scales, bits))
    }

    /// Adds a table of embeddings as bytes `[V, D]`, and its scales `[V]`.
    pub fn table(&mut self, name: &str) -> Result<[Buffer; 2]> {
        let Some((format @ (WeightFormat::Int8 | WeightFormat::Int4), stored)) = self.weights.quantized(name)
        else {
            return Err(not_int8(name));
        };
        let (bytes, scales) = Table::load(self.weights, name, format, stored)?.into_bytes();
        let rows = self.add(name, Contents::Bytes(bytes));
        Ok([rows, self.add(name, Contents::Bytes(bytes_of(scales)))])
    }
}

fn not_int8(name: &str) -> Error {
    let detail = format!("tensor {name} is not int8; `dermake quantize` makes a model that is");
    Error::GpuConfig { detail }
}

fn bytes_of(values: Vec<f32>) -> Bytes {
    values.into_iter().flat_map(f32::to_le_bytes).collect::<Vec<u8>>().into()
}
