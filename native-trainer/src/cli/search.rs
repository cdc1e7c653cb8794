//! `dermake embed` and `dermake search`.

use crate::cli::options::ModelArguments;
use crate::inputs::Photo;
use crate::ranks::Launched;
use crate::search::{Query, SearchOutput, embed, search};
use anyhow::{Result, bail};
use clap::{ArgGroup, Args};
use dermake_process::host;
use dermake_process::print;
use shared_model::preprocess::Reading;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Compute the features of the photos in a folder, for `dermake search` and other programs
///
/// The result is an index: the model's feature of each photo, a vector. The same command brings it up to date.
/// It reads only photos that are new or changed, removes those that are gone, and may be interrupted at any moment. Photos
/// are recognized by their content; other files are counted and named. The index has features.f32 (rows of 32-bit
/// floats) and files.csv, which gives the row of each photo; copies of one photo share a row. Exit code 1: some photos
/// could not be read, the others are in the index. Started by torchrun, mpirun or srun, the processes divide the photos,
/// and the first one writes the index; if one of them dies, the others end with exit code 1.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dermake embed photos && dermake search --index photos \"a wheal on the arm\"
  dermake embed photos --out features.parquet")]
pub struct Embed {
    /// Folder with the photos, also in subfolders: JPEG, PNG, WebP, GIF, BMP or TIFF
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    #[command(flatten)]
    model: ModelArguments,

    /// Folder of the index [default: .dermake in the folder of the photos]
    #[arg(long, value_name = "DIR")]
    index: Option<PathBuf>,

    /// Also write the features with the names of their photos, for pandas, R or NumPy: a file ending in .csv, .tsv,
    /// .parquet or .npy (with the names in .rows.csv beside it)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Find the photos of an index that fit a text or look like another photo
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("query").args(["text", "like"]).required(true)))]
#[command(after_help = "Examples:
  dermake search --index photos \"a brown patch with an irregular border\"
  dermake search --index photos --like photo.jpg --top-k 5 --json")]
pub struct Search {
    /// What the photos should show
    #[arg(value_name = "TEXT")]
    text: Option<String>,

    /// A photo that the results should look like; `-` is standard input
    #[arg(long, value_name = "IMAGE")]
    like: Option<PathBuf>,

    /// Folder of an index from `dermake embed`, or the folder of its photos
    #[arg(long, value_name = "DIR")]
    index: PathBuf,

    #[command(flatten)]
    model: ModelArguments,

    /// Number of photos to show, the closest first
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    top_k: u32,

    /// Print one JSON object per line: file, cosine
    #[arg(long)]
    json: bool,
}

impl Embed {
    pub fn run(self) -> Result<ExitCode> {
        host::prepare();
        let launched = Launched::from_environment()?;
        let models = [self.model.on(&launched)];
        launched.compute_features(&models, Reading::Photo, |ranks| {
            let done = embed(&self.folder, self.index.as_deref(), &models[0], self.out.as_deref(), &ranks)?;
            print::summary(&done.summary())?;
            Ok(done.tally().exit_code())
        })
    }
}

impl Search {
    pub fn run(self) -> Result<ExitCode> {
        let query = match (self.text, self.like) {
            (_, Some(photo)) => Query::Like(Photo::single(&photo)?),
            (Some(file), None) if Path::new(&file).is_file() => {
                bail!("this is a file, expected words; did you mean --like {file}?")
            }
            (text, None) => Query::Text(text.unwrap_or_default()),
        };
        let output = SearchOutput { top_k: self.top_k as usize, as_json: self.json };
        search(&self.index, &query, &self.model.into(), &output)?;
        Ok(ExitCode::SUCCESS)
    }
}
