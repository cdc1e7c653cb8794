//! MAKE's training objective (arXiv 2505.09372) on given features, with its gradients.
//!
//! MKCL contrasts an image with all captions of its sample at once. SLRA contrasts a caption with the patches that are
//! similar to it. Sub-captions are weighted by their similarity to the diagnosis. There are these variants:
//! [`Variant::Released`] computes what the reference's code computes, its indexing included, and reproduces its
//! checkpoint; [`Variant::Paper`] computes what the paper says; [`Variant::Omake`] adds O-MAKE's soft targets along an
//! ontology; [`Variant::Clip`] is the plain contrastive baseline, and [`Variant::SigLip`] the one with a sigmoid for
//! each pair.
//!
//! No logit of two captions is ever formed. A caption that occurs m times in a batch is one row of the text features
//! and enters every denominator with the weight m, which gives the same numbers as m rows would; the largest matrix
//! is `[B, distinct captions]` f32, of which two or three are alive at a time. At B = 2048 with 8,000 distinct
//! captions that is 65 MB each, where the reference's 11 B x 11 B logits take 2 GB each.

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `dermake_process::print` does not

mod captions;
mod contrast;
mod diagnosis;
mod features;
mod lineage;
mod local;
mod mkcl;
mod ontology;
mod row_sums;
mod share;
mod sigmoid;
mod variant;

pub use captions::Captions;
pub use contrast::LOGITS_AT_ONCE;
pub use features::{Features, Loss};
pub use lineage::Lineage;
pub use local::LocalPairs;
pub use ontology::OntologyTargets;
pub use row_sums::sum_rows_by_key;
pub use share::Share;
pub use sigmoid::PairLogits;
pub use variant::{N_WHOLE_CAPTIONS, Variant};

use anyhow::{Result, bail, ensure};
use candle_core::Tensor;
use contrast::Contrast;
use diagnosis::diagnosis_weights;
use mkcl::Mkcl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The objective and its constants, as a recipe states them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Objective {
    /// What is computed: `released` as MAKE's code, `paper` as MAKE's paper, `omake` with O-MAKE's soft targets, `clip` each
    /// image against its caption, `siglip` each pair of an image and a caption by itself.
    pub variant: Variant,
    /// Factor of MKCL, which compares images with all their captions: the paper's lambda_m.
    #[serde(default = "default_lambda_m")]
    pub lambda_m: f64,
    /// Factor of SLRA, which compares the patches of images with sub-captions: the paper's lambda_s.
    #[serde(default = "default_lambda_s")]
    pub lambda_s: f64,
    /// Patches less similar than this to a caption do not count for it. The reference trains with 0.
    #[serde(default)]
    pub sigma: f64,
    /// Whether sub-captions count by their similarity to the ontology caption.
    #[serde(default = "yes")]
    pub diagnosis_weights: bool,
    /// Whether captions with mask 0 stay negatives in every denominator, as in the reference.
    #[serde(default = "yes")]
    pub masked_captions_are_negatives: bool,
    /// O-MAKE's soft targets: constants of `omake`, and with `released` what O-MAKE's code computes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ontology: Option<OntologyTargets>,
}

fn default_lambda_m() -> f64 {
    1.0
}

fn default_lambda_s() -> f64 {
    0.7
}

fn yes() -> bool {
    true
}

impl Objective {
    /// Returns a variant with default constants.
    pub fn of(variant: Variant) -> Self {
        Self {
            variant,
            lambda_m: default_lambda_m(),
            lambda_s: default_lambda_s(),
            sigma: 0.0,
            diagnosis_weights: true,
            masked_captions_are_negatives: true,
            ontology: None,
        }
    }

    /// # Errors
    /// Names a constant with which no loss is computed.
    pub fn validate(&self) -> Result<()> {
        for (name, factor) in [("lambda_m", self.lambda_m), ("lambda_s", self.lambda_s)] {
            ensure!(factor.is_finite() && factor >= 0.0, "{name} is {factor}, expected 0 or more");
        }
        ensure!(
            self.variant.has_one_caption() || self.lambda_m + self.lambda_s > 0.0,
            "lambda_m and lambda_s are 0, expected one of them above 0"
        );
        ensure!(
            (-1.0..1.0).contains(&self.sigma),
            "sigma is {}, expected a cosine of -1 or more and below 1",
            self.sigma
        );
        match (&self.ontology, self.variant) {
            (Some(targets), Variant::Released | Variant::Omake) => targets.validate(),
            (Some(_), Variant::Paper) => bail!("soft targets beside the paper's terms are the variant \"omake\""),
            (Some(_), variant) => bail!("the variant {:?} has no ontology", variant.name()),
            (None, _) => Ok(()),
        }
    }

    /// O-MAKE's soft targets, if the objective has them.
    pub fn soft_targets(&self) -> Option<OntologyTargets> {
        match self.variant {
            Variant::Omake => Some(self.ontology.unwrap_or_default()),
            _ => self.ontology,
        }
    }

    /// The objective in an epoch, counted from 0.
    pub fn at_epoch(&self, epoch: usize) -> Self {
        let ontology = self.soft_targets().map(|targets| targets.at_epoch(epoch));
        Self { ontology, ..self.clone() }
    }

    /// Captions of a sample that the loss looks at, from the first on; without it, all.
    pub fn n_captions(&self) -> Option<usize> {
        self.variant.has_one_caption().then_some(1)
    }

    /// Captions that an image's patches are summed for, of samples with `n_kinds` captions; 0 without a local term.
    pub fn n_local(&self, n_kinds: usize) -> usize {
        match self.variant {
            Variant::Clip | Variant::SigLip => 0,
            _ if n_kinds == 1 || self.lambda_s == 0.0 => 0,
            Variant::Released => 1,
            Variant::Paper | Variant::Omake => n_kinds.saturating_sub(N_WHOLE_CAPTIONS),
        }
    }

