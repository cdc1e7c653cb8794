//! Number of images in a batch of the vision tower.

use shared_model::config::ClipConfig;
use shared_model::weights::Placement;
use sysinfo::System;

/// Enough to keep a CPU busy; more only needs memory.
const MOST_ON_CPU: usize = 16;
/// More make a GPU no faster.
const MOST_ON_GPU: usize = 512;

/// Starts at what should fit and shrinks when it does not.
pub struct BatchSize(usize);

impl BatchSize {
    pub fn for_model(config: &ClipConfig, placement: &Placement) -> Self {
        if !placement.device.is_cpu() {
            // Halved if it does not fit all the same.
            return Self::within(dermake_device::free_bytes(&placement.device), config, MOST_ON_GPU);
        }
        let mut system = System::new();
        system.refresh_memory();
        let available = match system.cgroup_limits() {
            Some(limits) => limits.free_memory.min(system.available_memory()),
            None => system.available_memory(),
        };
        Self::within(available, config, MOST_ON_CPU)
    }

    /// At most a quarter of `available` bytes for the activations.
    fn within(available: u64, config: &ClipConfig, most: usize) -> Self {
        let vision = &config.vision;
        // Of a block, in f32: its input, the norm, three projections, attention, the hidden layer twice.
        let per_token = 6 * vision.width + 2 * vision.mlp_width;
        let per_image = 4 * (vision.n_patches() + 1) * per_token;
        Self(((available / 4) as usize / per_image.max(1)).clamp(1, most))
    }

    pub fn get(&self) -> usize {
        self.0
    }

    /// Halves the size after a batch of `tried` images that did not fit; false if there is nothing left to halve.
    pub fn shrink(&mut self, tried: usize, err: &shared_model::Error) -> bool {
        if !dermake_device::lacks_memory(&err_chain(err)) || tried <= 1 {
            return false;
        }
        self.0 = tried / 2;
        true
    }
}

fn err_chain(err: &dyn std::error::Error) -> String {
    let mut text = err.to_string();
    let mut cause = err.source();
    while let Some(err) = cause {
        text.push_str(&err.to_string());
        cause = err.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_memory_gives_small_batches() {
        let config = ClipConfig::named("ViT-B-16").unwrap();
        let size = |gib: u64| BatchSize::within(gib << 30, &config, MOST_ON_CPU).get();
        assert_eq!((size(0), size(64)), (1, MOST_ON_CPU));
        assert_eq!(size(1), MOST_ON_CPU); // some 8 MiB an image
    }

    #[test]
    fn only_a_lack_of_memory_shrinks_it() {
        let error = |text: &str| shared_model::Error::Tensor(candle_core::Error::Msg(text.into()));
        let mut size = BatchSize(8);
        assert!(!size.shrink(8, &error("shape mismatch")) && size.get() == 8);
        assert!(size.shrink(8, &error("CUDA_ERROR_OUT_OF_MEMORY")) && size.get() == 4);
        assert!(!size.shrink(1, &error("out of memory")));
    }
}
