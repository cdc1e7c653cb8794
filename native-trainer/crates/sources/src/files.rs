//! Files of one form as one data set.

use crate::builder::Builder;
use crate::dataset::Dataset;
use crate::error::SourceError;
use crate::form::Form;
use crate::{Result, file};
use std::path::{Path, PathBuf};

impl Dataset {
    /// Reads the content of a table: CSV and the like, or JSON. `path` is where it came from.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn of_bytes(bytes: &[u8], path: &Path) -> Result<Self> {
        let mut builder = Builder::default();
        builder.begin_file(path, None);
        let form = file::read_text(bytes, &mut builder)?;
        Self::of(path, form, builder)
    }

    /// Reads files of one form as one data set, named `path`.
    pub(crate) fn of_files(path: &Path, files: &[PathBuf]) -> Result<Self> {
        let mut builder = Builder::default();
        let mut form = None;
        let splits = file::splits(files);
        for (at, file) in files.iter().enumerate() {
            builder.begin_file(file, splits.as_ref().map(|splits| splits[at]));
            let found = file::read(file, &mut builder)?;
            let first = *form.get_or_insert(found);
            if first != found {
                let name = |form: Form| format!("{form:?}").to_lowercase();
                return Err(SourceError::DifferentForms {
                    first: name(first),
                    other: name(found),
                    path: path.into(),
                });
            }
        }
        Self::of(path, form.unwrap_or(Form::Table), builder)
    }
}
