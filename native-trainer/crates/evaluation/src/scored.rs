//! Features of a table's images; images that cannot be read are listed apart.

use super::benchmarks::Benchmark;
use super::results::UnreadableImage;
use super::session::Session;
use anyhow::{Result, bail};
use candle_core::Tensor;
use dermake_features::{ImageFeatures, ImageFile};
use dermake_pictures::PictureError;
use std::path::PathBuf;

/// The rows of a table that are scored.
pub struct ScoredRows {
    /// Rows of the table.
    pub rows: Vec<usize>,
    pub files: Vec<PathBuf>,
    /// `[n, E]`, unit rows.
    pub features: Tensor,
    /// Of the files, in lower-case hexadecimal.
    pub sha256: Vec<String>,
    pub unreadable: Vec<UnreadableImage>,
    /// Indices of the scored rows among all requested ones.
    places: Vec<usize>,
}

impl ScoredRows {
    /// The files with their hashes, as lists of images to leave out name them.
    pub fn images(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.files
            .iter()
            .zip(&self.sha256)
            .map(|(file, sha256)| (file.to_str().unwrap_or_default(), Some(sha256.as_str())))
    }

    /// Selects the values of the scored rows from those of all requested rows.
    pub fn of_read<T: Clone>(&self, of_all: &[T]) -> Vec<T> {
        self.places.iter().map(|&place| of_all[place].clone()).collect()
    }
}

/// Features of a table's images.
///
/// # Errors
/// When more of them cannot be read than is allowed.
pub fn score_images(
    session: &mut Session<'_>,
    benchmark: &Benchmark,
    rows: &[usize],
    files: &[ImageFile],
) -> Result<ScoredRows> {
    let features = session.images(&benchmark.title, files)?;
    let scored = scored_rows(session, rows, files, features)?;
    if let Some(embeddings) = &mut session.tables.embeddings {
        embeddings.add(&benchmark.key, &scored.rows, &scored.files, &scored.features)?;
    }
    Ok(scored)
}

/// The rows whose images have features.
///
/// # Errors
/// As [`score_images`].
pub fn scored_rows(
    session: &Session<'_>,
    rows: &[usize],
    files: &[ImageFile],
    features: ImageFeatures,
) -> Result<ScoredRows> {
    let ImageFeatures { rows: found, features, contents } = features;
    let mut scored = ScoredRows {
        rows: Vec::new(),
        files: Vec::new(),
        features,
        sha256: contents.iter().map(|content| hex(content)).collect(),
        unreadable: Vec::new(),
        places: Vec::new(),
    };
    for (place, ((&row, file), found)) in rows.iter().zip(files).zip(found).enumerate() {
        match found {
            Ok(_) => {
                scored.rows.push(row);
                scored.files.push(file.path.clone());
                scored.places.push(place);
            }
            Err(problem) => {
                scored.unreadable.push(UnreadableImage { row: row + 1, file: file.place(), problem });
            }
        }
    }
    check_unreadable(&scored.unreadable, rows.len(), session.max_unreadable())?;
    Ok(scored)
}

/// Bytes in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Checks that no more of a table's images are unreadable than the share `limit`, and not all of them.
///
/// # Errors
/// Names the first.
pub fn check_unreadable(unreadable: &[UnreadableImage], n_images: usize, limit: f64) -> Result<()> {
    let missing = PictureError::Missing.to_string();
    // Of a table without a single image, the folder is another one than its author thinks.
    let places = match unreadable.len() == n_images && unreadable.iter().all(|image| image.problem == missing) {
        true => {
            "; image names start at the table's folder, or at the folder images beside it; for data of your own, \
             --images names another folder"
        }
        false => "",
    };
    check_share("images cannot be read", places, unreadable, n_images, limit)
}

/// Checks that no more of a table's rows have no label than the share `limit`, and not all of them.
///
/// # Errors
/// Names the first.
pub fn check_unlabeled(unlabeled: &[UnreadableImage], n_rows: usize, limit: f64) -> Result<()> {
    check_share("rows have no label", "", unlabeled, n_rows, limit)
}

/// `problem` says what is wrong with the rows that are `left_out` of `n_rows`, `remedy` what may be done.
fn check_share(problem: &str, remedy: &str, left_out: &[UnreadableImage], n_rows: usize, limit: f64) -> Result<()> {
    let n_bad = left_out.len();
    if let Some(first) = left_out.first()
        && (n_bad as f64 > limit * n_rows as f64 || n_bad == n_rows)
    {
        bail!(
            "{n_bad} of {n_rows} {problem} ({:.1} %, allowed are {:.1} %){remedy}; the first in row {}: {}: {}",
            100.0 * n_bad as f64 / n_rows as f64,
            100.0 * limit,
            first.row,
            first.problem,
            first.file
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_which_no_image_is_found_says_where_they_are_looked_for() {
        let image = |problem: &str| UnreadableImage { row: 1, file: "a.jpg".into(), problem: problem.into() };
        let missing = PictureError::Missing.to_string();
        let said = |images: &[UnreadableImage], n| check_unreadable(images, n, 0.01).unwrap_err().to_string();
        let places = "image names start at the table's folder, or at the folder images beside it";
        assert!(said(&[image(&missing)], 1).contains(places));
        assert!(!said(&[image(&missing)], 2).contains(places), "another one was found");
        assert!(!said(&[image(&missing), image("not a picture")], 2).contains(places));
    }
}
