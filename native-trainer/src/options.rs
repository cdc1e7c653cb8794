//! Options that commands share.

use anyhow::Result;
use dermake_files::labels;
use shared_model::labels::{LabelSet, Templates};

#[derive(Debug, clap::Args)]
pub struct LabelOptions {
    /// Labels to rank: pad (6 labels), f17k (114), snu (134), sd128 (128), a file (a JSON list, or one label per line),
    /// `-` for such a file from standard input, or the labels themselves, separated by commas
    #[arg(long, default_value = "pad")]
    pub labels: String,

    /// A sentence with {} in place of the label; may be repeated [default: MAKE's eight skin templates]
    #[arg(long = "template", value_name = "SENTENCE")]
    pub templates: Vec<String>,
}

impl LabelOptions {
    pub fn resolve(&self) -> Result<(LabelSet, Templates)> {
        let templates =
            if self.templates.is_empty() { Templates::skin() } else { Templates::new(self.templates.clone())? };
        Ok((labels::from_argument(&self.labels)?, templates))
    }
}
