//! What an executor runs for a batch.

use super::buffer::Buffer;
use super::dispatch::Dispatch;

/// The work for a batch of one size.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Bytes of each buffer of activations.
    pub activations: Vec<u64>,
    /// What to run, in order: each dispatch sees what those before it wrote.
    pub dispatches: Vec<Dispatch>,
    /// Where the executor writes the inputs: pixels in f32, or token ids in u32.
    pub input: Buffer,
    /// Where it writes the position of each sample's pooled token, in u32.
    pub positions: Buffer,
    /// Where it reads the features `[B, E]` in f32, not of unit length.
    pub output: Buffer,
    /// Intermediate results, for tests.
    pub stages: Vec<Stage>,
}

/// An intermediate result.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The name that [`Observer`](crate::Observer)s see.
    pub name: String,
    /// Dispatches after which it is there.
    pub n_dispatches: usize,
    /// Where it is.
    pub buffer: Buffer,
}

impl Plan {
    /// Creates a plan without dispatches for `batch` samples: inputs of `input_values` numbers in all, features of
    /// `embed_dim` values.
    pub(super) fn new(batch: usize, input_values: usize, embed_dim: usize) -> Self {
        let mut plan = Self {
            activations: Vec::new(),
            dispatches: Vec::new(),
            input: Buffer::Activations(0),
            positions: Buffer::Activations(0),
            output: Buffer::Activations(0),
            stages: Vec::new(),
        };
        plan.input = plan.buffer(input_values);
        plan.positions = plan.buffer(batch);
        plan.output = plan.buffer(batch * embed_dim);
        plan
    }

    /// Adds a buffer of so many 32-bit numbers.
    pub(super) fn buffer(&mut self, n_values: usize) -> Buffer {
        self.activations.push(4 * n_values as u64);
        Buffer::Activations(self.activations.len() - 1)
    }

    /// Marks the result of the dispatches so far.
    pub(super) fn mark(&mut self, name: &str, buffer: Buffer) {
        self.stages.push(Stage { name: name.into(), n_dispatches: self.dispatches.len(), buffer });
    }

    /// Returns the bytes of a buffer of activations.
    ///
    /// # Panics
    /// When it is a constant.
    pub fn bytes_of(&self, buffer: Buffer) -> u64 {
        match buffer {
            Buffer::Activations(index) => self.activations[index],
            Buffer::Constant(index) => panic!("buffer {index} is one of the tower's constants"),
        }
    }

    /// Returns the bytes of the largest buffer of activations: a device limits those of one binding.
    pub fn largest_bytes(&self) -> u64 {
        self.activations.iter().copied().max().unwrap_or(0)
    }
}
