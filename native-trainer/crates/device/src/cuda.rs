//! Opens an NVIDIA GPU and reads its properties from the driver.

use anyhow::Result;
use candle_core::cuda_backend::cudarc::driver::sys::CUmemPool_attribute;
use candle_core::cuda_backend::cudarc::driver::{CudaStream, result};
use candle_core::{CudaDevice, Device};
use std::ffi::c_void;

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
