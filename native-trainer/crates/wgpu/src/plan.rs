//! A plan's buffers and bind groups on the GPU.

use crate::{Error, Gpu, Result};
use shared_model::gpu::{self, Dispatch, Kernel, Plan};
use std::collections::HashMap;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use wgpu::{
    BindGroup, BindGroupDescriptor, BindGroupEntry, Buffer, BufferAsyncError, BufferUsages, MapMode, PollError,
    PollType,
};

/// Time for a batch. A small GPU computes one in seconds.
const TIMEOUT_SECS: u64 = 300;

/// Time for another thread to call a callback before the device is polled again.
const CALLBACK_WAIT: Duration = Duration::from_millis(100);

/// A plan's buffers of activations and the bind groups of its dispatches.
pub struct PlanBuffers {
    plan: Plan,
    activations: Vec<Buffer>,
    launches: Vec<Launch>,
}

/// A dispatch with its buffers.
pub(crate) struct Launch {
    kernel: Kernel,
    bind_group: BindGroup,
    workgroups: [u32; 3],
}

impl PlanBuffers {
    /// Creates the buffers of a plan for a tower with these constants.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`], [`Error::Failed`] and [`Error::Lost`].
    pub fn new(gpu: &Gpu, constants: &[Buffer], plan: Plan) -> Result<Self> {
        gpu.checked(|gpu| {
            let activations: Vec<Buffer> =
                plan.activations.iter().map(|&n_bytes| gpu.storage("activations", n_bytes)).collect();
            let launches = launches(gpu, &plan.dispatches, |buffer| match buffer {
                gpu::Buffer::Constant(index) => &constants[index],
                gpu::Buffer::Activations(index) => &activations[index],
            });
            Self { launches, activations, plan }
        })
    }

    /// Returns the plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Runs the plan; returns the features.
    ///
    /// # Errors
    /// [`Error::Timeout`], [`Error::Lost`] and other failures of the device.
    pub fn run(&self, gpu: &Gpu, input: &[u8], positions: &[u32]) -> Result<Vec<f32>> {
        self.run_until(gpu, input, positions, (self.launches.len(), self.plan.output))
    }

    /// Runs the first dispatches of the plan; returns the contents of a buffer.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_until<T: bytemuck::Pod>(
        &self,
        gpu: &Gpu,
        input: &[u8],
        positions: &[u32],
        (n_dispatches, output): (usize, gpu::Buffer),
    ) -> Result<Vec<T>> {
        gpu.check_lost()?;
        let output = self.activations_of(output);
        let (staging, mapped) = gpu.checked(|gpu| {
            gpu.queue.write_buffer(self.activations_of(self.plan.input), 0, input);
            gpu.queue.write_buffer(self.activations_of(self.plan.positions), 0, bytemuck::cast_slice(positions));
            submit(gpu, &self.launches[..n_dispatches]);
            let staging = gpu.buffer("features", output.size(), BufferUsages::MAP_READ | BufferUsages::COPY_DST);
            let mut encoder = gpu.device.create_command_encoder(&Default::default());
            encoder.copy_buffer_to_buffer(output, 0, &staging, 0, output.size());
            gpu.queue.submit([encoder.finish()]);
            let (sender, mapped) = mpsc::channel();
            staging.map_async(MapMode::Read, .., move |result| {
                let _ = sender.send(result); // nobody waits for it after a timeout
            });
            (staging, mapped)
        })?;
        read(gpu, &staging, &mapped)
    }

    fn activations_of(&self, buffer: gpu::Buffer) -> &Buffer {
        match buffer {
            gpu::Buffer::Activations(index) => &self.activations[index],
            gpu::Buffer::Constant(index) => unreachable!("buffer {index} of a plan's ends is a constant"),
        }
    }
}

