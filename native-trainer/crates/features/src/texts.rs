//! Texts through the text tower, until a stop is requested.

use anyhow::{Result, bail};
use candle_core::Tensor;
use dermake_process::interrupt::{self, Interrupted};
use shared_model::TextBatches;

/// Encodes texts; returns their features `[n, E]` f32, rows of unit length. Calls `progress` after each batch with the
/// numbers of encoded and of all different texts.
///
/// # Errors
/// [`Interrupted`] if a stop is requested before the last batch; when the model fails.
pub fn encode_batches(mut batches: TextBatches<'_>, progress: &mut dyn FnMut(usize, usize)) -> Result<Tensor> {
    while batches.encode_next()? {
        let (n_encoded, n_all) = (batches.n_encoded(), batches.n_distinct());
        progress(n_encoded, n_all);
        if n_encoded < n_all && interrupt::is_requested() {
            bail!(Interrupted);
        }
    }
    Ok(batches.into_features()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dermake_process::interrupt::CallStop;
    use shared_model::demo;
    use shared_model::weights::Placement;

    #[test]
    fn a_request_stops_the_texts_after_their_batch() {
        let model = demo::model(Placement::default()).unwrap();
        let texts: Vec<String> = (0..200).map(|n| format!("a photo of {n}")).collect();
        let stop = CallStop::default();
        let mut n_batches = 0;
        let mut request = |_: usize, _: usize| {
            n_batches += 1;
            stop.request();
        };
        let stopped = stop.run(|| encode_batches(model.text_batches(&texts).unwrap(), &mut request));
        assert!(stopped.unwrap_err().is::<Interrupted>() && n_batches == 1);
        let all = encode_batches(model.text_batches(&texts).unwrap(), &mut |_, _| {}).unwrap();
        assert_eq!(all.dims(), [200, model.config.embed_dim]);
    }
}
