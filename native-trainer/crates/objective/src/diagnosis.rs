//! Diagnosis-guided weights: a sub-caption is weighted by its similarity to the ontology caption.

use super::captions::Captions;
use super::variant::{N_WHOLE_CAPTIONS, Variant};
use anyhow::Result;
use candle_core::{D, Tensor};

/// Weights `[B * N]`, sample-major, through which no gradient flows.
///
/// Of a sample whose ontology caption is there: the softmax over its valid sub-captions of their similarity to the
/// ontology caption, without temperature, divided by its maximum; 0 for sub-captions that are not there. 1 for
/// everything else. [`Variant::Released`] takes the similarities from other rows, as the reference does: it cuts the
/// sample-major list as if it were kind-major, so that sample i and sub-caption k meet as rows `B + i` and
/// `(3 + k) B + i`. Where the reference gives NaN (a valid ontology caption without any valid sub-caption), the
/// weights are 0; nothing reads them.
pub fn diagnosis_weights(text_features: &Tensor, captions: &Captions, variant: Variant) -> Result<Vec<f32>> {
    let (n_samples, n_kinds) = (captions.n_samples(), captions.n_kinds);
    let n_subcaptions = n_kinds - N_WHOLE_CAPTIONS;
    let position = |sample: usize, kind: usize| match variant {
        Variant::Released => kind * n_samples + sample,
        _ => sample * n_kinds + kind,
    };
    let gather = |positions: Vec<usize>| -> Result<Tensor> {
        let rows: Vec<u32> = positions.into_iter().map(|position| captions.rows[position] as u32).collect();
        Ok(text_features.index_select(&Tensor::new(rows, text_features.device())?, 0)?)
    };
    let pairs: Vec<(usize, usize)> =
        (0..n_samples * n_subcaptions).map(|pair| (pair / n_subcaptions, pair % n_subcaptions)).collect();
    let ontology = gather(pairs.iter().map(|&(sample, _)| position(sample, 1)).collect())?;
    let subcaptions = gather(pairs.iter().map(|&(sample, k)| position(sample, N_WHOLE_CAPTIONS + k)).collect())?;
    let similarities = (ontology * subcaptions)?.sum(D::Minus1)?.to_vec1::<f32>()?;

    let mut weights = vec![1.0; n_samples * n_kinds];
    for (sample, similarities) in similarities.chunks_exact(n_subcaptions).enumerate() {
        if !captions.is_valid(sample, 1) {
            continue;
        }
        let is_valid = |k: usize| captions.is_valid(sample, N_WHOLE_CAPTIONS + k);
        // Softmax divided by its maximum: the sums cancel.
        let valid = similarities.iter().enumerate().filter(|&(k, _)| is_valid(k));
        let max = valid.map(|(_, &similarity)| similarity).fold(f32::NEG_INFINITY, f32::max);
        for (k, &similarity) in similarities.iter().enumerate() {
            let weight = if is_valid(k) { (similarity - max).exp() } else { 0.0 };
            weights[sample * n_kinds + N_WHOLE_CAPTIONS + k] = weight;
        }
    }
    Ok(weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn the_nearest_subcaption_counts_fully_and_an_absent_one_not_at_all() {
        let features = [[1f32, 0.0], [1.0, 0.0], [0.0, 1.0], [0.6, 0.8], [0.8, 0.6], [1.0, 0.0]];
        let features = Tensor::new(&features, &Device::Cpu).unwrap();
        let captions = Captions::all_distinct(vec![true, true, false, true, true, false], 6);
        let weights = diagnosis_weights(&features, &captions, Variant::Paper).unwrap();
        assert_eq!(weights[..3], [1.0, 1.0, 1.0]);
        assert!((weights[3] - (-0.2f32).exp()).abs() < 1e-6);
        assert_eq!(weights[4..], [1.0, 0.0]);
    }

    #[test]
    fn a_sample_without_subcaptions_has_finite_weights() {
        let features = Tensor::ones((5, 2), candle_core::DType::F32, &Device::Cpu).unwrap();
        let captions = Captions::all_distinct(vec![true, true, true, false, false], 5);
        let weights = diagnosis_weights(&features, &captions, Variant::Released).unwrap();
        assert_eq!(weights, [1.0, 1.0, 1.0, 0.0, 0.0]);
    }
}
