//! From cosines to probabilities.

/// The factor between cosines and logits that the reference uses, not the learned scale.
pub const LOGIT_FACTOR: f64 = 100.0;

/// Returns the softmax, computed in f64 so that the probabilities of many labels add up to one.
pub fn softmax(logits: &[f32]) -> Vec<f32> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = logits.iter().map(|&logit| f64::from(logit - largest).exp()).collect();
    let total: f64 = powers.iter().sum();
    powers.into_iter().map(|power| (power / total) as f32).collect()
}
