//! The threads that make samples.

use crate::problem::{ProblemKind, RowProblem};
use crate::samples::{Sample, SampleSource, Transform};
use crossbeam_channel::{Receiver, Sender};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// One place of one batch, and the row to fill it with.
#[derive(Clone, Copy)]
pub(super) struct Job {
    /// Running number of the batch since the loader started.
    pub batch: usize,
    /// Place in the batch.
    pub slot: usize,
    /// Row of the table.
    pub row: usize,
    pub epoch: usize,
}

/// A job and what came of it.
pub(super) struct Done {
    pub job: Job,
    pub sample: Result<Sample, RowProblem>,
}

pub(super) struct Worker {
    pub source: Arc<SampleSource>,
    pub transform: Transform,
    pub jobs: Receiver<Job>,
    pub results: Sender<Done>,
    pub is_stopping: Arc<AtomicBool>,
}

impl Worker {
    /// Works until there are no more jobs, the results' receiver is dropped, or the loader stops.
    pub fn run(self) {
        for job in &self.jobs {
            if self.is_stopping.load(Ordering::Relaxed) {
                return;
            }
            // A lost job would leave its batch waiting for ever.
            let sample = catch_unwind(AssertUnwindSafe(|| self.source.sample(job.row, job.epoch, &self.transform)));
            let sample = sample.unwrap_or_else(|_| {
                let table = self.source.table();
                let (path, detail) = (table.image(job.row).to_owned(), "its transform gave up".to_owned());
                Err(table.problem(job.row, table.image_column(), ProblemKind::ImageUnreadable { path, detail }))
            });
            if self.results.send(Done { job, sample }).is_err() {
                return;
            }
        }
    }
}

/// The number of threads for a setting, where 0 means one for each core.
pub(super) fn count(wanted: usize) -> usize {
    match wanted {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        _ => wanted,
    }
}
