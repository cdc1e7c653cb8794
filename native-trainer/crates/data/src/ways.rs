//! Lines that work, for the first error that somebody meets who wants to train on data of their own.

use crate::table::TableError;
use dermake_sources::SourceError;

/// How to get from data of one's own to a training.
pub const WAYS: &str = "; what works, for example:\
    \n  dermake data check captions.csv                              a table with an image and a caption in each row\
    \n  dermake train clip-small --data photos --out runs/own        a folder of images with a .txt file beside each\
    \n  dermake finetune --data photos --out head                    a folder for each class: a classifier, without captions\
    \n  dermake synth --out drawn && dermake train smoke --data drawn --out runs/smoke    drawn pictures";

impl TableError {
    /// Returns whether there are no data at all, or none with images and captions.
    pub(crate) fn is_of_a_first_try(&self) -> bool {
        matches!(
            self,
            Self::Columns { .. }
                | Self::Source(
                    SourceError::Missing { .. }
                        | SourceError::NoMatch { .. }
                        | SourceError::EmptyFolder { .. }
                        | SourceError::NoRows { .. }
                )
        )
    }

    /// The error, with lines that work where nothing usable is there.
    pub fn explained(self) -> anyhow::Error {
        if self.is_of_a_first_try() { anyhow::anyhow!("{self}{WAYS}") } else { self.into() }
    }
}
