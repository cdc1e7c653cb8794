//! The vision tower on the GPU, for one photo at a time.

use super::bindings::{Buffer, MAP_READ, object, usage};
use super::device::{OpenGpu, Result};
use super::unavailable::Unavailable;
use crate::time::{sleep, timeout};
use shared_model::gpu::{self, Constant, Contents, Dispatch, Kernel, Plan, VisionProgram};
use std::collections::HashMap;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// Bytes that are copied to the GPU at a time; messages are received between two pieces.
const PIECE_BYTES: usize = 8 << 20;
/// Seconds after which a photo is given up.
const TIMEOUT_SECS: u32 = 20;

/// The vision tower on the GPU.
pub struct GpuTower {
    gpu: OpenGpu,
    plan: Plan,
    activations: Vec<Buffer>,
    /// They are in use by the launches.
    _constants: Vec<Buffer>,
    launches: Vec<Launch>,
    /// What the browser maps into memory: the features.
    staging: Buffer,
}

/// A dispatch with its buffers.
struct Launch {
    kernel: Kernel,
    bind_group: JsValue,
    workgroups: [u32; 3],
}

impl GpuTower {
    /// Copies a tower to the GPU and prepares the computation of one photo.
    pub async fn load(gpu: OpenGpu, program: &VisionProgram) -> Result<Self> {
        let plan = program.plan(1);
        let sizes = program.constants.iter().map(Constant::n_bytes).chain(plan.activations.iter().copied());
        if let Some(largest) = sizes.max().filter(|&largest| largest > gpu.most_bytes()) {
            let limit = gpu.most_bytes();
            return Err(Unavailable::Failed(format!("it is too small: {largest} bytes, a buffer holds {limit}")));
        }
        let mut constants = Vec::with_capacity(program.constants.len());
        for constant in &program.constants {
            constants.push(upload(&gpu, constant).await?);
        }
        let created = gpu.checked(|| {
            let activations = plan
                .activations
                .iter()
                .map(|&n_bytes| storage(&gpu, n_bytes))
                .collect::<std::result::Result<Vec<_>, JsValue>>()?;
            let buffer_of = |buffer| match buffer {
                gpu::Buffer::Constant(index) => &constants[index],
                gpu::Buffer::Activations(index) => &activations[index],
            };
            let preparation = launches(&gpu, &program.preparation, buffer_of)?;
            submit(&gpu, &preparation)?;
            let launches = launches(&gpu, &plan.dispatches, buffer_of)?;
            let staging = create(&gpu, plan.bytes_of(plan.output), usage::MAP_READ | usage::COPY_DST)?;
            Ok((activations, launches, staging))
        });
        let (activations, launches, staging) = created.await?;
        Ok(Self { plan, activations, launches, staging, _constants: constants, gpu })
    }

    /// Computes the feature of one photo `[3, S, S]`, not of unit length.
    pub async fn feature(&self, pixel_values: &[f32]) -> Result<Vec<f32>> {
        let computed = timeout(TIMEOUT_SECS, self.run(pixel_values)).await;
        computed
            .unwrap_or_else(|| Err(Unavailable::Failed(format!("it did not answer within {TIMEOUT_SECS} seconds"))))
    }

    async fn run(&self, pixel_values: &[f32]) -> Result<Vec<f32>> {
        let n_bytes = self.plan.bytes_of(self.plan.output) as f64;
        let gpu = &self.gpu;
        let submitted = gpu.checked(|| {
            gpu.queue.write_buffer(self.activations(self.plan.input), 0.0, bytes_of(pixel_values))?;
            gpu.queue.write_buffer(self.activations(self.plan.positions), 0.0, &[0; 4])?;
            submit(gpu, &self.launches)?;
            let encoder = gpu.device.create_command_encoder()?;
            encoder.copy_buffer(self.activations(self.plan.output), 0.0, &self.staging, 0.0, n_bytes)?;
            gpu.queue.submit(&js_sys::Array::of1(&encoder.finish()?))?;
            Ok(JsFuture::from(self.staging.map_async(MAP_READ)?))
        });
        let mapped = submitted.await?;
        let feature = async {
            mapped.await?;
            let feature = js_sys::Float32Array::new(self.staging.mapped_range()?.as_ref()).to_vec();
            self.staging.unmap();
            Ok::<_, JsValue>(feature)
        };
        match feature.await {
            Ok(feature) => Ok(feature),
            Err(err) => Err(gpu.failure(err).await),
        }
    }

