//! `dermake prepare`: captions to a training table.

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use dermake_files::text_file;
use dermake_prepare::llm::{self, LlmOptions, LlmReader};
use dermake_prepare::{Columns, HygieneOptions, Lexicon, MaskOrder, Ontology, PrepareOptions, TokenBudget};
use dermake_process::print;
use shared_model::tokenizer::{CLIP_MERGES_GZ, Tokenizer};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Make a training table from images with captions
///
/// Splits each caption into sub-captions that fit the text tower, finds the condition and the visual concepts that it
/// asserts, and writes MAKE's table: captions, ontology caption, concept caption and masks. What a caption does not say
/// stays unknown (mask 0). Beside the table appear extracted.jsonl, a line for each row with what was found, and where;
/// report.html; sample.csv, rows to check by hand; and prepare.json with the counts. Exit code 0: every row is in the
/// table; 1: some rows were left out.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dermake prepare captions.csv --out train.csv
  dermake prepare posts.tsv --image-column path --caption-column text --ontology ontology.json --out train.csv
  dermake prepare captions.csv --images photos --evaluation pad --validation-share 0.05 --out train.csv
  dermake prepare captions.csv --images photos --flag-faces-and-text --out train.csv
  dermake prepare captions.csv --endpoint http://127.0.0.1:8000/v1 --model qwen --dry-run --out train.csv")]
pub struct Prepare {
    /// Images with captions: a table (CSV, TSV, JSON, Parquet), a folder of images with text files, tar files
    #[arg(value_name = "DATA")]
    table: PathBuf,

    /// The training table to write, a CSV file; the other files appear beside it. Files of an earlier run are replaced,
    /// unless somebody has changed them
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Column with the image's file name [default: filename, or another usual name]
    #[arg(long, value_name = "COLUMN")]
    image_column: Option<String>,

    /// Column with the caption [default: caption, or another usual name]
    #[arg(long, value_name = "COLUMN")]
    caption_column: Option<String>,

    /// Column with the patient; rows of one patient are not split into training and validation
    #[arg(long, value_name = "COLUMN")]
    group_column: Option<String>,

    /// JSON file with an ontology: a map from each node to its children, or nested objects
    ///
    /// Its conditions are looked for too, and its paths replace the built-in ones.
    #[arg(long, value_name = "FILE")]
    ontology: Option<PathBuf>,

    /// Order of the knowledge mask
    #[arg(long, value_name = "ORDER", value_enum, default_value_t = Order::Reference)]
    mask_order: Order,

    /// Context length of the model in tokens, with start and end, 8 to 1024
    #[arg(long, value_name = "TOKENS", default_value_t = 77, value_parser = clap::value_parser!(u16).range(8..=1024))]
    model_context: u16,

    /// Folder where image names start: look at the images, join the captions of equal ones, and find copies
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,

    /// Make one row of images that are copies in another size or form, too, with all their captions
    ///
    /// The first row stays. Without this, all stay, and the validation part has all of them or none.
    #[arg(long, requires = "images")]
    join_copies: bool,

    /// Flag rows whose image shows a face or has text burnt in, for a person to look at; nothing is removed
    ///
    /// This takes time for each image, and it misses some: look at the images all the same.
    #[arg(long, requires = "images")]
    flag_faces_and_text: bool,

    /// Folder with images of an evaluation: rows with a copy of one are left out; may be repeated
    #[arg(long, value_name = "DIR", requires = "images")]
    evaluation: Vec<PathBuf>,

    /// Share of the rows that become val.csv, 0 to 0.5; copies and rows of a patient stay together
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    validation_share: f64,

    /// Random seed of the validation part
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// Base address of a service with OpenAI's chat completions: let a language model read the captions
    ///
    /// Its key is read from DERMAKE_LLM_KEY. Answers are kept in answers.jsonl beside the table; the same command asks for
    /// none of them twice. A term that the caption does not have, or negates, is refused; after two answers with refused
    /// terms the lexicon reads the caption.
    #[arg(long, value_name = "URL", requires = "model")]
    endpoint: Option<String>,

    /// Name of the language model
    #[arg(long, value_name = "NAME", requires = "endpoint")]
    model: Option<String>,

