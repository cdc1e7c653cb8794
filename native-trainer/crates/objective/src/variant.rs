//! Which captions there are, and which variant of the objective uses them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Captions of a sample that are not sub-captions: original, ontology, visual concepts.
pub const N_WHOLE_CAPTIONS: usize = 3;

/// The variant of the objective.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Variant {
    /// The reference's code, quirks included: the weights compare captions of other samples, and the local term has
    /// one vector a sample, from caption `i` of the whole batch, and leaves out the batch's first B captions.
    Released,
    /// The paper: own ontology against own sub-captions, one local vector a sub-caption.
    Paper,
    /// O-MAKE (arXiv 2512.03445): the paper's terms, where MKCL's targets are shared out along an ontology of diagnoses
    /// and captions weigh in both directions.
    Omake,
    /// Image against its original caption, both ways.
    Clip,
    /// Every pair of an image and an original caption by itself (SigLIP, arXiv 2303.15343); adds a learned bias.
    SigLip,
}

impl Variant {
    pub const ALL: [Self; 5] = [Self::Released, Self::Paper, Self::Omake, Self::Clip, Self::SigLip];

    /// Whether original captions alone count.
    pub fn has_one_caption(self) -> bool {
        matches!(self, Self::Clip | Self::SigLip)
    }

    /// As a recipe writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::Paper => "paper",
            Self::Omake => "omake",
            Self::Clip => "clip",
            Self::SigLip => "siglip",
        }
    }
}
