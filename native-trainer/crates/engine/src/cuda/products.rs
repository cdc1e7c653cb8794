//! Matrix products by cuBLASLt.

use super::launch::Arg;
use anyhow::{Context, Result};
use candle_core::cuda_backend::cudarc::cublaslt::result::{self, CublasError};
use candle_core::cuda_backend::cudarc::cublaslt::sys::{
    cublasComputeType_t, cublasLtEpilogue_t, cublasLtHandle_t, cublasLtMatmulAlgo_t, cublasLtMatmulDesc_t,
    cublasLtMatmulDescAttributes_t as Attribute, cublasLtMatmulPreference_t,
    cublasLtMatmulPreferenceAttributes_t as Preference, cublasLtMatrixLayout_t, cudaDataType,
};
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, CudaStream, DevicePtr};
use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::{Arc, Mutex, PoisonError};

/// NVIDIA's recommendation for the H100.
const WORKSPACE_BYTES: usize = 32 << 20;

/// A matrix in memory, row-major.
#[derive(Clone, Copy, Debug)]
pub struct Stored {
    pub address: Arg,
    /// Whether the stored matrix is the transposed one.
    pub is_transposed: bool,
}

impl Stored {
    pub fn plain(address: Arg) -> Self {
        Self { address, is_transposed: false }
    }

    pub fn transposed(address: Arg) -> Self {
        Self { address, is_transposed: true }
    }
}

/// `output = left right + bias + addend`: `[rows, inner]` times `[inner, columns]`, summed in f32.
#[derive(Clone, Copy, Debug)]
pub struct Product {
    pub left: Stored,
    pub right: Stored,
    pub rows: usize,
    pub columns: usize,
    pub inner: usize,
    /// The type of both operands, and of the bias.
    pub operand_type: cudaDataType,
    pub output_type: cudaDataType,
    /// `[columns]`, added to each row.
    pub bias: Option<Arg>,
    /// `[rows, columns]` in the output's type; may be the output.
    pub addend: Option<Arg>,
    pub output: Arg,
}

/// Key of the choice of an algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Case {
    sizes: [usize; 3],
    are_transposed: [bool; 2],
    types: [u32; 2],
    has_bias: bool,
    has_addend: bool,
    /// Of right, left, addend and output, in bytes.
    alignments: [u32; 4],
}

/// cuBLASLt on one stream, with algorithms cached by case.
pub struct Products {
    handle: cublasLtHandle_t,
    workspace: CudaSlice<u8>,
    stream: Arc<CudaStream>,
    algorithms: Mutex<HashMap<Case, cublasLtMatmulAlgo_t>>,
}

// SAFETY: NVIDIA documents the handle as usable from all threads; what it points to does not change.
unsafe impl Send for Products {}
// SAFETY: as above.
unsafe impl Sync for Products {}

impl Drop for Products {
    fn drop(&mut self) {
        // SAFETY: `new` made the handle, and nothing uses it any more.
        let _ = unsafe { result::destroy_handle(self.handle) };
    }
}

/// An object of cuBLASLt's, destroyed with its owner.
struct Owned<H: Copy> {
    handle: H,
    destroy: unsafe fn(H) -> Result<(), CublasError>,
}

impl<H: Copy> Drop for Owned<H> {
    fn drop(&mut self) {
        // SAFETY: the handle is valid, and destroyed only here.
        let _ = unsafe { (self.destroy)(self.handle) };
    }
}

/// Description of a product for cuBLASLt. It stores matrices by columns, so a row-major matrix is its transpose there,
/// and it computes `output^T = right^T left^T` with `right` as first operand.
struct Description {
    product: Owned<cublasLtMatmulDesc_t>,
    right: Owned<cublasLtMatrixLayout_t>,
    left: Owned<cublasLtMatrixLayout_t>,
    output: Owned<cublasLtMatrixLayout_t>,
}

impl Products {
    /// # Errors
    /// When cuBLASLt cannot be started, or there is no memory for its workspace.
    pub fn new(stream: &Arc<CudaStream>) -> Result<Self> {
        stream.context().bind_to_thread()?;
        let handle = result::create_handle().context("cannot start cuBLASLt")?;
        // SAFETY: the workspace is written before it is read.
        let workspace = unsafe { stream.alloc(WORKSPACE_BYTES) }?;
        Ok(Self { handle, workspace, stream: stream.clone(), algorithms: Mutex::default() })
    }

    /// Launches a product. Buffers must have the lengths of its sizes.
    ///
    /// # Errors
    /// When cuBLASLt has no algorithm for it, or refuses it.
    pub fn run(&self, product: &Product) -> Result<()> {
        let Product { rows, columns, inner, .. } = *product;
        self.stream.context().bind_to_thread()?;
        let failed = || format!("cuBLASLt, on a product of [{rows}, {inner}] and [{inner}, {columns}]");
        let description = Description::new(product).with_context(failed)?;
        let algorithm = self.algorithm(product, &description).with_context(failed)?;
        let (alpha, beta) = (1f32, if product.addend.is_some() { 1f32 } else { 0f32 });
        let output = pointer(product.output);
        // SAFETY: the descriptions live until the call returns, and the buffers have the sizes that the caller vouches for.
        // The stream's order keeps two products from using the workspace at once.
        unsafe {
            result::matmul(
                self.handle,
                description.product.handle,
                (&raw const alpha).cast(),
                (&raw const beta).cast(),
                pointer(product.right.address),
                description.right.handle,
                pointer(product.left.address),
                description.left.handle,
                pointer(product.addend.unwrap_or(product.output)),
                description.output.handle,
                output,
                description.output.handle,
                &raw const algorithm,
                self.workspace.device_ptr(&self.stream).0 as *mut c_void,
                WORKSPACE_BYTES,
                self.stream.cu_stream().cast(),
            )
        }
        .with_context(failed)
    }

