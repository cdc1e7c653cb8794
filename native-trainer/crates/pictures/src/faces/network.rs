//! YuNet's layers on the CPU. Features are `[rows, columns, channels]`, so that the channels of a pixel are neighbors.
//!
//! Each block multiplies the channels of a pixel (`point`), then each channel with its 3 x 3 neighbors (`depth`), as
//! in libfacedetection: <https://github.com/ShiqiYu/libfacedetection>.

use safetensors::SafeTensors;
use shared_model::preprocess::RgbImage8;
use std::array;

const WEIGHTS: &[u8] = include_bytes!("../../data/yunet.safetensors");
/// Pixels of the image for one of the coarsest level; the image is padded to a multiple of it.
const COARSEST: usize = 32;
/// Columns of the first multiplication: 3 x 3 pixels of three colors.
const PATCH: usize = 27;
/// Outputs and pixels that are computed together.
const OUTPUTS: usize = 8;
const PIXELS: usize = 4;

/// Features of an image.
struct Map {
    rows: usize,
    columns: usize,
    channels: usize,
    values: Vec<f32>,
}

/// A weight `[inputs, outputs]` and its bias.
struct Layer {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

/// The two convolutions of a block.
struct Block {
    point: Layer,
    /// The weight is `[9, channels]`.
    depth: Layer,
}

/// A level of the pyramid: its features for the finer level, whether a place is a face, and whether it is an object.
struct Level {
    neck: Block,
    class: Block,
    object: Block,
}

/// The network.
pub struct Network {
    image: Layer,
    stem: Block,
    stages: [[Block; 2]; 5],
    /// From the finest to the coarsest.
    levels: [Level; 3],
}

impl Network {
    /// Returns the network with the weights of the program.
    pub fn compiled_in() -> Self {
        let file = SafeTensors::deserialize(WEIGHTS).expect("the file is compiled in, and a test reads it");
        let values = |name: String| -> Vec<f32> {
            let tensor = file.tensor(&name).expect("the file is compiled in, and a test reads it");
            let (halves, _) = tensor.data().as_chunks::<2>();
            halves.iter().map(|&bytes| half::f16::from_le_bytes(bytes).to_f32()).collect()
        };
        let layer =
            |name: String| Layer { weight: values(format!("{name}.weight")), bias: values(format!("{name}.bias")) };
        let block =
            |name: String| Block { point: layer(format!("{name}.point")), depth: layer(format!("{name}.depth")) };
        Self {
            image: layer("image".into()),
            stem: block("stem".into()),
            stages: array::from_fn(|at| array::from_fn(|part| block(format!("stage{}.{part}", at + 1)))),
            levels: array::from_fn(|at| Level {
                neck: block(format!("neck{at}")),
                class: block(format!("class{at}")),
                object: block(format!("object{at}")),
            }),
        }
    }

    /// Returns the score of the place that is most like a face, from 0 to 1.
    pub fn best_score(&self, image: &RgbImage8) -> f32 {
        let mut features = patches(image).point(&self.image);
        features.rectify();
        let [first, second, third, fourth, fifth] = &self.stages;
        let run = |stage: &[Block; 2], features: &Map| stage[1].rectified(&stage[0].rectified(features));
        let features = run(second, &run(first, &self.stem.rectified(&features).halved()));
        let fine = run(third, &features.halved());
        let middle = run(fourth, &fine.halved());
        let coarse = run(fifth, &middle.halved());
        let (mut best, mut coarser) = (0.0f32, None);
        for (level, mut features) in self.levels.iter().zip([fine, middle, coarse]).rev() {
            if let Some(coarser) = &coarser {
                features.add_doubled(coarser);
            }
            let features = level.neck.rectified(&features);
            best = best.max(level.best_score(&features));
            coarser = Some(features);
        }
        best
    }
}

impl Level {
    fn best_score(&self, features: &Map) -> f32 {
        let (class, object) = (self.class.forward(features), self.object.forward(features));
        let sigmoid = |value: f32| 1.0 / (1.0 + (-value).exp());
        let scores = class.values.iter().zip(&object.values);
        scores.map(|(&class, &object)| (sigmoid(class) * sigmoid(object)).sqrt()).fold(0.0, f32::max)
    }
}

impl Block {
    fn forward(&self, features: &Map) -> Map {
        features.point(&self.point).depth(&self.depth)
    }

