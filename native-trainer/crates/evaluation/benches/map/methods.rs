//! Ways to point at what a text is about.

use super::subject::Subject;
use super::surgery;
use anyhow::Result;
use candle_core::{D, Tensor};
use shared_model::{ImageTrace, SimilarityMap};

/// A way to point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Always the middle.
    Middle,
    /// The patch whose embedding has the largest cosine with the text.
    Raw,
    /// The same, less the mean over the labels.
    RawContrast,
    /// CLIP Surgery (Li et al., arXiv 2304.05653): value-value attention from the middle block on, and a text without
    /// what all labels share.
    Surgery,
    /// What patches add through attention to the similarity with the text.
    Ours,
    /// The same, less the mean over the labels: what `dermake map` shows.
    OursContrast,
}

/// What the methods see of one photo.
pub struct Sight {
    /// `[P, E]`, rows of unit length
    patches: Tensor,
    trace: ImageTrace,
    /// `[P, C]`
    surgery: Tensor,
}

impl Sight {
    pub fn of(subject: &Subject, pixel_values: &Tensor) -> Result<Self> {
        let mut inputs = Vec::new();
        let embeddings = subject.tower.encode_observed(pixel_values, &mut |stage, x| {
            if stage == "ln_pre" || stage == "embeddings" || stage.starts_with("block") {
                inputs.push(x.clone());
            }
        })?;
        let (_, trace) = subject.tower.image_features_with_trace(pixel_values)?;
        let patches = embeddings.patch_embeddings()?.squeeze(0)?;
        Ok(Self { patches, trace, surgery: surgery::similarities(subject, &inputs)? })
    }
}

impl Method {
    pub const ALL: [Self; 6] =
        [Self::Middle, Self::Raw, Self::RawContrast, Self::Surgery, Self::Ours, Self::OursContrast];

    pub fn name(self) -> &'static str {
        match self {
            Self::Middle => "always the middle",
            Self::Raw => "raw cosine of patches",
            Self::RawContrast => "raw cosine, less the labels' mean",
            Self::Surgery => "CLIP Surgery",
            Self::Ours => "attention's share",
            Self::OursContrast => "attention's share, less the mean",
        }
    }

    /// The middle of the patch that is most like a label, in shares of the side.
    pub fn point(self, subject: &Subject, sight: &Sight, label: usize) -> Result<(f64, f64)> {
        let weights = subject.classifier.weights();
        let text = weights.narrow(1, label, 1)?.squeeze(1)?;
        let values: Vec<f32> = match self {
            Self::Middle => return Ok((0.5, 0.5)),
            Self::Raw => cosines(&sight.patches, &text)?,
            Self::RawContrast => cosines(&sight.patches, &subject.classifier.contrast(label)?)?,
            Self::Surgery => sight.surgery.narrow(D::Minus1, label, 1)?.flatten_all()?.to_vec1()?,
            Self::Ours => subject.tower.similarity_map(&sight.trace, &text)?.values,
            Self::OursContrast => {
                subject.tower.similarity_map(&sight.trace, &subject.classifier.contrast(label)?)?.values
            }
        };
        Ok(middle_of_best(subject, values))
    }
}

/// Cosines, or products with a contrast.
fn cosines(patches: &Tensor, text: &Tensor) -> Result<Vec<f32>> {
    Ok(patches.matmul(&text.unsqueeze(1)?)?.flatten_all()?.to_vec1()?)
}

/// The middle of the patch with the largest value, in shares of the side.
fn middle_of_best(subject: &Subject, values: Vec<f32>) -> (f64, f64) {
    let side = subject.config.vision.grid_size();
    let best = values.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(at, _)| at);
    middle(best / side, best % side, side)
}

/// The middle of the maximum of a map; the middle of the picture where it has none.
pub fn middle_of_maximum(map: &SimilarityMap) -> (f64, f64) {
    map.maximum().map_or((0.5, 0.5), |(row, column)| middle(row, column, map.columns))
}

fn middle(row: usize, column: usize, side: usize) -> (f64, f64) {
    let share = |at: usize| (at as f64 + 0.5) / side as f64;
    (share(row), share(column))
}
