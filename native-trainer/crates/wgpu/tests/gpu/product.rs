//! Levels, products of levels, and sums of weights.

use crate::launch::{Draw, constant, output, run};
use shared_model::config::Activation;
use shared_model::fused;
use shared_model::gpu::{Blocks, Buffer, Constant, Contents, Dispatch, Epilogue, ProductSizes};

/// A product of random levels and weights with steps of 1 and offsets of 3: its values are integers.
struct Case {
    rows: usize,
    n_out: usize,
    n_in: Blocks,
    /// All levels and weights have their largest magnitude.
    is_extreme: bool,
}

/// `[passes][rows][n_in]` levels and `[n_out][n_in]` weights.
type Values = (Vec<u8>, Vec<i8>);

impl Case {
    fn draw(&self) -> Values {
        let mut draw = Draw(self.rows as u64);
        let mut level = || if self.is_extreme { 127 } else { draw.below(128) as u8 };
        let levels = (0..self.n_in.passes * self.rows * self.n_in.width).map(|_| level()).collect();
        let mut draw = Draw(self.n_out as u64);
        let mut weight = || if self.is_extreme { -127 } else { draw.below(255) as i32 - 127 };
        (levels, (0..self.n_out * self.n_in.width).map(|_| weight() as i8).collect())
    }

    /// The values that the product must have.
    fn expected(&self, (levels, weights): &Values) -> Vec<f32> {
        let width = self.n_in.width;
        let value = |levels: &[u8], weights: &[i8]| {
            let products = levels.iter().zip(weights).map(|(&level, &weight)| i32::from(level) * i32::from(weight));
            (products.sum::<i32>() - 3 * weights.iter().map(|&weight| i32::from(weight)).sum::<i32>()) as f32
        };
        let row = |levels| weights.chunks(width).map(move |weights| value(levels, weights));
        let passes = levels.chunks(self.rows * width).map(|levels| levels.chunks(width).flat_map(row).collect());
        let add = |sums: Vec<f32>, pass: Vec<f32>| sums.iter().zip(&pass).map(|(sum, value)| sum + value).collect();
        passes.reduce(add).unwrap()
    }

    /// The values that the GPU computes. `channels` has scale and bias.
    fn found(&self, (levels, weights): &Values, channels: [f32; 2], epilogue: Epilogue) -> Vec<f32> {
        let Self { rows, n_out, n_in, .. } = *self;
        let steps = vec![[1f32, 3.0]; n_in.passes * rows * n_in.count()];
        let sums =
            Constant { name: "sums".into(), contents: Contents::Computed(4 * (n_in.count() * n_out) as u64) };
        let constants = [
            constant(levels),
            constant(&steps),
            constant(&packed(weights, n_in.width)),
            constant(&vec![channels; n_out]),
            sums,
        ];
        let buffers = [0, 1, 2, 3, 4].map(Buffer::Constant);
        let [levels, steps, values, channels, sums] = buffers;
        let preparation = [Dispatch::weight_sums(n_out, n_in, [values, sums])];
        let sizes = ProductSizes { rows, n_out, n_in };
        let dispatch = Dispatch::product(sizes, epilogue, [levels, steps, values, channels, sums, output(0)]);
        run(&constants, &preparation, dispatch, &[rows * n_out], output(0))
    }
}

/// Row-major weights in the order of the file, `[out / 16, in / 4, 16, 4]`.
fn packed(weights: &[i8], n_in: usize) -> Vec<i8> {
    let mut packed = vec![0; weights.len()];
    for (at, &weight) in weights.iter().enumerate() {
        let (row, column) = (at / n_in, at % n_in);
        packed[((row / 16 * (n_in / 4) + column / 4) * 16 + row % 16) * 4 + column % 4] = weight;
    }
    packed
}

#[test]
fn the_sums_of_a_product_are_exact() {
    let blocks = |width, block_width| Blocks { width, block_width, passes: 1 };
    let fine = |width, block_width| Blocks { width, block_width, passes: 2 };
    for (rows, n_out, n_in) in [
        (1, 16, blocks(4, 256)),
        (33, 80, blocks(300, 256)),
        (70, 192, blocks(192, 64)),
        (31, 64, blocks(40, 20)),
        (64, 128, blocks(768, 256)),
        (33, 80, fine(300, 256)),
        (31, 64, fine(40, 20)),
        (5, 16, fine(512, 64)),
    ] {
        for is_extreme in [false, true] {
            let case = Case { rows, n_out, n_in, is_extreme };
            let values = case.draw();
            let found = case.found(&values, [1.0, 0.0], Epilogue::Store);
            assert_eq!(found, case.expected(&values), "{rows} rows, {n_out} channels, {n_in:?}");
        }
    }
}

#[test]
fn threads_that_share_a_gpu_get_their_own_results() {
    let n_in = Blocks { width: 16, block_width: 16, passes: 1 };
    std::thread::scope(|scope| {
        for rows in 1..5 {
            scope.spawn(move || {
                let case = Case { rows, n_out: 32, n_in, is_extreme: false };
                let values = case.draw();
                for _ in 0..100 {
                    assert_eq!(case.found(&values, [1.0, 0.0], Epilogue::Store), case.expected(&values));
                }
            });
        }
    });
}