    fn algorithm(&self, product: &Product, description: &Description) -> Result<cublasLtMatmulAlgo_t> {
        let addend = product.addend.unwrap_or(product.output);
        let case = Case {
            sizes: [product.rows, product.columns, product.inner],
            are_transposed: [product.left.is_transposed, product.right.is_transposed],
            types: [product.operand_type as u32, product.output_type as u32],
            has_bias: product.bias.is_some(),
            has_addend: product.addend.is_some(),
            alignments: [product.right.address, product.left.address, addend, product.output].map(alignment),
        };
        let mut algorithms = self.algorithms.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(algorithm) = algorithms.get(&case) {
            return Ok(*algorithm);
        }
        let preference = Owned { handle: result::create_matmul_pref()?, destroy: result::destroy_matmul_pref };
        let workspace_bytes = WORKSPACE_BYTES as u64;
        set_preference(&preference, Preference::CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace_bytes)?;
        // Parts of a sum are added in f32, never in the output's type.
        const REDUCTION_IN_COMPUTE_TYPE: u32 = 2;
        set_preference(
            &preference,
            Preference::CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
            &REDUCTION_IN_COMPUTE_TYPE,
        )?;
        let [a, b, c, d] = case.alignments;
        set_preference(&preference, Preference::CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, &a)?;
        set_preference(&preference, Preference::CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, &b)?;
        set_preference(&preference, Preference::CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, &c)?;
        set_preference(&preference, Preference::CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, &d)?;
        // SAFETY: all descriptions are alive.
        let choice = unsafe {
            result::get_matmul_algo_heuristic(
                self.handle,
                description.product.handle,
                description.right.handle,
                description.left.handle,
                description.output.handle,
                description.output.handle,
                preference.handle,
            )
        }
        .with_context(|| format!("no algorithm for {case:?}"))?;
        algorithms.insert(case, choice.algo);
        Ok(choice.algo)
    }
}

impl Description {
    fn new(product: &Product) -> Result<Self> {
        let Product { rows, columns, inner, left, right, .. } = *product;
        let compute_type = cublasComputeType_t::CUBLAS_COMPUTE_32F;
        let handle = result::create_matmul_desc(compute_type, cudaDataType::CUDA_R_32F)?;
        let description = Owned { handle, destroy: result::destroy_matmul_desc };
        set_attribute(&description, Attribute::CUBLASLT_MATMUL_DESC_TRANSA, &i32::from(right.is_transposed))?;
        set_attribute(&description, Attribute::CUBLASLT_MATMUL_DESC_TRANSB, &i32::from(left.is_transposed))?;
        if let Some(bias) = product.bias {
            let epilogue = cublasLtEpilogue_t::CUBLASLT_EPILOGUE_BIAS;
            set_attribute(&description, Attribute::CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue)?;
            let address: *mut c_void = pointer(bias);
            set_attribute(&description, Attribute::CUBLASLT_MATMUL_DESC_BIAS_POINTER, &address)?;
        }
        let (right_rows, right_columns) = if right.is_transposed { (inner, columns) } else { (columns, inner) };
        let (left_rows, left_columns) = if left.is_transposed { (rows, inner) } else { (inner, rows) };
        Ok(Self {
            product: description,
            right: layout(product.operand_type, right_rows, right_columns)?,
            left: layout(product.operand_type, left_rows, left_columns)?,
            output: layout(product.output_type, columns, rows)?,
        })
    }
}

/// A matrix stored by columns, without gaps.
fn layout(data_type: cudaDataType, rows: usize, columns: usize) -> Result<Owned<cublasLtMatrixLayout_t>> {
    let handle = result::create_matrix_layout(data_type, rows as u64, columns as u64, rows as i64)?;
    Ok(Owned { handle, destroy: result::destroy_matrix_layout })
}

fn set_attribute<V>(description: &Owned<cublasLtMatmulDesc_t>, attribute: Attribute, value: &V) -> Result<()> {
    let value: *const V = value;
    // SAFETY: the description is alive, and `value` is of the attribute's type: each call names both.
    Ok(unsafe { result::set_matmul_desc_attribute(description.handle, attribute, value.cast(), size_of::<V>()) }?)
}

fn set_preference<V>(
    preference: &Owned<cublasLtMatmulPreference_t>,
    attribute: Preference,
    value: &V,
) -> Result<()> {
    let value: *const V = value;
    // SAFETY: as in `set_attribute`.
    Ok(unsafe { result::set_matmul_pref_attribute(preference.handle, attribute, value.cast(), size_of::<V>()) }?)
}

fn address(arg: Arg) -> u64 {
    match arg {
        Arg::Address(address) => address,
        _ => unreachable!("operands are made by `Gpu::at`, which returns addresses"),
    }
}

fn pointer(arg: Arg) -> *mut c_void {
    address(arg) as *mut c_void
}

/// The largest power of two, up to 256, that divides an address.
fn alignment(arg: Arg) -> u32 {
    1 << address(arg).trailing_zeros().min(8)
}
