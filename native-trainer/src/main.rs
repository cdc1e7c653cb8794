//! The `dermake` program: parses the command line, starts the log, runs the command.

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `dermake_process::print` does not
#![allow(rustdoc::bare_urls, reason = "doc comments of options are their help texts")]

mod annotate;
mod calibrate;
mod card;
mod classify;
mod cli;
mod formats;
mod inputs;
mod logging;
mod map;
mod quantize;
mod ranks;
mod search;
mod verify;

use dermake_collectives::RankError;
use dermake_process::host;
use dermake_process::interrupt::{self, Interrupted};
use dermake_process::print::{self, Closed};
use std::io::Write;
use std::process::ExitCode;

/// Training and inference allocate tensors of megabytes all the time. The system's allocator returns each to the kernel
/// and gets it back page by page, which takes a third of a step.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let warnings = host::begin();
    match cli::Cli::read(std::env::args_os()) {
        Ok(arguments) => {
            logging::start(&warnings);
            ended(arguments.run())
        }
        // Help goes to stdout, errors to stderr.
        Err(answer) if answer.use_stderr() => {
            let _ = answer.print(); // where stderr is gone or full there is no place left to say so
            if let Some(hint) = cli::parse_hint(&answer) {
                print::remark(format_args!("\nhint: {hint}"));
            }
            ExitCode::from(2)
        }
        Err(answer) => {
            let printed = answer.print().and_then(|()| std::io::stdout().flush());
            ended(printed.map(|()| ExitCode::SUCCESS).map_err(print::stdout_error))
        }
    }
}

/// Returns the exit code; prints the error to stderr.
fn ended(outcome: anyhow::Result<ExitCode>) -> ExitCode {
    interrupt::give_way();
    match outcome {
        Ok(code) => code,
        // As when `head` has its lines: everything that somebody wanted to read was printed.
        Err(err) if err.is::<Closed>() => ExitCode::SUCCESS,
        Err(err) => {
            print::remark(format_args!("error: {}", format!("{err:#}").trim_end()));
            if let Some(hint) = cli::hint(&err) {
                print::remark(format_args!("hint: {hint}"));
            }
            ExitCode::from(exit_code(&err))
        }
    }
}

/// 130 after a stop request, 1 when another rank of a run ended, 2 for everything else.
fn exit_code(err: &anyhow::Error) -> u8 {
    if err.is::<Interrupted>() {
        130
    } else if err.is::<RankError>() {
        1
    } else {
        2
    }
}