#[test]
fn scale_bias_and_activation_follow_the_sums() {
    let case =
        Case { rows: 20, n_out: 48, n_in: Blocks { width: 64, block_width: 64, passes: 1 }, is_extreme: false };
    let values = case.draw();
    let channels = [1e-4, -0.75];
    for activation in [Activation::QuickGelu, Activation::Gelu] {
        let x: Vec<f32> = case.expected(&values).iter().map(|v| v * channels[0] + channels[1]).collect();
        let mut expected = vec![0.0; x.len()];
        fused::activation(activation, &x, &mut expected);
        let found = case.found(&values, channels, Epilogue::Activate(activation));
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() <= 1e-6 * (1.0 + expected.abs()), "{found}, expected {expected}");
        }
    }
}

#[test]
fn a_residual_is_added_to() {
    let case =
        Case { rows: 5, n_out: 32, n_in: Blocks { width: 16, block_width: 16, passes: 1 }, is_extreme: false };
    let values = case.draw();
    // Buffers of activations begin as zeros.
    assert_eq!(case.found(&values, [1.0, 0.0], Epilogue::Add), case.expected(&values));
}

#[test]
fn an_activation_far_from_zero_is_finite() {
    let case =
        Case { rows: 1, n_out: 16, n_in: Blocks { width: 64, block_width: 64, passes: 1 }, is_extreme: true };
    let values = case.draw();
    let found = case.found(&values, [1.0, 0.0], Epilogue::Activate(Activation::QuickGelu));
    assert!(found.iter().all(|value| value.abs() < 1e-20), "{found:?}");
}

/// Rows of random values of different sizes, one all zeros, one constant.
fn rows(n_rows: usize, width: usize) -> Vec<f32> {
    let mut draw = Draw(7);
    let mut values = draw.values(n_rows * width);
    for (row, values) in values.chunks_mut(width).enumerate() {
        values.iter_mut().for_each(|value| *value *= 10f32.powi(row as i32 % 7 - 3));
    }
    values[..width].fill(0.0);
    values[width..2 * width].fill(-2.5);
    values
}

#[test]
fn every_value_times_its_factor_is_within_half_a_step_of_its_level() {
    let sizes = [(64, 64), (300, 256), (768, 256), (96, 32), (4, 256)];
    for ((width, block_width), passes) in sizes.into_iter().flat_map(|sizes| [(sizes, 1), (sizes, 2)]) {
        let n_rows = 9;
        let x = rows(n_rows, width);
        let blocks = Blocks { width, block_width, passes };
        let outputs = [n_rows * blocks.level_words(), n_rows * blocks.step_words()];
        let factors: Vec<f32> = (0..width).map(|column| 2f32.powi(column as i32 % 5 - 2)).collect();
        let buffers = [Buffer::Constant(0), Buffer::Constant(1), output(0), output(1)];
        let dispatch = || Dispatch::levels(n_rows, blocks, buffers);
        let constants = [constant(&x), constant(&factors)];
        let levels: Vec<u8> = run(&constants, &[], dispatch(), &outputs, output(0));
        let steps: Vec<[f32; 2]> = run(&constants, &[], dispatch(), &outputs, output(1));
        let x: Vec<f32> = x.iter().enumerate().map(|(at, value)| value * factors[at % width]).collect();
        for (at, &value) in x.iter().enumerate() {
            let (mut found, mut smallest) = (0.0, f32::INFINITY);
            for (levels, steps) in levels.chunks(n_rows * width).zip(steps.chunks(n_rows * blocks.count())) {
                let [step, offset] = steps[at / width * blocks.count() + at % width / block_width];
                assert!(levels[at] <= 127, "level {} of {value}", levels[at]);
                found += step * f32::from(levels[at]) - offset;
                smallest = step.min(smallest);
            }
            let row = &x[at / width * width..][..width];
            let largest = row.iter().fold(0f32, |largest, value| largest.max(value.abs()));
            assert!((found - value).abs() <= smallest * 0.501 + largest * 1e-6, "{value} as {found}");
        }
    }
}

#[test]
fn a_norm_s_levels_are_those_of_the_normalized_row() {
    let (n_rows, width, eps) = (9, 300, 1e-5);
    let (x, norm) = (rows(n_rows, width), Draw(3).values(2 * width));
    let blocks = Blocks { width, block_width: 256, passes: 1 };
    let outputs = [n_rows * width / 4, 2 * n_rows * blocks.count()];
    let buffers = [Buffer::Constant(0), Buffer::Constant(1), output(0), output(1)];
    let dispatch = || Dispatch::norm_levels(n_rows, blocks, eps, buffers);
    let constants = [constant(&x), constant(&norm)];
    let levels: Vec<u8> = run(&constants, &[], dispatch(), &outputs, output(0));
    let steps: Vec<[f32; 2]> = run(&constants, &[], dispatch(), &outputs, output(1));
    for (row, values) in x.chunks(width).enumerate() {
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / width as f64;
        let variance = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / width as f64;
        for (column, &value) in values.iter().enumerate() {
            let normalized = (f64::from(value) - mean) / (variance + f64::from(eps)).sqrt();
            let expected = normalized * f64::from(norm[column]) + f64::from(norm[width + column]);
            let [step, offset] = steps[row * blocks.count() + column / 256].map(f64::from);
            let found = step * f64::from(levels[row * width + column]) - offset;
            assert!((found - expected).abs() <= step * 0.51 + 1e-5, "{expected} as {found} in row {row}");
        }
    }
}
