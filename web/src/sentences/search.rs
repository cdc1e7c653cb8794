//! What the table of many photos says of a search.

use crate::language::Catalog;
use crate::state::{Batch, Sort};
use crate::texts;

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

/// A similarity, with three decimals as the command line's.
pub fn similarity(catalog: &Catalog, similarity: f32) -> String {
    catalog.decimal(format_args!("{similarity:.3}"))
}
