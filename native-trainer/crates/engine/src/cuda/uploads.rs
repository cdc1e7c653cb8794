//! Batches of pixels to a GPU, copied while it computes.
//!
//! There are two slots, each with a page-locked buffer on the host and a tensor on the GPU. A stream of its own copies
//! one slot while the passes read the other. The passes' stream waits for the event at the end of a copy, and a copy
//! waits for the event behind the last pass that read its slot; nothing else orders the two streams.

use super::gpu::Gpu;
use anyhow::{Context, Result, ensure};
use candle_core::cuda_backend::cudarc::driver::{
    CudaEvent, CudaStream, DevicePtr, PinnedHostSlice, result, sys::CUdeviceptr,
};
use candle_core::{Device, Tensor};
use std::sync::{Arc, Mutex, PoisonError};

/// Slots of [`PixelUploads`].
pub const N_SLOTS: usize = 2;

/// Two slots for batches of one shape.
pub struct PixelUploads {
    /// On which the passes run.
    compute: Arc<CudaStream>,
    copies: Arc<CudaStream>,
    slots: [Slot; N_SLOTS],
}

struct Slot {
    host: Mutex<PinnedHostSlice<u8>>,
    /// u8 of the batches' shape.
    pixels: Tensor,
    /// Where its values are.
    address: CUdeviceptr,
    /// Behind the newest copy.
    copied: CudaEvent,
    /// Behind the newest pass that reads the slot.
    used: CudaEvent,
}

impl PixelUploads {
    /// # Errors
    /// When the host has no page-locked memory for two batches, or the GPU no memory.
    pub fn new(device: &Device, shape: [usize; 4]) -> Result<Self> {
        let gpu = Gpu::of(device.as_cuda_device()?)?;
        let slots = [Slot::new(&gpu, shape)?, Slot::new(&gpu, shape)?];
        let compute = gpu.stream().clone();
        let copies = compute.context().new_stream().context("cannot make a stream for copies")?;
        // The slots' memory is allocated in the order of the passes' stream.
        compute.synchronize()?;
        Ok(Self { compute, copies, slots })
    }

    /// Starts to copy a batch into a slot. Waits while an earlier copy reads the slot's host buffer.
    ///
    /// Call it from one thread at a time for a slot, and after [`Self::release`] of the slot if [`Self::pixels`] gave
    /// its tensor away.
    ///
    /// # Errors
    /// When the batch has another size than the slot, or the driver refuses the copy.
    pub fn start(&self, slot: usize, bytes: &[u8]) -> Result<()> {
        let Slot { host, address, copied, used, .. } = &self.slots[slot];
        let mut host = host.lock().unwrap_or_else(PoisonError::into_inner);
        ensure!(bytes.len() == host.len(), "a batch of {} bytes, expected {}", bytes.len(), host.len());
        copied.synchronize()?;
        let buffer = host.as_mut_slice()?;
        buffer.copy_from_slice(bytes);
        self.copies.wait(used)?;
        // SAFETY: source and destination have this length. The source is written again only after `copied`, and the
        // destination only after `used`; both live until `self` is dropped, which waits for the copy.
        unsafe { result::memcpy_htod_async(*address, buffer, self.copies.cu_stream()) }
            .context("cannot copy a batch to the GPU")?;
        Ok(copied.record(&self.copies)?)
    }

    /// The newest batch of a slot, for passes that are submitted from now on.
    ///
    /// # Errors
    /// When the driver refuses to wait.
    pub fn pixels(&self, slot: usize) -> Result<Tensor> {
        self.compute.wait(&self.slots[slot].copied)?;
        Ok(self.slots[slot].pixels.clone())
    }

    /// Lets the slot be overwritten, after all passes that were submitted until now.
    ///
    /// # Errors
    /// When the driver refuses the event.
    pub fn release(&self, slot: usize) -> Result<()> {
        Ok(self.slots[slot].used.record(&self.compute)?)
    }
}

impl Drop for PixelUploads {
    fn drop(&mut self) {
        // A copy that is under way must not outlive its buffers. A driver that fails here has failed before.
        let _ = self.copies.synchronize();
    }
}

impl Slot {
    fn new(gpu: &Gpu, shape: [usize; 4]) -> Result<Self> {
        let n_bytes = shape.iter().product();
        let context = gpu.stream().context();
        let no_memory = || format!("no page-locked memory for {} MiB", n_bytes >> 20);
        // SAFETY: u8 of any value is valid, and a slot is written before it is read.
        let host = unsafe { context.alloc_pinned::<u8>(n_bytes) }.with_context(no_memory)?;
        let pixels = gpu.buffer::<u8>(n_bytes)?;
        let address = pixels.device_ptr(gpu.stream()).0;
        Ok(Self {
            host: Mutex::new(host),
            pixels: gpu.tensor(pixels, shape.as_slice()),
            address,
            copied: context.new_event(None)?,
            used: context.new_event(None)?,
        })
    }
}
