//! How far a download is, told to whoever waits for it.

use super::protocol::{Progress, Stage};

/// Progress is told this often in a download, not at every packet.
const N_STEPS: u64 = 200;

/// Counts bytes over several files, wherever they come from.
pub struct Meter<'a> {
    stage: Stage,
    done: u64,
    done_before_file: u64,
    told: u64,
    total: u64,
    on_progress: &'a dyn Fn(Progress),
}

impl<'a> Meter<'a> {
    /// Of so many bytes in all.
    pub fn new(total: u64, on_progress: &'a dyn Fn(Progress)) -> Self {
        Self { stage: Stage::Download, done: 0, done_before_file: 0, told: 0, total, on_progress }
    }

    /// From here on the bytes are the next file's.
    pub fn begin_file(&mut self) {
        self.done_before_file = self.done;
    }

    /// From here on the bytes come from there.
    pub fn enter(&mut self, stage: Stage) {
        self.stage = stage;
        self.tell();
    }

    /// So many more bytes came.
    pub fn add(&mut self, n_bytes: u64) {
        self.done += n_bytes;
        if (self.done - self.told) * N_STEPS >= self.total || self.done == self.total {
            self.tell();
        }
    }

    /// So many bytes of this file are there, whatever was counted of it.
    pub fn set_in_file(&mut self, n_bytes: u64) {
        let done = self.done_before_file + n_bytes;
        if done != self.done {
            self.done = done;
            self.tell();
        }
    }

    fn tell(&mut self) {
        self.told = self.done;
        (self.on_progress)(Progress { stage: self.stage, done: self.done, total: self.total });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn what_was_kept_counts_and_a_file_that_starts_over_counts_once() {
        let told = RefCell::new(Vec::new());
        let on_progress = |progress: Progress| told.borrow_mut().push((progress.stage, progress.done));
        let mut meter = Meter::new(100, &on_progress);
        meter.begin_file();
        meter.enter(Stage::Download);
        meter.add(40);
        meter.begin_file();
        meter.enter(Stage::Reopen);
        meter.add(30);
        meter.enter(Stage::Download);
        meter.add(10);
        meter.set_in_file(0);
        meter.add(60);
        let (down, reopen) = (Stage::Download, Stage::Reopen);
        let expected =
            [(down, 0), (down, 40), (reopen, 40), (reopen, 70), (down, 70), (down, 80), (down, 40), (down, 100)];
        assert_eq!(*told.borrow(), expected);
    }

    #[test]
    fn small_packets_are_told_of_together() {
        let n_told = RefCell::new(0);
        let on_progress = |_: Progress| *n_told.borrow_mut() += 1;
        let mut meter = Meter::new(1_000_000, &on_progress);
        (0..1_000_000).for_each(|_| meter.add(1));
        assert_eq!(*n_told.borrow(), N_STEPS);
    }
}
