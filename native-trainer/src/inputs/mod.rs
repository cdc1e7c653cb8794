//! The photos of a command line: files, folders, lists of paths, patterns, standard input.

mod folder;
mod gather;

pub use folder::photos_below;
pub use gather::gather;

use anyhow::{Result, bail};
use dermake_pictures as pictures;
use dermake_process::print::shown;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The argument that means standard input.
const STDIN: &str = "-";

/// A photo to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Photo {
    /// As the user named it; bytes that are not UTF-8 are written `\xNN`.
    pub name: String,
    source: Source,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    File(PathBuf),
    Stdin,
    /// The argument names no photo, for this reason.
    Nothing(String),
}

impl Photo {
    /// A photo in a file. If the argument is not a path, such as a URL, reading it is an error that says so.
    fn of_file(path: PathBuf) -> Self {
        let name = name_of(&path);
        let source = match not_a_path(&name).filter(|_| path.symlink_metadata().is_err()) {
            Some(problem) => Source::Nothing(problem.into()),
            None => Source::File(path),
        };
        Self { name, source }
    }

    fn of_stdin() -> Self {
        Self { name: STDIN.into(), source: Source::Stdin }
    }

    fn of_nothing(argument: &Path, problem: impl Into<String>) -> Self {
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

    /// Reads the photo's bytes.
    ///
    /// # Errors
    /// When there is nothing to read, or it is no photo.
    pub fn read(&self) -> Result<Vec<u8>> {
        Ok(match &self.source {
            Source::Stdin if std::io::stdin().is_terminal() => {
                bail!("nothing is piped into standard input; pipe a photo in, as in `< photo.jpg`")
            }
            Source::Stdin => pictures::read_from(std::io::stdin().lock())?,
            Source::File(path) => pictures::read(path)?,
            Source::Nothing(problem) => bail!("{problem}"),
        })
    }
}

/// Why a name that no file has is not a path, and what to write instead.
fn not_a_path(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let starts_with = |schemes: &[&str]| schemes.iter().any(|scheme| lower.starts_with(scheme));
    if starts_with(&["http://", "https://", "ftp://"]) {
        Some("this is an address, and nothing is fetched; download the photo and name its file")
    } else if starts_with(&["file:"]) {
        Some("this is an address, expected a path; leave out \"file://\"")
    } else if name.starts_with('~') {
        Some(
            "there is no such file; \"~\" stands for a folder only where the shell sees it, without quotation marks",
        )
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

/// Counts of inputs that were answered and that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub n_answered: usize,
    pub n_failed: usize,
}

impl Tally {
    /// Prints an answer for every photo that has one, and logs why others have none.
    ///
    /// # Errors
    /// When an answer cannot be printed.
    pub fn of<T>(
        photos: &[Photo],
        answer: impl Fn(&Photo) -> Result<T>,
        mut print: impl FnMut(&Photo, T) -> Result<()>,
    ) -> Result<Self> {
        let mut tally = Self::default();
        for photo in photos {
            match answer(photo) {
                Ok(answer) => {
                    print(photo, answer)?;
                    tally.n_answered += 1;
                }
                Err(err) => {
                    tracing::error!("{err:#}: {}", shown(&photo.name));
                    tally.n_failed += 1;
                }
            }
        }
        Ok(tally)
    }

    /// 0: all were answered; 1: some were; 2: none was.
    pub fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Self { n_failed: 0, .. } => 0,
            Self { n_answered: 0, .. } => 2,
            _ => 1,
        })
    }
}

#[cfg(test)]
mod tests;
