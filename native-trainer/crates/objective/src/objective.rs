//! Which loss is computed, and its constants.

use super::{Captions, LocalPairs, N_WHOLE_CAPTIONS, OntologyTargets, Variant};
use anyhow::{Result, bail, ensure};
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
}
