//! `dermake finetune`.

use crate::cli::eval::share;
use crate::cli::options::LoadingArguments;
use anyhow::Result;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args};
use dermake_evaluation::{FinetuneOptions, HeadOptions, OwnColumns, SplitOptions, finetune};
use dermake_features::default_cache;
use dermake_process::interrupt::Interrupted;
use std::path::PathBuf;
use std::process::ExitCode;

/// Train a classifier on the frozen features of a model, with labeled photos of your own
///
/// The model's towers stay as they are; a linear layer over the image features is trained, on the CPU, in seconds once
/// the features are computed. A column split (train, validation, test) says which photos are for what; without it, they
/// are divided at random, of each class alike. Training ends when the loss of the validation photos no longer improves.
/// The test photos are then scored as `dermake eval` scores a benchmark: accuracy, balanced accuracy, AUROC and others
/// with 95 % intervals.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dermake finetune hf-hub:xieji-x/MAKE --data photos --out runs/head
  dermake finetune demo --data labels.csv --label-column dx --group-column patient --class-weights balanced --out head
  dermake eval --from head/predictions/own --from other/predictions/own")]
pub struct Finetune {
    /// The model, named as in `dermake classify`
    #[arg(value_name = "MODEL")]
    model: String,

    #[command(flatten)]
    loading: LoadingArguments,

    /// Your labeled photos: a folder with a folder for each class, or a table with an image and a label in each row
    #[arg(long, value_name = "PATH")]
    data: PathBuf,

    /// Folder for the classifier (head.safetensors as torch.nn.Linear, head.json), its losses (history.csv) and the report on the
    /// test photos, with their answers in predictions/
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Column of your table with the image's file name [default: a usual name, such as filename or image]
    #[arg(long, value_name = "COLUMN")]
    image_column: Option<String>,

    /// Column of your table with the label: a class name, or its number from 0 [default: a usual name, such as label]
    #[arg(long, value_name = "COLUMN")]
    label_column: Option<String>,

    /// The classes in the order of their numbers: names separated by commas, a file with one name per line, or pad, f17k,
    /// snu or sd128 [default: the labels that occur]
    #[arg(long, value_name = "LABELS")]
    labels: Option<String>,

    /// Column whose equal values stay together where photos are divided at random, such as the patient
    #[arg(long, value_name = "COLUMN")]
    group_column: Option<String>,

    /// Share of the photos for the test, if no column says which
    #[arg(long, default_value_t = 0.2, value_name = "SHARE", value_parser = share)]
    test_share: f64,

    /// Share of the other photos for the validation, if no column says which
    #[arg(long, default_value_t = 0.15, value_name = "SHARE", value_parser = share)]
    validation_share: f64,

    /// How much a class counts in the loss
    #[arg(long, ignore_case = true, default_value = "none", value_parser = class_weights(), action = ArgAction::Set)]
    class_weights: bool,

    /// Passes over the training photos at most
    #[arg(long, default_value_t = 1000, value_name = "N")]
    epochs: usize,

    /// Learning rate of AdamW
    #[arg(long, default_value_t = 0.01, value_name = "RATE", allow_negative_numbers = true)]
    learning_rate: f64,

    /// Weight decay of AdamW
    #[arg(long, default_value_t = 0.01, value_name = "DECAY", allow_negative_numbers = true)]
    weight_decay: f64,

    /// Passes without an improvement of the validation loss after which the training ends
    #[arg(long, default_value_t = 30, value_name = "N")]
    patience: usize,

    /// Seed of the division at random
    #[arg(long, default_value_t = 0, value_name = "SEED")]
    seed: u64,

    /// Largest share of photos that are missing or damaged, or without a label
    #[arg(long, default_value_t = 0.01, value_name = "SHARE", value_parser = share)]
    max_unreadable: f64,

    /// Folder of the feature cache [default: dermake/features in the user's cache]
    #[arg(long, env = "DERMAKE_FEATURES", value_name = "DIR", conflicts_with = "no_cache")]
    cache: Option<PathBuf>,

    /// Compute every feature again, and store none
    #[arg(long)]
    no_cache: bool,
}

/// Parses whether classes are balanced.
fn class_weights() -> impl TypedValueParser<Value = bool> {
    let names = [
        PossibleValue::new("none").help("Each photo counts once"),
        PossibleValue::new("balanced").help("Each class counts as much as any other"),
    ];
    PossibleValuesParser::new(names).map(|name| name.eq_ignore_ascii_case("balanced"))
}

impl Finetune {
    pub fn run(self) -> Result<ExitCode> {
        dermake_process::host::prepare();
        for (name, value) in [("--learning-rate", self.learning_rate), ("--weight-decay", self.weight_decay)] {
            let is_positive = value > 0.0 || (name == "--weight-decay" && value == 0.0);
            anyhow::ensure!(is_positive && value.is_finite(), "{name} is {value}, expected a positive number");
        }
        anyhow::ensure!(self.epochs > 0, "--epochs is 0, expected at least 1");
        let done = finetune(&FinetuneOptions {
            model: &self.loading.options(self.model),
            data: &self.data,
            columns: OwnColumns {
                image: self.image_column.as_deref(),
                label: self.label_column.as_deref(),
                classes: self.labels.as_deref(),
                ..OwnColumns::default()
            },
            split: SplitOptions {
                test_share: self.test_share,
                validation_share: self.validation_share,
                group_column: self.group_column.as_deref(),
                seed: self.seed,
            },
            head: HeadOptions {
                epochs: self.epochs,
                learning_rate: self.learning_rate,
                weight_decay: self.weight_decay,
                patience: self.patience,
            },
            is_balanced: self.class_weights,
            max_unreadable: self.max_unreadable,
            cache: if self.no_cache { None } else { self.cache.or_else(default_cache) },
            out: &self.out,
        });
        match done {
            Err(err) if err.is::<Interrupted>() => Ok(ExitCode::from(130)),
            done => done.map(|()| ExitCode::SUCCESS),
        }
    }
}
