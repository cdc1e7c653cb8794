//! A rank's part of a batch, with the captions of the whole batch.

use super::ranks::Ranks;
use anyhow::{Result, bail};
use candle_core::Tensor;
use dermake_data::{Batch as LoadedBatch, LoaderOptions, SampleSource};
use dermake_objective::Captions;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// A batch of all ranks, of whose images one rank has a part.
pub struct RankBatch {
    /// Rows of the table, of all ranks.
    pub rows: Vec<usize>,
    /// Of this rank's images.
    pub pixels: Tensor,
    /// Of all ranks.
    pub captions: Captions,
    pub input_ids: Vec<Vec<u32>>,
    pub waited: Duration,
}

/// Makes the batches of all ranks from the loaders' parts: only row numbers are sent, since every rank has the table.
pub struct RankBatches<'a> {
    ranks: &'a Ranks,
    source: Arc<SampleSource>,
    n_captions: Option<usize>,
    max_bad_share: f64,
    /// Those that a rank could not read; rows that are bad by their cells are counted apart.
    unreadable: HashSet<usize>,
    n_bad_cells: usize,
}

impl<'a> RankBatches<'a> {
    /// `options` are those of this rank's loader.
    pub fn new(ranks: &'a Ranks, source: Arc<SampleSource>, options: &LoaderOptions) -> Self {
        let n_bad_cells = n_bad_cells(&source);
        let LoaderOptions { n_captions, max_bad_share, .. } = *options;
        Self { ranks, source, n_captions, max_bad_share, unreadable: HashSet::new(), n_bad_cells }
    }

    /// Completes this rank's part of a batch.
    ///
    /// # Errors
    /// When another rank failed, or all ranks together found too many bad rows.
    pub fn complete(&mut self, part: LoadedBatch) -> Result<RankBatch> {
        let LoadedBatch { rows, pixels, captions, input_ids, bad_rows, waited, .. } = part;
        if self.ranks.is_alone() {
            return Ok(RankBatch { rows, pixels, captions, input_ids, waited });
        }
        let of_ranks: Vec<(Vec<usize>, Vec<usize>)> = self.ranks.together(Ok((rows, bad_rows)))?;
        self.unreadable.extend(of_ranks.iter().flat_map(|(_, bad_rows)| bad_rows));
        self.check_bad_rows()?;
        let rows: Vec<usize> = of_ranks.into_iter().flat_map(|(rows, _)| rows).collect();
        let (captions, input_ids) = self.source.batch_captions(&rows, self.n_captions)?;
        Ok(RankBatch { rows, pixels, captions, input_ids, waited })
    }

    fn check_bad_rows(&self) -> Result<()> {
        let n_rows = self.source.table().n_rows_of_part();
        check_bad_rows(self.n_bad_cells + self.unreadable.len(), n_rows, self.max_bad_share)
    }
}

/// Rows of a table that are bad by their cells, which every rank knows.
pub fn n_bad_cells(source: &SampleSource) -> usize {
    source.table().n_rows_of_part() - source.table().usable_rows().count()
}

/// Checks the bad rows that all ranks have found in a table together, as the loader of one rank does.
///
/// # Errors
/// When they are more than the share that is allowed.
pub fn check_bad_rows(n_bad: usize, n_rows: usize, max_share: f64) -> Result<()> {
    if n_bad as f64 > max_share * n_rows as f64 {
        bail!(
            "{n_bad} of {n_rows} rows cannot be used, more than the share of {max_share} that `max_bad_share` allows; the \
             logs of the ranks name those that they found, and `dermake data check` lists them all"
        );
    }
    Ok(())
}
