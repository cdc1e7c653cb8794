//! Prepares batches ahead of time on several threads, in an order that does not depend on them.
//!
//! Worker threads decode, augment and tokenize single rows. One thread assembles batches and has at most
//! [`prefetch_batches`](LoaderOptions::prefetch_batches) of them, unfinished or waiting, so memory is bounded. The
//! order of the rows is decided beforehand ([`super::order`]), so that a run can start again at any [`Position`].
//!
//! Rows with bad cells ([`TrainingTable::problems`](super::TrainingTable::problems)) are left out from the start. In
//! training, a row whose image cannot be read is replaced by the one half an epoch later in the order, or the next
//! readable one after it; in evaluation, its batch is shorter. It is named in the log once, and too many of them end
//! the run. A resumed run counts them again.
//!
//! With several ranks, each has a loader that makes its part of every batch. Which row fills a slot depends on the order
//! and the files only, so the parts together are the batch of one rank.

mod assembler;
mod bad_rows;
mod batch;
mod options;
mod worker;

pub use batch::{Batch, Position};
pub use options::LoaderOptions;

use super::augment::Augmentation;
use super::samples::SampleSource;
use anyhow::{Context, Result, anyhow, bail};
use assembler::Assembler;
use bad_rows::BadRows;
use crossbeam_channel::{Receiver, Sender};
use options::Pass;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

/// Makes batches in the background; dropping it stops its threads.
pub struct Loader {
    batches: Option<Receiver<Result<Batch>>>,
    /// One message for each batch that was taken, so that another may be started.
    credits: Option<Sender<()>>,
    is_stopping: Arc<AtomicBool>,
    n_bad_rows: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<()>>,
    batches_per_epoch: usize,
}

impl Loader {
    /// Starts making batches for training from `start` to the end of `epochs` epochs.
    ///
    /// The seed decides the order of each epoch and the augmentation of each row in it.
    ///
    /// # Errors
    /// If the table has fewer usable rows than a batch or too many bad ones, if `start` is no place of an epoch, or
    /// if an option is out of range.
    pub fn training(
        source: Arc<SampleSource>,
        options: &LoaderOptions,
        augmentation: &Augmentation,
        seed: u64,
        epochs: usize,
        start: Position,
    ) -> Result<Self> {
        augmentation.validate()?;
        let pass = Pass::Training { augmentation: *augmentation, seed, epochs };
        Self::start(source, options, pass, start)
    }

    /// Starts making the batches of one evaluation: the whole table in its order, not augmented.
    ///
    /// # Errors
    /// If the table has no usable rows or too many bad ones, or if an option is out of range.
    pub fn evaluation(source: Arc<SampleSource>, options: &LoaderOptions) -> Result<Self> {
        Self::start(source, options, Pass::Evaluation, Position::default())
    }

    /// Batches of one epoch; in evaluation including the incomplete one.
    pub fn batches_per_epoch(&self) -> usize {
        self.batches_per_epoch
    }

    /// Rows found bad so far, those whose cells were wrong included.
    pub fn n_bad_rows(&self) -> usize {
        self.n_bad_rows.load(Ordering::Relaxed)
    }

