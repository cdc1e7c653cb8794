//! How far the work is that a visitor waits for.

use serde::{Deserialize, Serialize};

/// Progress of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Progress {
    pub stage: Stage,
    /// In bytes or labels.
    pub done: u64,
    pub total: u64,
}

/// A stage of the work that takes a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub enum Stage {
    /// Downloading bytes from the server.
    Download,
    /// Reading bytes from the browser's storage.
    ReadStored,
    /// Classifying the photos of a table.
    Photos,
    /// Encoding own labels with the text tower.
    Labels,
    /// Encoding the sentences of concepts with the text tower.
    Concepts,
}

impl Progress {
    /// Formats the amount: `12.3 of 88.1 MB`, `3 of 8 labels`.
    pub fn amount(&self) -> String {
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        match self.stage {
            Stage::Download | Stage::ReadStored => {
                format!("{:.1} of {:.1} MB", megabytes(self.done), megabytes(self.total))
            }
            Stage::Photos => format!("{} of {} photos", self.done, self.total),
            Stage::Labels => format!("{} of {} labels", self.done, self.total),
            Stage::Concepts => format!("{} of {} sentences", self.done, self.total),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_units() {
        let amount = |stage, done, total| Progress { stage, done, total }.amount();
        assert_eq!(amount(Stage::Download, 12_345_678, 88_100_000), "12.3 of 88.1 MB");
        assert_eq!(amount(Stage::Labels, 3, 8), "3 of 8 labels");
    }
}
