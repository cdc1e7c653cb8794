//! `dermake eval`.

use crate::cli::options::{CacheArguments, ColumnArguments, LoadingArguments, scale};
use crate::ranks::Launched;
use anyhow::Result;
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use dermake_evaluation::results::Protocol;
use dermake_evaluation::{
    Ending, EvalOptions, FromOptions, MapMethod, OwnColumns, TableFiles, evaluate, evaluate_predictions,
};
use dermake_models::demo_model;
use dermake_models::options::ModelOptions;
use dermake_models::scale::Scale;
use shared_model::labels::Templates;
use shared_model::preprocess::Reading;
use std::path::PathBuf;
use std::process::ExitCode;

/// Measure models on your own photos or on benchmarks, or score predictions that somebody made
///
/// --data takes your own photos: a folder with a folder for each class, a table (CSV, TSV, JSON lines, Parquet) with an
/// image and a label or a caption in each row, or tar files of WebDataset. Or it takes a folder with the benchmarks in
/// the layout of the reference or of DermFM-Zero: each one whose data are there is run, and the sources of the others are
/// named.
/// Tasks are zero-shot classification, concept annotation, retrieval and linear
/// probes. Metrics have 95 % bootstrap intervals, and are also given by skin type, sex and age if a table has them. Ends
/// with a table of the results beside published figures. With several models, each pair is compared by a paired bootstrap.
/// Features are cached: a second evaluation reads only the images that the report shows. Exit code 0: everything in the
/// folder was scored; 1: some of it could not be scored; 2: nothing could be scored; 130: interrupted, and finished work
/// is kept. Started by torchrun, mpirun or srun, the processes divide the images and texts, and the first one writes the
/// results; if one of them dies, the others end with exit code 1.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dermake eval --data photos --out report
  dermake eval --data test.csv --label-column dx --labels \"acne, rosacea, psoriasis\"
  dermake eval --data captions.jsonl --out report
  dermake synth --out data/synth && dermake eval
  dermake eval --model hf-hub:xieji-x/MAKE --data data --out reports/make
  dermake eval --model hf-hub:xieji-x/MAKE --model runs/mine/checkpoints/best --data data --out reports/both
  dermake eval --from HAM/MAKE.csv --from HAM/MONET.csv --classes classes_HAM.csv
  dermake eval --only pad,skincon --protocol released")]
pub struct Eval {
    /// A model: hf-hub:owner/name, a folder, a weights file, or demo; may be repeated to compare models [env: DERMAKE_MODEL]
    /// [default: demo]
    // Not by clap: a variable that is set must not be in conflict with --from.
    #[arg(long = "model", value_name = "MODEL")]
    models: Vec<String>,

    #[command(flatten)]
    loading: LoadingArguments,

    /// Predictions to score in place of a model: a CSV with image_path, true_label, predicted_label and
    /// probability_class_0, probability_class_1, …, or a folder with MODEL.csv, DATASET/MODEL.csv or the tables of linear
    /// probes, DATASET_10pct/MODEL_DATASET/NAME.csv; may be repeated to compare models
    #[arg(long, value_name = "FILE", conflicts_with_all = ["models", "only", "protocol", "max_unreadable", "no_cache", "labels",
        "image_column", "label_column", "images", "caption_column", "split", "scale", "templates", "arch", "dtype"])]
    from: Vec<PathBuf>,

    /// Class names of the predictions: pad, f17k, snu, sd128, a table with the columns diag and label, or a label file
    /// [default: classes_DATASET.csv or class2label/DATASET.csv beside them]
    #[arg(long, value_name = "FILE", requires = "from")]
    classes: Option<PathBuf>,

    /// A list of images without which all metrics are given, too: from `dermake data overlap`, or any table with a column
    /// of images
    #[arg(long, value_name = "FILE")]
    exclude: Option<PathBuf>,

    /// Your photos (a folder, a table, Parquet or tar files, or a pattern such as "shards/*.tar"), or the folder of the
    /// benchmarks
    #[arg(long, env = "DERMAKE_DATA", default_value = "data", value_name = "PATH")]
    data: PathBuf,

    #[command(flatten)]
    columns: ColumnArguments,

    /// Column of your table with the caption, for retrieval [default: a usual name, such as caption]
    #[arg(long, value_name = "COLUMN")]
    caption_column: Option<String>,

    /// The part of your data to score: train, validation (also val, valid or dev) or test, by the column split or by the
    /// names of files and folders [default: all]
    #[arg(long, value_name = "PART")]
    split: Option<String>,

    /// The benchmarks to run, by their names separated by commas: pad, f17k, snu, sd128, daffodil, ham, skincon, derm7pt,
    /// skincap and others [default: all whose data are in the folder]
    #[arg(long, value_delimiter = ',', value_name = "KEY")]
    only: Vec<String>,

    /// How benchmarks are scored: as here, or as somebody's published code does
    #[arg(long, default_value = "all", value_parser = protocol())]
    protocol: Protocol,

    /// Largest share of a table's rows whose image is missing or damaged, or whose label is missing; above it, the table
    /// is not scored
    #[arg(long, default_value_t = 0.01, value_name = "SHARE", value_parser = share)]
    max_unreadable: f64,

    /// Factor between cosines and logits of classifications: it changes the probabilities, so the calibration and the
    /// AUROC, not the accuracy
    #[arg(long, default_value = "100", value_parser = scale())]
    scale: Scale,

    /// A sentence with {} in place of the label, for classifications; may be repeated [default: MAKE's eight skin templates]
    #[arg(long = "template", value_name = "SENTENCE")]
    templates: Vec<String>,

    /// Write the feature of every scored image with its benchmark, row and file: a file ending in .csv, .tsv, .parquet or
    /// .npy
    #[arg(long, value_name = "FILE", conflicts_with = "from")]
    embeddings: Option<PathBuf>,

    /// Write the answer to every image of the classifications with its benchmark, row, file, label and the probability of
    /// each class by its name: a file ending in .csv, .tsv, .parquet or .npy
    #[arg(long, value_name = "FILE", conflicts_with = "from")]
    predictions: Option<PathBuf>,

    /// Write how present each concept is in every image of the benchmarks with concepts, with its benchmark, row, file and
    /// labels: a file ending in .csv, .tsv, .parquet or .npy. `dermake annotate --out` writes the scores of any photos
    #[arg(long, value_name = "FILE", conflicts_with = "from")]
    concept_scores: Option<PathBuf>,

    /// Draw a map of the images of each classification into the report, colored by label and by skin tone, and write it as
    /// SVG, PNG and CSV into figures/. Of more than 3,000 images as many are drawn at random
    #[arg(long, value_name = "METHOD", value_parser = map_method(), requires = "out", conflicts_with = "from")]
    map: Option<MapMethod>,

    /// Folder for results.json, results.md, report.html, the drawings in figures/ (SVG and PNG) and the answer to each image
    /// in predictions/
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    #[command(flatten)]
    cache: CacheArguments,
}

