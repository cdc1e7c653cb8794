//! Each failure is one plain sentence.

use crate::launch::gpu;
use crate::random_model;
use candle_core::{Device, Tensor};
use dermake_wgpu::{Error, Gpu, Tower, WgpuTowers};
use shared_model::TowerEngine;
use shared_model::gpu::{Constant, Contents, VisionProgram};
use shared_model::quantize::WeightFormat;

#[test]
fn a_tensor_that_no_buffer_holds_is_named() {
    let contents = Contents::Computed(1 << 40);
    let Err(err) = Tower::load(gpu(), &[Constant { name: "token_embedding.weight".into(), contents }], &[]) else {
        panic!("a buffer of a tebibyte was created")
    };
    assert!(matches!(err, Error::TooSmall { .. }), "{err:?}");
    let message = err.to_string();
    assert!(message.contains("tensor token_embedding.weight has 1099511627776 bytes"), "{message}");
}

#[test]
fn a_lost_device_is_an_error_and_no_panic() {
    let (config, vision, text) = random_model::model(16, WeightFormat::Int8);
    let towers = WgpuTowers::open(0, &config, &vision, &text).unwrap();
    let pixel_values = Tensor::zeros((1, 3, 60, 60), candle_core::DType::F32, &Device::Cpu).unwrap();
    towers.raw_image_features(&pixel_values).unwrap();
    towers.gpu().destroy();
    let message = towers.raw_image_features(&pixel_values).unwrap_err().to_string();
    assert!(message.starts_with("the GPU was lost"), "{message}");
    let message = towers.raw_text_features(&[vec![1, 99]]).unwrap_err().to_string();
    assert!(message.starts_with("the GPU was lost"), "{message}");
}

#[test]
fn a_device_that_is_lost_before_a_model_is_loaded_is_an_error() {
    let (config, vision, _) = random_model::model(16, WeightFormat::Int8);
    let program = VisionProgram::load(&vision, &config).unwrap();
    let gpu = Gpu::open(0).unwrap();
    gpu.destroy();
    let Err(err) = Tower::load(&gpu, &program.constants, &program.preparation) else {
        panic!("a lost GPU took a tower")
    };
    assert!(matches!(err, Error::Lost { .. }), "{err:?}");
}

#[test]
fn models_that_the_kernels_cannot_compute_are_refused_with_the_reason() {
    let reason = |head_width: usize, format: WeightFormat| {
        let (config, vision, _) = random_model::model(head_width, format);
        VisionProgram::load(&vision, &config).err().unwrap().to_string()
    };
    let message = reason(72, WeightFormat::Int8);
    assert!(message.contains("heads are 72 wide, expected at most 64"), "{message}");
    let message = reason(16, WeightFormat::Q8_0);
    assert!(message.contains("is not int8; `dermake quantize` makes a model that is"), "{message}");
}

#[test]
fn images_of_another_size_and_unknown_tokens_are_refused() {
    let (config, vision, text) = random_model::model(16, WeightFormat::Int8);
    let towers = WgpuTowers::open(0, &config, &vision, &text).unwrap();
    let pixel_values = Tensor::zeros((1, 3, 56, 56), candle_core::DType::F32, &Device::Cpu).unwrap();
    let message = towers.raw_image_features(&pixel_values).unwrap_err().to_string();
    assert!(message.contains("pixel_values are 3x56x56, expected 3x60x60"), "{message}");
    for ids in [vec![], vec![100]] {
        assert!(towers.raw_text_features(std::slice::from_ref(&ids)).is_err(), "{ids:?}");
    }
}
