//! `dermake finetune`: a classifier on the frozen features of a model, trained on labeled images.
//!
//! The test part is scored as a benchmark is, so that the answers can be compared with those of other models.

mod head;
mod split;

pub use head::HeadOptions;
pub use split::SplitOptions;

use super::benchmarks::{Benchmark, Task};
use super::classified::Classified;
use super::compare::Evaluated;
use super::evaluate::log;
use super::labeled::{Columns, LabeledImages};
use super::out::ReportFolder;
use super::own_data::{self, OwnColumns};
use super::predictions::{Prediction, Predictions};
use super::resampler::Scored;
use super::results::{EvaluatedModel, Protocol, Results};
use super::scored::{ScoredRows, score_images};
use super::session::{Session, SessionOptions};
use super::table::Table;
use super::{Ending, compared, print_table};
use anyhow::{Context, Result, bail, ensure};
use dermake_features::{Effort, Encoder, FeatureStore, Identity};
use dermake_files::output::replace_file;
use dermake_metrics::first_largest;
use dermake_models::options::ModelOptions;
use dermake_models::scale::Scale;
use dermake_process::{interrupt, print};
use dermake_sheets::Sheet;
use head::{Head, Rows, Trained, class_weights, train};
use ndarray::{Array2, Axis};
use safetensors::tensor::{Dtype, TensorView};
use shared_model::preprocess::Reading;
use split::{Parts, parts, without_copies};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Options of a fine-tuned classifier.
pub struct FinetuneOptions<'a> {
    pub model: &'a ModelOptions,
    /// Labeled images of one's own.
    pub data: &'a Path,
    pub columns: OwnColumns<'a>,
    pub split: SplitOptions<'a>,
    pub head: HeadOptions,
    /// Whether each class counts as much as any other.
    pub is_balanced: bool,
    pub max_unreadable: f64,
    /// Folder of the feature cache; `None` for no cache.
    pub cache: Option<PathBuf>,
    /// The folder of the head and of the report.
    pub out: &'a Path,
}

/// The head as `torch.nn.Linear` stores it.
const HEAD_FILE: &str = "head.safetensors";
/// Its classes in order, and the model that it belongs to.
const ABOUT_FILE: &str = "head.json";
const HISTORY_FILE: &str = "history.csv";

/// Trains a head on the training part, scores it on the test part and writes both.
///
/// # Errors
/// When the data have no labels or too few rows, a model cannot be loaded, or a file cannot be written.
pub fn finetune(options: &FinetuneOptions<'_>) -> Result<()> {
    let folder = ReportFolder::prepare(options.out)?;
    let benchmark = own_data::labeled(options.data, &options.columns, options.max_unreadable)?;
    let Task::Classification { classes, label_column, .. } = &benchmark.task else {
        bail!("the data have no labels: {}", options.data.display());
    };
    let table = benchmark.read(options.data)?;
    let class_list = classes.resolve(options.data)?;
    let columns = Columns { label: label_column, image: benchmark.image_column.as_deref() };
    let rows = table.rows().to_vec();
    let images = LabeledImages::of_rows(&table, &rows, &columns, &class_list, options.data)?;
    let mut parts = parts(&table, &rows, &images.labels, &options.split)?;

    let (model, name) = options.model.load()?;
    dermake_models::warn_of(&model);
    let identity = Identity::of(options.model, &model, &name, Reading::Reference)?;
    let store = options.cache.as_ref().and_then(|cache| FeatureStore::open_cache(cache, &identity));
    interrupt::listen("batch")?;
    let encoder = Encoder::new(&model, Reading::Reference, store);
    let session_options = SessionOptions {
        data: options.data,
        protocol: Protocol::All,
        max_unreadable: options.max_unreadable,
        exclusion: None,
    };
    let mut session = Session { encoder, options: &session_options, embeddings: None, scale: Scale::Reference };
    let scored = score_images(&mut session, &benchmark, &rows, &images.files)?;
    let readable = Readable::new(&scored, &images.labels, &rows)?;
    without_copies(&mut parts, |place| readable.sha256(place).map(str::to_owned))?;

    let trained = train_head(options, &readable, &parts, &class_list.class_names)?;
    let notes = [parts.notes.clone(), benchmark.notes()].concat();
    let image = table.image_column(columns.image)?;
    let test = readable.test(&parts, &trained.head, |row, file| match image {
        Some(column) => table.cell(row, column).to_string(),
        None => file.display().to_string(),
    });
    let of_test = parts.test.iter().map(|&place| rows[place]).collect();
    let scored = scored_test(test, &class_list.class_names, &benchmark, table.with_rows(of_test), notes);
    log(&scored.result);
    let model = EvaluatedModel {
        name: format!("{}-head", identity.model_name),
        sha256: identity.model_sha256.clone(),
        is_trained: model.is_trained,
        notice: model.notice.clone(),
    };
    let results = results(model, &scored, session.encoder.effort);
    let comparison = compared(&[Evaluated { results, scored: vec![scored] }], Some(&folder))?;
    write_head(&trained, &class_list.class_names, &identity, options.out)?;
    print_table(&comparison, Ending::Complete)
}

