//! One photo to read, as the user named it.

use anyhow::{Result, bail};
use dermake_files::absent::NO_FILE;
use dermake_process::print::shown;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// The argument that means standard input.
pub(super) const STDIN: &str = "-";

/// A photo to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Photo {
    /// As the user named it; bytes that are not UTF-8 are written `\xNN`.
    pub name: String,
    pub(super) source: Source,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    File(PathBuf),
    Stdin,
    /// The argument names no photo, for this reason.
    Nothing(String),
}

impl Photo {
    /// A photo in a file. If the argument is not a path, such as a URL, reading it is an error that says so.
    pub(super) fn of_file(path: PathBuf) -> Self {
        let name = name_of(&path);
        let source = match not_a_path(&name).filter(|_| path.symlink_metadata().is_err()) {
            Some(problem) => Source::Nothing(problem),
            None => Source::File(path),
        };
        Self { name, source }
    }

    pub(super) fn of_stdin() -> Self {
        Self { name: STDIN.into(), source: Source::Stdin }
    }

    pub(super) fn of_nothing(argument: &Path, problem: impl Into<String>) -> Self {
        Self { name: name_of(argument), source: Source::Nothing(problem.into()) }
    }

    /// The one photo that an argument names: a file, or `-` for standard input.
    ///
    /// # Errors
    /// When it is a folder.
    pub fn single(argument: &Path) -> Result<Self> {
        if argument == Path::new(STDIN) {
            return Ok(Self::of_stdin());
        }
        if argument.is_dir() {
            bail!("this is a folder, expected one photo: {}", shown(&name_of(argument)));
        }
        Ok(Self::of_file(argument.into()))
    }

    /// The photo's file, if it is in one.
    pub fn path(&self) -> Option<&Path> {
        match &self.source {
            Source::File(file) => Some(file),
            Source::Stdin | Source::Nothing(_) => None,
        }
    }

    /// Reads the photo's bytes.
    ///
    /// # Errors
    /// When there is nothing to read, or it is no photo.
    pub fn read(&self) -> Result<Vec<u8>> {
        Ok(match &self.source {
            Source::Stdin if std::io::stdin().is_terminal() => {
                bail!("nothing is piped into standard input; pipe a photo in, as in `< photo.jpg`")
            }
            Source::Stdin => dermake_pictures::read_from(std::io::stdin().lock())?,
            Source::File(path) => dermake_pictures::read(path)?,
            Source::Nothing(problem) => bail!("{problem}"),
        })
    }
}

/// Why a name that no file has is not a path, and what to write instead.
fn not_a_path(name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let starts_with = |schemes: &[&str]| schemes.iter().any(|scheme| lower.starts_with(scheme));
    if starts_with(&["http://", "https://", "ftp://"]) {
        Some("this is an address, and nothing is fetched; download the photo and name its file".into())
    } else if starts_with(&["file:"]) {
        Some("this is an address, expected a path; leave out \"file://\"".into())
    } else if name.starts_with('~') {
        Some(format!("{NO_FILE}; \"~\" stands for a folder only where the shell sees it, without quotation marks"))
    } else {
        None
    }
}

/// A path as text. Bytes that are not UTF-8 are written `\xNN`, so that two such names stay two.
pub fn name_of(path: &Path) -> String {
    let mut name = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        name.push_str(chunk.valid());
        name.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    name
}
