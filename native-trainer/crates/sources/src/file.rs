//! One file: its form by its content.

use crate::builder::Builder;
use crate::columns::split_of;
use crate::error::SourceError;
use crate::form::Form;
use crate::{Result, archive, delimited, json, parquet_file};
use dermake_files::text_file;
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// First bytes that tell the form of a file.
const HEAD_BYTES: usize = 512;
const PARQUET_MARK: &[u8] = b"PAR1";
const GZIP_MARK: &[u8] = b"\x1F\x8B";
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The part of the data that a file's name means.
pub(crate) fn split(path: &Path) -> Option<&'static str> {
    split_of(&path.file_name()?.to_string_lossy())
}

/// The part of the data that each file has, by its own name or, if the files are in several folders, by its folder's;
/// `None` if the part of a file is not known.
pub(crate) fn splits(files: &[PathBuf]) -> Option<Vec<&'static str>> {
    let has_folders = files.iter().any(|file| file.parent() != files[0].parent());
    let of_folder = |file: &PathBuf| split(file.parent().filter(|_| has_folders)?);
    let splits = files.iter().map(|file| split(file).or_else(|| of_folder(file)));
    splits.collect::<Option<Vec<_>>>().filter(|splits| splits.len() > 1)
}

/// Reads the current file of the builder.
///
/// # Errors
/// When it is not there or cannot be read.
pub(crate) fn read(path: &Path, builder: &mut Builder) -> Result<Form> {
    let head = head(path)?;
    if head.starts_with(PARQUET_MARK) {
        parquet_file::read(path, builder)?;
        return Ok(Form::Parquet);
    }
    if archive::is_archive(&head) {
        archive::read(path, builder)?;
        return Ok(Form::Archive);
    }
    if head.starts_with(GZIP_MARK) {
        return read_text(&unzipped(path)?, builder);
    }
    read_text(&text_file::read_table(path)?, builder)
}

/// Reads the content of a text file.
pub(crate) fn read_text(bytes: &[u8], builder: &mut Builder) -> Result<Form> {
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes).trim_ascii_start();
    if text.starts_with(b"{") || text.starts_with(b"[") {
        json::read(bytes, builder)?;
        return Ok(Form::Json);
    }
    delimited::read(bytes, builder)?;
    Ok(Form::Table)
}

fn head(path: &Path) -> Result<Vec<u8>> {
    let failed = |source: std::io::Error| match source.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => SourceError::Missing { path: path.into() },
        _ => SourceError::Read { path: path.into(), source },
    };
    let metadata = path.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Ok(Vec::new()); // a pipe is read once, as text
    }
    let mut head = Vec::new();
    File::open(path).map_err(failed)?.take(HEAD_BYTES as u64).read_to_end(&mut head).map_err(failed)?;
    Ok(head)
}

fn unzipped(path: &Path) -> Result<Vec<u8>> {
    let failed = |source| SourceError::Read { path: path.into(), source };
    let mut reader = MultiGzDecoder::new(File::open(path).map_err(failed)?);
    let mut bytes = Vec::new();
    reader.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut bytes).map_err(failed)?;
    if archive::is_archive(&bytes) {
        return Err(SourceError::CompressedArchive { path: path.into() });
    }
    reader.read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}
