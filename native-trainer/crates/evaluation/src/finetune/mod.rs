//! `dermake finetune`: a classifier on the image features of a model, trained on labeled images; then, if asked for, the
//! image tower below it.
//!
//! The test part is scored as a benchmark is, so that the answers can be compared with those of other models.

mod data;
mod earlier;
mod groups;
mod head;
#[cfg(test)]
mod head_parity;
mod options;
mod parts;
mod readable;
mod split;
mod tower;
mod tunable;
mod written;

pub use head::{Epoch, Head, HeadOptions};
pub use options::FinetuneOptions;
pub use split::SplitOptions;
pub use tower::{LabeledFiles, TowerTask, TowerTrainer, TunedTower};
pub use tunable::{HeadGradients, TunableHead};
pub use written::TUNED_FOLDER;

use super::compare::Evaluated;
use super::out::ReportFolder;
use super::report::{listed, unreadable};
use super::{Ending, compared, print_table};
use anyhow::{Context, Result, ensure};
use data::{Data, Encoded};
use dermake_features::Identity;
use dermake_files::inputs::is_below;
use dermake_models::options::ModelOptions;
use dermake_process::print;
use earlier::EarlierRun;
use head::{Trained, class_weights, train};
use parts::{Parts, without_copies};
use readable::Readable;
use shared_model::preprocess::Reading;
use split::divided;
use std::path::Path;
use written::{WrittenHead, head_name, tuned_name, write_head};

/// Classes that a message names.
const MAX_NAMED: usize = 10;

/// Trains a head on the training part, and the tower if there is a trainer; scores them on the test part and writes
/// everything.
///
/// # Errors
/// When the data have no labels or too few rows, a model cannot be loaded, or a file cannot be written.
pub fn finetune(options: &FinetuneOptions<'_>) -> Result<Ending> {
    let model = options.model.absolute().model;
    ensure!(
        !is_below(Path::new(&model), &options.out.join(TUNED_FOLDER)),
        "the model is in the folder {TUNED_FOLDER} of --out, which a run replaces or removes; give --out another folder: \
         {model}"
    );
    let mut folder = ReportFolder::prepare(options.out)?;
    let earlier = EarlierRun::of(options.out, &mut folder);
    let data = Data::read(options)?;
    let mut parts = divided(&data.table, &data.rows, &data.images.labels, &options.split)?;
    for doubt in &data.images.doubts {
        parts.warn(doubt.clone());
    }
    if let Some(trainer) = options.tower {
        options.out.to_str().context("--out is not UTF-8")?;
        trainer.check()?;
    }

    let encoded = data.encoded(options, options.model, &(0..data.rows.len()).collect::<Vec<_>>())?;
    parts.warn_of_unreadable(encoded.unreadable(), &data.rows);
    let readable = encoded.readable(&data)?;
    without_copies(&mut parts, |place| readable.sha256(place).map(str::to_owned))?;
    let class_names = &data.class_list.class_names;
    let trained = train_head(options, &readable, &mut parts, class_names)?;
    let name = head_name(&encoded.identity.model_name);
    let mut evaluated = vec![data.scored(&readable, &parts, &trained.head, &encoded, &name)?];
    // The report of the frozen tower is there whatever the training of the tower comes to.
    let mut comparison = compared(&evaluated, Vec::new(), Some(&folder))?;
    let written = WrittenHead {
        head: &trained.head,
        epochs: &trained.epochs,
        best_epoch: Some(trained.best_epoch),
        class_names,
        identity: &encoded.identity,
    };
    write_head(&written, options.out)?;
    // At once: the next run knows this one by its head.
    folder.remove_superseded(&evaluated)?;
    let remove_earlier = |models: &[Evaluated]| match &earlier {
        Some(earlier) => earlier.remove(&folder, models, options.tower.is_some()),
        None => Ok(()),
    };
    if let Some(trainer) = options.tower {
        let task = TowerTask {
            train: readable.files(&parts.train),
            validation: readable.files(&parts.validation),
            class_weights: &weights(options, &readable.part(&parts.train).labels, class_names)?,
            head: TunableHead::of(trained.scaling, trained.standardized),
            head_options: &options.head,
            notice: encoded.notice.clone(),
            folder: &options.out.join(TUNED_FOLDER),
        };
        let frozen = Frozen { data: &data, parts: &parts, encoded: &encoded, readable: &readable };
        let Some(tuned) = tune(options, trainer, &task, &frozen)? else {
            remove_earlier(&evaluated)?;
            return Ok(Ending::Interrupted);
        };
        evaluated.push(tuned);
        comparison = compared(&evaluated, Vec::new(), Some(&folder))?;
    }
    remove_earlier(&evaluated)?;
    print_table(&comparison, Ending::Complete)?;
    Ok(Ending::Complete)
}

