//! Counts the bytes of a download and reports the progress.

use super::protocol::{Progress, Stage};

/// Maximum number of reports in a download.
const N_REPORTS: u64 = 200;

/// Counts the bytes of several files, downloaded or read from storage.
pub struct ProgressCounter<'a> {
    stage: Stage,
    done: u64,
    done_before_file: u64,
    reported: u64,
    total: u64,
    on_progress: &'a dyn Fn(Progress),
}

impl<'a> ProgressCounter<'a> {
    /// Creates a counter for `total` bytes.
    pub fn new(total: u64, on_progress: &'a dyn Fn(Progress)) -> Self {
        Self { stage: Stage::Download, done: 0, done_before_file: 0, reported: 0, total, on_progress }
    }

    /// Starts counting the next file.
    pub fn begin_file(&mut self) {
        self.done_before_file = self.done;
    }

    /// Sets where the next bytes come from.
    pub fn set_stage(&mut self, stage: Stage) {
        self.stage = stage;
        self.report();
    }

    /// Adds bytes.
    pub fn add(&mut self, n_bytes: u64) {
        self.done += n_bytes;
        if (self.done - self.reported) * N_REPORTS >= self.total || self.done == self.total {
            self.report();
        }
    }

    /// Sets the number of bytes of the current file, whatever was counted before.
    pub fn set_in_file(&mut self, n_bytes: u64) {
        let done = self.done_before_file + n_bytes;
        if done != self.done {
            self.done = done;
            self.report();
        }
    }

    fn report(&mut self) {
        self.reported = self.done;
        (self.on_progress)(Progress { stage: self.stage, done: self.done, total: self.total });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn stored_bytes_count_and_a_file_that_starts_over_counts_once() {
        let reported = RefCell::new(Vec::new());
        let on_progress = |progress: Progress| reported.borrow_mut().push((progress.stage, progress.done));
        let mut counter = ProgressCounter::new(100, &on_progress);
        counter.begin_file();
        counter.set_stage(Stage::Download);
        counter.add(40);
        counter.begin_file();
        counter.set_stage(Stage::ReadStored);
        counter.add(30);
        counter.set_stage(Stage::Download);
        counter.add(10);
        counter.set_in_file(0);
        counter.add(60);
        let (down, stored) = (Stage::Download, Stage::ReadStored);
        let expected =
            [(down, 0), (down, 40), (stored, 40), (stored, 70), (down, 70), (down, 80), (down, 40), (down, 100)];
        assert_eq!(*reported.borrow(), expected);
    }

    #[test]
    fn small_chunks_are_reported_together() {
        let n_reported = RefCell::new(0);
        let on_progress = |_: Progress| *n_reported.borrow_mut() += 1;
        let mut counter = ProgressCounter::new(1_000_000, &on_progress);
        (0..1_000_000).for_each(|_| counter.add(1));
        assert_eq!(*n_reported.borrow(), N_REPORTS);
    }
}
