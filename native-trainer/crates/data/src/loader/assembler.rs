//! The thread that distributes work and assembles batches.

use super::bad_rows::BadRows;
use super::batch::{Batch, Position};
use super::options::{LoaderOptions, Pass};
use super::worker::{Done, Job};
use crate::captions::Tokens;
use crate::ontology_order::ontology_order;
use crate::order::epoch_order;
use crate::samples::{Sample, SampleSource};
use anyhow::{Context, Result, bail};
use candle_core::{Device, Tensor};
use crossbeam_channel::{Receiver, Sender, select};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

pub(super) struct Assembler {
    source: Arc<SampleSource>,
    options: LoaderOptions,
    pass: Pass,
    /// Rows of the table among which the orders choose.
    usable: Vec<usize>,
    batches_per_epoch: usize,
    bad_rows: BadRows,
    /// The batch to begin next.
    next: Position,
    /// The order of the epoch of `next`.
    order: Option<(usize, Arc<Vec<usize>>)>,
    /// Unfinished batches, oldest first.
    pending: VecDeque<Pending>,
    /// Running number of the oldest of them.
    first_pending: usize,
}

/// An unfinished batch.
struct Pending {
    position: Position,
    order: Arc<Vec<usize>>,
    /// Place of the first slot in the order.
    start: usize,
    /// u8 `[B, 3, S, S]`, filled slot by slot.
    pixels: Vec<u8>,
    slots: Vec<Slot>,
    n_open: usize,
}

#[derive(Default)]
struct Slot {
    /// The row that fills the slot, and its captions; none while it is open, and in evaluation if the row is bad.
    filled: Option<(usize, Vec<Tokens>)>,
    /// Replacements tried.
    n_tried: usize,
}

impl Assembler {
    pub fn new(
        source: Arc<SampleSource>,
        options: LoaderOptions,
        pass: Pass,
        usable: Vec<usize>,
        batches_per_epoch: usize,
        start: Position,
        bad_rows: BadRows,
    ) -> Self {
        let mut assembler = Self {
            source,
            options,
            pass,
            usable,
            batches_per_epoch,
            bad_rows,
            next: start,
            order: None,
            pending: VecDeque::new(),
            first_pending: 0,
        };
        let (first, _) = assembler.pass.batches(assembler.normalized(start), &assembler.options);
        assembler.next = assembler.normalized(first);
        assembler
    }

    /// Works until the last batch is delivered, rows run out, or the loader is dropped.
    pub fn run(
        mut self,
        jobs: &Sender<Job>,
        results: &Receiver<Done>,
        batches: &Sender<Result<Batch>>,
        credits: &Receiver<()>,
    ) {
        for _ in 0..self.options.prefetch_batches {
            self.begin_batch(jobs);
        }
        while !self.pending.is_empty() {
            select! {
                recv(credits) -> credit => match credit {
                    Ok(()) => self.begin_batch(jobs),
                    Err(_) => return,
                },
                recv(results) -> done => {
                    let Ok(done) = done else { return };
                    let delivered = self.take(done, jobs).and_then(|()| self.deliver(jobs, batches));
                    if let Err(err) = delivered {
                        // If the receiver is dropped, the error can be ignored.
                        let _ = batches.send(Err(err));
                        return;
                    }
                }
            }
            // A full stop in the making while the consumer holds all batches: wait for it.
            while self.pending.is_empty() && self.has_next() {
                match credits.recv() {
                    Ok(()) => self.begin_batch(jobs),
                    Err(_) => return,
                }
            }
        }
    }

    fn has_next(&self) -> bool {
        match self.pass {
            Pass::Training { epochs, .. } => self.next.epoch < epochs,
            Pass::Evaluation => self.next.epoch == 0,
        }
    }

    /// The end of an epoch is the beginning of the next.
    fn normalized(&self, position: Position) -> Position {
        if position.batch < self.batches_per_epoch {
            return position;
        }
        Position { epoch: position.epoch + 1, batch: 0 }
    }

    fn begin_batch(&mut self, jobs: &Sender<Job>) {
        if !self.has_next() {
            return;
        }
        let position = self.next;
        let (_, to_next) = self.pass.batches(position, &self.options);
        self.next = self.normalized(Position { batch: position.batch + to_next, ..position });
        let order = self.order_of(position.epoch);
        let start = position.batch * self.options.batch_size;
        let n_rows = self.options.batch_size.min(order.len() - start);
        let own = self.options.rows_of_batch(n_rows, &self.pass);
        let (start, n_rows) = (start + own.start, own.len());
        let side = self.source.image_size();
        let batch = self.first_pending + self.pending.len();
        for (slot, &row) in order[start..start + n_rows].iter().enumerate() {
            send(jobs, Job { batch, slot, row, epoch: position.epoch });
        }
        self.pending.push_back(Pending {
            position,
            order,
            start,
            pixels: vec![0; n_rows * 3 * side * side],
            slots: (0..n_rows).map(|_| Slot::default()).collect(),
            n_open: n_rows,
        });
    }

