//! MKCL: images beside all captions and captions beside all images, with one-hot or O-MAKE's soft targets.

use super::captions::Captions;
use super::contrast::{Contrast, ContrastTerm, LOGITS_AT_ONCE, Targets};
use super::features::Features;
use super::objective::Objective;
use super::ontology::{OfUnknown, OntologyTargets, TargetShares};
use super::row_sums::sum_rows_by_key;
use super::share::{self, Share};
use super::variant::Variant;
use anyhow::Result;
use candle_core::{DType, Tensor};

/// Both cross-entropies of a share of a batch, without the factor 1/2.
pub(super) struct Mkcl {
    /// Queries are the images, keys the distinct captions.
    pub images_to_texts: ContrastTerm,
    /// The other way around.
    pub texts_to_images: ContrastTerm,
}

/// Computes MKCL. `weights` are those of [`Objective::caption_weights`], and `texts` contrasts with all captions.
pub(super) fn mkcl(
    objective: &Objective,
    features: &Features,
    captions: &Captions,
    weights: &[f32],
    texts: &Contrast<'_>,
    share: &Share,
) -> Result<Mkcl> {
    let images = Contrast::new(&features.image, texts.logit_scale());
    let soft = objective.soft_targets();
    let valid = captions.valid(objective.variant == Variant::Clip);
    let weight = |sample: usize, kind: usize| weights[sample * captions.n_kinds + kind];
    let of_texts = |sample: usize, kind: usize| match (soft, objective.variant) {
        (None, _) => 1.0,
        // O-MAKE's code takes the weight of flat caption i for all captions of image i.
        (Some(_), Variant::Released) => weights[sample],
        (Some(_), _) => weight(sample, kind),
    };
    let images_to_texts = Targets::from_pairs(
        valid.iter().map(|&(sample, kind)| (sample, captions.row(sample, kind), weight(sample, kind))),
    );
    let texts_to_images = Targets::from_pairs(
        valid.iter().map(|&(sample, kind)| (captions.row(sample, kind), sample, of_texts(sample, kind))),
    );
    let Some(soft) = soft else {
        return Ok(Mkcl {
            images_to_texts: share::term(texts, &features.image, &images_to_texts, &share.images)?,
            texts_to_images: share::term(&images, &features.text, &texts_to_images, &share.texts)?,
        });
    };
    let batch = SoftBatch { features, captions, share, logit_scale: texts.logit_scale() };
    let of_unknown = match objective.variant {
        Variant::Released => OfUnknown::Softmax,
        _ => OfUnknown::OneHot,
    };
    let keys = Groups::of_keys(captions, objective);
    Ok(Mkcl {
        images_to_texts: batch.images_to_texts(texts, &images_to_texts, &keys, &soft, of_unknown)?,
        texts_to_images: batch.texts_to_images(&images, &texts_to_images, &soft, of_unknown)?,
    })
}

/// Captions of the batch by their samples.
struct Groups {
    /// Row of the text features, sample and weight of each caption.
    rows: Vec<u32>,
    samples: Vec<u32>,
    weights: Vec<f32>,
}

impl Groups {
    /// The captions that may be targets. As in O-MAKE's code, those with mask 0 are among them in
    /// [`Variant::Released`], if they are in the denominators.
    fn of_keys(captions: &Captions, objective: &Objective) -> Self {
        let with_masked = objective.variant == Variant::Released && objective.masked_captions_are_negatives;
        let positions = (0..captions.rows.len()).filter(|&position| with_masked || captions.mask[position]);
        let (rows, samples): (Vec<u32>, Vec<u32>) = positions
            .map(|position| (captions.rows[position] as u32, (position / captions.n_kinds) as u32))
            .unzip();
        Self { weights: vec![1.0; rows.len()], rows, samples }
    }

    /// The captions of a share of the batch, as queries.
    fn of_queries(texts_to_images: &Targets, share: &Share) -> Self {
        let mut groups = Self { rows: Vec::new(), samples: Vec::new(), weights: Vec::new() };
        for (row, sample, weight) in texts_to_images.iter().filter(|&(row, ..)| share.texts.contains(&row)) {
            groups.rows.push(row as u32);
            groups.samples.push(sample as u32);
            groups.weights.push(weight);
        }
        groups
    }

    fn n_of_samples(&self, n_samples: usize) -> Vec<usize> {
        let mut counts = vec![0; n_samples];
        self.samples.iter().for_each(|&sample| counts[sample as usize] += 1);
        counts
    }

    /// For each sample, the weighted sum of its captions' features: `[B, E]` of `text` `[D, E]`.
    fn sums(&self, text: &Tensor, n_samples: usize) -> Result<Tensor> {
        sum_rows_by_key(&self.weighted(text, &self.rows)?, &self.samples, n_samples)
    }

    /// The gradient of the text features `[D, E]` from that of [`Self::sums`].
    fn gradient(&self, of_sums: &Tensor, n_rows: usize) -> Result<Tensor> {
        sum_rows_by_key(&self.weighted(of_sums, &self.samples)?, &self.rows, n_rows)
    }

