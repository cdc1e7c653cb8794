//! A block is the same function before and after its scales are moved; an attention pool is calibrated.

use super::*;
use crate::config::{NormOrder, Projection, VisionPooling};
use crate::random::randn;
use crate::weights::StoredTensor;

/// A block of width 64 with outlier channels and uneven gains.
fn block(blocks: &TransformerConfig) -> (Weights, Tensor) {
    let (width, hidden) = (64usize, 256usize);
    let random = |shape: &[usize], deviation: f32| randn(0.0, deviation, shape);
    let gains = || random(&[width], 1.0).exp().unwrap();
    let tensors = [
        ("ln_1.weight", gains()),
        ("ln_1.bias", random(&[width], 0.5)),
        ("attn.in_proj_weight", random(&[3 * width, width], 0.2)),
        ("attn.in_proj_bias", random(&[3 * width], 0.2)),
        ("attn.out_proj.weight", random(&[width, width], 0.2)),
        ("attn.out_proj.bias", random(&[width], 0.2)),
        ("ln_2.weight", gains()),
        ("ln_2.bias", random(&[width], 0.5)),
        ("mlp.c_fc.weight", random(&[hidden, width], 0.2)),
        ("mlp.c_fc.bias", random(&[hidden], 0.2)),
        ("mlp.c_proj.weight", random(&[width, hidden], 0.2)),
        ("mlp.c_proj.bias", random(&[width], 0.2)),
    ];
    assert_eq!(blocks.layers, 1);
    let mut x = vec![0f32; 2 * 9 * width];
    let noise: Vec<f32> = random(&[x.len()], 1.0).to_vec1().unwrap();
    for (at, x) in x.iter_mut().enumerate() {
        *x = noise[at] * if at % width == 5 { 30.0 } else { 1.0 };
    }
    let tensors = tensors.map(|(name, tensor)| (format!("blocks.0.{name}"), tensor));
    (Weights::from_live(tensors), Tensor::from_vec(x, (2, 9, width), &Device::Cpu).unwrap())
}

#[test]
fn an_equalized_block_computes_what_it_computed_and_its_inputs_are_known() {
    for norm_order in [NormOrder::Pre, NormOrder::Post] {
        let blocks = TransformerConfig {
            layers: 1,
            heads: 4,
            activation: crate::config::Activation::Gelu,
            norm_eps: 1e-5,
            norm_order,
            is_causal: false,
        };
        let (weights, x) = block(&blocks);
        let context = Context {
            prefix: "blocks.0".into(),
            blocks: &blocks,
            bits: &MatrixBits::default(),
            starts: None,
            computes_one_token: false,
            options: Options::new(WeightFormat::Int8),
        };
        let mut parameters = BlockParameters::load(&weights, "blocks.0").unwrap();
        let (before, inputs) = context.observe(&parameters, &x).unwrap();
        let expected = context.equalize(&mut parameters, inputs);
        let (after, inputs) = context.observe(&parameters, &x).unwrap();
        let values = |x: &Tensor| x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let largest = |x: &[f32]| x.iter().fold(0f32, |largest, x| largest.max(x.abs()));
        let near = |found: &[f32], wanted: &[f32], what: &str| {
            let differences: Vec<f32> = found.iter().zip(wanted).map(|(a, b)| a - b).collect();
            let difference = largest(&differences) / largest(wanted);
            assert!(difference < 1e-4, "{norm_order:?} {what}: {difference}");
        };
        near(&values(&after), &values(&before), "output");
        for layer in [Layer::InProj, Layer::OutProj, Layer::CFc, Layer::CProj] {
            near(inputs.of(layer), expected.of(layer), &format!("{layer:?}"));
        }
        let moved = BlockParameters::load(&weights, "blocks.0").unwrap();
        assert_ne!(parameters.out_proj.weight, moved.out_proj.weight);
    }
}

/// SigLIP's vision tower: two blocks of width 64, 16 patches and an attention pool.
fn siglip() -> (ClipConfig, Weights) {
    let json = br#"{"embed_dim": 64,
        "vision_cfg": {"image_size": 32, "patch_size": 8, "width": 64, "layers": 2, "head_width": 32},
        "text_cfg": {"context_length": 8, "vocab_size": 64, "width": 64, "layers": 1, "heads": 1}}"#;
    let mut config = ClipConfig::from_open_clip_json(json).unwrap();
    let vision = &mut config.vision;
    (vision.pooling, vision.projection) = (VisionPooling::Attention, Projection::None);
    (vision.has_class_token, vision.has_ln_pre, vision.has_patch_bias) = (false, false, true);
    let tensors = config.vision_parameters().into_iter().map(|parameter| {
        let n_in: usize = parameter.shape.iter().skip(1).product();
        let mean = if parameter.name.contains("ln_") && parameter.name.ends_with("weight") { 1.0 } else { 0.0 };
        let deviation = 1.0 / (n_in.max(16) as f32).sqrt();
        let values = randn(mean, deviation, parameter.shape);
        (parameter.name, StoredTensor::from_tensor(&values).unwrap())
    });
    let weights = Weights::from_stored(tensors);
    (config, weights)
}

#[test]
fn an_attention_pool_is_calibrated_and_keeps_its_tensors() {
    let (config, weights) = siglip();
    let photos = |n: usize| randn(0.0, 1.0, (n, 3, 32, 32));
    let compared = photos(8);
    let load = |weights: &Weights| VisionTower::build(weights, &config, &Placement::default()).unwrap();
    let dense = load(&weights).image_features(&compared).unwrap();
    let calibration = photos(256);
    let [plain, calibrated] = [Steps::NONE, Steps::ALL].map(|steps| {
        let options = Options { steps, ..Options::new(WeightFormat::Int4) };
        let tower = quantize_vision(&weights, &config, &calibration, options, &mut |_, _| ()).unwrap();
        let kv = tower.report.iter().find(|report| report.name.ends_with("attn.kv.weight")).unwrap();
        assert_eq!(kv.output_error.is_some(), steps == Steps::ALL);
        let names: Vec<String> = tower.report.iter().map(|report| report.name.clone()).collect();
        let bytes = tower.to_safetensors(HashMap::new()).unwrap();
        let n_bytes = bytes.len();
        let features = load(&Weights::from_safetensors(bytes.into()).unwrap()).image_features(&compared).unwrap();
        let cosines: Vec<f32> = (features * &dense).unwrap().sum(1).unwrap().to_vec1().unwrap();
        (names, n_bytes, cosines.into_iter().fold(1f32, f32::min))
    });
    assert_eq!((&plain.0, plain.1), (&calibrated.0, calibrated.1));
    assert!(calibrated.2 > plain.2 && calibrated.2 > 0.98, "{} and {}", plain.2, calibrated.2);
}
