//! `dermake verify`.

use crate::cli::options::LoadingArguments;
use crate::verify::{VerifyOptions, verify};
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Check that a model gives the answers that were published of it
///
/// Answers photos whose published answers are known, and shows both. The program has the numbers and the hash of each
/// photo, but not the photo: without it, the error says where to get it. A model that is called as a published one is
/// compared with that one, any other with all. An answer is reproduced if each probability differs by at most 0.02 and
/// by at most the factor 1.3; the factor checks small probabilities. Exit code 0: the published answers are reproduced;
/// 1: they are not; 2: nothing could be compared.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dermake verify hf-hub:xieji-x/MAKE --photos downloads
  dermake verify runs/make --photos downloads --published MAKE
  dermake verify make-int8 --photos downloads --json")]
pub struct Verify {
    /// The model, named as in `dermake classify`
    #[arg(value_name = "MODEL")]
    model: String,

    #[command(flatten)]
    loading: LoadingArguments,

    /// Folder with the photos, or the only photo
    #[arg(long, value_name = "DIR", default_value = ".")]
    photos: PathBuf,

    /// The published model to compare with: MAKE, DermLIP-ViT-B-16, CLIP-Large [default: by the model's name, or all]
    #[arg(long, value_name = "NAME")]
    published: Option<String>,

    /// Known answers of your own, as static/benchmarks/known_answers.toml
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,

    /// Print one JSON object per known answer
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub fn run(self) -> Result<ExitCode> {
        let is_reproduced = verify(&VerifyOptions {
            model: self.loading.options(self.model),
            photos: self.photos,
            answers: self.answers,
            published: self.published,
            as_json: self.json,
        })?;
        Ok(ExitCode::from(u8::from(!is_reproduced)))
    }
}
