//! Features by several ranks: the first one has the tables, the store and the results, and the others encode for it.
//!
//! The first rank sends each rank its part of the next images or texts, and receives their features in the order of the
//! rows. So everything but the two towers runs once, and the features are those that one rank computes.

mod follower;
mod same_files;
mod task;

pub use follower::{Finished, follow};
pub(super) use same_files::check_same_file;

use super::identity::Identity;
use super::texts::encode_batches;
use super::vision::EncodedFiles;
use anyhow::{Context, Result, bail};
use dermake_collectives::{Alone, Collectives, agreement, even_shares};
use dermake_models::options::ModelOptions;
use dermake_process::interrupt;
use shared_model::ZeroShotModel;
use shared_model::preprocess::Reading;
use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use task::{Reply, Task};

/// The ranks that compute features together, as the first of them has them.
#[derive(Clone)]
pub struct RankGroup {
    ranks: Rc<dyn Collectives>,
    is_finished: Rc<Cell<bool>>,
}

impl RankGroup {
    /// One rank without others.
    pub fn alone() -> Self {
        Self::new(Rc::new(Alone))
    }

    /// The ranks that the first one leads; the others call [`follow`].
    pub fn new(ranks: Rc<dyn Collectives>) -> Self {
        Self { ranks, is_finished: Rc::default() }
    }

    /// Number of ranks.
    pub fn size(&self) -> usize {
        self.ranks.size()
    }

    /// Loads the model at place `index` of the models that all ranks were started with, on all ranks.
    ///
    /// # Errors
    /// When a rank cannot load it, or has other weights.
    pub fn load(
        &self,
        index: usize,
        options: &ModelOptions,
        reading: Reading,
    ) -> Result<(ZeroShotModel, Identity)> {
        self.send_all(&Task::Load(index))?;
        load_together(self.ranks.as_ref(), options, reading)
    }

    /// Ends the work of the other ranks. The end of one of them is no failure from now on.
    ///
    /// # Errors
    /// When a rank has failed before.
    pub fn finish(&self, is_interrupted: bool) -> Result<()> {
        if !self.is_finished.get() {
            self.send_all(&Task::End { is_interrupted })?;
            self.is_finished.set(true);
            self.ranks.leave();
        }
        Ok(())
    }

    /// Tells the other ranks why this one ends, unless [`Self::finish`] has ended their work.
    pub fn abort(&self, err: &anyhow::Error) {
        if !self.is_finished.get() {
            self.ranks.abort(&format!("{err:#}"));
        }
    }

    /// Sends the files of a round, `size` at most for each rank; returns those of this rank.
    pub(super) fn send_images<'f>(&self, paths: &[&'f Path], size: usize, is_first: bool) -> Result<Vec<&'f Path>> {
        let parts = parts(paths, size, self.size());
        if self.size() > 1 {
            let task = |part: &&[&Path]| {
                let paths = part.iter().map(|path| path.as_os_str().to_owned()).collect();
                Task::Images { paths, is_first }
            };
            self.send(parts.iter().map(task))?;
        }
        Ok(parts[0].to_vec())
    }

    /// Sends each rank its share of texts; returns that of this rank.
    pub(super) fn send_texts<'t>(&self, texts: &'t [String]) -> Result<&'t [String]> {
        let shares: Vec<&[String]> = even_shares(texts.len(), self.size()).map(|share| &texts[share]).collect();
        if self.size() > 1 {
            self.send(shares.iter().map(|share| Task::Texts(share.to_vec())))?;
        }
        Ok(shares[0])
    }

    /// What all ranks have encoded, in the order in which it was sent, and whether one of them was asked to stop.
    ///
    /// # Errors
    /// When a rank could not encode, or has ended.
    pub(super) fn receive(&self, own: Result<EncodedFiles>, embed_dim: usize) -> Result<(EncodedFiles, bool)> {
        if self.size() == 1 {
            return Ok((own?, interrupt::is_requested()));
        }
        // Received even where this rank has failed, so that all ranks are at the same operation.
        let replies = self.ranks.gather(0, &[])?;
        let mut all = own?;
        let mut stops = interrupt::is_requested();
        for (rank, reply) in replies.iter().enumerate().skip(1) {
            let reply = Reply::read(reply, rank, embed_dim)?;
            stops |= reply.is_interrupted;
            all.outcomes.extend(reply.outcomes);
            all.features.extend(reply.features);
        }
        Ok((all, stops))
    }

    fn send_all(&self, task: &Task) -> Result<()> {
        match self.size() {
            1 => Ok(()),
            size => self.send(std::iter::repeat_n(task.clone(), size)),
        }
    }

    fn send(&self, tasks: impl Iterator<Item = Task>) -> Result<()> {
        let tasks = tasks.map(|task| Ok(serde_json::to_vec(&task)?)).collect::<Result<Vec<_>>>()?;
        self.ranks.scatter(0, &tasks)?;
        Ok(())
    }
}

/// The parts of a round: `size` each, and less at its end.
fn parts<T>(items: &[T], size: usize, n_ranks: usize) -> Vec<&[T]> {
    let mut parts: Vec<&[T]> = items.chunks(size.max(1)).collect();
    parts.resize(n_ranks, &[]);
    parts
}

/// Encodes texts, of which there may be none. The first rank stops between two batches if that is requested; the others
/// tell it of a request with their features.
pub(super) fn encode_texts(
    model: &ZeroShotModel,
    texts: &[String],
    progress: &mut dyn FnMut(usize, usize),
    is_first: bool,
) -> Result<EncodedFiles> {
    let features = match texts {
        [] => return Ok(EncodedFiles::default()),
        texts if is_first => encode_batches(model.text_batches(texts)?, progress)?,
        texts => model.encode_texts(texts, progress)?,
    };
    Ok(EncodedFiles { outcomes: Vec::new(), features: features.flatten_all()?.to_vec1()? })
}

/// Loads a model on every rank, and checks that it is the same.
fn load_together(
    ranks: &dyn Collectives,
    options: &ModelOptions,
    reading: Reading,
) -> Result<(ZeroShotModel, Identity)> {
    let loaded = options.open().and_then(|loaded| {
        let identity = Identity::of(options, &loaded, reading)?;
        Ok((loaded.model, identity))
    });
    let (own, loaded) = match loaded {
        Ok(loaded) => (Ok(loaded.1.clone()), Some(loaded)),
        Err(err) => (Err(err), None),
    };
    let identities = agreement::together(ranks, own)?;
    let differing =
        identities.iter().enumerate().find_map(|(rank, of_rank)| Some((rank, identities[0].difference(of_rank)?)));
    if let Some((rank, difference)) = differing {
        bail!("rank {rank} does not have the model of rank 0, but {difference}: {}", options.model);
    }
    loaded.context("the model was not loaded") // the error of this rank was returned above
}