/// Trains on the training part until the loss of the validation part no longer improves.
fn train_head(
    options: &FinetuneOptions<'_>,
    readable: &Readable<'_>,
    parts: &Parts,
    class_names: &[String],
) -> Result<Trained> {
    let (training, validation) = (readable.part(&parts.train), readable.part(&parts.validation));
    for (name, part) in [("training", &training), ("validation", &validation)] {
        ensure!(!part.labels.is_empty(), "no {name} image can be read");
    }
    let weights = class_weights(&training.labels, class_names.len(), options.is_balanced).with_context(|| {
        let has_row = |class: &usize| training.labels.contains(class);
        let missing = (0..class_names.len()).find(|class| !has_row(class)).unwrap_or_default();
        format!("{} cannot be balanced; leave out the class, or --class-weights", class_names[missing])
    })?;
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

fn results(model: EvaluatedModel, scored: &Scored, effort: Effort) -> Results {
    Results {
        format: Results::FORMAT.into(),
        version: env!("CARGO_PKG_VERSION").into(),
        model,
        protocol: Protocol::All,
        benchmarks: vec![scored.result.clone()],
        failed: Vec::new(),
        skipped: Vec::new(),
        effort,
    }
}

/// The features and labels of the images that could be read, by their places among all rows.
struct Readable<'a> {
    scored: &'a ScoredRows,
    features: Array2<f64>,
    labels: Vec<usize>,
    /// Where each place is among the readable ones.
    at: HashMap<usize, usize>,
}

impl<'a> Readable<'a> {
    fn new(scored: &'a ScoredRows, labels: &[usize], rows: &[usize]) -> Result<Self> {
        let values: Vec<f32> = scored.features.flatten_all()?.to_vec1()?;
        ensure!(
            values.iter().all(|value| value.is_finite()),
            "the model gives features that are not finite numbers"
        );
        let values = values.into_iter().map(f64::from).collect();
        let features = Array2::from_shape_vec(scored.features.dims2()?, values)?;
        let at_of_row: HashMap<usize, usize> = scored.rows.iter().copied().zip(0..).collect();
        let at = rows.iter().enumerate().filter_map(|(place, row)| Some((place, *at_of_row.get(row)?))).collect();
        Ok(Self { scored, features, labels: scored.of_read(labels), at })
    }

    fn sha256(&self, place: usize) -> Option<&str> {
        self.at.get(&place).map(|&at| self.scored.sha256[at].as_str())
    }

    fn part(&self, places: &[usize]) -> Rows {
        let at: Vec<usize> = places.iter().filter_map(|place| self.at.get(place).copied()).collect();
        Rows {
            features: self.features.select(Axis(0), &at),
            labels: at.iter().map(|&at| self.labels[at]).collect(),
        }
    }

