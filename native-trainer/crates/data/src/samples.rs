//! One row of the table as one sample: the image read, decoded and transformed, the captions tokenized.

use super::augment::{Augmentation, augment};
use super::captions::{CaptionTokens, Tokens};
use super::lineages::Lineages;
use super::order::row_rng;
use super::problem::{ProblemKind, RowProblem};
use super::table::TrainingTable;
use anyhow::{Result, anyhow, ensure};
use dermake_files::absent::A_FOLDER;
use dermake_files::file_finder::{FileFinder, FindError};
use dermake_objective::Captions;
use dermake_pictures::PictureError;
use rayon::prelude::*;
use shared_model::config::PreprocessConfig;
use shared_model::preprocess::{DecodedImage, Reading, resize_and_crop};
use shared_model::tokenizer::Tokenizer;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Transform of an image after decoding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Transform {
    /// Always the same: resize the short edge, crop the center.
    Evaluation,
    /// Random, different in each epoch, from `seed`.
    Training { augmentation: Augmentation, seed: u64 },
}

/// A table with its images, tokenizer and preprocessing; shared by the threads of a loader.
pub struct SampleSource {
    table: TrainingTable,
    images: FileFinder,
    tokens: CaptionTokens,
    preprocess: PreprocessConfig,
    lineages: Option<Lineages>,
}

/// One row, ready for a batch.
pub(super) struct Sample {
    /// u8 `[3, S, S]`, RGB; normalized where the model computes.
    pub pixels: Vec<u8>,
    /// Of N captions.
    pub captions: Vec<Tokens>,
}

impl SampleSource {
    /// `image_root` is the folder where the table's image names start; see [`TrainingTable::image_root`].
    pub fn new(
        table: TrainingTable,
        image_root: impl Into<PathBuf>,
        tokenizer: Tokenizer,
        preprocess: PreprocessConfig,
    ) -> Self {
        let tokens = CaptionTokens::new(tokenizer, &table);
        Self { table, images: FileFinder::new(image_root), tokens, preprocess, lineages: None }
    }

    /// Gives every batch the places of its diagnoses in an ontology.
    pub fn with_lineages(self, lineages: Lineages) -> Self {
        Self { lineages: Some(lineages), ..self }
    }

    pub fn lineages(&self) -> Option<&Lineages> {
        self.lineages.as_ref()
    }

    pub fn table(&self) -> &TrainingTable {
        &self.table
    }

    /// The folder where image names start.
    pub fn image_root(&self) -> &Path {
        self.images.root()
    }

    /// Side S of the images, in pixels.
    pub fn image_size(&self) -> usize {
        self.preprocess.image_size
    }

    /// Context length L of the captions.
    pub fn context_length(&self) -> usize {
        self.tokens.context_length()
    }

    /// Distinct captions among the first `n_rows` usable rows, of the first `n_kinds` kinds, and their tokens without
    /// padding. Captions that cannot be tokenized are left out.
    pub fn distinct_captions(&self, n_rows: usize, n_kinds: usize) -> (usize, usize) {
        let captions = self.table.usable_rows().take(n_rows).flat_map(|row| {
            let captions = self.table.row(row).captions.into_iter().enumerate().take(n_kinds);
            captions.filter_map(move |(kind, caption)| self.tokens.of(row, kind, caption).ok())
        });
        let distinct: HashSet<Tokens> = captions.collect();
        (distinct.len(), distinct.iter().map(|tokens| tokens.len()).sum())
    }

    /// Captions of a row that come into a batch, `most` at most.
    pub(super) fn n_captions(&self, most: Option<usize>) -> usize {
        most.map_or(self.table.n_captions(), |most| most.min(self.table.n_captions()))
    }

