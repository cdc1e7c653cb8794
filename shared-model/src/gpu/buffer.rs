//! The buffers that dispatches read and write.

/// A storage buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Buffer {
    /// One of the tower's constants, by index.
    Constant(usize),
    /// One of the plan's buffers of activations, by index.
    Activations(usize),
}