/// The data with the features of the frozen tower.
struct Frozen<'a> {
    data: &'a Data,
    parts: &'a Parts,
    encoded: &'a Encoded,
    readable: &'a Readable<'a>,
}

/// Trains the tower, writes its head, and scores both on the images of the test part that the frozen tower could read;
/// `None` if the user stopped it.
fn tune(
    options: &FinetuneOptions<'_>,
    trainer: &dyn TowerTrainer,
    task: &TowerTask<'_>,
    frozen: &Frozen<'_>,
) -> Result<Option<Evaluated>> {
    let Frozen { data, parts, encoded, readable } = frozen;
    let folder = task.folder.to_str().context("--out is not UTF-8")?;
    let TunedTower { head, epochs, best_epoch, is_stopped } = trainer.tune(task)?;
    let model = ModelOptions { model: folder.to_owned(), arch: None, ..options.model.clone() };
    let identity = Identity::of(&model, &model.open()?, Reading::Reference)?;
    let class_names = &data.class_list.class_names;
    let written = WrittenHead { head: &head, epochs: &epochs, best_epoch, class_names, identity: &identity };
    write_head(&written, task.folder)?;
    if is_stopped {
        return Ok(None);
    }
    let name = tuned_name(&encoded.identity.model_name);
    // Only these: after hours of training, the share of unreadable images in the test part alone must not be an error.
    let test = readable.places(&parts.test);
    let again = data.encoded(options, &model, &test)?;
    if let Some(gone) = unreadable(again.unreadable(), test.len(), "") {
        tracing::warn!("after the training of the tower, {gone}");
    }
    let again = again.with_unreadable(encoded.unreadable());
    Ok(Some(data.scored(&again.readable(data)?, parts, &head, &again, &name)?))
}

/// The weight of each class.
fn weights(options: &FinetuneOptions<'_>, labels: &[usize], class_names: &[String]) -> Result<Vec<f64>> {
    class_weights(labels, class_names.len(), options.is_balanced).with_context(|| {
        let missing = (0..class_names.len()).find(|class| !labels.contains(class)).unwrap_or_default();
        format!("{} cannot be balanced; leave out the class, or --class-weights", class_names[missing])
    })
}

/// Trains on the training part until the loss of the validation part no longer improves.
fn train_head(
    options: &FinetuneOptions<'_>,
    readable: &Readable<'_>,
    parts: &mut Parts,
    class_names: &[String],
) -> Result<Trained> {
    let (training, validation) = (readable.part(&parts.train), readable.part(&parts.validation));
    for (name, part) in parts.named() {
        ensure!(!readable.places(part).is_empty(), "no {name} image can be read");
    }
    let weights = weights(options, &training.labels, class_names)?;
    let n_absent = warn_of_absent_classes(&training.labels, parts, class_names);
    let trained = train(&training, &validation, &weights, &options.head)?;
    print::remark(format_args!(
        "trained on {} images with {} classes, {} for validation, {} for the test; best epoch {} of {}, validation loss \
         {:.4}",
        training.labels.len(),
        class_names.len() - n_absent,
        validation.labels.len(),
        readable.places(&parts.test).len(),
        trained.best_epoch + 1,
        trained.epochs.len(),
        trained.epochs[trained.best_epoch].validation_loss
    ));
    if trained.best_epoch == 0 {
        tracing::warn!(
            "the classifier has learned nothing: no epoch is better than equal probabilities; try a lower \
             --learning-rate, or more --epochs"
        );
    }
    Ok(trained)
}

/// Warns of classes that no training label is of, and returns their number.
fn warn_of_absent_classes(labels: &[usize], parts: &mut Parts, class_names: &[String]) -> usize {
    let is_absent = |(class, _): &(usize, &String)| !labels.contains(class);
    let absent: Vec<&str> =
        class_names.iter().enumerate().filter(is_absent).map(|(_, name)| name.as_str()).collect();
    if !absent.is_empty() {
        let have = if absent.len() == 1 { "has" } else { "have" };
        parts.warn(format!(
            "{} of {} classes {have} no training photo, so that the classifier cannot know them: {}",
            absent.len(),
            class_names.len(),
            listed(&absent, MAX_NAMED)
        ));
    }
    absent.len()
}
