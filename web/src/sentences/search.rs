//! What the table of many photos says of a search.

use super::megabytes;
use crate::language::Catalog;
use crate::state::{Batch, Sort};
use crate::texts;
use crate::worker::protocol::{FeatureKeeping, MAX_KEPT_MEGABYTES};

/// What the photos are ordered by or compared with, and which is most similar; nothing until a photo is compared.
pub fn search(catalog: &Catalog, batch: &Batch) -> Option<String> {
    let searched = batch.searched()?;
    let most_similar = batch.most_similar()?;
    let order = match batch.view.sort == Sort::Similarity && batch.view.is_descending {
        true => texts::table_ordered(catalog, searched),
        false => texts::table_compared(catalog, searched),
    };
    Some([order, texts::table_most_similar(catalog, most_similar)].join(" "))
}

/// What keeping features does.
pub fn keeping_hint(catalog: &Catalog) -> String {
    texts::table_keep_hint(catalog, MAX_KEPT_MEGABYTES)
}

/// How much is kept, or why nothing more is; nothing if nothing is kept and nobody wants it.
pub fn feature_keeping(catalog: &Catalog, keeping: FeatureKeeping, is_on: bool) -> Option<String> {
    match keeping {
        FeatureKeeping::Kept { n_bytes: 0 } if !is_on => None,
        FeatureKeeping::Kept { n_bytes } => Some(texts::table_kept_size(catalog, &megabytes(catalog, n_bytes))),
        FeatureKeeping::Full { n_bytes } => Some(texts::table_kept_full(catalog, &megabytes(catalog, n_bytes))),
        FeatureKeeping::Unavailable => Some(texts::table_kept_unavailable(catalog)),
    }
}

/// A similarity, with three decimals as the command line's.
pub fn similarity(catalog: &Catalog, similarity: f32) -> String {
    catalog.decimal(format_args!("{similarity:.3}"))
}
