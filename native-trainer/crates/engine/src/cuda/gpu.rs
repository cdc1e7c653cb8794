//! One GPU: its stream, the loaded kernels, and cuBLASLt.

use super::launch::{Arg, Launch};
use super::products::Products;
use super::signatures::{needs_more_shared_memory, signatures};
use anyhow::{Context, Result, ensure};
use candle_core::cuda_backend::cudarc::driver::sys::{CUfunction_attribute, CUmemPool_attribute};
use candle_core::cuda_backend::cudarc::driver::{
    CudaFunction, CudaSlice, CudaStream, DevicePtr, DeviceRepr, LaunchConfig, PushKernelArg, result,
};
use candle_core::cuda_backend::{CudaDType, CudaStorage, DeviceId};
use candle_core::op::BackpropOp;
use candle_core::{CudaDevice, Storage, Tensor};
use dermake_device::cuda::memory_pool;
use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// The kernels for each GPU architecture, as `build.rs` compiled them.
static KERNELS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/kernels.fatbin"));

/// One GPU: its stream, kernels and libraries.
pub struct Gpu {
    device: CudaDevice,
    stream: Arc<CudaStream>,
    kernels: HashMap<String, Kernel>,
    pub products: Products,
}

struct Kernel {
    function: CudaFunction,
    /// As in [`signatures`].
    parameters: &'static str,
}

impl Gpu {
    /// The resources of a device: set up once, then shared.
    ///
    /// # Errors
    /// When the kernels cannot be loaded, or cuBLASLt cannot be started.
    pub fn of(device: &CudaDevice) -> Result<Arc<Self>> {
        static GPUS: LazyLock<Mutex<HashMap<DeviceId, Arc<Gpu>>>> = LazyLock::new(Mutex::default);
        let mut gpus = GPUS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gpu) = gpus.get(&device.id()) {
            return Ok(gpu.clone());
        }
        let gpu = Arc::new(Self::new(device)?);
        gpus.insert(device.id(), gpu.clone());
        Ok(gpu)
    }

    fn new(device: &CudaDevice) -> Result<Self> {
        let stream = device.cuda_stream();
        keep_freed_memory(&stream)?;
        let image = candle_core::cuda_backend::cudarc::nvrtc::Ptx::from_binary(KERNELS.to_vec());
        let module = stream.context().load_module(image).context("cannot load the kernels")?;
        let load = |(name, parameters): (String, &'static str)| {
            let function = module.load_function(&name).with_context(|| format!("cannot load the kernel {name}"))?;
            Ok((name, Kernel { function, parameters }))
        };
        Ok(Self {
            kernels: signatures().into_iter().map(load).collect::<Result<_>>()?,
            products: Products::new(&stream)?,
            device: device.clone(),
            stream,
        })
    }

    pub fn device(&self) -> &CudaDevice {
        &self.device
    }

    pub fn stream(&self) -> &Arc<CudaStream> {
        &self.stream
    }

    /// Returns an uninitialized buffer for a result: the next launch must write all of it.
    pub fn buffer<T: DeviceRepr>(&self, len: usize) -> Result<CudaSlice<T>> {
        // SAFETY: all that is ever stored are plain numbers, for which every pattern of bits is a value.
        unsafe { self.stream.alloc(len) }
            .with_context(|| format!("no memory on the GPU for {} MiB more", (len * size_of::<T>()) >> 20))
    }

    /// A copy of a few numbers, such as row numbers.
    pub fn upload<T: DeviceRepr>(&self, values: &[T]) -> Result<CudaSlice<T>> {
        Ok(self.stream.clone_htod(values)?)
    }

    /// The address of a buffer, or of a part of one.
    ///
    /// Outlives the borrow: a buffer that is dropped after the launch is freed after the kernel, in the stream's order.
    pub fn at<T>(&self, buffer: &impl DevicePtr<T>) -> Arg {
        Arg::Address(buffer.device_ptr(&self.stream).0)
    }

    /// Launches a kernel. Buffers must have the lengths that the kernel's description gives for these sizes.
    ///
    /// # Errors
    /// When arguments have other types than the kernel's parameters, or the driver refuses the launch.
    pub fn launch(&self, name: &str, launch: Launch, args: &[Arg]) -> Result<()> {
        let kernel = self.kernels.get(name).with_context(|| format!("there is no kernel {name}"))?;
        let letters = args.iter().map(|arg| match arg {
            Arg::Address(_) => 'p',
            Arg::Int(_) => 'i',
            Arg::Long(_) => 'l',
            Arg::Double(_) => 'd',
        });
        ensure!(letters.eq(kernel.parameters.chars()), "{name} takes {}, got {args:?}", kernel.parameters);
        if needs_more_shared_memory(launch.shared_bytes) {
            let attribute = CUfunction_attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
            self.stream.context().bind_to_thread()?;
            kernel.function.set_attribute(attribute, launch.shared_bytes as i32)?;
        }
        let mut builder = self.stream.launch_builder(&kernel.function);
        for arg in args {
            match arg {
                Arg::Address(value) => builder.arg(value),
                Arg::Int(value) => builder.arg(value),
                Arg::Long(value) => builder.arg(value),
                Arg::Double(value) => builder.arg(value),
            };
        }
        let config = LaunchConfig {
            grid_dim: (launch.grid.0, launch.grid.1, 1),
            block_dim: (launch.threads, 1, 1),
            shared_mem_bytes: launch.shared_bytes,
        };
        // SAFETY: the arguments have the types of the parameters, and buffers have the lengths that the caller vouches for.
        unsafe { builder.launch(config) }.with_context(|| format!("cannot launch {name}"))?;
        Ok(())
    }

    /// A tensor of candle's that takes over a buffer.
    pub fn tensor<T: CudaDType>(&self, values: CudaSlice<T>, shape: impl Into<candle_core::Shape>) -> Tensor {
        let storage = Storage::Cuda(CudaStorage::wrap_cuda_slice(values, self.device.clone()));
        Tensor::from_storage(storage, shape, BackpropOp::none(), false)
    }
}

/// Makes the pool keep freed memory. By default it returns memory to the driver whenever the host waits for the GPU,
/// and allocates it again in the next step.
fn keep_freed_memory(stream: &CudaStream) -> Result<()> {
    if !stream.context().has_async_alloc() {
        return Ok(());
    }
    let mut threshold = u64::MAX;
    let attribute = CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
    // SAFETY: this attribute of a pool is a 64-bit number.
    unsafe {
        result::mem_pool::set_attribute(memory_pool(stream)?, attribute, (&raw mut threshold).cast::<c_void>())
    }?;
    Ok(())
}
