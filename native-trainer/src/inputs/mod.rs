//! The photos of a command line: files, folders, lists of paths, patterns, standard input.

mod folder;
mod gather;
mod photo;

pub use folder::photos_below;
pub use gather::{gather, lists};
pub use photo::{Photo, name_of};

use anyhow::Result;
use dermake_process::print::shown;
use std::process::ExitCode;

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
