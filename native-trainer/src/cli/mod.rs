//! The command line: clap types, and the function that each command calls. One file for each kind of command.

mod annotate;
mod calibrate;
mod card;
mod classify;
mod data;
mod eval;
mod finetune;
mod gpu_check;
mod help;
mod model;
mod options;
mod overlap;
mod prepare;
mod search;
mod serve;
mod site;
mod train;
mod verify;

use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand};
use dermake_models::NoConfig;
use std::process::ExitCode;

/// Zero-shot dermatology: rank labels of your choice for a skin photo.
///
/// Research software, not a medical device. Results go to standard output, the log to standard error; DERMAKE_LOG sets
/// its level (error, warn, info, debug). Exit code 0: everything was done; 1: some inputs failed, the others were
/// answered; 2: nothing could be done.
#[derive(Debug, Parser)]
#[command(name = "dermake", version, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Classify(classify::Classify),
    Annotate(annotate::Annotate),
    Embed(search::Embed),
    Search(search::Search),
    Quantize(model::Quantize),
    Init(model::Init),
    Train(train::Train),
    LrFind(train::LrFind),
    Finetune(finetune::Finetune),
    Eval(eval::Eval),
    Calibrate(calibrate::Calibrate),
    Card(card::Card),
    Verify(verify::Verify),
    Synth(data::Synth),
    #[command(subcommand)]
    Data(data::Data),
    Prepare(prepare::Prepare),
    Serve(serve::Serve),
    Site(site::Site),
    GpuCheck(gpu_check::GpuCheck),
    Help(help::Help),
}

impl Cli {
    pub fn run(self) -> Result<ExitCode> {
        match self.command {
            Command::Classify(classify) => classify.run(),
            Command::Annotate(annotate) => annotate.run(),
            Command::Embed(embed) => embed.run(),
            Command::Search(search) => search.run(),
            Command::Quantize(quantize) => quantize.run(),
            Command::Init(init) => init.run(),
            Command::Train(train) => train.run(),
            Command::LrFind(find) => find.run(),
            Command::Finetune(finetune) => finetune.run(),
            Command::Eval(eval) => eval.run(),
            Command::Calibrate(calibrate) => calibrate.run(),
            Command::Card(card) => card.run(),
            Command::Verify(verify) => verify.run(),
            Command::Synth(synth) => synth.run(),
            Command::Data(data) => data.run(),
            Command::Prepare(prepare) => prepare.run(),
            Command::Serve(serve) => serve.run(),
            Command::Site(site) => site.run(),
            Command::GpuCheck(check) => check.run(),
            Command::Help(help) => help.run(Self::command()),
        }
    }
}

/// Returns a hint for an error, if there is one.
pub fn hint(err: &anyhow::Error) -> Option<&'static str> {
    if err.is::<NoConfig>() {
        return Some(
            "put one there, or name the architecture: with --arch, or as `architecture` in a recipe's [model]",
        );
    }
    let text = format!("{err:#}");
    if text.contains("web/dist") {
        return Some("`just web` builds the page");
    }
    if text.contains("hf-hub:") {
        return Some("`dermake init --out DIR` makes an untrained model to try things with");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_options_are_called_the_same() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_program_says_its_name_and_version() {
        for option in ["--version", "-V"] {
            let answer = Cli::try_parse_from(["dermake", option]).unwrap_err();
            assert_eq!(answer.to_string(), concat!("dermake ", env!("CARGO_PKG_VERSION"), "\n"));
        }
    }

    #[test]
    fn a_server_hosts_models_or_answers_with_some() {
        let is_accepted = |arguments: &str| Cli::try_parse_from(arguments.split(' ')).is_ok();
        assert!(is_accepted("dermake serve --models a --models b"));
        assert!(is_accepted("dermake serve --infer cpu --infer-model demo"));
        assert!(is_accepted("dermake serve --models a --infer cuda:1 --tls-cert c --tls-key k"));
        assert!(is_accepted("dermake serve") && is_accepted("dermake serve --infer cpu"));
        for refused in [
            "dermake serve --infer-model demo",
            "dermake serve --models a --infer gpu",
            "dermake serve --models a --tls-cert c",
            "dermake serve --models a --max-megapixels 257",
            "dermake serve --models a --queue-length 0",
        ] {
            assert!(!is_accepted(refused), "{refused}");
        }
    }
}
