//! `dermake calibrate`.

use crate::calibrate::{calibrate, calibrate_predictions};
use crate::cli::options::LoadingArguments;
use anyhow::Result;
use clap::Args;
use dermake_evaluation::OwnColumns;
use dermake_evaluation::calibrate::CalibrateOptions;
use dermake_features::default_cache;
use std::path::PathBuf;
use std::process::ExitCode;

/// Make a model's probabilities match how often it is right, and let it answer "none of these"
///
/// Fits a temperature on one half of your labeled photos and measures it on the other half: calibration error, Brier score
/// and negative log-likelihood before and after, with 95 % bootstrap intervals. Also chooses the score below which no label
/// fits a photo, so that a stated share of photos of the labels is refused (maximum concept matching). Both are written into
/// the manifest of a folder of `dermake quantize`, for these labels; `dermake classify`, the server and the page use them.
/// Photos of other labels in your data, and those of --outside, measure how often "none of these" recognizes them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dermake calibrate make-int8 --data photos
  dermake calibrate make-int8 --data test.csv --label-column dx --labels pad --outside holiday-photos
  dermake calibrate --from HAM/MAKE.csv --from HAM/MONET.csv --classes classes_HAM.csv")]
pub struct Calibrate {
    /// The model, named as in `dermake classify`; a folder of `dermake quantize` keeps the result
    #[arg(value_name = "MODEL", required_unless_present = "from")]
    model: Option<String>,

    #[command(flatten)]
    loading: LoadingArguments,

    /// Your labeled photos: a folder with a folder for each class, or a table, as in `dermake eval`
    #[arg(long, value_name = "PATH", required_unless_present = "from")]
    data: Option<PathBuf>,

    /// The labels to calibrate for: pad, f17k, snu, sd128, a file with one name per line, or names separated by commas
    /// [default: the labels that occur]
    #[arg(long, value_name = "LABELS")]
    labels: Option<String>,

    /// Photos of something else, such as other conditions or no skin: a folder or a table; may be repeated
    #[arg(long, value_name = "PATH")]
    outside: Vec<PathBuf>,

    /// Share of photos of the labels that may be answered with "none of these"
    #[arg(long, default_value_t = 0.05, value_name = "SHARE", value_parser = refused_share)]
    refuse: f64,

    /// Column of your table with the image's file name [default: a usual name, such as filename or image]
    #[arg(long, value_name = "COLUMN")]
    image_column: Option<String>,

    /// Column of your table with the label: a class name, or its number from 0 [default: a usual name, such as label]
    #[arg(long, value_name = "COLUMN")]
    label_column: Option<String>,

    /// The part of your data to use: train, validation or test [default: all]
    #[arg(long, value_name = "PART")]
    split: Option<String>,

    /// Largest share of photos that are missing or damaged or have no label
    #[arg(long, default_value_t = 0.01, value_name = "SHARE", value_parser = super::eval::share)]
    max_unreadable: f64,

    /// Probabilities that somebody published, in place of a model: files as in `dermake eval --from`; may be repeated. The
    /// result is only printed
    #[arg(long, value_name = "FILE", conflicts_with_all = ["model", "data", "labels", "outside", "refuse", "image_column",
        "label_column", "split", "max_unreadable", "no_cache", "arch", "dtype"])]
    from: Vec<PathBuf>,

    /// Class names of the published probabilities [default: those beside them]
    #[arg(long, value_name = "FILE", requires = "from")]
    classes: Option<PathBuf>,

    /// Print JSON: the calibration as the manifest has it, or a list of what was found for --from
    #[arg(long)]
    json: bool,

    /// Folder of the feature cache [default: dermake/features in the user's cache]
    #[arg(long, env = "DERMAKE_FEATURES", value_name = "DIR", conflicts_with = "no_cache")]
    cache: Option<PathBuf>,

    /// Compute every feature again, and store none
    #[arg(long)]
    no_cache: bool,
}

fn refused_share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=0.5).contains(share));
    share.ok_or_else(|| "expected a number from 0 to 0.5".into())
}

impl Calibrate {
    pub fn run(self) -> Result<ExitCode> {
        dermake_process::host::prepare();
        let (Some(model), Some(data)) = (self.model, self.data) else {
            calibrate_predictions(&self.from, self.classes.as_deref(), self.json)?;
            return Ok(ExitCode::SUCCESS);
        };
        let options = CalibrateOptions {
            model: &self.loading.options(model),
            data: &data,
            columns: OwnColumns {
                image: self.image_column.as_deref(),
                label: self.label_column.as_deref(),
                caption: None,
                classes: self.labels.as_deref(),
                split: self.split.as_deref(),
            },
            outside: &self.outside,
            refused_share: self.refuse,
            max_unreadable: self.max_unreadable,
            cache: if self.no_cache { None } else { self.cache.or_else(default_cache) },
        };
        calibrate(&options, self.json)?;
        Ok(ExitCode::SUCCESS)
    }
}
