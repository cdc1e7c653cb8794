//! A rank that encodes what the first one sends.

use super::task::{Reply, Task};
use super::{encode_texts, load_together};
use crate::vision::{ReadFiles, Vision};
use anyhow::Result;
use dermake_collectives::{Collectives, RankError};
use dermake_models::options::ModelOptions;
use dermake_process::interrupt;
use shared_model::ZeroShotModel;
use shared_model::preprocess::Reading;
use std::path::Path;

/// How the first rank has ended the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Whether a rank was asked to stop.
    pub is_interrupted: bool,
}

/// Encodes images and texts for the first rank until it ends the work. `models` are those that it may load.
///
/// # Errors
/// When another rank has failed.
pub fn follow(ranks: &dyn Collectives, models: &[ModelOptions], reading: Reading) -> Result<Finished> {
    interrupt::listen("batch")?;
    let mut next = receive(ranks)?;
    loop {
        let index = match next {
            Task::End { is_interrupted } => return Ok(Finished { is_interrupted }),
            Task::Load(index) => index,
            Task::Images { .. } | Task::Texts(_) => return Err(unexpected("work without a model")),
        };
        let options = models.get(index).ok_or_else(|| unexpected("the number of a model that is not named"))?;
        next = match load_together(ranks, options, reading) {
            Ok((model, _)) => encode(ranks, &model, reading)?,
            Err(err) if err.is::<RankError>() => return Err(err),
            // The first rank knows, and decides.
            Err(_) => receive(ranks)?,
        };
    }
}

/// Encodes with one model; returns the first task that is not for it.
fn encode(ranks: &dyn Collectives, model: &ZeroShotModel, reading: Reading) -> Result<Task> {
    let mut vision = Vision::new(model, reading);
    let mut read = ReadFiles::new();
    loop {
        let encoded = match receive(ranks)? {
            Task::Images { paths, is_first } => {
                if is_first {
                    read.clear();
                }
                let paths: Vec<&Path> = paths.iter().map(Path::new).collect();
                let (encoded, next) = vision.encode(&read, |vision| vision.read(&paths, |_| false));
                read = next;
                encoded
            }
            Task::Texts(texts) => encode_texts(model, &texts, &mut |_, _| {}, false),
            other => return Ok(other),
        };
        ranks.gather(0, &Reply::bytes(encoded, interrupt::is_requested())?)?;
    }
}

fn receive(ranks: &dyn Collectives) -> Result<Task> {
    let task = ranks.scatter(0, &[])?;
    serde_json::from_slice(&task).map_err(|_| unexpected(&format!("{} bytes that are no task", task.len())))
}

fn unexpected(what: &str) -> anyhow::Error {
    RankError::Failed { rank: 0, message: format!("it sent {what}; all ranks need the same program") }.into()
}
