//! `dermake card`.

use crate::card::{CardChanges, card};
use anyhow::Result;
use clap::Args;
use dermake_models::demo_model;
use std::path::PathBuf;
use std::process::ExitCode;

/// Show a model's card, or add to it: training data, results, limits, license
///
/// The card is kept in the manifest of a folder of `dermake quantize`; the page shows it, and says of what is missing that
/// it is unknown. An option replaces what the card said before; results replace those of the same benchmark, or of your own
/// data of the same name.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dermake card make-int8
  dermake card make-int8 --trained-on \"Derm1M, 403,563 pairs\" --license \"CC BY-NC 4.0\" --results report/results.json")]
pub struct Card {
    /// demo, or a folder of `dermake quantize`
    #[arg(value_name = "MODEL", default_value = demo_model::NAME)]
    model: String,

    /// A set of training data; may be repeated
    #[arg(long, value_name = "TEXT", value_parser = text)]
    trained_on: Vec<String>,

    /// Something that the model cannot do, in a sentence; may be repeated
    #[arg(long = "limit", value_name = "TEXT", value_parser = text)]
    limits: Vec<String>,

    /// License of the weights
    #[arg(long, value_name = "TEXT", value_parser = text)]
    license: Option<String>,

    /// Address of the weights or of their paper
    #[arg(long, value_name = "ADDRESS", value_parser = text)]
    source: Option<String>,

    /// results.json of `dermake eval --out` with this model, or with several of which it is one; may be repeated
    #[arg(long, value_name = "FILE")]
    results: Vec<PathBuf>,

    /// Print the card as JSON
    #[arg(long)]
    json: bool,
}

impl Card {
    pub fn run(self) -> Result<ExitCode> {
        let Self { model, trained_on, limits, license, source, results, json } = self;
        card(&model, CardChanges { trained_on, limits, license, source, results }, json)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Parses a text that says something.
fn text(typed: &str) -> Result<String, &'static str> {
    match typed.trim() {
        "" => Err("it is blank, expected a text; what a card does not say is called unknown"),
        text => Ok(text.to_owned()),
    }
}
