//! Why the GPU does not compute.

/// Why the GPU does not compute.
#[derive(Clone, Debug)]
pub enum Unavailable {
    /// There is none, in a sentence.
    Missing(&'static str),
    /// It failed; how, as the end of a sentence.
    Failed(String),
    /// The processor is faster.
    Slower,
}
