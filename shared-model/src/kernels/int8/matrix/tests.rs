//! Packing, and the sums of every kernel beside those of the scalar one.

use super::*;
use crate::kernels::int8::dispatch::available_kernels;
use crate::kernels::int8::rounding::Step;
use crate::kernels::int8::scalar;
use crate::weights::ActivationBits;
use crate::weights::packing::{INT8_QUAD, pack};

fn matrix(values: &[i8], n_out: usize, n_in: usize, rounding: Rounding) -> Int8Matrix {
    let scales = (0..n_out).map(|row| 0.01 + row as f32 * 1e-4).collect();
    let packed: Vec<u8> = pack(values, n_out, n_in).into_iter().map(|v| v as u8).collect();
    Int8Matrix(Arc::new(Packed::new(packed.into(), scales, n_in, rounding)))
}

#[test]
fn packing_keeps_every_weight_in_its_place() {
    let values: Vec<i8> = (0..32 * 12).map(|v| v as i8).collect();
    let dense = matrix(&values, 32, 12, Rounding::coarse(8)).dequantize().unwrap().to_vec2::<f32>().unwrap();
    for (row, weights) in dense.iter().enumerate() {
        for (column, &weight) in weights.iter().enumerate() {
            assert_eq!(weight, f32::from(values[row * 12 + column]) * (0.01 + row as f32 * 1e-4));
        }
    }
}

/// Powers of two, for each column.
fn factors(n_in: usize) -> Vec<f32> {
    (0..n_in).map(|column| 2f32.powi(column as i32 % 5 - 3)).collect()
}

/// The largest weights of a case: with some no two quads fit 16 bits together, with others a few or all do.
const LARGEST: [i32; 4] = [127, 100, 64, 20];

/// A random product. `is_extreme` takes the largest magnitudes, with which no sum may wrap or saturate.
struct Case {
    n_rows: usize,
    n_out: usize,
    n_in: usize,
    rounding: Rounding,
    largest: i32,
    is_extreme: bool,
    seed: u64,
}

impl Case {
    /// Each kernel makes the rows that are made of a stored product, whose blocks need not be whole panels.
    fn check_rows_of_the_next_layer(&self, first: &Int8Matrix, x: &[f32]) {
        let Self { n_rows, n_out, rounding, .. } = *self;
        let next = Rounding { block_width: rounding.block_width.next_multiple_of(INT8_PANEL), ..rounding };
        let next = matrix(&vec![1; n_out * INT8_PANEL], INT8_PANEL, n_out, next).with_factors(factors(n_out));
        let each = |values: &mut [f32]| values.iter_mut().for_each(|value| *value *= 0.5);
        let mut buffers: [Activations; 3] = Default::default();
        let ([rows, apart, fused], mut product) = (&mut buffers, Vec::new());
        let rows = first.rows(rows, x);
        let expected = multiply_apart(first, rows, each, &next, (apart, &mut product));
        for kernel in available_kernels() {
            let found = first.multiply_blocks(kernel, rows, each, &next, fused);
            assert_eq!((found.n_rows(), found.n_blocks()), (n_rows, expected.n_blocks()));
            for (block, pass) in (0..found.n_blocks()).flat_map(|block| [(block, 0), (block, found.passes() - 1)]) {
                let [(levels, steps, width), (expected, expected_steps, _)] =
                    [found, expected].map(|rows| rows.block(block, pass));
                assert_eq!((levels, width * n_rows), (expected, levels.len()), "block {block}");
                let bits = |steps: &[Step]| steps.iter().map(|step| [step.scale, step.offset]).collect::<Vec<_>>();
                assert_eq!(bits(steps), bits(expected_steps), "block {block}");
            }
        }
    }

