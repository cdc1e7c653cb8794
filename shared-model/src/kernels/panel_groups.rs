//! The panels that one task multiplies: some at once, so that a value of a row is read once for all of them.

use crate::parallel::n_threads;
use crate::weights::packing::INT8_PANEL;
use std::ops::Range;

/// Most panels at once: with eight rows, as many sums as the registers of AVX-512 hold beside the operands.
pub(crate) const MOST_PANELS: usize = 3;

/// Tasks for each thread: with fewer, one thread would wait long for another.
const TASKS_PER_THREAD: usize = 4;

/// Returns whether so many tasks keep all threads busy to the end.
pub(crate) fn occupies_threads(n_tasks: usize) -> bool {
    n_tasks >= TASKS_PER_THREAD * n_threads()
}

/// The panels of some output channels in groups.
#[derive(Clone)]
pub(crate) struct PanelGroups {
    panels: Range<usize>,
    panels_at_once: usize,
}

impl PanelGroups {
    /// Takes channels in whole panels, so many panels at once.
    pub fn new(channels: Range<usize>, panels_at_once: usize) -> Self {
        let is_whole = |channel: usize| channel.is_multiple_of(INT8_PANEL);
        assert!(is_whole(channels.start) && is_whole(channels.end), "channels {channels:?} are no whole panels");
        assert!((1..=MOST_PANELS).contains(&panels_at_once), "{panels_at_once} panels at once");
        Self { panels: channels.start / INT8_PANEL..channels.end / INT8_PANEL, panels_at_once }
    }

    /// Takes [`MOST_PANELS`] at once, or one where the threads would have too few tasks. A group is `n_tasks`.
    pub fn for_threads(channels: Range<usize>, n_tasks: usize) -> Self {
        let most = Self::new(channels, MOST_PANELS);
        let panels_at_once = if occupies_threads(most.len() * n_tasks) { MOST_PANELS } else { 1 };
        Self { panels_at_once, ..most }
    }

    /// Returns the number of groups.
    pub fn len(&self) -> usize {
        self.panels.len().div_ceil(self.panels_at_once)
    }

    /// Returns the panels of one group.
    pub fn group(&self, index: usize) -> Range<usize> {
        let first = self.panels.start + index * self.panels_at_once;
        first..self.panels.end.min(first + self.panels_at_once)
    }

    /// Returns the panels of each group.
    pub fn groups(&self) -> impl Iterator<Item = Range<usize>> {
        (0..self.len()).map(|index| self.group(index))
    }
}