    /// The captions of a batch of these rows, each distinct one once, as the loader makes them. `most` is
    /// [`LoaderOptions::n_captions`](super::LoaderOptions::n_captions).
    ///
    /// # Errors
    /// When a row has a caption that cannot be tokenized.
    pub fn batch_captions(&self, rows: &[usize], most: Option<usize>) -> Result<(Captions, Vec<Vec<u32>>)> {
        let n_captions = self.n_captions(most);
        let of_row = |&row: &usize| -> Result<Vec<Tokens>, RowProblem> {
            (self.table.row(row).captions.into_iter().enumerate().take(n_captions))
                .map(|(kind, caption)| self.tokens_of(row, kind, caption))
                .collect()
        };
        let tokens = rows.par_iter().map(of_row).collect::<Result<Vec<_>, _>>();
        let tokens = tokens.map_err(|problem| anyhow!("{problem}"))?;
        Ok(self.distinct(rows, &tokens.concat(), most))
    }

    /// Gives each distinct caption a row, in the order of its first position; returns their ids.
    pub(super) fn distinct(
        &self,
        rows: &[usize],
        tokens: &[Tokens],
        most: Option<usize>,
    ) -> (Captions, Vec<Vec<u32>>) {
        let n_captions = self.n_captions(most);
        let mask = rows.iter().flat_map(|&row| self.table.mask(row).take(n_captions)).collect();
        let (mut captions, distinct) = Captions::distinct(tokens, mask, n_captions);
        if let Some(lineages) = &self.lineages {
            captions.lineages = rows.iter().map(|&row| lineages.of_row(row).clone()).collect();
        }
        (captions, distinct.iter().map(|tokens| tokens.iter().map(|&id| id.into()).collect()).collect())
    }

    fn tokens_of(&self, row: usize, kind: usize, caption: &str) -> Result<Tokens, RowProblem> {
        self.tokens.of(row, kind, caption).map_err(|detail| {
            self.table.problem(row, self.table.caption_column(kind), ProblemKind::CaptionRefused { detail })
        })
    }

    /// Makes the sample of a row; it is always the same for the same epoch.
    ///
    /// # Errors
    /// What is wrong with the row.
    pub(super) fn sample(&self, row: usize, epoch: usize, transform: &Transform) -> Result<Sample, RowProblem> {
        let captions = self.table.row(row).captions.into_iter().enumerate();
        let captions =
            captions.map(|(kind, caption)| self.tokens_of(row, kind, caption)).collect::<Result<_, _>>()?;
        let image_problem = |kind| self.table.problem(row, self.table.image_column(), kind);
        let path = find_image(&self.images, self.table.image(row)).map_err(image_problem)?;
        let image = read_image(&path).map_err(image_problem)?;
        let view = match transform {
            Transform::Evaluation => resize_and_crop(&image, &self.preprocess),
            Transform::Training { augmentation, seed } => {
                augment(&image, augmentation, &self.preprocess, &mut row_rng(*seed, epoch, row))
            }
        };
        let view = view.map_err(|err| image_problem(unreadable(&path, err.to_string())))?;
        Ok(Sample { pixels: view.to_planes(), captions })
    }
}

/// The folder that `--root` names: where image names start.
///
/// # Errors
/// When there is no folder of this name.
pub(super) fn image_root(option: &Path) -> Result<PathBuf> {
    let root = FileFinder::new(option).root().to_path_buf();
    ensure!(root.is_dir(), "--root is no folder: {}", option.display());
    Ok(root)
}

/// Finds the file that a row names.
///
/// # Errors
/// The problem of the row.
pub(super) fn find_image(images: &FileFinder, name: &str) -> Result<PathBuf, ProblemKind> {
    images.find(name).map_err(|err| match err {
        FindError::Missing { path } => ProblemKind::ImageMissing { path: path.display().to_string() },
        FindError::Folder { path } => unreadable(&path, A_FOLDER.into()),
        FindError::Ambiguous { names, path } => {
            ProblemKind::ImageAmbiguous { names, path: path.display().to_string() }
        }
    })
}

/// Reads and decodes an image as the reference does.
///
/// # Errors
/// The problem of the row that names it.
pub(super) fn read_image(path: &Path) -> Result<DecodedImage, ProblemKind> {
    dermake_pictures::open(path, Reading::Reference).map_err(|err| match err {
        PictureError::Missing => ProblemKind::ImageMissing { path: path.display().to_string() },
        _ => unreadable(path, err.to_string()),
    })
}

fn unreadable(path: &Path, detail: String) -> ProblemKind {
    ProblemKind::ImageUnreadable { path: path.display().to_string(), detail }
}