    /// Returns whether a caption of this kind with mask 1 is part of the loss.
    pub fn counts(&self, kind: usize) -> bool {
        match self.variant {
            Variant::Clip | Variant::SigLip => kind == 0,
            Variant::Paper | Variant::Omake if self.lambda_m == 0.0 => kind >= N_WHOLE_CAPTIONS,
            Variant::Paper | Variant::Omake | Variant::Released => true,
        }
    }

    /// Returns whether a batch with these captions has a loss.
    pub fn has_targets(&self, captions: &Captions) -> bool {
        captions.valid(false).into_iter().any(|(_, kind)| self.counts(kind))
    }

    /// Which captions each image's patches are summed for; none when there is no local term.
    pub fn local_pairs(&self, captions: &Captions) -> Option<LocalPairs> {
        match self.variant {
            _ if self.n_local(captions.n_kinds) == 0 => None,
            Variant::Clip | Variant::SigLip => None,
            Variant::Released => Some(LocalPairs::released(captions)),
            Variant::Paper | Variant::Omake => LocalPairs::paper(captions),
        }
    }

    /// Loss and gradients of a batch.
    ///
    /// `logit_scale` is the factor itself, not its logarithm. Terms without a single valid caption are zero, where
    /// the reference's are NaN.
    ///
    /// # Errors
    /// For `siglip`, whose loss is [`Self::pairwise_loss`].
    pub fn loss(&self, features: &Features, captions: &Captions, logit_scale: f64) -> Result<Loss> {
        self.loss_of_share(features, captions, logit_scale, &Share::whole(captions))
    }

    /// The part of [`Self::loss`] whose queries are in a share of the batch. The sums over shares that cover the batch are
    /// its loss and its gradients.
    ///
    /// # Shapes
    /// - `features.local`: `[b, K, E]`, of the share's b images; so is the gradient returned. The other features and
    ///   gradients are those of the whole batch.
    ///
    /// # Errors
    /// For `siglip`, whose loss is [`Self::pairwise_loss_of_share`].
    pub fn loss_of_share(
        &self,
        features: &Features,
        captions: &Captions,
        logit_scale: f64,
        share: &Share,
    ) -> Result<Loss> {
        if self.variant == Variant::SigLip {
            bail!("the objective `siglip` needs a logit bias");
        }
        let weights = self.caption_weights(features, captions)?;
        let counts = captions.multiplicities(self.masked_captions_are_negatives);
        let text_contrast = Contrast::with_counts(&features.text, &counts, logit_scale)?;
        let Mkcl { images_to_texts: i2t, texts_to_images: t2i } =
            mkcl::mkcl(self, features, captions, &weights, &text_contrast, share)?;
        let lambda_m = if self.variant == Variant::Clip { 1.0 } else { self.lambda_m };
        let half = lambda_m / 2.0;
        let (mut text, mut local_gradient) = (((i2t.keys + t2i.queries)? * half)?, None);
        let mut scalars = vec![i2t.loss, t2i.loss, i2t.logit_scale, t2i.logit_scale];
        if let (Some(pairs), Some(local)) = (self.local_pairs(captions), &features.local) {
            let (n_samples, n_queries, width) = local.dims3()?;
            let queries = local.reshape((n_samples * n_queries, width))?;
            let own = share.images.start * n_queries..share.images.end * n_queries;
            let term = text_contrast.term(&queries, &pairs.targets(captions, &weights).of_queries(&own))?;
            local_gradient = Some((term.queries * self.lambda_s)?.reshape(local.shape())?);
            text = (text + (term.keys * self.lambda_s)?)?;
            scalars.extend([term.loss, term.logit_scale]);
        }
        // The one time that the host waits for the loss.
        let scalars = Tensor::stack(&scalars, 0)?.to_vec1::<f64>()?;
        let (slra, of_slra) = scalars.get(4..6).map_or((0.0, 0.0), |term| (term[0], term[1]));
        Ok(Loss {
            mkcl: half * (scalars[0] + scalars[1]),
            slra: self.lambda_s * slra,
            image: ((i2t.queries + t2i.keys)? * half)?,
            text,
            local: local_gradient,
            logit_scale: half * (scalars[2] + scalars[3]) + self.lambda_s * of_slra,
            logit_bias: 0.0,
        })
    }

    /// Loss and gradients of a batch for `siglip`, as [`Self::loss`].
    pub fn pairwise_loss(&self, features: &Features, captions: &Captions, logits: PairLogits) -> Result<Loss> {
        self.pairwise_loss_of_share(features, captions, logits, &Share::whole(captions))
    }

    /// The part of [`Self::pairwise_loss`] whose images are in a share of the batch, as [`Self::loss_of_share`].
    pub fn pairwise_loss_of_share(
        &self,
        features: &Features,
        captions: &Captions,
        logits: PairLogits,
        share: &Share,
    ) -> Result<Loss> {
        sigmoid::loss(features, captions, logits, self.masked_captions_are_negatives, &share.images)
    }

    /// Weight of each caption as a target, `[B * N]`, sample-major.
    pub fn caption_weights(&self, features: &Features, captions: &Captions) -> Result<Vec<f32>> {
        let has_weights = self.diagnosis_weights && !self.variant.has_one_caption();
        if !has_weights || captions.n_kinds <= N_WHOLE_CAPTIONS {
            return Ok(vec![1.0; captions.rows.len()]);
        }
        diagnosis_weights(&features.text, captions, self.variant)
    }
}

#[cfg(test)]
mod tests;