/// Parses the name of a protocol.
fn protocol() -> impl TypedValueParser<Value = Protocol> {
    let names = [
        PossibleValue::new("all").help("Every row"),
        PossibleValue::new("released").help(
            "As the released script does: the first 2,048 rows of each classification table, and missing captions as \
             the text \"nan\"",
        ),
        PossibleValue::new("dermfm-zero").help(
            "As DermFM-Zero's code does: missing captions as the text \"nan\", recall at 5, 10 and 50, and linear probes \
             with its preprocessing, features and loss",
        ),
    ];
    PossibleValuesParser::new(names).map(|name| match name.to_lowercase().as_str() {
        "released" => Protocol::Released,
        "dermfm-zero" => Protocol::DermfmZero,
        _ => Protocol::All,
    })
}

/// Parses how a map is made.
fn map_method() -> impl TypedValueParser<Value = MapMethod> {
    let described = |method: MapMethod| {
        PossibleValue::new(method.name()).help(match method {
            MapMethod::Tsne => "t-SNE: neighbors are alike for the model, distances of groups mean nothing",
            MapMethod::Pca => "The two principal components: distances count, groups may overlap",
        })
    };
    PossibleValuesParser::new(MapMethod::ALL.map(described)).try_map(|name| name.parse::<MapMethod>())
}

/// Parses a share from 0 to 1.
pub fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "expected a number from 0 to 1".into())
}

impl Eval {
    pub fn run(self) -> Result<ExitCode> {
        dermake_process::host::prepare();
        if self.from.is_empty() { self.evaluate() } else { Ok(exit_code(self.score_predictions()?)) }
    }

    fn evaluate(mut self) -> Result<ExitCode> {
        let launched = Launched::from_environment()?;
        self.loading = self.loading.on(&launched);
        let cache = self.cache.folder();
        let templates = Templates::given_or_skin(self.templates)?;
        let named = || vec![std::env::var("DERMAKE_MODEL").unwrap_or_else(|_| demo_model::NAME.into())];
        let names = if self.models.is_empty() { named() } else { self.models };
        let models: Vec<ModelOptions> =
            names.into_iter().map(|model| self.loading.clone().options(model)).collect();
        let options = |ranks| EvalOptions {
            models: &models,
            data: &self.data,
            columns: OwnColumns {
                caption: self.caption_column.as_deref(),
                split: self.split.as_deref(),
                ..self.columns.columns()
            },
            only: &self.only,
            protocol: self.protocol,
            max_unreadable: self.max_unreadable,
            exclude: self.exclude.as_deref(),
            cache,
            out: self.out.as_deref(),
            tables: TableFiles {
                embeddings: self.embeddings.as_deref(),
                predictions: self.predictions.as_deref(),
                concept_scores: self.concept_scores.as_deref(),
            },
            map: self.map,
            scale: self.scale,
            templates,
            ranks,
        };
        launched.compute_features(&models, Reading::Reference, |ranks| Ok(exit_code(evaluate(&options(ranks))?)))
    }

    fn score_predictions(self) -> Result<Ending> {
        evaluate_predictions(&FromOptions {
            files: &self.from,
            classes: self.classes.as_deref(),
            exclude: self.exclude.as_deref(),
            out: self.out.as_deref(),
        })
    }
}

fn exit_code(ending: Ending) -> ExitCode {
    match ending {
        Ending::Complete => ExitCode::SUCCESS,
        Ending::Partial => ExitCode::from(1),
        Ending::Interrupted => ExitCode::from(130),
    }
}
