//! What a preparation reads, and where it writes.

use crate::aspects::MaskOrder;
use crate::hygiene::HygieneOptions;
use crate::source::Columns;
use std::path::PathBuf;

/// What to read and where to write.
#[derive(Clone, Debug)]
pub struct PrepareOptions {
    pub table: PathBuf,
    pub columns: Columns,
    /// The training table; the other files appear beside it.
    pub out: PathBuf,
    pub mask_order: MaskOrder,
    /// Captions that are read at a time; by default, one for each core.
    pub n_parallel: Option<usize>,
    pub hygiene: HygieneOptions,
}
