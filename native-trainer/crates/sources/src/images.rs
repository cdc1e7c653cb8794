//! The images of a data set's rows: found by the names in a column, or known from reading.

use crate::dataset::Dataset;
use crate::image::Image;
use dermake_files::file_finder::{FileFinder, FindError};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Rows that are tried to find the folder where image names start; a few images may be missing.
const N_TRIED: usize = 100;

/// Why a row has no image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    #[error("the row names no image")]
    Unnamed,
    #[error(transparent)]
    Find(#[from] FindError),
}

/// Finds the image of each row.
pub struct Images<'a> {
    data: &'a Dataset,
    column: Option<usize>,
    /// For each file of the data set, its finder; the last is used where there is none.
    finders: Vec<FileFinder>,
    finder_of: Vec<usize>,
}

impl Dataset {
    /// The images of the rows: by the names in `column`, or as reading found them. Names start at the one of `roots` that
    /// has most of the first images, of equal ones the first; by default these are the folder of the file, `images` beside
    /// it, the folder above, and the current one.
    pub fn images(&self, column: Option<usize>, roots: Option<&[PathBuf]>) -> Images<'_> {
        Images::new(self, column, roots)
    }
}

impl<'a> Images<'a> {
    /// Chooses the folders where the names start: the one of `roots` that has most of the first images, by default of the
    /// file's own folder, `images` beside it, the folder above, and the current one.
    pub(crate) fn new(data: &'a Dataset, column: Option<usize>, roots: Option<&[PathBuf]>) -> Self {
        let (mut finders, mut finder_of, mut by_folder) = (Vec::new(), Vec::new(), HashMap::new());
        let n_files = if column.is_some() { data.n_files() } else { 0 };
        for file in 0..n_files {
            let folder = data.file(file).parent().unwrap_or(Path::new(".")).to_path_buf();
            let at = *by_folder.entry(folder).or_insert_with_key(|folder| {
                let usual = || vec![folder.clone(), folder.join("images"), folder.join(".."), PathBuf::from(".")];
                let roots = roots.map_or_else(usual, <[PathBuf]>::to_vec);
                finders.push(finder(data, column.unwrap_or_default(), file, &roots));
                finders.len() - 1
            });
            finder_of.push(at);
        }
        Self { data, column, finders, finder_of }
    }

    /// The image of a row; it is not opened.
    ///
    /// # Errors
    /// When the row names no image, the file does not exist, or several files fit the name.
    ///
    /// # Panics
    /// When there is no row of this number.
    pub fn get(&self, row: usize) -> Result<Image, ImageError> {
        if let Some(image) = self.data.known_image(row) {
            return Ok(image.clone());
        }
        let name = self.column.map_or("", |column| self.data.cell(row, column));
        if name.trim().is_empty() {
            return Err(ImageError::Unnamed);
        }
        let finder = &self.finders[self.finder_of[self.data.file_of(row)]];
        Ok(Image::File(finder.find(name)?))
    }

    /// The folder where the image names of a row's file start, if they are names of files.
    pub fn root(&self, row: usize) -> Option<&Path> {
        let finder = self.finder_of.get(self.data.file_of(row))?;
        Some(self.finders[*finder].root())
    }
}

/// The finder below the one of `roots` that has most of the first images; of equal ones, the first. One image says little:
/// an absolute name is found from every folder.
fn finder(data: &Dataset, column: usize, file: usize, roots: &[PathBuf]) -> FileFinder {
    let rows = (0..data.len()).filter(|&row| data.file_of(row) == file).take(N_TRIED);
    let names: Vec<&str> = rows.map(|row| data.cell(row, column)).filter(|name| !name.is_empty()).collect();
    let mut best: Option<(usize, FileFinder)> = None;
    for finder in roots.iter().map(FileFinder::new) {
        let n_found = names.iter().filter(|name| finder.find(name).is_ok()).count();
        if best.as_ref().is_none_or(|(most, _)| n_found > *most) {
            best = Some((n_found, finder));
        }
        if n_found == names.len() {
            break;
        }
    }
    best.map_or_else(|| FileFinder::new("."), |(_, finder)| finder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_start_where_most_of_the_images_are() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("data");
        std::fs::create_dir_all(folder.join("images")).unwrap();
        for name in ["images/a.jpg", "images/b.jpg", "../other.jpg"] {
            std::fs::write(folder.join(name), "").unwrap();
        }
        let absolute = root.path().join("other.jpg");
        for other in ["../other.jpg", absolute.to_str().unwrap()] {
            let table = folder.join("t.csv");
            std::fs::write(&table, format!("image,label\n{other},x\na.jpg,x\nb.jpg,y\n")).unwrap();
            let data = Dataset::read(&table).unwrap();
            let images = data.images(Some(0), None);
            assert_eq!(images.root(0), Some(folder.join("images").as_path()), "{other}");
            assert_eq!(images.get(1).unwrap().path(), Some(folder.join("images/a.jpg").as_path()));
        }
    }
}
