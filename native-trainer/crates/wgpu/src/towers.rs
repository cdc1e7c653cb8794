//! Both towers of a model on the GPU.

use crate::{Error, Gpu, Result, Tower};
use candle_core::{DType, Device, Tensor};
use shared_model::config::ClipConfig;
use shared_model::gpu::{Plan, TextProgram, Texts, VisionProgram};
use shared_model::preprocess::normalized;
use shared_model::{Error as ModelError, TowerEngine};
use std::sync::{Mutex, PoisonError};

/// Most images of a batch.
const IMAGES_AT_ONCE: usize = 16;
/// Most texts of a batch.
const TEXTS_AT_ONCE: usize = 64;

/// Both towers of an int8 model of open_clip's own family, on the GPU.
pub struct WgpuTowers {
    gpu: Gpu,
    config: ClipConfig,
    vision: VisionProgram,
    text: TextProgram,
    towers: Mutex<Towers>,
}

struct Towers {
    vision: Tower,
    text: Tower,
}

impl WgpuTowers {
    pub(crate) fn load(
        gpu: Gpu,
        config: &ClipConfig,
        (vision, text): (VisionProgram, TextProgram),
    ) -> Result<Self> {
        let towers = Towers {
            vision: Tower::load(&gpu, &vision.constants, &vision.preparation)?,
            text: Tower::load(&gpu, &text.constants, &text.preparation)?,
        };
        Ok(Self { gpu, config: config.clone(), vision, text, towers: Mutex::new(towers) })
    }

    /// Returns the GPU.
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    pub(crate) fn into_gpu(self) -> Gpu {
        self.gpu
    }

    /// Returns how many images are in a batch.
    fn image_batch(&self) -> Result<usize> {
        // On the CPU a batch is no faster, and takes as much longer to fail.
        let wanted = if self.gpu.is_software() { 1 } else { IMAGES_AT_ONCE };
        self.at_once(wanted, &self.vision.plan(1), "photo")
    }

    /// Returns how many texts are in a batch.
    fn text_batch(&self) -> Result<usize> {
        self.at_once(TEXTS_AT_ONCE, &self.text.plan(1, self.config.text.context_length), "text")
    }

    /// Returns the size of a batch, at most `wanted`, whose buffers the GPU can bind. `one` is the plan of one `sample`.
    ///
    /// # Errors
    /// [`Error::TooSmall`] when the buffers of one sample are too large.
    fn at_once(&self, wanted: usize, one: &Plan, sample: &str) -> Result<usize> {
        let most = self.gpu.most_bytes();
        batch_size(wanted, one, most).ok_or_else(|| {
            let detail =
                format!("a {sample} needs {} bytes in one buffer, which holds {most}", one.largest_bytes());
            Error::TooSmall { gpu: self.gpu.name().into(), detail }
        })
    }

    pub(crate) fn images(&self, pixel_values: &Tensor) -> Result<Tensor> {
        let (batch, channels, height, width) = pixel_values.dims4().map_err(ModelError::from)?;
        let size = self.config.vision.image_size;
        if (channels, height, width) != (3, size, size) {
            let detail = format!("pixel_values are {channels}x{height}x{width}, expected 3x{size}x{size}");
            return Err(ModelError::from(candle_core::Error::Msg(detail)).into());
        }
        let values: Vec<f32> =
            pixel_values.flatten_all().and_then(|values| values.to_vec1()).map_err(ModelError::from)?;
        let mut features = Vec::with_capacity(batch * self.config.embed_dim);
        let mut towers = self.towers.lock().unwrap_or_else(PoisonError::into_inner);
        for images in values.chunks(self.image_batch()? * 3 * size * size) {
            let n_images = images.len() / (3 * size * size);
            let shape = [n_images, 1];
            let buffers = towers.vision.buffers(&self.gpu, shape, || self.vision.plan(n_images))?;
            features.extend(buffers.run(&self.gpu, bytemuck::cast_slice(images), &vec![0; n_images])?);
        }
        self.features(features, batch)
    }

    pub(crate) fn texts(&self, input_ids: &[Vec<u32>]) -> Result<Tensor> {
        let mut features = Vec::with_capacity(input_ids.len() * self.config.embed_dim);
        let mut towers = self.towers.lock().unwrap_or_else(PoisonError::into_inner);
        for rows in input_ids.chunks(self.text_batch()?) {
            let Texts { ids, positions, length } = self.text.texts(rows)?;
            let shape = [rows.len(), length];
            let buffers = towers.text.buffers(&self.gpu, shape, || self.text.plan(rows.len(), length))?;
            features.extend(buffers.run(&self.gpu, bytemuck::cast_slice(&ids), &positions)?);
        }
        self.features(features, input_ids.len())
    }

    fn features(&self, values: Vec<f32>, batch: usize) -> Result<Tensor> {
        let tensor = Tensor::from_vec(values, (batch, self.config.embed_dim), &Device::Cpu);
        Ok(tensor.map_err(ModelError::from)?)
    }
}

impl TowerEngine for WgpuTowers {
    fn raw_image_features(&self, pixels: &Tensor) -> candle_core::Result<Tensor> {
        let pixel_values = match pixels.dtype() {
            DType::U8 => normalized(pixels, &self.config.preprocess).map_err(candle_core::Error::wrap)?,
            _ => pixels.clone(),
        };
        self.images(&pixel_values).map_err(message)
    }

    fn raw_text_features(&self, input_ids: &[Vec<u32>]) -> candle_core::Result<Tensor> {
        self.texts(input_ids).map_err(message)
    }

    fn texts_at_once(&self) -> usize {
        TEXTS_AT_ONCE
    }
}

/// Returns how many samples, at most `wanted`, have buffers of no more than `most_bytes` each; `None` if one has more.
fn batch_size(wanted: usize, one: &Plan, most_bytes: u64) -> Option<usize> {
    let n_samples = (most_bytes / one.largest_bytes().max(1)).min(wanted as u64) as usize;
    (n_samples > 0).then_some(n_samples)
}

/// The text of an error with its causes, which says if memory is lacking.
fn message(err: Error) -> candle_core::Error {
    let causes = std::iter::successors(std::error::Error::source(&err), |cause| cause.source());
    let text = causes.fold(err.to_string(), |text, cause| format!("{text}: {cause}"));
    candle_core::Error::Msg(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_model::gpu::Buffer;

    #[test]
    fn a_batch_is_as_large_as_its_buffers_may_be() {
        let unused = Buffer::Activations(0);
        let one = Plan {
            activations: vec![8, 100, 40],
            dispatches: Vec::new(),
            input: unused,
            positions: unused,
            output: unused,
            stages: Vec::new(),
        };
        assert_eq!(batch_size(64, &one, 1_000_000), Some(64));
        assert_eq!(batch_size(64, &one, 1_050), Some(10));
        assert_eq!(batch_size(64, &one, 100), Some(1));
        assert_eq!(batch_size(64, &one, 99), None);
    }
}