    /// Print the number of requests and tokens, and ask nothing
    #[arg(long, requires = "endpoint")]
    dry_run: bool,

    /// Price of a million tokens that are sent, for --dry-run
    #[arg(long, value_name = "PRICE", requires_all = ["dry_run", "price_out"])]
    price_in: Option<f64>,

    /// Price of a million tokens that are received, for --dry-run
    #[arg(long, value_name = "PRICE", requires_all = ["dry_run", "price_in"])]
    price_out: Option<f64>,

    /// Requests at a time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    parallel: u16,

    /// Seconds that one request may take
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Order {
    /// Caption, ontology, visual concepts: what `dermake train` and MAKE's code read
    Reference,
    /// Caption, visual concepts, ontology: what MAKE's data guide says
    Guide,
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=0.5).contains(&share) => Ok(share),
        _ => Err("expected a number from 0 to 0.5".into()),
    }
}

impl Prepare {
    pub fn run(self) -> Result<ExitCode> {
        let lexicon = Lexicon::new(self.ontology()?.as_ref());
        let options = self.options();
        let (Some(endpoint), Some(model)) = (&self.endpoint, &self.model) else {
            return self.prepare(&options, &lexicon, &lexicon);
        };
        if self.dry_run {
            return self.print_estimate(&options, model, &lexicon);
        }
        let llm = LlmOptions {
            endpoint: endpoint.clone(),
            model: model.clone(),
            key: llm::key_of_environment(),
            answers: self.out.with_file_name(dermake_prepare::ANSWERS),
            timeout: Duration::from_secs(self.timeout),
            retry_wait: Duration::from_secs(1),
        };
        dermake_prepare::check_out(&options)?;
        let reader = LlmReader::new(&llm, &lexicon)?;
        self.prepare(&options, &reader, &lexicon)
    }

    fn ontology(&self) -> Result<Option<Ontology>> {
        let Some(path) = &self.ontology else { return Ok(None) };
        let text = text_file::read(path)?;
        let cannot = || format!("cannot read the ontology {}", path.display());
        Ok(Some(Ontology::from_json(&text).with_context(cannot)?))
    }

    fn options(&self) -> PrepareOptions {
        PrepareOptions {
            table: self.table.clone(),
            columns: Columns {
                image: self.image_column.clone(),
                caption: self.caption_column.clone(),
                group: self.group_column.clone(),
            },
            out: self.out.clone(),
            mask_order: match self.mask_order {
                Order::Reference => MaskOrder::CaptionOntologyVisual,
                Order::Guide => MaskOrder::CaptionVisualOntology,
            },
            n_parallel: self.endpoint.as_ref().map(|_| self.parallel.into()),
            hygiene: HygieneOptions {
                images: self.images.clone(),
                evaluation: self.evaluation.clone(),
                join_copies: self.join_copies,
                flag_faces_and_text: self.flag_faces_and_text,
                validation_share: self.validation_share,
                seed: self.seed,
            },
        }
    }

    fn prepare(
        &self,
        options: &PrepareOptions,
        extractor: &dyn dermake_prepare::Extractor,
        lexicon: &Lexicon,
    ) -> Result<ExitCode> {
        let budget = TokenBudget::new(Tokenizer::from_merges_gz(CLIP_MERGES_GZ, self.model_context.into())?);
        let summary = dermake_prepare::run(options, extractor, lexicon, &budget)?;
        print::summary(&summary.to_text())?;
        Ok(ExitCode::from(u8::from(summary.n_left_out() > 0)))
    }

    fn print_estimate(&self, options: &PrepareOptions, model: &str, lexicon: &Lexicon) -> Result<ExitCode> {
        let estimate = dermake_prepare::estimate(options, model, lexicon)?;
        let mut text = format!(
            "{} requests, about {} tokens sent, at most {} received\n",
            estimate.n_requests, estimate.n_tokens_in, estimate.n_tokens_out
        );
        if let (Some(price_in), Some(price_out)) = (self.price_in, self.price_out) {
            let cost = |tokens: u64, price: f64| tokens as f64 / 1e6 * price;
            let total = cost(estimate.n_tokens_in, price_in) + cost(estimate.n_tokens_out, price_out);
            text += &format!("at most {total:.2} at these prices, if no answer has to be asked for twice\n");
        }
        print::summary(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}
