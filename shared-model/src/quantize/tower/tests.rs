//! A block is the same function before and after its scales are moved.

use super::*;

/// A block of width 64 with outlier channels and uneven gains.
fn block(blocks: &TransformerConfig) -> (Weights, Tensor) {
    let (width, hidden) = (64usize, 256usize);
    let random = |shape: &[usize], deviation: f32| Tensor::randn(0f32, deviation, shape, &Device::Cpu).unwrap();
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
            starts: None,
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
            assert!(difference < 1e-5, "{norm_order:?} {what}: {difference}");
        };
        near(&values(&after), &values(&before), "output");
        for layer in [Layer::InProj, Layer::OutProj, Layer::CFc, Layer::CProj] {
            near(inputs.of(layer), expected.of(layer), &format!("{layer:?}"));
        }
        let moved = BlockParameters::load(&weights, "blocks.0").unwrap();
        assert_ne!(parameters.out_proj.weight, moved.out_proj.weight);
    }
}
