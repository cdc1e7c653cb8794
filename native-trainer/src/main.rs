//! The `dermake` program: parses the command line, starts the log, hands over.

mod cli;

use clap::Parser;
use native_trainer::interrupt::Interrupted;
use std::io::IsTerminal;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// Training and inference allocate tensors of megabytes all the time. The system's allocator gives each back to the
/// kernel and takes it again, page by page: a third of a step's time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = cli::Cli::parse();
    let filter =
        EnvFilter::try_from_env("DERMAKE_LOG").unwrap_or_else(|_| EnvFilter::new("warn,native_trainer=info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .without_time()
        .with_target(false)
        .init();
    match arguments.run() {
        Ok(code) => code,
        Err(err) => {
            eprintln!("error: {err:#}");
            if let Some(hint) = cli::hint(&err) {
                eprintln!("hint: {hint}");
            }
            ExitCode::from(if err.is::<Interrupted>() { 130 } else { 2 })
        }
    }
}
