//! `dermake finetune`.

use crate::cli::eval::share;
use crate::cli::options::{CacheArguments, ColumnArguments, LoadingArguments};
use crate::ranks::refuse_several;
use anyhow::Result;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args};
use dermake_evaluation::{
    Ending, FinetuneOptions, HeadOptions, SplitOptions, TUNED_FOLDER, TowerTrainer, finetune,
};
use dermake_models::demo_model;
use dermake_process::interrupt::Interrupted;
use dermake_process::print;
use dermake_training::tuning::{TowerTuning, TuningOptions, Unfreeze};
use std::path::PathBuf;
use std::process::ExitCode;

/// Train a classifier on labeled photos of your own, and the image tower below it if you want
///
/// A linear layer over the image features is trained, on the CPU, in seconds once the features are computed. With
/// --unfreeze, the image tower is then trained below it, which takes as long as `dermake train`, and both are scored. A
/// column split (train, validation, test) says which photos are for what; without it, they are divided at random, of each
/// class alike. Training ends when the loss of the validation photos no longer improves.
/// The test photos are then scored as `dermake eval` scores a benchmark: accuracy, balanced accuracy, AUROC and others
/// with 95 % intervals.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dermake finetune hf-hub:xieji-x/MAKE --data photos --out runs/head
  dermake finetune demo --data labels.csv --label-column dx --group-column patient --class-weights balanced --out head
  dermake finetune hf-hub:xieji-x/MAKE --data photos --unfreeze lora --device cuda --out runs/tuned
  dermake eval --from head/predictions/own --from other/predictions/own")]
pub struct Finetune {
    /// The model, named as in `dermake classify`
    #[arg(value_name = "MODEL", env = "DERMAKE_MODEL", default_value = demo_model::NAME)]
    model: String,

    #[command(flatten)]
    loading: LoadingArguments,

    /// Your labeled photos: a folder with a folder for each class, or a table with an image and a label in each row
    #[arg(long, value_name = "PATH")]
    data: PathBuf,

    /// Folder for the classifier (head.safetensors as torch.nn.Linear, head.json), its losses (history.csv), the report on
    /// the test photos, with their answers in predictions/, and the trained tower with its classifier in tuned/
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    #[command(flatten)]
    columns: ColumnArguments,

    /// Column that keeps photos together, such as the patient: whole groups of one value are drawn. If a column split puts a
    /// value into the test and elsewhere, that is an error; into training and validation, a warning
    #[arg(long, value_name = "COLUMN")]
    group_column: Option<String>,

    /// Share of the photos for the test, if no column says which; of the training photos, if it names no test
    #[arg(long, default_value_t = 0.2, value_name = "SHARE", value_parser = share)]
    test_share: f64,

    /// Share of the other photos for the validation, if no column says which
    #[arg(long, default_value_t = 0.15, value_name = "SHARE", value_parser = share)]
    validation_share: f64,

    /// How much each class counts in the training's loss
    #[arg(long, default_value = "none", value_parser = class_weights(), action = ArgAction::Set)]
    class_weights: bool,

    /// Epochs of the classifier at most; each is one step over all training photos
    #[arg(long, default_value_t = 1000, value_name = "N")]
    epochs: usize,

    /// Learning rate of AdamW
    #[arg(long, default_value_t = 0.01, value_name = "RATE", allow_negative_numbers = true)]
    learning_rate: f64,

    /// Weight decay of AdamW
    #[arg(long, default_value_t = 0.01, value_name = "DECAY", allow_negative_numbers = true)]
    weight_decay: f64,

    /// Epochs in a row without a lower validation loss after which the training ends
    #[arg(long, default_value_t = 30, value_name = "N")]
    patience: usize,

    /// Train the image tower, too, once the classifier is trained: all of it, its last N blocks, or low-rank adapters
    /// (lora, or lora:RANK) [default: none of it]
    #[arg(long, value_name = "all|N|lora")]
    unfreeze: Option<Unfreeze>,

    /// Epochs of the tower at most, each over all training photos
    #[arg(long, default_value_t = 10, value_name = "N", requires = "unfreeze")]
    tower_epochs: usize,

    /// Learning rate of the tower after warm-up [default: 1e-5, for adapters 2e-4]
    #[arg(long, value_name = "RATE", requires = "unfreeze", allow_negative_numbers = true)]
    tower_learning_rate: Option<f64>,

    /// Epochs of the tower in a row without a lower validation loss after which its training ends
    #[arg(long, default_value_t = 3, value_name = "N", requires = "unfreeze")]
    tower_patience: usize,

    /// Photos of a step of the tower
    #[arg(long, default_value_t = 32, value_name = "N", requires = "unfreeze")]
    batch_size: usize,

    /// Seed of the division at random, of the tower's batches and of its random crops
    #[arg(long, default_value_t = 0, value_name = "SEED")]
    seed: u64,

    /// Largest share of photos that are missing or damaged, or without a label
    #[arg(long, default_value_t = 0.01, value_name = "SHARE", value_parser = share)]
    max_unreadable: f64,

    #[command(flatten)]
    cache: CacheArguments,
}

/// Learning rates of a tower, and of its low-rank adapters.
const TOWER_RATE: f64 = 1e-5;
const LOW_RANK_RATE: f64 = 2e-4;

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
        refuse_several("finetune")?;
        for (name, value) in [("--learning-rate", self.learning_rate), ("--weight-decay", self.weight_decay)] {
            let is_positive = value > 0.0 || (name == "--weight-decay" && value == 0.0);
            anyhow::ensure!(is_positive && value.is_finite(), "{name} is {value}, expected a positive number");
        }
        anyhow::ensure!(self.epochs > 0, "--epochs is 0, expected at least 1");
        let model = self.loading.options(self.model);
        let tower = self.unfreeze.map(|unfreeze| TowerTuning {
            model: &model,
            options: TuningOptions {
                unfreeze,
                epochs: self.tower_epochs,
                patience: self.tower_patience,
                batch_size: self.batch_size,
                learning_rate: self.tower_learning_rate.unwrap_or(match unfreeze {
                    Unfreeze::LowRank(_) => LOW_RANK_RATE,
                    _ => TOWER_RATE,
                }),
                seed: self.seed,
            },
        });
        if let Some(tower) = &tower {
            tower.options.validate()?;
        }
        let done = finetune(&FinetuneOptions {
            model: &model,
            data: &self.data,
            columns: self.columns.columns(),
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
            tower: tower.as_ref().map(|tower| tower as &dyn TowerTrainer),
            max_unreadable: self.max_unreadable,
            cache: self.cache.folder(),
            out: &self.out,
        });
        match done {
            Err(err) if err.is::<Interrupted>() => {
                print::remark(format_args!(
                    "interrupted: features that were computed are cached for the next time, and every file is as it was \
                     or whole: {}",
                    self.out.display()
                ));
                Ok(ExitCode::from(130))
            }
            Ok(Ending::Interrupted) => {
                print::remark(format_args!(
                    "interrupted: what the tower had learned until its best epoch is saved, and its test photos are not \
                     scored: {}",
                    self.out.join(TUNED_FOLDER).display()
                ));
                Ok(ExitCode::from(130))
            }
            done => done.map(|_| ExitCode::SUCCESS),
        }
    }
}
