//! Flat weights and gradients on a GPU, and what several operations share.

use super::element::Element;
use super::gpu::Gpu;
use super::launch::{Arg, Launch, int, long};
use super::products::{Product, Stored};
use super::segments::Segments;
use super::signatures::{COLUMN_SUM_COLUMNS, COLUMN_SUM_ROWS, EMBEDDING_COLUMNS, EMBEDDING_THREADS};
use crate::ops::Sequences;
use anyhow::{Result, bail, ensure};
use candle_core::cuda_backend::CudaDType;
use candle_core::cuda_backend::cudarc::cublaslt::sys::cudaDataType;
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, CudaView};
use candle_core::{Storage, Tensor};
use std::ops::Range;

/// Flat weights, and the flat gradients that are added to.
pub struct CudaOps<'a, T> {
    pub(super) gpu: &'a Gpu,
    /// What is computed with.
    weights: &'a CudaSlice<T>,
    /// The same in f32.
    masters: &'a CudaSlice<f32>,
    gradients: Option<&'a mut CudaSlice<f32>>,
    /// What the last call of an operation on sequences uploaded.
    pub(super) uploaded: Option<(Sequences, CudaSlice<i32>)>,
}

impl<'a, T: Element> CudaOps<'a, T> {
    /// Without `gradients`, forward passes alone are possible.
    ///
    /// # Panics
    /// When there are not as many masters as weights, or more gradients.
    pub fn new(
        gpu: &'a Gpu,
        weights: &'a CudaSlice<T>,
        masters: &'a CudaSlice<f32>,
        gradients: Option<&'a mut CudaSlice<f32>>,
    ) -> Self {
        assert_eq!(weights.len(), masters.len(), "one master a weight");
        assert!(
            gradients.as_ref().is_none_or(|gradients| gradients.len() <= masters.len()),
            "at most one gradient a weight"
        );
        Self { gpu, weights, masters, gradients, uploaded: None }
    }

    pub(super) fn weights(&self, range: &Range<usize>) -> Arg {
        self.gpu.at(&self.weights.slice(range.clone()))
    }

    pub(super) fn masters(&self, range: &Range<usize>) -> Arg {
        self.gpu.at(&self.masters.slice(range.clone()))
    }

    pub(super) fn gradients(&self, range: &Range<usize>) -> Result<Arg> {
        match &self.gradients {
            Some(gradients) => Ok(self.gpu.at(&gradients.slice(range.clone()))),
            None => bail!("a backward pass needs a place for its gradients"),
        }
    }

    /// Submits the form of a kernel for this type of activations.
    pub(super) fn launch(&self, name: &str, launch: Launch, args: &[Arg]) -> Result<()> {
        self.gpu.launch(&format!("{name}_{}", T::SUFFIX), launch, args)
    }

    /// A product in this type, and without anything added.
    pub(super) fn product(left: Stored, right: Stored, [rows, columns, inner]: [usize; 3], output: Arg) -> Product {
        let (operand_type, output_type) = (T::DATA_TYPE, T::DATA_TYPE);
        Product { left, right, rows, columns, inner, operand_type, output_type, bias: None, addend: None, output }
    }

    /// `gradient += left^T right`, in f32: `[T, rows]` and `[T, columns]` to `[rows, columns]`.
    pub(super) fn add_product(
        &self,
        left: &CudaSlice<T>,
        right: &CudaSlice<T>,
        rows: usize,
        gradient: &Range<usize>,
    ) -> Result<()> {
        let (gpu, gradient) = (self.gpu, self.gradients(gradient)?);
        let n_tokens = n_rows(left, rows)?;
        let sizes = [rows, right.len() / n_tokens, n_tokens];
        let product =
            Self::product(Stored::transposed(gpu.at(left)), Stored::plain(gpu.at(right)), sizes, gradient);
        gpu.products.run(&Product { output_type: cudaDataType::CUDA_R_32F, addend: Some(gradient), ..product })
    }

    /// Partial sums over the rows of `x` `[rows, width]`, and their number.
    pub(super) fn column_sums(&self, x: &CudaSlice<T>, width: usize) -> Result<(CudaSlice<f32>, usize)> {
        let rows = n_rows(x, width)?;
        let n_parts = rows.div_ceil(COLUMN_SUM_ROWS);
        let partial = self.gpu.buffer(n_parts * width)?;
        let launch = Launch::of_grid(n_parts, width.div_ceil(COLUMN_SUM_COLUMNS))?;
        self.launch("column_sums", launch, &[self.gpu.at(x), self.gpu.at(&partial), int(rows)?, long(width)])?;
        Ok((partial, n_parts))
    }

    /// Adds the rows of `dy` that share a key to the key's row of the gradient.
    pub(super) fn add_rows_by_key(
        &self,
        gradient: &Range<usize>,
        width: usize,
        keys: &[u32],
        dy: &CudaSlice<T>,
    ) -> Result<()> {
        let (gpu, gradient) = (self.gpu, self.gradients(gradient)?);
        let Segments { order, piece_starts, keys, key_pieces } = Segments::new(keys);
        let (n_pieces, n_keys, y) = (piece_starts.len() - 1, keys.len(), width.div_ceil(EMBEDDING_COLUMNS));
        let (order, piece_starts) = (gpu.upload(&order)?, gpu.upload(&piece_starts)?);
        let (keys, key_pieces) = (gpu.upload(&keys)?, gpu.upload(&key_pieces)?);
        let partial: CudaSlice<f32> = gpu.buffer(n_pieces * width)?;
        let args = [gpu.at(dy), gpu.at(&order), gpu.at(&piece_starts), gpu.at(&partial), int(width)?];
        self.launch("embedding_backward", Launch::of_grid(n_pieces, y)?.threads(EMBEDDING_THREADS), &args)?;
        let args = [gpu.at(&partial), gpu.at(&key_pieces), gpu.at(&keys), gradient, int(width)?];
        gpu.launch("embedding_backward_finish", Launch::of_grid(n_keys, y)?.threads(EMBEDDING_THREADS), &args)
    }
}

/// Runs `read` on the values of a contiguous tensor on a GPU.
pub(super) fn with_values<T: CudaDType, R>(
    tensor: &Tensor,
    read: impl FnOnce(CudaView<'_, T>) -> Result<R>,
) -> Result<R> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    let (Storage::Cuda(storage), Some((start, end))) = (&*storage, layout.contiguous_offsets()) else {
        bail!("expected values on a GPU, got {:?} on {:?}", tensor.dtype(), tensor.device());
    };
    read(storage.as_cuda_slice::<T>()?.slice(start..end))
}

/// Rows of a matrix.
pub(super) fn n_rows<T>(x: &CudaSlice<T>, width: usize) -> Result<usize> {
    ensure!(width > 0 && x.len().is_multiple_of(width), "{} values do not make rows of {width}", x.len());
    Ok(x.len() / width)
}
