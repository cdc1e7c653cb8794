//! How far a download is, told to whoever waits for it.

use super::protocol::{Progress, Stage};

/// Progress is told this often in a download, not at every packet.
const N_STEPS: u64 = 200;

/// Counts bytes over several files.
pub struct Meter<'a> {
    done: u64,
    done_before_file: u64,
    told: u64,
    total: u64,
    on_progress: &'a dyn Fn(Progress),
}

impl<'a> Meter<'a> {
    pub fn new(total: u64, on_progress: &'a dyn Fn(Progress)) -> Self {
        Self { done: 0, done_before_file: 0, told: 0, total, on_progress }
    }

    /// Counts the bytes of the next file.
    pub fn file(&mut self, stage: Stage) -> impl FnMut(u64) {
        self.done_before_file = self.done;
        (self.on_progress)(Progress { stage, done: self.done, total: self.total });
        move |n_bytes| {
            self.done += n_bytes;
            if (self.done - self.told) * N_STEPS >= self.total || self.done == self.total {
                self.told = self.done;
                (self.on_progress)(Progress { stage, done: self.done, total: self.total });
            }
        }
    }

    pub fn back_to_start_of_file(&mut self) {
        (self.done, self.told) = (self.done_before_file, self.done_before_file);
    }
}
