//! MAKE's training objective (arXiv 2505.09372) on given features, with its gradients.
//!
//! MKCL contrasts an image with all captions of its sample at once; SLRA contrasts what a caption sees of the image's
//! patches with that caption; sub-captions count by how near they stand to the diagnosis. Three variants:
//! [`Variant::Released`] computes what the reference's code computes, its indexing included, and reproduces its
//! checkpoint; [`Variant::Paper`] computes what the paper says; [`Variant::Clip`] is the plain contrastive baseline.
//!
//! No logit of two captions is ever formed. A caption that occurs m times in a batch is one row of the text features
//! and enters every denominator with the weight m, which gives the same numbers as m rows would; the largest matrix
//! is `[B, distinct captions]` f32, of which two or three are alive at a time. At B = 2048 with 8,000 distinct
//! captions that is 65 MB each, where the reference's 11 B x 11 B logits take 2 GB each.

mod captions;
mod contrast;
mod diagnosis;
mod local;

pub use captions::Captions;
pub use contrast::{Contrast, ContrastTerm, Targets};
pub use diagnosis::diagnosis_weights;
pub use local::LocalPairs;

use anyhow::Result;
use candle_core::Tensor;
use serde::{Deserialize, Serialize};

/// Captions of a sample that are not sub-captions: original, ontology, visual concepts.
pub const N_WHOLE_CAPTIONS: usize = 3;

/// Which reading of the objective is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Variant {
    /// The reference's code, quirks included: the weights compare captions of other samples, and the local term has
    /// one vector a sample, from caption `i` of the whole batch, and leaves out the batch's first B captions.
    Released,
    /// The paper: own ontology against own sub-captions, one local vector a sub-caption.
    Paper,
    /// Image against its original caption, both ways.
    Clip,
}

/// The objective and its constants, as a recipe states them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Objective {
    pub variant: Variant,
    /// Factor of MKCL, the paper's lambda_m.
    #[serde(default = "default_lambda_m")]
    pub lambda_m: f64,
    /// Factor of SLRA, the paper's lambda_s.
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

/// The features of a whole batch, f32, rows of unit length but for the local ones.
#[derive(Clone, Debug)]
pub struct Features {
    /// `[B, E]`
    pub image: Tensor,
    /// `[D, E]`, one row a distinct caption of [`Captions`].
    pub text: Tensor,
    /// `[B, K, E]`: the patches of image i summed for each caption of [`Objective::local_pairs`]; none for `clip`.
    pub local: Option<Tensor>,
}

/// The loss of a batch, and the gradient of the total.
#[derive(Clone, Debug)]
pub struct Loss {
    /// lambda_m * MKCL
    pub mkcl: f64,
    /// lambda_s * SLRA
    pub slra: f64,
    /// Gradients in the shapes of [`Features`].
    pub image: Tensor,
    pub text: Tensor,
    pub local: Option<Tensor>,
    /// Gradient of the scale itself; that of its logarithm is this times the scale.
    pub logit_scale: f64,
}

impl Loss {
    pub fn total(&self) -> f64 {
        self.mkcl + self.slra
    }
}

impl Objective {
    /// Which captions each image's patches are summed for; none when there is no local term.
    pub fn local_pairs(&self, captions: &Captions) -> Option<LocalPairs> {
        match self.variant {
            Variant::Clip => None,
            _ if captions.n_kinds == 1 || self.lambda_s == 0.0 => None,
            Variant::Released => Some(LocalPairs::released(captions)),
            Variant::Paper => LocalPairs::paper(captions),
        }
    }

    /// Loss and gradients of a batch.
    ///
    /// `logit_scale` is the factor itself, not its logarithm. Terms without a single valid caption are zero, where
    /// the reference's are NaN.
    pub fn loss(&self, features: &Features, captions: &Captions, logit_scale: f64) -> Result<Loss> {
        let weights = self.caption_weights(features, captions)?;
        let counts = captions.multiplicities(self.masked_captions_are_negatives);
        let text_contrast = Contrast::with_counts(&features.text, &counts, logit_scale)?;
        let image_contrast = Contrast::new(&features.image, logit_scale);

        let lambda_m = if self.variant == Variant::Clip { 1.0 } else { self.lambda_m };
        let valid = captions.valid(self.variant == Variant::Clip);
        let images_to_texts = Targets::from_pairs(valid.iter().map(|&(sample, kind)| {
            (sample, captions.row(sample, kind), weights[sample * captions.n_kinds + kind])
        }));
        let texts_to_images =
            Targets::from_pairs(valid.iter().map(|&(sample, kind)| (captions.row(sample, kind), sample, 1.0)));
        let i2t = text_contrast.term(&features.image, &images_to_texts)?;
        let t2i = image_contrast.term(&features.text, &texts_to_images)?;
        let half = lambda_m / 2.0;
        let mut loss = Loss {
            mkcl: half * (i2t.loss + t2i.loss),
            slra: 0.0,
            image: ((i2t.queries + t2i.keys)? * half)?,
            text: ((i2t.keys + t2i.queries)? * half)?,
            local: None,
            logit_scale: half * (i2t.logit_scale + t2i.logit_scale),
        };
        if let (Some(pairs), Some(local)) = (self.local_pairs(captions), &features.local) {
            let (n_samples, n_queries, width) = local.dims3()?;
            let queries = local.reshape((n_samples * n_queries, width))?;
            let term = text_contrast.term(&queries, &pairs.targets(captions, &weights))?;
            loss.slra = self.lambda_s * term.loss;
            loss.local = Some((term.queries * self.lambda_s)?.reshape(local.shape())?);
            loss.text = (loss.text + (term.keys * self.lambda_s)?)?;
            loss.logit_scale += self.lambda_s * term.logit_scale;
        }
        Ok(loss)
    }

    /// How much each caption counts as a target, `[B * N]`, sample-major.
    pub fn caption_weights(&self, features: &Features, captions: &Captions) -> Result<Vec<f32>> {
        let has_weights = self.diagnosis_weights && self.variant != Variant::Clip;
        if !has_weights || captions.n_kinds <= N_WHOLE_CAPTIONS {
            return Ok(vec![1.0; captions.rows.len()]);
        }
        diagnosis_weights(&features.text, captions, self.variant)
    }
}
