//! Runs one kernel on values of a test.

use dermake_wgpu::{Gpu, Tower};
use shared_model::gpu::{Buffer, Constant, Contents, Dispatch, Plan};
use std::sync::OnceLock;

/// The first GPU of the machine.
pub fn gpu() -> &'static Gpu {
    static GPU: OnceLock<Gpu> = OnceLock::new();
    GPU.get_or_init(|| Gpu::open(0).unwrap())
}

/// A constant with these values.
pub fn constant<T: bytemuck::Pod>(values: &[T]) -> Constant {
    let bytes = bytemuck::cast_slice::<T, u8>(values).to_vec();
    Constant { name: "test".into(), contents: Contents::Bytes(bytes.into()) }
}

/// The buffer of activations that a dispatch of [`run`] may write.
pub fn output(index: usize) -> Buffer {
    Buffer::Activations(index)
}

/// Runs dispatches over constants and outputs of so many 32-bit numbers; returns the values of one output.
pub fn run<T: bytemuck::Pod>(
    constants: &[Constant],
    preparation: &[Dispatch],
    dispatch: Dispatch,
    outputs: &[usize],
    wanted: Buffer,
) -> Vec<T> {
    let mut tower = Tower::load(gpu(), constants, preparation).unwrap();
    let unused = output(outputs.len());
    let plan = Plan {
        activations: outputs.iter().chain(&[1]).map(|n| 4 * *n as u64).collect(),
        dispatches: vec![dispatch],
        input: unused,
        positions: unused,
        output: wanted,
        stages: Vec::new(),
    };
    let buffers = tower.buffers(gpu(), [1, 1], || plan).unwrap();
    buffers.run_until(gpu(), &[0; 4], &[0], (1, wanted)).unwrap()
}

/// Numbers that are the same in each run.
pub struct Draw(pub u64);

impl Draw {
    /// Returns a number below `end`.
    pub fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as u32 % end
    }

    /// Returns numbers of -1 to 1.
    pub fn values(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.below(20_001) as f32 / 10_000.0 - 1.0).collect()
    }
}
