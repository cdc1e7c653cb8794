//! A checkpoint's file of any kind, most of them safetensors, dense or quantized: named tensors, and both towers of
//! them.

use crate::{parameters, tiny_config};
use bytes::Bytes;
use shared_model::weights::{Placement, Weights};
use shared_model::{Clip, Error};
use std::sync::LazyLock;

static CONFIG: LazyLock<shared_model::config::ClipConfig> = LazyLock::new(tiny_config);

/// Reads the input as a checkpoint and runs both towers on its weights.
pub(super) fn run(file: &[u8]) {
    let Ok(mut weights) = Weights::read(Bytes::copy_from_slice(file)) else { return };
    let on_cpu = Placement::default();
    for parameter in parameters(&CONFIG) {
        if let Ok(tensor) = weights.tensor(&parameter.name, &on_cpu) {
            assert!(
                tensor.elem_count() <= file.len(),
                "{} has more values than the file has bytes",
                parameter.name
            );
        }
    }
    let _ = weights.check(&parameters(&CONFIG), &[]);
    let _ = weights.fit_positions(&CONFIG);
    let Ok(clip) = Clip::load(weights, &CONFIG, &on_cpu) else { return };
    let pixel_values = candle_core::Tensor::zeros(
        (1, 3, CONFIG.vision.image_size, CONFIG.vision.image_size),
        candle_core::DType::F32,
        &on_cpu.device,
    );
    let pixel_values = pixel_values.expect("a few kilobytes");
    for feature in [clip.vision.image_features(&pixel_values), clip.text.text_features(&[vec![62, 1, 2, 63]])] {
        match feature {
            Ok(feature) => assert_eq!(feature.dims(), [1, CONFIG.embed_dim]),
            // Weights that are finite may still lead to what is not.
            Err(Error::NotFinite { .. }) => {}
            Err(error) => panic!("weights that fit are used: {error}"),
        }
    }
}