    fn activations(&self, buffer: gpu::Buffer) -> &Buffer {
        match buffer {
            gpu::Buffer::Activations(index) => &self.activations[index],
            gpu::Buffer::Constant(index) => unreachable!("buffer {index} of a plan's ends is a constant"),
        }
    }
}

/// Copies a constant to the GPU in pieces.
async fn upload(gpu: &OpenGpu, constant: &Constant) -> Result<Buffer> {
    let buffer = gpu.checked(|| storage(gpu, constant.n_bytes())).await?;
    if let Contents::Bytes(bytes) = &constant.contents {
        for (piece, bytes) in bytes.chunks(PIECE_BYTES).enumerate() {
            let offset = (piece * PIECE_BYTES) as f64;
            gpu.checked(|| gpu.queue.write_buffer(&buffer, offset, bytes)).await?;
            if bytes.len() == PIECE_BYTES {
                sleep(0).await;
            }
        }
    }
    Ok(buffer)
}

fn storage(gpu: &OpenGpu, n_bytes: u64) -> std::result::Result<Buffer, JsValue> {
    create(gpu, n_bytes, usage::STORAGE | usage::COPY_DST | usage::COPY_SRC)
}

fn create(gpu: &OpenGpu, n_bytes: u64, usage: u32) -> std::result::Result<Buffer, JsValue> {
    gpu.device.create_buffer(&object([("size", (n_bytes as f64).into()), ("usage", usage.into())]))
}

/// Creates the bind groups of dispatches. Equal sizes share a uniform buffer.
fn launches<'b>(
    gpu: &OpenGpu,
    dispatches: &[Dispatch],
    buffer_of: impl Fn(gpu::Buffer) -> &'b Buffer,
) -> std::result::Result<Vec<Launch>, JsValue> {
    let mut uniforms: HashMap<[u32; Kernel::SIZES], Buffer> = HashMap::new();
    for Dispatch { sizes, .. } in dispatches {
        if uniforms.contains_key(sizes) {
            continue;
        }
        let bytes: Vec<u8> = sizes.iter().flat_map(|size| size.to_le_bytes()).collect();
        let buffer = create(gpu, bytes.len() as u64, usage::UNIFORM | usage::COPY_DST)?;
        gpu.queue.write_buffer(&buffer, 0.0, &bytes)?;
        uniforms.insert(*sizes, buffer);
    }
    let launch = |dispatch: &Dispatch| {
        let entries = js_sys::Array::new();
        let storage = dispatch.buffers.iter().map(|&buffer| buffer_of(buffer));
        for (binding, buffer) in std::iter::once(&uniforms[&dispatch.sizes]).chain(storage).enumerate() {
            let resource = object([("buffer", buffer.into())]);
            entries.push(&object([("binding", (binding as u32).into()), ("resource", resource.into())]));
        }
        let layout = gpu.pipeline(dispatch.kernel).layout.clone();
        let bind_group =
            gpu.device.create_bind_group(&object([("layout", layout), ("entries", entries.into())]))?;
        Ok(Launch { kernel: dispatch.kernel, bind_group, workgroups: dispatch.workgroups })
    };
    dispatches.iter().map(launch).collect()
}

/// Submits dispatches in order.
fn submit(gpu: &OpenGpu, launches: &[Launch]) -> std::result::Result<(), JsValue> {
    for launches in launches.chunks(gpu::DISPATCHES_PER_SUBMISSION) {
        let encoder = gpu.device.create_command_encoder()?;
        let pass = encoder.begin_compute_pass()?;
        for Launch { kernel, bind_group, workgroups: [x, y, z] } in launches {
            pass.set_pipeline(&gpu.pipeline(*kernel).pipeline);
            pass.set_bind_group(0, bind_group);
            pass.dispatch_workgroups(*x, *y, *z);
        }
        pass.end();
        gpu.queue.submit(&js_sys::Array::of1(&encoder.finish()?))?;
    }
    Ok(())
}

/// The bytes of values as they are in memory; wasm is little-endian, as WebGPU is.
fn bytes_of(values: &[f32]) -> &[u8] {
    // SAFETY: every value of four bytes is four valid bytes, and the lengths are equal.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), std::mem::size_of_val(values)) }
}
