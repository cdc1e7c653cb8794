//! Which captions weight the patches of which image, and their targets.

use super::captions::Captions;
use super::contrast::Targets;
use super::variant::N_WHOLE_CAPTIONS;

/// The captions that each image's patches are summed for: K an image.
#[derive(Clone, Debug)]
pub struct LocalPairs {
    /// Captions K an image.
    pub n_queries: usize,
    /// `[B * K]`, sample-major: rows of the text features.
    pub text_rows: Vec<usize>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Released,
    Paper,
}

impl LocalPairs {
    /// The reference's pairs: image i with caption i of the flat list, whichever sample it belongs to.
    pub fn released(captions: &Captions) -> Self {
        let text_rows = captions.rows[..captions.n_samples()].to_vec();
        Self { n_queries: 1, text_rows, kind: Kind::Released }
    }

    /// The paper's pairs: image i with its own sub-captions; none if there are no sub-captions.
    pub fn paper(captions: &Captions) -> Option<Self> {
        let n_queries = captions.n_kinds.checked_sub(N_WHOLE_CAPTIONS).filter(|&n| n > 0)?;
        let samples = captions.rows.chunks_exact(captions.n_kinds);
        let text_rows = samples.flat_map(|sample| sample[N_WHOLE_CAPTIONS..].iter().copied()).collect();
        Some(Self { n_queries, text_rows, kind: Kind::Paper })
    }

    /// The target text of each query `sample * K + k`.
    ///
    /// The reference's single vector of a sample has as targets the sample's captions, except those among the first B
    /// of the flat list. The paper's vector of a sub-caption has that sub-caption as target.
    pub fn targets(&self, captions: &Captions, weights: &[f32]) -> Targets {
        let n_kinds = captions.n_kinds;
        let valid = captions.valid(false).into_iter();
        let weight = |sample: usize, kind: usize| weights[sample * n_kinds + kind];
        match self.kind {
            Kind::Released => Targets::from_pairs(
                valid
                    .filter(|&(sample, kind)| sample * n_kinds + kind >= captions.n_samples())
                    .map(|(sample, kind)| (sample, captions.row(sample, kind), weight(sample, kind))),
            ),
            Kind::Paper => {
                Targets::from_pairs(valid.filter(|&(_, kind)| kind >= N_WHOLE_CAPTIONS).map(|(sample, kind)| {
                    let query = sample * self.n_queries + kind - N_WHOLE_CAPTIONS;
                    (query, captions.row(sample, kind), weight(sample, kind))
                }))
            }
        }
    }
}
