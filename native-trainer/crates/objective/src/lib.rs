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
mod objective;
mod ontology;
#[cfg(test)]
#[path = "../../../../shared-model/tests/support/random.rs"]
mod random;
mod row_sums;
mod share;
mod sigmoid;
mod variant;

pub use captions::Captions;
pub use contrast::LOGITS_AT_ONCE;
pub use features::{Features, Loss};
pub use lineage::Lineage;
pub use local::LocalPairs;
pub use objective::Objective;
pub use ontology::OntologyTargets;
pub use row_sums::sum_rows_by_key;
pub use share::Share;
pub use sigmoid::PairLogits;
pub use variant::{N_WHOLE_CAPTIONS, Variant};

use anyhow::{Result, bail};
use candle_core::Tensor;
use contrast::Contrast;
use diagnosis::diagnosis_weights;
use mkcl::Mkcl;

impl Objective {
    /// Loss and gradients of a batch.
    ///
    /// `logit_scale` is the factor itself, not its logarithm. Terms without a single valid caption are zero, where
    /// the reference's are NaN.
    ///
    /// # Errors
    /// For `siglip`, whose loss is [`Self::pairwise_loss_of_share`].
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

    /// The part of the loss of `siglip` whose images are in a share of the batch, with its gradients, as
    /// [`Self::loss_of_share`].
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