    fn weighted(&self, features: &Tensor, rows: &[u32]) -> Result<Tensor> {
        let rows = features.index_select(&Tensor::new(rows, features.device())?, 0)?;
        if self.weights.iter().all(|&weight| weight == 1.0) {
            return Ok(rows);
        }
        Ok(rows.broadcast_mul(&Tensor::new(&self.weights[..], features.device())?.unsqueeze(1)?)?)
    }
}

/// A share of a batch with soft targets.
struct SoftBatch<'a> {
    features: &'a Features,
    captions: &'a Captions,
    share: &'a Share,
    logit_scale: f64,
}

impl SoftBatch<'_> {
    fn images_to_texts(
        &self,
        texts: &Contrast<'_>,
        targets: &Targets,
        keys: &Groups,
        soft: &OntologyTargets,
        of_unknown: OfUnknown,
    ) -> Result<ContrastTerm> {
        let Features { image, text, .. } = self.features;
        let n_samples = self.captions.n_samples();
        let n_keys = keys.n_of_samples(n_samples);
        let shares = TargetShares::new(&self.captions.lineages(), &n_keys, soft, of_unknown);
        let own = &self.share.images;
        let targets = targets.clone().with_own_shares(|sample, _| shares.own(sample));
        let term = share::term(texts, image, &targets, own)?;
        if own.is_empty() || targets.is_empty() {
            return Ok(term);
        }
        let mut weights = vec![0f32; n_samples];
        targets.iter().for_each(|(sample, _, weight)| weights[sample] += weight);
        let queries = image.narrow(0, own.start, own.len())?;
        let numerators = numerators(&queries, &keys.sums(text, n_samples)?, |rows| {
            let samples = own.start + rows.start..own.start + rows.end;
            shares.of_samples(samples.clone(), &weights[samples])
        })?;
        let of_queries = numerators.queries.pad_with_zeros(0, own.start, n_samples - own.end)?;
        let of_keys = keys.gradient(&numerators.keys, text.dim(0)?)?;
        self.without(term, &numerators.sum, &of_queries, &of_keys)
    }

    fn texts_to_images(
        &self,
        images: &Contrast<'_>,
        targets: &Targets,
        soft: &OntologyTargets,
        of_unknown: OfUnknown,
    ) -> Result<ContrastTerm> {
        let Features { image, text, .. } = self.features;
        let n_samples = self.captions.n_samples();
        let shares = TargetShares::new(&self.captions.lineages(), &vec![1; n_samples], soft, of_unknown);
        let targets = targets.clone().with_own_shares(|_, sample| shares.own(sample));
        let term = share::term(images, text, &targets, &self.share.texts)?;
        let own = Groups::of_queries(&targets, self.share);
        if own.rows.is_empty() {
            return Ok(term);
        }
        let ones = vec![1.0; n_samples];
        let numerators =
            numerators(&own.sums(text, n_samples)?, image, |rows| shares.of_samples(rows.clone(), &ones[rows]))?;
        let of_queries = own.gradient(&numerators.queries, text.dim(0)?)?;
        self.without(term, &numerators.sum, &of_queries, &numerators.keys)
    }

    /// The term less the logits of its soft targets.
    fn without(
        &self,
        term: ContrastTerm,
        sum: &Tensor,
        of_queries: &Tensor,
        of_keys: &Tensor,
    ) -> Result<ContrastTerm> {
        Ok(ContrastTerm {
            loss: (term.loss - (sum * self.logit_scale)?)?,
            queries: (term.queries - (of_queries * self.logit_scale)?)?,
            keys: (term.keys - (of_keys * self.logit_scale)?)?,
            logit_scale: (term.logit_scale - sum)?,
        })
    }
}

/// The weighted sum of products of queries and keys, and its gradients.
struct Numerators {
    /// One value, f64.
    sum: Tensor,
    queries: Tensor,
    keys: Tensor,
}

/// Sums `w_ij q_i.k_j` over all pairs.
///
/// # Shapes
/// - `queries`: `[n, E]`
/// - `keys`: `[m, E]`
/// - `weights`: of some queries, `[rows, m]`
fn numerators(
    queries: &Tensor,
    keys: &Tensor,
    weights: impl Fn(std::ops::Range<usize>) -> Vec<f32>,
) -> Result<Numerators> {
    let (n_queries, n_keys) = (queries.dim(0)?, keys.dim(0)?);
    let rows_at_once = (LOGITS_AT_ONCE / n_keys).max(1);
    let (mut of_queries, mut of_keys) = (Vec::new(), keys.zeros_like()?);
    for start in (0..n_queries).step_by(rows_at_once) {
        let rows = start..n_queries.min(start + rows_at_once);
        let part = queries.narrow(0, start, rows.len())?;
        let weights = Tensor::from_vec(weights(rows.clone()), (rows.len(), n_keys), queries.device())?;
        of_queries.push(weights.matmul(keys)?);
        of_keys = (of_keys + weights.t()?.matmul(&part)?)?;
    }
    let of_queries = Tensor::cat(&of_queries, 0)?;
    let sum = (queries * &of_queries)?.to_dtype(DType::F64)?.sum_all()?;
    Ok(Numerators { sum, queries: of_queries, keys: of_keys })
}
