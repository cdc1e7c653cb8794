//! A tower's constants on the GPU, and its plans.

use crate::error::Error;
use crate::plan::{self, PlanBuffers};
use crate::{Gpu, Result};
use shared_model::gpu::{self, Constant, Contents, Dispatch, Plan};
use wgpu::Buffer;

/// Bytes that are copied to the GPU at a time.
const PIECE_BYTES: usize = 16 << 20;

/// Plans whose buffers are kept. Most calls repeat a batch size.
const PLANS_KEPT: usize = 3;

/// A tower on the GPU.
pub struct Tower {
    constants: Vec<Buffer>,
    /// By the shape of the batch, the latest last.
    plans: Vec<([usize; 2], PlanBuffers)>,
}

impl Tower {
    /// Copies the constants of a tower to the GPU, and computes the others there.
    ///
    /// # Errors
    /// [`Error::TooSmall`] for a tensor that no buffer of the GPU holds, [`Error::OutOfMemory`] and other failures of
    /// the device.
    pub fn load(gpu: &Gpu, constants: &[Constant], preparation: &[Dispatch]) -> Result<Self> {
        if let Some(constant) = constants.iter().find(|constant| constant.n_bytes() > gpu.most_bytes()) {
            let Constant { name, .. } = constant;
            let detail =
                format!("tensor {name} has {} bytes, and a buffer holds {}", constant.n_bytes(), gpu.most_bytes());
            return Err(Error::TooSmall { gpu: gpu.name().into(), detail });
        }
        let constants = constants.iter().map(|constant| upload(gpu, constant)).collect::<Result<Vec<_>>>()?;
        gpu.checked(|gpu| {
            let launches = plan::launches(gpu, preparation, |buffer| match buffer {
                gpu::Buffer::Constant(index) => &constants[index],
                gpu::Buffer::Activations(index) => unreachable!("constants depend on activations {index}"),
            });
            plan::submit(gpu, &launches);
        })?;
        Ok(Self { constants, plans: Vec::new() })
    }

    /// Returns the buffers of a plan for batches of this shape, which `plan` makes if they are not kept.
    ///
    /// # Errors
    /// As [`PlanBuffers::new`].
    pub fn buffers(&mut self, gpu: &Gpu, shape: [usize; 2], plan: impl FnOnce() -> Plan) -> Result<&PlanBuffers> {
        if let Some(at) = self.plans.iter().position(|(kept, _)| *kept == shape) {
            self.plans[at..].rotate_left(1);
        } else {
            if self.plans.len() == PLANS_KEPT {
                self.plans.remove(0);
            }
            let buffers = PlanBuffers::new(gpu, &self.constants, plan())?;
            self.plans.push((shape, buffers));
        }
        Ok(&self.plans.last().expect("one was pushed or moved there").1)
    }
}

fn upload(gpu: &Gpu, constant: &Constant) -> Result<Buffer> {
    gpu.checked(|gpu| {
        let buffer = gpu.storage(&constant.name, constant.n_bytes());
        if let Contents::Bytes(bytes) = &constant.contents {
            for (piece, bytes) in bytes.chunks(PIECE_BYTES).enumerate() {
                gpu.queue.write_buffer(&buffer, (piece * PIECE_BYTES) as u64, bytes);
                gpu.queue.submit([]); // or all pieces wait in memory
            }
        }
        buffer
    })
}