    /// Ends the loader while another thread waits in [`Self::next_batch`].
    pub fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.is_stopping))
    }

    /// The next batch, `None` after the last or after [`Stopper::stop`].
    ///
    /// # Errors
    /// If too many rows are bad; after an error there are no more batches.
    pub fn next_batch(&mut self) -> Result<Option<Batch>> {
        let Some(batches) = &self.batches else { return Ok(None) };
        let asked = Instant::now();
        match batches.recv() {
            Ok(Ok(mut batch)) => {
                batch.waited = asked.elapsed();
                if let Some(credits) = &self.credits {
                    // The other side is gone once it has begun the last batch.
                    let _ = credits.send(());
                }
                Ok(Some(batch))
            }
            Ok(Err(err)) => {
                self.stop();
                Err(err)
            }
            Err(_) => {
                let has_panicked = self.stop();
                if has_panicked { Err(anyhow!("a thread of the data loader ended unexpectedly")) } else { Ok(None) }
            }
        }
    }

    fn start(source: Arc<SampleSource>, options: &LoaderOptions, pass: Pass, start: Position) -> Result<Self> {
        if options.batch_size == 0 || options.prefetch_batches == 0 {
            bail!("`batch_size` and `prefetch_batches` must be at least 1");
        }
        if options.rank >= options.n_ranks {
            bail!("`rank` is {}, expected less than `n_ranks`, {}", options.rank, options.n_ranks);
        }
        if !(0.0..=1.0).contains(&options.max_bad_share) {
            bail!("`max_bad_share` is {}, expected 0 to 1", options.max_bad_share);
        }
        if options.ontology_sampling.is_some() && source.lineages().is_none() {
            bail!("`ontology_sampling` needs the places of diagnoses in an ontology, and the source has none");
        }
        let n_bad_rows = Arc::new(AtomicUsize::new(0));
        let bad_rows = BadRows::of_table(source.table(), options.max_bad_share, Arc::clone(&n_bad_rows))?;
        let usable: Vec<usize> = source.table().usable_rows().collect();
        let batches_per_epoch = batches_per_epoch(usable.len(), options.batch_size, &pass)?;
        if start.batch > batches_per_epoch {
            bail!("there is no batch {} in an epoch of {batches_per_epoch} batches", start.batch);
        }

        let (job_sender, jobs) = crossbeam_channel::unbounded();
        let n_workers = worker::count(options.n_workers);
        // Two finished samples for each worker: none waits while the other thread copies one.
        let (result_sender, results) = crossbeam_channel::bounded(2 * n_workers);
        let (batch_sender, batches) = crossbeam_channel::unbounded();
        let (credit_sender, credits) = crossbeam_channel::unbounded();
        let is_stopping = Arc::new(AtomicBool::new(false));
        let mut loader = Self {
            batches: Some(batches),
            credits: Some(credit_sender),
            is_stopping: Arc::clone(&is_stopping),
            n_bad_rows,
            threads: Vec::new(),
            batches_per_epoch,
        };
        let transform = pass.transform();
        for _ in 0..n_workers {
            let worker = worker::Worker {
                source: Arc::clone(&source),
                transform,
                jobs: jobs.clone(),
                results: result_sender.clone(),
                is_stopping: Arc::clone(&is_stopping),
            };
            loader.spawn("data-worker", move || worker.run())?;
        }
        drop(result_sender);
        let assembler = Assembler::new(source, *options, pass, usable, batches_per_epoch, start, bad_rows);
        loader.spawn("data-assembler", move || assembler.run(&job_sender, &results, &batch_sender, &credits))?;
        Ok(loader)
    }

    fn spawn(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
        let thread = std::thread::Builder::new().name(name.into()).spawn(work);
        self.threads.push(thread.context("cannot start a thread of the data loader")?);
        Ok(())
    }

    /// Ends all threads and returns whether one had panicked.
    fn stop(&mut self) -> bool {
        self.is_stopping.store(true, Ordering::Relaxed);
        self.batches = None;
        self.credits = None;
        self.threads.drain(..).filter_map(|thread| thread.join().err()).count() > 0
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Ends a [`Loader`] from another thread: soon, without the batches that are not ready.
#[derive(Clone, Debug)]
pub struct Stopper(Arc<AtomicBool>);

impl Stopper {
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn batches_per_epoch(n_usable: usize, batch_size: usize, pass: &Pass) -> Result<usize> {
    match pass {
        Pass::Training { .. } if n_usable < batch_size => {
            bail!("the table has {n_usable} usable rows, fewer than one batch of {batch_size}")
        }
        Pass::Evaluation if n_usable == 0 => bail!("the table has no usable rows"),
        Pass::Training { .. } => Ok(n_usable / batch_size),
        Pass::Evaluation => Ok(n_usable.div_ceil(batch_size)),
    }
}

#[cfg(test)]
mod tests;
