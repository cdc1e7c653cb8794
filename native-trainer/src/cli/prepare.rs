//! `dermake prepare`: captions to a training table.

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use dermake_files::text_file;
use dermake_prepare::{Columns, Lexicon, MaskOrder, Ontology, PrepareOptions, TokenBudget};
use dermake_process::print;
use shared_model::tokenizer::{CLIP_MERGES_GZ, Tokenizer};
use std::path::PathBuf;
use std::process::ExitCode;

/// Make a training table from images with captions
///
/// Splits each caption into sub-captions that fit the text tower, finds the condition and the visual concepts that it
/// asserts, and writes MAKE's table: captions, ontology caption, concept caption and masks. What a caption does not say
/// stays unknown (mask 0). extracted.jsonl beside the table has a line for each row with what was found, and where;
/// prepare.json has the counts. Exit code 0: every row is in the table; 1: some rows had no image name or no caption.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dermake prepare captions.csv --out train.csv
  dermake prepare posts.tsv --image-column path --caption-column text --ontology ontology.json --out train.csv
  dermake data check train.csv --root images")]
pub struct Prepare {
    /// A table with a column of image names and one of captions
    #[arg(value_name = "FILE")]
    table: PathBuf,

    /// The training table to write; extracted.jsonl and prepare.json appear beside it
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Column with the image's file name
    #[arg(long, value_name = "COLUMN", default_value = "filename")]
    image_column: String,

    /// Column with the caption
    #[arg(long, value_name = "COLUMN", default_value = "caption")]
    caption_column: String,

    /// JSON file with an ontology: a map from each node to its children, or nested objects
    ///
    /// Its conditions are looked for too, and its paths replace the built-in ones.
    #[arg(long, value_name = "FILE")]
    ontology: Option<PathBuf>,

    /// Order of the knowledge mask
    #[arg(long, value_name = "ORDER", value_enum, default_value_t = Order::Reference)]
    mask_order: Order,

    /// Context length of the model in tokens, with start and end
    #[arg(long, value_name = "TOKENS", default_value_t = 77, value_parser = clap::value_parser!(u16).range(8..=1024))]
    model_context: u16,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Order {
    /// Caption, ontology, visual concepts: what `dermake train` and MAKE's code read
    Reference,
    /// Caption, visual concepts, ontology: what MAKE's data guide says
    Guide,
}

impl Prepare {
    pub fn run(self) -> Result<ExitCode> {
        let ontology = self.ontology.as_ref().map(|path| -> Result<Ontology> {
            let text = text_file::read(path)?;
            Ontology::from_json(&text).with_context(|| format!("cannot read the ontology {}", path.display()))
        });
        let lexicon = Lexicon::new(ontology.transpose()?.as_ref());
        let budget = TokenBudget::new(Tokenizer::from_merges_gz(CLIP_MERGES_GZ, self.model_context.into())?);
        let mask_order = match self.mask_order {
            Order::Reference => MaskOrder::CaptionOntologyVisual,
            Order::Guide => MaskOrder::CaptionVisualOntology,
        };
        let columns = Columns { image: self.image_column, caption: self.caption_column };
        let options = PrepareOptions { table: self.table, columns, out: self.out, mask_order };
        let summary = dermake_prepare::run(&options, &lexicon, &budget)?;
        print::summary(&summary.to_text())?;
        Ok(ExitCode::from(u8::from(summary.n_left_out() > 0)))
    }
}
