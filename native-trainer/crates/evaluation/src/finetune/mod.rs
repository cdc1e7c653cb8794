//! `dermake finetune`: a classifier on the image features of a model, trained on labeled images; then, if asked for, the
//! image tower below it.
//!
//! The test part is scored as a benchmark is, so that the answers can be compared with those of other models.

mod data;
mod head;
#[cfg(test)]
mod head_parity;
mod options;
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

use super::compare::Evaluated;
use super::labeled::{Columns, LabeledImages};
use super::out::ReportFolder;
use super::own_data::{LabeledData, LabeledRows, labeled};
use super::{Ending, compared, print_table};
use anyhow::{Context, Result, ensure};
use data::Data;
use dermake_features::Identity;
use dermake_models::options::ModelOptions;
use dermake_process::print;
use head::{Trained, class_weights, train};
use readable::Readable;
use shared_model::preprocess::Reading;
use split::{Parts, parts, without_copies};
use written::{WrittenHead, write_head};

/// Folder of a trained tower and its head, in that of the result.
pub const TUNED_FOLDER: &str = "tuned";

/// Trains a head on the training part, and the tower if there is a trainer; scores them on the test part and writes
/// everything.
///
/// # Errors
/// When the data have no labels or too few rows, a model cannot be loaded, or a file cannot be written.
pub fn finetune(options: &FinetuneOptions<'_>) -> Result<Ending> {
    let folder = ReportFolder::prepare(options.out)?;
    let LabeledData { benchmark, table, label_column, class_list } =
        labeled(options.data, &options.columns, options.max_unreadable, LabeledRows::All)?;
    let columns = Columns { label: &label_column, image: benchmark.image_column.as_deref() };
    let rows = table.rows().to_vec();
    let images = LabeledImages::of_rows(&table, &rows, &columns, &class_list, options.data)?;
    let mut parts = parts(&table, &rows, &images.labels, &options.split)?;
    let data = Data { benchmark, table, class_list, rows, images };

    let encoded = data.encoded(options, options.model, &(0..data.rows.len()).collect::<Vec<_>>())?;
    let readable = encoded.readable(&data)?;
    without_copies(&mut parts, |place| readable.sha256(place).map(str::to_owned))?;
    let class_names = &data.class_list.class_names;
    let trained = train_head(options, &readable, &parts, class_names)?;
    let name = format!("{}-head", encoded.identity.model_name);
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
        let name = format!("{}-tuned", encoded.identity.model_name);
        let test = readable.places(&parts.test);
        match tune(options, trainer, &task, &data, &parts, &test, &name)? {
            None => return Ok(Ending::Interrupted),
            Some(tuned) => evaluated.push(tuned),
        }
        comparison = compared(&evaluated, Vec::new(), Some(&folder))?;
    }
    print_table(&comparison, Ending::Complete)?;
    Ok(Ending::Complete)
}

/// Trains the tower, writes its head, and scores both on the test part, of which the images at the places `test` can be
/// read; `None` if the user stopped it.
fn tune(
    options: &FinetuneOptions<'_>,
    trainer: &dyn TowerTrainer,
    task: &TowerTask<'_>,
    data: &Data,
    parts: &Parts,
    test: &[usize],
    name: &str,
) -> Result<Option<Evaluated>> {
    let folder = task.folder.to_str().context("--out is not UTF-8")?;
    let TunedTower { head, epochs, best_epoch, is_stopped } = trainer.tune(task)?;
    let model = ModelOptions { model: folder.to_owned(), arch: None, ..options.model.clone() };
    let identity = {
        let (loaded, name) = model.load()?;
        Identity::of(&model, &loaded, &name, Reading::Reference)?
    };
    let class_names = &data.class_list.class_names;
    let written = WrittenHead { head: &head, epochs: &epochs, best_epoch, class_names, identity: &identity };
    write_head(&written, task.folder)?;
    if is_stopped {
        return Ok(None);
    }
    // Only these: after hours of training, the share of unreadable images in the test part alone must not be an error.
    let encoded = data.encoded(options, &model, test)?;
    Ok(Some(data.scored(&encoded.readable(data)?, parts, &head, &encoded, name)?))
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
    parts: &Parts,
    class_names: &[String],
) -> Result<Trained> {
    let (training, validation) = (readable.part(&parts.train), readable.part(&parts.validation));
    for (name, part) in [("training", &parts.train), ("validation", &parts.validation), ("test", &parts.test)] {
        ensure!(!readable.places(part).is_empty(), "no {name} image can be read");
    }
    let weights = weights(options, &training.labels, class_names)?;
    let trained = train(&training, &validation, &weights, &options.head)?;
    print::remark(format_args!(
        "trained on {} images with {} classes, {} for validation, {} for the test; best epoch {} of {}, validation loss \
         {:.4}",
        training.labels.len(),
        class_names.len(),
        validation.labels.len(),
        parts.test.len(),
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