    fn rectified(&self, features: &Map) -> Map {
        let mut features = self.forward(features);
        features.rectify();
        features
    }
}

/// Returns the 3 x 3 pixels around every second one, blue first; black outside of the image.
fn patches(image: &RgbImage8) -> Map {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let (rows, columns) = (height.next_multiple_of(COARSEST) / 2, width.next_multiple_of(COARSEST) / 2);
    let (pixels, _) = image.as_bytes().as_chunks::<3>();
    let mut values = vec![0.0; rows * columns * PATCH];
    for (at, patch) in values.chunks_exact_mut(PATCH).enumerate() {
        let (row, column) = (at / columns, at % columns);
        for (tap, colors) in patch.chunks_exact_mut(3).enumerate() {
            // One pixel further: the first row and column of a patch are before its pixel.
            let (y, x) = (2 * row + tap / 3, 2 * column + tap % 3);
            if (1..=height).contains(&y) && (1..=width).contains(&x) {
                let [red, green, blue] = pixels[(y - 1) * width + x - 1].map(f32::from);
                colors.copy_from_slice(&[blue, green, red]);
            }
        }
    }
    Map { rows, columns, channels: PATCH, values }
}

impl Map {
    fn rectify(&mut self) {
        self.values.iter_mut().for_each(|value| *value = value.max(0.0));
    }

    /// Multiplies the channels of each pixel.
    fn point(&self, layer: &Layer) -> Self {
        let outputs = layer.bias.len();
        let mut values = vec![0.0; self.rows * self.columns * outputs];
        let (inputs, whole) = (self.channels, outputs - outputs % OUTPUTS);
        let blocks = self.values.chunks(PIXELS * inputs).zip(values.chunks_mut(PIXELS * outputs));
        for (pixels, results) in blocks {
            for first in (0..whole).step_by(OUTPUTS) {
                let mut sums = [[0.0; OUTPUTS]; PIXELS];
                for (input, weights) in layer.weight.chunks_exact(outputs).enumerate() {
                    let weights: &[f32] = &weights[first..first + OUTPUTS];
                    for (pixel, sums) in pixels.chunks_exact(inputs).zip(&mut sums) {
                        let value = pixel[input];
                        sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += value * weight);
                    }
                }
                for (result, sums) in results.chunks_exact_mut(outputs).zip(sums) {
                    let bias = &layer.bias[first..];
                    let result = result[first..].iter_mut().zip(sums.iter().zip(bias));
                    result.for_each(|(result, (sum, bias))| *result = sum + bias);
                }
            }
            for output in whole..outputs {
                for (pixel, result) in pixels.chunks_exact(inputs).zip(results.chunks_exact_mut(outputs)) {
                    let weights = layer.weight.iter().skip(output).step_by(outputs);
                    let sum: f32 = pixel.iter().zip(weights).map(|(value, weight)| value * weight).sum();
                    result[output] = sum + layer.bias[output];
                }
            }
        }
        Self { channels: outputs, values, ..*self }
    }

    /// Adds up each channel of the 3 x 3 neighbors; those outside are 0.
    fn depth(&self, layer: &Layer) -> Self {
        let (rows, columns, channels) = (self.rows, self.columns, self.channels);
        let mut values: Vec<f32> = layer.bias.iter().copied().cycle().take(rows * columns * channels).collect();
        let row_len = columns * channels;
        for (row, results) in values.chunks_exact_mut(row_len).enumerate() {
            for (tap, weights) in layer.weight.chunks_exact(channels).enumerate() {
                let Some(from) = (row + tap / 3).checked_sub(1).filter(|&from| from < rows) else { continue };
                let source = &self.values[from * row_len..][..row_len];
                // The neighbor on the left of the first column and that on the right of the last are outside.
                let (source, results) = match tap % 3 {
                    0 => (&source[..row_len - channels], &mut results[channels..]),
                    1 => (source, &mut *results),
                    _ => (&source[channels..], &mut results[..row_len - channels]),
                };
                for (results, source) in results.chunks_exact_mut(channels).zip(source.chunks_exact(channels)) {
                    let terms = source.iter().zip(weights);
                    results.iter_mut().zip(terms).for_each(|(result, (value, weight))| *result += value * weight);
                }
            }
        }
        Self { values, ..*self }
    }

    /// Returns the largest of each 2 x 2 pixels.
    fn halved(&self) -> Self {
        let (rows, columns, channels) = (self.rows / 2, self.columns / 2, self.channels);
        let mut values = vec![0.0f32; rows * columns * channels];
        for (at, result) in values.chunks_exact_mut(channels).enumerate() {
            let (row, column) = (2 * (at / columns), 2 * (at % columns));
            for (index, pixel) in [(0, 0), (0, 1), (1, 0), (1, 1)].into_iter().enumerate() {
                let source =
                    &self.values[((row + pixel.0) * self.columns + column + pixel.1) * channels..][..channels];
                let larger = |(result, value): (&mut f32, &f32)| {
                    *result = if index == 0 { *value } else { result.max(*value) };
                };
                result.iter_mut().zip(source).for_each(larger);
            }
        }
        Self { rows, columns, channels, values }
    }

    /// Adds features of half as many rows and columns.
    fn add_doubled(&mut self, coarser: &Self) {
        let (columns, channels) = (self.columns, self.channels);
        for (at, result) in self.values.chunks_exact_mut(channels).enumerate() {
            let (row, column) = (at / columns / 2, at % columns / 2);
            let source = &coarser.values[(row * coarser.columns + column) * channels..][..channels];
            result.iter_mut().zip(source).for_each(|(result, value)| *result += value);
        }
    }
}
