//! Opens a GPU for a model.

use crate::{Gpu, Result, WgpuTowers, self_test};
use shared_model::config::ClipConfig;
use shared_model::gpu::{TextProgram, VisionProgram};
use shared_model::weights::Weights;

impl WgpuTowers {
    /// Opens the GPU of this number, checks that it computes the demo model as the CPU does, and copies the towers to it.
    ///
    /// # Errors
    /// When the GPU cannot be used or computes wrong features, when the model is of another family or not int8, or when
    /// it does not fit into the GPU's memory.
    pub fn open(index: usize, config: &ClipConfig, vision: &Weights, text: &Weights) -> Result<Self> {
        // First what needs no GPU: most mistakes are in the choice of the model.
        let programs = (VisionProgram::load(vision, config)?, TextProgram::load(text, config)?);
        let gpu = self_test::check(Gpu::open(index)?)?;
        Self::load(gpu, config, programs)
    }
}