    /// Factors of columns change what is rounded, and the weights of other devices, as if `x` had them.
    fn check_factors(&self, matrix: &Int8Matrix, x: &[f32]) {
        let factors = factors(self.n_in);
        let multiplied = |values: &[f32]| -> Vec<f32> {
            values.iter().enumerate().map(|(at, value)| value * factors[at % self.n_in]).collect()
        };
        let with_factors = matrix.clone().with_factors(factors.clone());
        let kernel = PanelKernel::Sums(scalar::multiply);
        let product =
            |matrix: &Int8Matrix, x: &[f32]| matrix.product(x, kernel, &PanelGroups::new(0..self.n_out, 1));
        assert_eq!(product(&with_factors, x), product(matrix, &multiplied(x)));
        let dense =
            |matrix: &Int8Matrix| matrix.dequantize().unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(dense(&with_factors), multiplied(&dense(matrix)));
    }

    fn check(&self) {
        let Self { n_rows, n_out, n_in, rounding, largest, is_extreme, seed } = *self;
        let mut state = seed | 1;
        let mut draw = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as i32
        };
        let mut weight = || if is_extreme { -largest } else { draw() % (2 * largest + 1) - largest };
        let weights: Vec<i8> = (0..n_out * n_in).map(|_| weight() as i8).collect();
        let x: Vec<f32> =
            (0..n_rows * n_in).map(|_| if is_extreme { 3.0 } else { (draw() % 1000) as f32 / 77.0 }).collect();
        let matrix = matrix(&weights, n_out, n_in, rounding);
        let product = |kernel, at_once| matrix.product(&x, kernel, &PanelGroups::new(0..n_out, at_once));
        let ours = product(PanelKernel::Sums(scalar::multiply), 1);
        for kernel in available_kernels() {
            for at_once in 1..=MOST_PANELS {
                let found = product(kernel, at_once);
                assert_eq!(ours, found, "{n_rows} rows of {n_in}, {n_out} channels, {at_once} panels at once");
            }
        }
        self.check_rows_of_the_next_layer(&matrix, &x);

        self.check_factors(&matrix, &x);
        let dense = matrix.dequantize().unwrap().to_vec2::<f32>().unwrap();
        for row in 0..n_rows {
            let x = &x[row * n_in..][..n_in];
            let largest = x.iter().fold(0f32, |largest, value| largest.max(value.abs()));
            for (column, weights) in dense.iter().enumerate() {
                let sum: f64 = x.iter().zip(weights).map(|(x, w)| f64::from(x * w)).sum();
                let error = (f64::from(ours[row * n_out + column]) - sum).abs();
                // An activation is off by half a step at most.
                let size = f64::from(largest * weights.iter().map(|weight| weight.abs()).sum::<f32>());
                assert!(error <= size / f64::from(rounding.steps()) + 1e-5 * size, "{error} of {size}");
            }
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
proptest::proptest! {
    #[test]
    fn every_kernel_gives_the_scalar_sums(
        (n_rows, panels, quads) in (proptest::prop_oneof![0usize..28, 40usize..120], 1usize..6, 1usize..40),
        block_width in proptest::sample::select(vec![4usize, 12, 64, 256]),
        bits in proptest::sample::select(&ActivationBits::ALL[..]),
        largest in proptest::sample::select(&LARGEST[..]),
        is_extreme: bool,
        seed: u64,
    ) {
        let (n_out, n_in) = (panels * INT8_PANEL, quads * INT8_QUAD);
        let rounding = Rounding { block_width, bits };
        Case { n_rows, n_out, n_in, rounding, largest, is_extreme, seed }.check();
    }
}

/// The kernels of a browser.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen_test::wasm_bindgen_test]
fn every_kernel_gives_the_scalar_sums() {
    for seed in 0..60u64 {
        let (rows, panels, quads) = (seed as usize % 11, seed as usize % 3 + 1, seed as usize * 7 % 70 + 1);
        let block_width = [4, 64, 256][seed as usize % 3];
        let rounding = Rounding { block_width, bits: ActivationBits::ALL[seed as usize / 2 % 2] };
        let (n_out, n_in) = (panels * INT8_PANEL, quads * INT8_QUAD);
        let largest = LARGEST[seed as usize / 4 % LARGEST.len()];
        Case { n_rows: rows, n_out, n_in, rounding, largest, is_extreme: seed % 4 == 0, seed }.check();
    }
}
