//! What can go wrong on a GPU.

/// Result with this crate's [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A GPU that cannot compute a model.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The machine has no GPU that can be used.
    #[error(
        "no GPU was found: it needs a driver for Vulkan, Metal or DirectX 12; install one, or compute with --device cpu"
    )]
    NoAdapter,
    /// The machine has fewer GPUs.
    #[error("there is no GPU wgpu:{index}; this machine has {}", found.join(", "))]
    NoSuchAdapter {
        /// The number that was given.
        index: usize,
        /// Those that there are.
        found: Vec<String>,
    },
    /// The GPU has less than WebGPU's default limits, or a model needs more than the GPU's.
    #[error("the GPU {gpu} is too small: {detail}")]
    TooSmall {
        /// Its name.
        gpu: String,
        /// What was needed and what there is.
        detail: String,
    },
    /// The driver does not compile a kernel.
    #[error(
        "the GPU's driver does not compile the kernel {kernel}; update it, or compute with --device cpu: {detail}"
    )]
    Kernel {
        /// The kernel's name.
        kernel: &'static str,
        /// The driver's words.
        detail: String,
    },
    /// No memory is left.
    #[error("the GPU is out of memory")]
    OutOfMemory,
    /// The driver refuses to do something.
    #[error("the GPU's driver failed; update it, or compute with --device cpu: {detail}")]
    Failed {
        /// The driver's words.
        detail: String,
    },
    /// The device does not answer any more.
    #[error("the GPU was lost (a driver that crashed or was updated, or a GPU that was removed): {detail}")]
    Lost {
        /// The driver's words.
        detail: String,
    },
    /// The device is too slow, or hangs.
    #[error("the GPU did not finish a batch within {secs} seconds")]
    Timeout {
        /// How long the program waited.
        secs: u64,
    },
    /// The GPU's answer to a known question is wrong.
    #[error(
        "the GPU {gpu} computes wrong features: the cosine with the CPU's is {cosine:.4}, expected {expected} or more; update its driver, or compute with --device cpu"
    )]
    WrongFeatures {
        /// Its name.
        gpu: String,
        /// Of the GPU's feature and the CPU's.
        cosine: f32,
        /// The smallest that is accepted.
        expected: f32,
    },
    /// The model is not one that the kernels compute.
    #[error(transparent)]
    Model(#[from] shared_model::Error),
}

impl From<wgpu::Error> for Error {
    fn from(err: wgpu::Error) -> Self {
        match err {
            wgpu::Error::OutOfMemory { .. } => Self::OutOfMemory,
            wgpu::Error::Validation { description, .. } | wgpu::Error::Internal { description, .. } => {
                Self::Failed { detail: one_line(&description) }
            }
        }
    }
}

/// Puts the lines of a driver's message into one.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
