//! Text files that people write: label lists, tables, recipes, tokens. [`shared_model::text_file`] decodes the bytes.

use crate::absent::NO_FILE;
use serde::de::DeserializeOwned;
use shared_model::text_file::{self, TextError};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Largest text file that is read as a whole; tables may be larger.
pub const MAX_BYTES: u64 = 64 << 20;

/// Why a text file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{NO_FILE}: {}", path.display())]
    Missing { path: PathBuf },
    #[error("this is a folder, expected a file: {}", path.display())]
    Folder { path: PathBuf },
    #[error("the file has more than {} MB, expected a text file: {}", MAX_BYTES >> 20, path.display())]
    TooLarge { path: PathBuf },
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot read {}", path.display())]
    Text { path: PathBuf, source: TextError },
    #[error("cannot read {}", path.display())]
    Toml { path: PathBuf, source: toml::de::Error },
}

/// Reads a text file without its byte order mark.
///
/// # Errors
/// When it is not there, cannot be read, is too large, or is not UTF-8.
pub fn read(path: &Path) -> Result<String, Error> {
    let bytes = read_bytes(path, MAX_BYTES)?;
    let text = text_file::decode(&bytes).map_err(|source| Error::Text { path: path.into(), source })?;
    Ok(text.to_owned())
}

/// Reads standard input as [`read`] does a file.
///
/// # Errors
/// As [`read`].
pub fn read_stdin() -> Result<String, Error> {
    let path = PathBuf::from("standard input");
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(MAX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|source| Error::Read { path: path.clone(), source })?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::TooLarge { path });
    }
    let text = text_file::decode(&bytes).map_err(|source| Error::Text { path, source })?;
    Ok(text.to_owned())
}

/// Reads a table, of any size: its bytes without a byte order mark. Whether its cells are UTF-8 is not checked.
///
/// # Errors
/// As [`read`].
pub fn read_table(path: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = read_bytes(path, u64::MAX)?;
    let table = text_file::without_mark(&bytes).map_err(|source| Error::Text { path: path.into(), source })?;
    let n_mark = bytes.len() - table.len();
    bytes.drain(..n_mark);
    Ok(bytes)
}

/// Reads a TOML file.
///
/// # Errors
/// As [`read`], and for bad TOML.
pub fn read_toml<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let text = read(path)?;
    // TOML's own lines end in LF or CR LF.
    let lines: Vec<&str> = text_file::lines(&text).collect();
    toml::from_str(&lines.join("\n")).map_err(|source| Error::Toml { path: path.into(), source })
}

fn read_bytes(path: &Path, limit_bytes: u64) -> Result<Vec<u8>, Error> {
    let failed = |source: io::Error| match source.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Error::Missing { path: path.into() },
        ErrorKind::IsADirectory => Error::Folder { path: path.into() },
        _ => Error::Read { path: path.into(), source },
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(Error::Folder { path: path.into() });
    }
    let mut bytes = Vec::with_capacity(metadata.len().min(limit_bytes) as usize);
    // A pipe has no length beforehand.
    file.take(limit_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit_bytes {
        return Err(Error::TooLarge { path: path.into() });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(err: Error) -> String {
        format!("{:#}", anyhow::Error::from(err))
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.txt");
        assert!(message(read(&path).unwrap_err()).starts_with("there is no such file: "));
        assert!(message(read(folder.path()).unwrap_err()).starts_with("this is a folder"));
        std::fs::write(&path, b"\xFF\xFEa\0\n\0").unwrap();
        assert!(message(read(&path).unwrap_err()).contains("UTF-16 (little-endian)"));
        assert!(message(read_table(&path).unwrap_err()).contains("UTF-16 (little-endian)"));
        std::fs::File::create(&path).unwrap().set_len(MAX_BYTES + 1).unwrap();
        assert!(message(read(&path).unwrap_err()).contains("more than 64 MB"));
    }

    #[test]
    fn marks_and_single_carriage_returns_do_not_matter() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t");
        std::fs::write(&path, b"\xEF\xBB\xBFa = 1\rb = 2\r").unwrap();
        assert_eq!(read(&path).unwrap(), "a = 1\rb = 2\r");
        assert_eq!(read_table(&path).unwrap(), b"a = 1\rb = 2\r");
        let table: toml::Table = read_toml(&path).unwrap();
        assert_eq!(table["b"].as_integer(), Some(2));
    }
}
