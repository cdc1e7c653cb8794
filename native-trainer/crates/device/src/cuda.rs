//! Opens an NVIDIA GPU and reads its properties from the driver.

use super::requirements::{built_for, least_driver, unfit_gpu};
use anyhow::{Result, bail, ensure};
use candle_core::cuda_backend::cudarc::driver::sys::{self, CUmemPool_attribute, CUresult};
use candle_core::cuda_backend::cudarc::driver::{CudaStream, DriverError, result};
use candle_core::{CudaDevice, Device};
use std::ffi::c_void;

/// Checks that the driver and a GPU can run this program.
///
/// # Errors
/// Says what is missing or too old, and what to do.
pub fn check(index: usize) -> Result<()> {
    check_driver()?;
    match result::init() {
        Ok(()) => {}
        Err(DriverError(CUresult::CUDA_ERROR_NO_DEVICE)) => bail!("the driver finds no NVIDIA GPU in this machine"),
        Err(err) => bail!("NVIDIA's driver does not start: {err}"),
    }
    let n_gpus = result::device::get_count()?;
    let is_there = i32::try_from(index).is_ok_and(|index| index < n_gpus);
    ensure!(is_there, "there is no GPU {index}; this machine has {n_gpus}, counted from 0");
    check_capability(index)
}

/// See [`least_driver`].
fn check_driver() -> Result<()> {
    let mut version = 0;
    // SAFETY: the call writes one number.
    unsafe { sys::cuDriverGetVersion(&raw mut version) }.result()?;
    let (version, needed) = (version as u32, sys::CUDA_VERSION);
    let shown = |version: u32| format!("{}.{}", version / 1000, version % 1000 / 10);
    ensure!(
        version >= least_driver(needed),
        "the driver is too old: it is for CUDA {}, and this dermake was built with CUDA {}; update the driver, or build \
         dermake with an older toolkit (CUDA_HOME)",
        shown(version),
        shown(needed)
    );
    Ok(())
}

/// See [`unfit_gpu`].
fn check_capability(index: usize) -> Result<()> {
    let device = result::device::get(index as i32)?;
    let number = |attribute| -> Result<i32> {
        // SAFETY: the device is one of the driver's.
        Ok(unsafe { result::device::get_attribute(device, attribute) }?)
    };
    let major = number(sys::CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?;
    let minor = number(sys::CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?;
    ensure!(
        major >= 8,
        "dermake needs a GPU of compute capability 8.0 or above (A100 or newer), this one has {major}.{minor}"
    );
    match option_env!("CUDA_COMPUTE_CAP").and_then(built_for).and_then(|cap| unfit_gpu(cap, 10 * major + minor)) {
        Some(why) => bail!("{why}"),
        None => Ok(()),
    }
}

/// Opens a GPU with its own stream, on which the work of all threads runs in the order of launch.
///
/// # Errors
/// When there is no GPU of this index.
pub fn open(index: usize) -> candle_core::Result<Device> {
    let device = Device::new_cuda_with_stream(index)?;
    // SAFETY: events order the streams of one device. There is only this stream, and each would cost two events a
    // buffer.
    unsafe { device.as_cuda_device()?.disable_event_tracking() };
    Ok(device)
}

/// Bytes that are free on a GPU, including those that its pool keeps for later.
///
/// # Errors
/// If the driver does not answer.
pub fn free_bytes(device: &CudaDevice) -> Result<u64> {
    let stream = device.cuda_stream();
    let (free, _) = stream.context().mem_get_info()?;
    if !stream.context().has_async_alloc() {
        return Ok(free as u64);
    }
    let pool = memory_pool(&stream)?;
    let bytes = |attribute| -> Result<u64> {
        let mut value = 0u64;
        // SAFETY: these attributes of a pool are 64-bit numbers.
        unsafe { result::mem_pool::get_attribute(pool, attribute, (&raw mut value).cast::<c_void>()) }?;
        Ok(value)
    };
    let reserved = bytes(CUmemPool_attribute::CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT)?;
    let used = bytes(CUmemPool_attribute::CU_MEMPOOL_ATTR_USED_MEM_CURRENT)?;
    Ok(free as u64 + reserved.saturating_sub(used))
}

/// Name, compute capability and memory.
///
/// # Errors
/// If the driver does not answer.
pub fn describe(device: &CudaDevice) -> Result<serde_json::Value> {
    let stream = device.cuda_stream();
    let context = stream.context();
    let (major, minor) = context.compute_capability()?;
    let (free, total) = context.mem_get_info()?;
    let gib = |bytes: usize| bytes as f64 / f64::from(1 << 30);
    Ok(serde_json::json!({
        "name": context.name()?,
        "compute_capability": format!("{major}.{minor}"),
        "memory_gib": gib(total),
        "free_gib": gib(free),
    }))
}

/// A pool of memory, as the driver knows it.
pub type Pool = candle_core::cuda_backend::cudarc::driver::sys::CUmemoryPool;

/// The pool that buffers of a GPU come from.
///
/// # Errors
/// When the driver has none.
pub fn memory_pool(stream: &CudaStream) -> Result<Pool> {
    stream.context().bind_to_thread()?;
    // SAFETY: the device is one that is open.
    Ok(unsafe { result::device::get_mem_pool(stream.context().cu_device()) }?)
}

/// The first library that CUDA needs and this machine lacks, in words; None when all are there.
pub fn missing_library() -> Option<String> {
    // The program is built for one of these versions of the toolkit; their libraries may be installed side by side.
    let libraries: [(&str, &[&str], &str); 4] = [
        ("libcuda", &["libcuda.so.1"], "NVIDIA's driver"),
        ("libcublas", &["libcublas.so.13", "libcublas.so.12"], "the CUDA toolkit"),
        ("libcublasLt", &["libcublasLt.so.13", "libcublasLt.so.12"], "the CUDA toolkit"),
        ("libcurand", &["libcurand.so.10"], "the CUDA toolkit"),
    ];
    let is_there = |file: &str| {
        // SAFETY: NVIDIA's libraries run nothing when they are loaded but their own set-up.
        unsafe { libloading::Library::new(file) }.is_ok()
    };
    let missing = libraries.iter().find(|(_, files, _)| !files.iter().any(|file| is_there(file)));
    missing.map(|(name, _, owner)| format!("{name} was not found; it comes with {owner}"))
}
