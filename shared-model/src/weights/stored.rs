//! A tensor in the bytes of its file.

use crate::{Error, Result, finite};
use bytes::Bytes;
use candle_core::{DType, Device, Tensor};
use safetensors::{Dtype, View};
use std::borrow::Cow;

/// A contiguous row-major tensor in little-endian bytes.
#[derive(Clone, Debug)]
pub struct StoredTensor {
    /// Type of the values.
    pub dtype: Dtype,
    /// Sizes of the dimensions.
    pub shape: Vec<usize>,
    /// The values.
    pub data: Bytes,
}

impl StoredTensor {
    /// Creates a tensor. Its length is checked by [`Self::to_tensor`].
    pub fn new(dtype: Dtype, shape: &[usize], data: Bytes) -> Self {
        Self { dtype, shape: shape.to_vec(), data }
    }

    /// Copies the values of a tensor as f32.
    ///
    /// # Errors
    /// [`Error::Tensor`] when candle cannot convert or copy them.
    pub fn from_tensor(tensor: &Tensor) -> Result<Self> {
        let values = tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
        let bytes: Vec<u8> = values.into_iter().flat_map(f32::to_le_bytes).collect();
        Ok(Self::new(Dtype::F32, tensor.dims(), bytes.into()))
    }

    /// Returns the values as a tensor on the CPU, in the stored float type. `name` is for errors.
    ///
    /// # Errors
    /// [`Error::Weights`] when the type is not a float or the length is wrong; [`Error::NotFinite`] when a value is NaN
    /// or infinite.
    pub fn to_tensor(&self, name: &str) -> Result<Tensor> {
        let dtype = match self.dtype {
            Dtype::F32 => DType::F32,
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            Dtype::F64 => DType::F64,
            other => {
                return Err(Error::Weights {
                    detail: format!("tensor {name} has type {other:?}, expected a float"),
                });
            }
        };
        let expected_bytes = self.shape.iter().product::<usize>() * dtype.size_in_bytes();
        if self.data.len() != expected_bytes {
            let detail = format!("tensor {name} has {} bytes, expected {expected_bytes}", self.data.len());
            return Err(Error::Weights { detail });
        }
        finite::check_bytes(&|| format!("tensor {name}"), &self.data, dtype)?;
        Ok(Tensor::from_raw_buffer(&self.data, dtype, &self.shape, &Device::Cpu)?)
    }
}

impl View for &StoredTensor {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.data)
    }

    fn data_len(&self) -> usize {
        self.data.len()
    }
}
