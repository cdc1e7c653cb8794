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
mod hints;
mod map;
mod model;
mod options;
mod overlap;
mod prepare;
mod search;
mod serve;
mod site;
mod train;
mod verify;

pub use hints::{hint, parse_hint};

use anyhow::Result;
use clap::error::{ContextKind, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;
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
    Map(map::Map),
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

/// Options that have variables, and that commands with `--from` do not use. A variable that is set is no conflict, so clap
/// cannot be told.
const UNUSED_WITH_FROM: [&str; 2] = ["device", "cache"];

impl Cli {
    /// Parses a command line.
    ///
    /// # Errors
    /// clap's, and [`ErrorKind::ArgumentConflict`] for options that a command does not use.
    pub fn read<T: Into<OsString> + Clone>(arguments: impl IntoIterator<Item = T>) -> Result<Self, clap::Error> {
        let matches = in_any_case(Self::command()).try_get_matches_from(arguments).map_err(|mut err| {
            // How to pass an unknown option as a file's name, which nobody wants.
            if err.get(ContextKind::Suggested).is_some_and(|tip| tip.to_string().contains("as a value")) {
                err.remove(ContextKind::Suggested);
            }
            err
        })?;
        if let Some(("eval" | "calibrate", of_command)) = matches.subcommand() {
            refuse_unused(of_command)?;
        }
        Self::from_arg_matches(&matches)
    }

    pub fn run(self) -> Result<ExitCode> {
        match self.command {
            Command::Classify(classify) => classify.run(),
            Command::Annotate(annotate) => annotate.run(),
            Command::Map(map) => map.run(),
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

/// A command whose options take the names of their values in any case, as its subcommands' do.
fn in_any_case(command: clap::Command) -> clap::Command {
    let ignoring_case = |option: clap::Arg| {
        // Flags have the values true and false, which nobody types.
        if option.get_action().takes_values() && !option.get_possible_values().is_empty() {
            option.ignore_case(true)
        } else {
            option
        }
    };
    command.mut_args(ignoring_case).mut_subcommands(in_any_case)
}

fn refuse_unused(matches: &ArgMatches) -> Result<(), clap::Error> {
    let is_typed = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    match UNUSED_WITH_FROM.into_iter().find(|id| is_typed("from") && is_typed(id)) {
        None => Ok(()),
        Some(unused) => Err(Cli::command().error(
            ErrorKind::ArgumentConflict,
            format!("--from scores predictions that are there and computes nothing, so --{unused} has no use; leave it out"),
        )),
    }
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
    fn predictions_that_are_there_need_no_device_and_no_cache() {
        for refused in [
            "dermake eval --from a.csv --device cuda",
            "dermake eval --from a.csv --cache features",
            "dermake calibrate --from a.csv --device cpu",
            "dermake calibrate --from a.csv --cache features",
        ] {
            let error = Cli::read(refused.split(' ')).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ArgumentConflict, "{refused}");
        }
        for accepted in
            ["dermake eval --from a.csv", "dermake eval --device cpu", "dermake calibrate demo --data a --cache b"]
        {
            assert!(Cli::read(accepted.split(' ')).is_ok(), "{accepted}");
        }
    }

    /// A command and all below it.
    fn each_command(command: clap::Command, check: &mut impl FnMut(&clap::Command)) {
        check(&command);
        command.get_subcommands().for_each(|below| each_command(below.clone(), check));
    }

    #[test]
    fn a_variable_that_is_set_is_in_conflict_with_no_option() {
        let mut n_variables = 0;
        each_command(Cli::command(), &mut |command| {
            for option in command.get_arguments() {
                n_variables += usize::from(option.get_env().is_some());
                for other in command.get_arg_conflicts_with(option) {
                    let names = format!("{}: {} and {}", command.get_name(), option.get_id(), other.get_id());
                    assert!(option.get_env().is_none() && other.get_env().is_none(), "{names}");
                }
            }
        });
        assert!(n_variables > 20, "{n_variables}");
        for refused in ["finetune --data a --out b", "calibrate demo --data a", "data overlap a b --out c"] {
            let error = Cli::read(format!("dermake {refused} --cache d --no-cache").split(' ')).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ArgumentConflict, "{refused}");
        }
    }

    #[test]
    fn values_with_names_are_taken_in_any_case() {
        for typed in [
            "dermake quantize --format INT4 --dtype F16 --out a",
            "dermake prepare a.csv --out b --mask-order GUIDE",
            "dermake finetune --data a --out b --class-weights Balanced --unfreeze LoRA:4 --device CUDA",
            "dermake eval --protocol Released --scale OWN --map PCA --out a",
            "dermake annotate a.jpg --scale Own",
            "dermake serve --infer WGPU:1 --dtype BF16 --scale Calibrated",
            "dermake gpu-check --phases Device,KERNELS --device CPU",
        ] {
            Cli::read(typed.split(' ')).unwrap_or_else(|err| panic!("{typed}: {err}"));
        }
        assert!(Cli::read("dermake quantize --format int5 --out a".split(' ')).is_err());
        each_command(in_any_case(Cli::command()), &mut |command| {
            for option in command.get_arguments().filter(|option| !option.get_possible_values().is_empty()) {
                // A program that is not optimized panics where a flag has it set.
                let takes_values = option.get_action().takes_values();
                assert_eq!(option.is_ignore_case_set(), takes_values, "{} {}", command.get_name(), option.get_id());
            }
        });
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
