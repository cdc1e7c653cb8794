//! The types of activations: bf16 or f16 for training, f32 for checks and for recipes with `precision = "f32"`.

use super::gpu::Gpu;
use super::launch::{Launch, long};
use super::signatures::ELEMENTS_PER_BLOCK;
use anyhow::Result;
use candle_core::cuda_backend::CudaDType;
use candle_core::cuda_backend::cudarc::cublaslt::sys::cudaDataType;
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, CudaView, DeviceRepr};
use half::{bf16, f16};

/// The type of an activation's values.
pub trait Element: CudaDType + DeviceRepr + Copy + 'static {
    /// Ends the names of its kernels.
    const SUFFIX: &'static str;
    /// cuBLASLt's name of it.
    const DATA_TYPE: cudaDataType;
    /// Whether it has 16 bits.
    const IS_HALF: bool;

    fn from_f32(value: f32) -> Self;

    fn to_f32(self) -> f32;

    /// f32 values in this type.
    fn converted(gpu: &Gpu, values: &CudaView<'_, f32>) -> Result<CudaSlice<Self>>;
}

macro_rules! half_element {
    ($half:ident, $data_type:ident) => {
        impl Element for $half {
            const SUFFIX: &'static str = stringify!($half);
            const DATA_TYPE: cudaDataType = cudaDataType::$data_type;
            const IS_HALF: bool = true;

            fn from_f32(value: f32) -> Self {
                $half::from_f32(value)
            }

            fn to_f32(self) -> f32 {
                $half::to_f32(self)
            }

            fn converted(gpu: &Gpu, values: &CudaView<'_, f32>) -> Result<CudaSlice<Self>> {
                let converted = gpu.buffer(values.len())?;
                let launch = Launch::of_blocks(values.len().div_ceil(ELEMENTS_PER_BLOCK))?;
                let cast = concat!("cast_f32_to_", stringify!($half));
                gpu.launch(cast, launch, &[gpu.at(values), gpu.at(&converted), long(values.len())])?;
                Ok(converted)
            }
        }
    };
}

half_element!(bf16, CUDA_R_16BF);
half_element!(f16, CUDA_R_16F);

impl Element for f32 {
    const SUFFIX: &'static str = "f32";
    const DATA_TYPE: cudaDataType = cudaDataType::CUDA_R_32F;
    const IS_HALF: bool = false;

    fn from_f32(value: f32) -> Self {
        value
    }

    fn to_f32(self) -> f32 {
        self
    }

    fn converted(gpu: &Gpu, values: &CudaView<'_, f32>) -> Result<CudaSlice<Self>> {
        Ok(gpu.stream().clone_dtod(values)?)
    }
}