/// Creates the bind groups of dispatches. Equal sizes share a uniform buffer.
pub(crate) fn launches<'b>(
    gpu: &Gpu,
    dispatches: &[Dispatch],
    buffer_of: impl Fn(gpu::Buffer) -> &'b Buffer,
) -> Vec<Launch> {
    let mut uniforms: HashMap<[u32; Kernel::SIZES], Buffer> = HashMap::new();
    for Dispatch { sizes, .. } in dispatches {
        uniforms.entry(*sizes).or_insert_with(|| {
            let bytes = bytemuck::cast_slice(sizes);
            let buffer = gpu.buffer("sizes", bytes.len() as u64, BufferUsages::UNIFORM | BufferUsages::COPY_DST);
            gpu.queue.write_buffer(&buffer, 0, bytes);
            buffer
        });
    }
    let launch = |dispatch: &Dispatch| {
        let storage = dispatch.buffers.iter().map(|&buffer| buffer_of(buffer));
        let buffers = std::iter::once(&uniforms[&dispatch.sizes]).chain(storage);
        let entries: Vec<_> = buffers
            .enumerate()
            .map(|(binding, buffer)| BindGroupEntry {
                binding: binding as u32,
                resource: buffer.as_entire_binding(),
            })
            .collect();
        let layout = &gpu.pipeline(dispatch.kernel).layout;
        let descriptor = BindGroupDescriptor { label: Some(dispatch.kernel.name()), layout, entries: &entries };
        Launch {
            kernel: dispatch.kernel,
            bind_group: gpu.device.create_bind_group(&descriptor),
            workgroups: dispatch.workgroups,
        }
    };
    dispatches.iter().map(launch).collect()
}

/// Submits dispatches in order.
pub(crate) fn submit(gpu: &Gpu, launches: &[Launch]) {
    for launches in launches.chunks(gpu::DISPATCHES_PER_SUBMISSION) {
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&Default::default());
        for Launch { kernel, bind_group, workgroups: [x, y, z] } in launches {
            pass.set_pipeline(&gpu.pipeline(*kernel).pipeline);
            pass.set_bind_group(0, bind_group, &[]);
            pass.dispatch_workgroups(*x, *y, *z);
        }
        drop(pass);
        gpu.queue.submit([encoder.finish()]);
    }
}

/// Waits until a buffer is mapped, and returns its contents.
fn read<T: bytemuck::Pod>(
    gpu: &Gpu,
    staging: &Buffer,
    mapped: &Receiver<Result<(), BufferAsyncError>>,
) -> Result<Vec<T>> {
    let failed = |detail: String| Error::Failed { detail: format!("the result was not read: {detail}") };
    let result = wait_for(gpu, mapped)?.ok_or_else(|| failed("the driver dropped the request".into()))?;
    result.map_err(|err| failed(err.to_string()))?;
    let view = staging.slice(..).get_mapped_range().map_err(|err| failed(err.to_string()))?;
    Ok(bytemuck::pod_collect_to_vec(&view))
}

/// Waits for what a callback of the device sends; returns `None` if the callback is gone.
///
/// A poll of another thread may have taken the callback and not called it yet when this thread's poll returns.
fn wait_for<T>(gpu: &Gpu, sent: &Receiver<T>) -> Result<Option<T>> {
    let timeout = Duration::from_secs(TIMEOUT_SECS);
    let start = Instant::now();
    loop {
        let left = timeout.saturating_sub(start.elapsed());
        let polled = gpu.device.poll(PollType::Wait { submission_index: None, timeout: Some(left) });
        gpu.check_lost()?;
        match polled {
            Ok(_) => {}
            Err(PollError::Timeout) => return Err(Error::Timeout { secs: TIMEOUT_SECS }),
            Err(err) => return Err(Error::Failed { detail: err.to_string() }),
        }
        match sent.recv_timeout(CALLBACK_WAIT.min(left)) {
            Ok(value) => return Ok(Some(value)),
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
            Err(RecvTimeoutError::Timeout) if left.is_zero() => return Err(Error::Timeout { secs: TIMEOUT_SECS }),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}
