//! The part of a batch's loss that one of several ranks computes.

use super::captions::Captions;
use super::contrast::{Contrast, ContrastTerm, Targets};
use anyhow::Result;
use candle_core::Tensor;
use std::ops::Range;

/// Some images and some distinct captions of a batch: the queries of a part of its loss. Their keys are all others, and
/// the weights of targets are divided by the sum over the whole batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    pub images: Range<usize>,
    /// Rows of the text features.
    pub texts: Range<usize>,
}

impl Share {
    /// Everything.
    pub fn whole(captions: &Captions) -> Self {
        Self { images: 0..captions.n_samples(), texts: 0..captions.n_rows }
    }
}

/// The term of the queries in `own`; the gradient of the queries has the rows of all, zeros in those of others.
pub(super) fn term(
    contrast: &Contrast<'_>,
    queries: &Tensor,
    targets: &Targets,
    own: &Range<usize>,
) -> Result<ContrastTerm> {
    let n_rows = queries.dim(0)?;
    if own.len() == n_rows {
        return contrast.term(queries, targets);
    }
    if own.is_empty() {
        return contrast.term(queries, &Targets::default());
    }
    let term = contrast.term(&queries.narrow(0, own.start, own.len())?, &targets.of_queries(own))?;
    let queries = term.queries.pad_with_zeros(0, own.start, n_rows - own.end)?;
    Ok(ContrastTerm { queries, ..term })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Features, Lineage, Objective, OntologyTargets, PairLogits, Variant};
    use candle_core::Device;

    fn random_unit(n: usize, width: usize, seed: usize) -> Tensor {
        let values = (0..n * width).map(|i| (((i + 1) * (seed + 7919)) as f32 * 0.618).sin()).collect::<Vec<_>>();
        let rows = Tensor::from_vec(values, (n, width), &Device::Cpu).unwrap();
        rows.broadcast_div(&rows.sqr().unwrap().sum_keepdim(1).unwrap().sqrt().unwrap()).unwrap()
    }

    fn difference(left: &Tensor, right: &Tensor) -> f32 {
        let difference = (left - right).unwrap().abs().unwrap().flatten_all().unwrap();
        difference.max(0).unwrap().to_scalar().unwrap()
    }

    #[test]
    fn the_parts_of_a_batch_add_up_to_its_loss() {
        let (n_samples, n_kinds, width) = (7, 6, 8);
        let names: Vec<usize> = (0..n_samples * n_kinds).map(|at| at * 7 % 23).collect();
        let mask = (0..names.len()).map(|at| at % 5 != 3).collect();
        let (mut captions, distinct) = Captions::distinct(&names, mask, n_kinds);
        captions.lineages = [&[0, 1][..], &[0, 2], &[], &[0, 1], &[3], &[3, 4, 5], &[]].map(Lineage::new).into();
        // The last share has no text, and the first no image.
        let n_texts = distinct.len();
        let shares = [(0..0, 0..4), (0..5, 4..n_texts), (5..7, n_texts..n_texts)];
        let of_omakes_code = Objective {
            ontology: Some(OntologyTargets { temperature: 0.4, ..OntologyTargets::default() }),
            ..Objective::of(Variant::Released)
        };
        for objective in Variant::ALL.map(Objective::of).into_iter().chain([of_omakes_code]) {
            let variant = objective.variant;
            let local = objective.local_pairs(&captions).map(|pairs| {
                let features = random_unit(n_samples * pairs.n_queries, width, 3);
                features.reshape((n_samples, pairs.n_queries, width)).unwrap()
            });
            let features =
                Features { image: random_unit(n_samples, width, 1), text: random_unit(n_texts, width, 2), local };
            let loss = |features: &Features, share: &Share| match variant {
                Variant::SigLip => {
                    let logits = PairLogits { scale: 9.0, bias: -3.0 };
                    objective.pairwise_loss_of_share(features, &captions, logits, share).unwrap()
                }
                _ => objective.loss_of_share(features, &captions, 9.0, share).unwrap(),
            };
            let whole = loss(&features, &Share::whole(&captions));
            let parts = shares.clone().map(|(images, texts)| {
                let of_images = |local: &Tensor| local.narrow(0, images.start, images.len()).unwrap();
                let local = features.local.as_ref().filter(|_| !images.is_empty()).map(of_images);
                let features = Features { local, ..features.clone() };
                loss(&features, &Share { images: images.clone(), texts })
            });
            let sum = |value: fn(&crate::Loss) -> f64| parts.iter().map(value).sum::<f64>();
            assert!((sum(|loss| loss.mkcl) - whole.mkcl).abs() < 1e-6, "{variant:?}");
            assert!((sum(|loss| loss.slra) - whole.slra).abs() < 1e-6, "{variant:?}");
            assert!((sum(|loss| loss.logit_bias) - whole.logit_bias).abs() < 1e-6, "{variant:?}");
            assert!((sum(|loss| loss.logit_scale) - whole.logit_scale).abs() < 1e-6, "{variant:?}");
            let added = |gradient: fn(&crate::Loss) -> &Tensor| {
                parts.iter().map(gradient).cloned().reduce(|sum, part| (sum + part).unwrap()).unwrap()
            };
            assert!(difference(&added(|loss| &loss.image), &whole.image) < 1e-6, "{variant:?}");
            assert!(difference(&added(|loss| &loss.text), &whole.text) < 1e-6, "{variant:?}");
            if let Some(expected) = &whole.local {
                let local: Vec<&Tensor> = parts.iter().filter_map(|loss| loss.local.as_ref()).collect();
                assert!(difference(&Tensor::cat(&local, 0).unwrap(), expected) < 1e-6, "{variant:?}");
            }
        }
    }
}