    /// The answers to the test images, and their files.
    fn test(&self, parts: &Parts, head: &Head, image: impl Fn(usize, &Path) -> String) -> Test {
        let at: Vec<usize> = parts.test.iter().filter_map(|place| self.at.get(place).copied()).collect();
        let probabilities = head.probabilities(&self.features.select(Axis(0), &at));
        let prediction = |(&at, probabilities): (&usize, ndarray::ArrayView1<'_, f64>)| {
            // As a table of predictions has them.
            let probabilities: Vec<f32> = probabilities.iter().map(|&probability| probability as f32).collect();
            Prediction {
                row: self.scored.rows[at] + 1,
                image: image(self.scored.rows[at], &self.scored.files[at]),
                sha256: Some(self.scored.sha256[at].clone()),
                label: self.labels[at],
                predicted: first_largest(&probabilities),
                probabilities: probabilities.into_iter().map(f64::from).collect(),
            }
        };
        let rows: Vec<usize> = at.iter().map(|&at| self.scored.rows[at] + 1).collect();
        Test {
            predictions: at.iter().zip(probabilities.rows()).map(prediction).collect(),
            files: at.iter().map(|&at| self.scored.files[at].clone()).collect(),
            n_unreadable: parts.test.len() - rows.len(),
        }
    }
}

struct Test {
    predictions: Vec<Prediction>,
    files: Vec<PathBuf>,
    n_unreadable: usize,
}

fn scored_test(
    test: Test,
    class_names: &[String],
    benchmark: &Benchmark,
    table: Table,
    mut notes: Vec<String>,
) -> Scored {
    if test.n_unreadable > 0 {
        notes.push(format!("{} test images cannot be read and are not scored", test.n_unreadable));
    }
    Classified {
        key: benchmark.key.clone(),
        title: format!("{}, test part", benchmark.title),
        main_metric: "top1_accuracy".into(),
        table,
        predictions: Predictions { class_names: class_names.to_vec(), rows: test.predictions },
        files: test.files,
        unreadable: Vec::new(),
        notes,
        doubts: Vec::new(),
        exclusion: None,
    }
    .score()
}

/// Writes the head as PyTorch's `Linear` of the unit image features, its classes, and the losses of its epochs.
fn write_head(trained: &Trained, class_names: &[String], identity: &Identity, out: &Path) -> Result<()> {
    let Head { weight, bias } = &trained.head;
    let bytes =
        |values: Vec<f64>| values.iter().flat_map(|&value| (value as f32).to_le_bytes()).collect::<Vec<u8>>();
    let (n_values, n_classes) = weight.dim();
    let weight = bytes(weight.t().iter().copied().collect());
    let bias = bytes(bias.to_vec());
    let tensors = [
        ("weight", TensorView::new(Dtype::F32, vec![n_classes, n_values], &weight)?),
        ("bias", TensorView::new(Dtype::F32, vec![n_classes], &bias)?),
    ];
    // One entry only: the header writes a map's entries in no fixed order.
    let metadata = HashMap::from([("format".to_string(), "pt".to_string())]);
    replace_file(&out.join(HEAD_FILE), &safetensors::serialize(tensors, Some(metadata))?)?;
    let about = serde_json::json!({
        "classes": class_names,
        "features": "image features of unit length",
        "model": identity.model_name,
        "model_sha256": identity.model_sha256,
        "best_epoch": trained.best_epoch + 1,
    });
    replace_file(&out.join(ABOUT_FILE), &serde_json::to_vec_pretty(&about)?)?;
    let mut history = Sheet::default();
    let column = |of: fn(&head::Epoch) -> f64| trained.epochs.iter().map(|epoch| Some(of(epoch))).collect();
    history.numbers("epoch", (1..=trained.epochs.len()).map(|epoch| Some(epoch as f64)).collect());
    history.numbers("train_loss", column(|epoch| epoch.train_loss));
    history.numbers("validation_loss", column(|epoch| epoch.validation_loss));
    history.write(&out.join(HISTORY_FILE))
}
