//! Random weights with what trained CLIP models have and random ones lack: outlier channels, uneven norm gains, sparse
//! MLPs with hot hidden units.

use candle_core::{Device, Tensor};
use rand::seq::index::sample;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal, Normal};
use shared_model::config::ClipConfig;
use shared_model::weights::{Placement, StoredTensor, Weights};

/// What the weights have.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Standard deviation of the logarithm of a norm's gains.
    pub gain_deviation: f64,
    /// Channels of the residual stream that are larger than the others.
    pub n_channels: usize,
    /// How much larger the largest of them is.
    pub largest_channel: f32,
    /// Share of such a channel that is the same for all tokens.
    pub constant_share: f32,
    /// Hidden units of each MLP that are larger than the others.
    pub n_hot_units: usize,
    /// How much larger they are.
    pub hot_unit: f32,
    /// Standard deviations that the inputs of an MLP's activation are below zero.
    pub sparsity: f32,
}

impl Shape {
    /// The shapes that are measured, by name.
    pub const ALL: [(&'static str, Self); 4] = [
        ("trained", Self::TRAINED),
        ("constant", Self { constant_share: 0.9, n_channels: 2, largest_channel: 60.0, ..Self::TRAINED }),
        ("gains", Self { gain_deviation: 0.9, n_channels: 0, n_hot_units: 0, ..Self::TRAINED }),
        ("hidden", Self { n_channels: 1, n_hot_units: 24, hot_unit: 12.0, sparsity: 2.0, ..Self::TRAINED }),
    ];

    const TRAINED: Self = Self {
        gain_deviation: 0.5,
        n_channels: 4,
        largest_channel: 25.0,
        constant_share: 0.3,
        n_hot_units: 8,
        hot_unit: 6.0,
        sparsity: 1.2,
    };
}

/// Gives random weights of any family this shape.
pub fn weights(plain: &Weights, config: &ClipConfig, seed: u64, shape: Shape) -> Weights {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x6865_6176);
    let towers = [(config.vision_parameters(), config.vision.width), (config.text_parameters(), config.text.width)];
    let mut tensors = Vec::new();
    for (parameters, width) in towers {
        let channels = channels(width, shape, &mut rng);
        for parameter in parameters {
            let dense = plain.tensor(&parameter.name, &Placement::default()).expect("it is one of the parameters");
            let mut values: Vec<f32> = dense.flatten_all().and_then(|flat| flat.to_vec1()).expect("it is f32");
            change(&parameter.name, &parameter.shape, &mut values, &channels, shape, &mut rng);
            let tensor = Tensor::from_vec(values, parameter.shape, &Device::Cpu).expect("its size is unchanged");
            tensors.push((parameter.name, StoredTensor::from_tensor(&tensor).expect("it is f32")));
        }
    }
    Weights::from_stored(tensors)
}

/// Outlier channels and their factors; the first has the largest.
fn channels(width: usize, shape: Shape, rng: &mut ChaCha8Rng) -> Vec<(usize, f32)> {
    let drawn = sample(rng, width, shape.n_channels).into_vec();
    let factor = |at: usize, rng: &mut ChaCha8Rng| {
        shape.largest_channel * if at == 0 { 1.0 } else { rng.random_range(0.25..1.0) }
    };
    drawn.into_iter().enumerate().map(|(at, channel)| (channel, factor(at, rng))).collect()
}

/// Changes the values of a parameter.
fn change(
    name: &str,
    sides: &[usize],
    values: &mut [f32],
    channels: &[(usize, f32)],
    shape: Shape,
    rng: &mut ChaCha8Rng,
) {
    let is_norm = name.contains("ln_");
    // The layers of projections and of attention pools stay as they are.
    let of_block = |suffix: &str| name.contains("resblocks") && name.ends_with(suffix);
    if is_norm && name.ends_with("weight") {
        let gains = LogNormal::new(0.0, shape.gain_deviation).expect("the deviation is finite");
        values.iter_mut().for_each(|gain| *gain *= gains.sample(rng) as f32);
    } else if is_norm {
        let shifts = Normal::new(0.0, 0.1).expect("the deviation is finite");
        values.iter_mut().for_each(|bias| *bias += shifts.sample(rng) as f32);
    } else if of_block("out_proj.weight") || of_block("c_proj.weight") {
        let varying = 1.0 - shape.constant_share;
        for &(channel, factor) in channels {
            values[channel * sides[1]..][..sides[1]].iter_mut().for_each(|weight| *weight *= factor * varying);
        }
    } else if of_block("out_proj.bias") || of_block("c_proj.bias") {
        for &(channel, factor) in channels {
            values[channel] += factor * shape.constant_share * 0.2 * if channel % 2 == 0 { 1.0 } else { -1.0 };
        }
    } else if name.ends_with("positional_embedding") {
        let width = sides[1];
        for row in values.chunks_exact_mut(width) {
            channels.iter().for_each(|&(channel, factor)| row[channel] *= factor);
        }
    } else if of_block("c_fc.weight") {
        make_hot(sides, values, shape);
    } else if of_block("c_fc.bias") {
        values.iter_mut().for_each(|bias| *bias -= 1.5 * shape.sparsity);
    }
}

/// Gives the inputs of an activation a deviation of about 1.5, and some of them a larger one.
fn make_hot(sides: &[usize], values: &mut [f32], shape: Shape) {
    let mean_square = values.iter().map(|weight| weight * weight).sum::<f32>() / values.len() as f32;
    let factor = 1.5 / (mean_square * sides[1] as f32).sqrt();
    values.iter_mut().for_each(|weight| *weight *= factor);
    for unit in 0..shape.n_hot_units {
        let row = unit * (sides[0] / shape.n_hot_units);
        values[row * sides[1]..][..sides[1]].iter_mut().for_each(|weight| *weight *= shape.hot_unit);
    }
}