    /// The rows of the table in the order of an epoch.
    fn order_of(&mut self, epoch: usize) -> Arc<Vec<usize>> {
        if let Some((known, order)) = &self.order
            && *known == epoch
        {
            return Arc::clone(order);
        }
        let order = match self.pass {
            Pass::Training { seed, .. } => {
                let order = match (&self.options.ontology_sampling, self.source.lineages()) {
                    (Some(sampling), Some(lineages)) => {
                        let lineages: Vec<_> = self.usable.iter().map(|&row| lineages.of_row(row)).collect();
                        ontology_order((seed, epoch), &lineages, self.options.batch_size, sampling)
                    }
                    _ => epoch_order(seed, epoch, self.usable.len()),
                };
                order.into_iter().map(|index| self.usable[index]).collect()
            }
            Pass::Evaluation => self.usable.clone(),
        };
        let order = Arc::new(order);
        self.order = Some((epoch, Arc::clone(&order)));
        order
    }

    fn take(&mut self, Done { job, sample }: Done, jobs: &Sender<Job>) -> Result<()> {
        let pending = &mut self.pending[job.batch - self.first_pending];
        match sample {
            Ok(sample) => {
                pending.fill(job, sample);
                Ok(())
            }
            Err(problem) => {
                self.bad_rows.add(&problem)?;
                match self.pass {
                    Pass::Training { .. } => self.replace(job, jobs),
                    Pass::Evaluation => {
                        pending.n_open -= 1;
                        Ok(())
                    }
                }
            }
        }
    }

    /// Tries the next candidate for a slot whose row is bad.
    ///
    /// Candidates depend on the order only, so the row that fills the slot depends on the files and on nothing else.
    fn replace(&mut self, job: Job, jobs: &Sender<Job>) -> Result<()> {
        let pending = &mut self.pending[job.batch - self.first_pending];
        let (order, slot) = (&pending.order, &mut pending.slots[job.slot]);
        let place = pending.start + job.slot;
        while slot.n_tried < order.len() {
            let row = order[(place + order.len() / 2 + slot.n_tried) % order.len()];
            slot.n_tried += 1;
            if !self.bad_rows.contains(row) {
                send(jobs, Job { row, ..job });
                return Ok(());
            }
        }
        bail!("none of the table's rows can be used")
    }

    /// Sends what is complete, in order.
    fn deliver(&mut self, jobs: &Sender<Job>, batches: &Sender<Result<Batch>>) -> Result<()> {
        while self.pending.front().is_some_and(|pending| pending.n_open == 0) {
            let Some(pending) = self.pending.pop_front() else { break };
            self.first_pending += 1;
            match self.finished(pending)? {
                // A send that fails means that the loader is dropped; the next receive ends this thread.
                Some(batch) => drop(batches.send(Ok(batch))),
                None => self.begin_batch(jobs),
            }
        }
        Ok(())
    }

    /// Returns the batch without empty slots; none if nothing was filled.
    fn finished(&mut self, mut pending: Pending) -> Result<Option<Batch>> {
        let side = self.source.image_size();
        let sample_len = 3 * side * side;
        let (mut rows, mut tokens) = (Vec::new(), Vec::new());
        for (slot, filled) in pending.slots.into_iter().map(|slot| slot.filled).enumerate() {
            let Some((row, captions)) = filled else { continue };
            let place = rows.len() * sample_len;
            if rows.len() < slot {
                pending.pixels.copy_within(slot * sample_len..(slot + 1) * sample_len, place);
            }
            rows.push(row);
            tokens.extend(captions.into_iter().take(self.source.n_captions(self.options.n_captions)));
        }
        if rows.is_empty() {
            return Ok(None);
        }
        pending.pixels.truncate(rows.len() * sample_len);
        let pixels = Tensor::from_vec(pending.pixels, (rows.len(), 3, side, side), &Device::Cpu)
            .context("cannot make the tensor of a batch")?;
        let (captions, input_ids) = self.source.distinct(&rows, &tokens, self.options.n_captions);
        let (position, waited, bad_rows) = (pending.position, Duration::ZERO, self.bad_rows.take_new());
        Ok(Some(Batch { position, rows, pixels, captions, input_ids, bad_rows, waited }))
    }
}

impl Pending {
    fn fill(&mut self, job: Job, sample: Sample) {
        let start = job.slot * sample.pixels.len();
        self.pixels[start..start + sample.pixels.len()].copy_from_slice(&sample.pixels);
        self.slots[job.slot].filled = Some((job.row, sample.captions));
        self.n_open -= 1;
    }
}

/// Sends a job to the workers. If all have ended, the results report it.
fn send(jobs: &Sender<Job>, job: Job) {
    let _ = jobs.send(job);
}
