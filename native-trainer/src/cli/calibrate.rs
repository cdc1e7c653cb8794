//! `dermake calibrate`.

use crate::calibrate::{calibrate, calibrate_predictions};
use crate::cli::options::{CacheArguments, ColumnArguments, LoadingArguments};
use crate::ranks::refuse_several;
use anyhow::Result;
use clap::Args;
use dermake_evaluation::OwnColumns;
use dermake_evaluation::calibrate::CalibrateOptions;
use std::path::PathBuf;
use std::process::ExitCode;

/// Make a model's probabilities match how often it is right, and let it answer "none of these"
///
/// Fits a temperature on one half of your labeled photos and measures it on the other half: calibration error, Brier score
/// and negative log-likelihood before and after, with 95 % bootstrap intervals. A temperature that does not help on the other
/// half is not used: 1 is kept in its place. Also chooses the score below which no label
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

    /// Photos of something else, such as other conditions or no skin: a folder or a table; may be repeated
    #[arg(long, value_name = "PATH")]
    outside: Vec<PathBuf>,

    /// Share of photos of the labels that may be answered with "none of these"
    #[arg(long, default_value_t = 0.05, value_name = "SHARE", value_parser = refused_share)]
    refuse: f64,

    #[command(flatten)]
    columns: ColumnArguments,

    /// The part of your data to use: train, validation (also val, valid or dev) or test [default: all]
    #[arg(long, value_name = "PART")]
    split: Option<String>,

    /// Largest share of photos that are missing or damaged or have no label
    #[arg(long, default_value_t = 0.01, value_name = "SHARE", value_parser = super::eval::share)]
    max_unreadable: f64,

    /// Probabilities that somebody published, in place of a model: files as in `dermake eval --from`; may be repeated. The
    /// result is only printed, also the accuracy if only the most confident 90, 80, 70, 60 or 50 % of the photos are answered
    #[arg(long, value_name = "FILE", conflicts_with_all = ["model", "data", "labels", "outside", "refuse", "image_column",
        "label_column", "images", "split", "max_unreadable", "no_cache", "arch", "dtype"])]
    from: Vec<PathBuf>,

    /// Class names of the published probabilities [default: those beside them]
    #[arg(long, value_name = "FILE", requires = "from")]
    classes: Option<PathBuf>,

    /// Print JSON: the calibration as the manifest has it, or a list of what was found for --from
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    cache: CacheArguments,
}

fn refused_share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=0.5).contains(share));
    share.ok_or_else(|| "expected a number from 0 to 0.5".into())
}

impl Calibrate {
    pub fn run(self) -> Result<ExitCode> {
        dermake_process::host::prepare();
        refuse_several("calibrate")?;
        let (Some(model), Some(data)) = (self.model, self.data) else {
            calibrate_predictions(&self.from, self.classes.as_deref(), self.json)?;
            return Ok(ExitCode::SUCCESS);
        };
        let options = CalibrateOptions {
            model: &self.loading.options(model),
            data: &data,
            columns: OwnColumns { split: self.split.as_deref(), ..self.columns.columns() },
            outside: &self.outside,
            refused_share: self.refuse,
            max_unreadable: self.max_unreadable,
            cache: self.cache.folder(),
        };
        calibrate(&options, self.json)?;
        Ok(ExitCode::SUCCESS)
    }
}
