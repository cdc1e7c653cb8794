//! A tensor that is put together of others when it is read.

use super::StoredTensor;
use crate::Result;
use candle_core::{DType, Device, Tensor};

/// Rows of several tensors one behind another, then scaled, transposed and given its shape.
#[derive(Clone, Debug)]
pub(super) struct Derived {
    pub parts: Vec<DerivedPart>,
    /// Whether the file has `[out, in]` for our `[in, out]`.
    pub is_transposed: bool,
    /// A vector whose values multiply the rows, with its name.
    pub scale: Option<(String, StoredTensor)>,
    pub shape: Vec<usize>,
}

#[derive(Clone, Debug)]
pub(super) struct DerivedPart {
    /// A tensor and its name in the file; `None` for zeros.
    pub stored: Option<(String, StoredTensor)>,
    pub first_row: usize,
    pub n_rows: usize,
}

impl Derived {
    /// The values as f32 on the CPU.
    ///
    /// # Errors
    /// Those of [`StoredTensor::to_tensor`], which name a tensor of the file.
    pub fn to_tensor(&self) -> Result<Tensor> {
        let row_shape = self.row_shape();
        let parts = self.parts.iter().map(|part| part.rows(&row_shape)).collect::<Result<Vec<_>>>()?;
        let mut tensor = Tensor::cat(&parts, 0)?;
        if let Some((name, scale)) = &self.scale {
            let mut column = vec![1; tensor.rank()];
            column[0] = tensor.dim(0)?;
            tensor = tensor.broadcast_mul(&scale.to_tensor(name)?.to_dtype(DType::F32)?.reshape(column)?)?;
        }
        if self.is_transposed {
            tensor = tensor.t()?.contiguous()?;
        }
        Ok(tensor.reshape(&self.shape[..])?)
    }

    /// The sides of one row in the file.
    fn row_shape(&self) -> Vec<usize> {
        match (self.is_transposed, &self.shape[..]) {
            (true, [n_in, _]) => vec![*n_in],
            (_, [_, others @ ..]) => others.to_vec(),
            _ => Vec::new(),
        }
    }
}

impl DerivedPart {
    fn rows(&self, row_shape: &[usize]) -> Result<Tensor> {
        let shape = |n_rows: usize| [&[n_rows][..], row_shape].concat();
        Ok(match &self.stored {
            None => Tensor::zeros(shape(self.n_rows), DType::F32, &Device::Cpu)?,
            Some((name, stored)) => {
                let all = stored.to_tensor(name)?.to_dtype(DType::F32)?;
                let row_len: usize = row_shape.iter().product();
                let all = all.reshape(shape(all.elem_count() / row_len.max(1)))?;
                all.narrow(0, self.first_row, self.n_rows)?.contiguous()?
            }
        })
    }
}
