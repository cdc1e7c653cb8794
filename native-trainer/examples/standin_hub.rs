//! Serves a folder as a model hub for the end-to-end tests:
//! `cargo run --example standin_hub -- --root DIR [--token TOKEN]`.
//!
//! Prints its address, for `HF_ENDPOINT`, and stops when its standard input closes. With a token,
//! only those who send it get files.

#[allow(dead_code, reason = "the faults are for the tests")]
#[path = "../crates/hub/tests/standin_hub/mod.rs"]
mod standin_hub;

use std::io::Read;
use std::path::PathBuf;

use clap::Parser;

#[derive(Parser)]
struct Arguments {
    /// Folder with the models as OWNER/NAME
    #[arg(long)]
    root: PathBuf,
    /// Token that requests must have
    #[arg(long)]
    token: Option<String>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let hub = standin_hub::StandinHub::start(&arguments.root)?;
    if let Some(token) = &arguments.token {
        hub.require_token(token);
    }
    println!("{}", hub.url);
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
