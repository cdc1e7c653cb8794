//! Sets of images: those of a table, or of a folder.

use crate::benchmarks::image_roots;
use crate::table::Table;
use anyhow::Result;
use dermake_features::ImageFile;
use std::path::{Path, PathBuf};

/// Images to compare with others.
pub struct ImageSet {
    /// The table or folder.
    pub path: PathBuf,
    /// As the command names it.
    pub name: String,
    /// Whether all places of the folder could be looked into.
    pub is_whole: bool,
    pub files: Vec<ImageFile>,
    /// The images as the table names them, or from the folder on.
    pub images: Vec<String>,
}

impl ImageSet {
    /// The images of a table; their names start at `root`, or else where those of benchmarks do.
    ///
    /// # Errors
    /// When the table cannot be read or names no images.
    pub fn of_table(path: &Path, image_column: Option<&str>, root: Option<&Path>) -> Result<Self> {
        let table = Table::read(path)?;
        let column = table.image_column(image_column)?;
        let rows: Vec<usize> = (0..table.n_rows()).collect();
        let folder = path.parent().unwrap_or(Path::new("."));
        let roots = root.map_or_else(|| image_roots(path, folder), |root| vec![root.to_path_buf()]);
        let files = table.images(column, &rows, &roots)?;
        let image = |(&row, file): (&usize, &ImageFile)| match column {
            Some(column) => table.cell(row, column).to_string(),
            None => file.path.display().to_string(),
        };
        let images = rows.iter().zip(&files).map(image).collect();
        Ok(Self { path: path.into(), name: path.display().to_string(), is_whole: true, files, images })
    }

    /// The table or folder, and the images.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| file.path.as_path()).chain([self.path.as_path()])
    }

    /// Photos of a folder; `is_whole` says whether all places in it could be looked into.
    pub fn of_folder(folder: &Path, photos: Vec<PathBuf>, is_whole: bool) -> Self {
        let image = |path: &PathBuf| path.strip_prefix(folder).unwrap_or(path).to_string_lossy().into_owned();
        let images = photos.iter().map(image).collect();
        let file = |path: PathBuf| {
            let absolute = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
            ImageFile { name: absolute.to_string_lossy().into_owned(), path }
        };
        Self {
            path: folder.into(),
            name: folder.display().to_string(),
            is_whole,
            files: photos.into_iter().map(file).collect(),
            images,
        }
    }
}
