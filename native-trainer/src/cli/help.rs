//! `dermake help`: manuals of commands, and of the files that they read and write.

use crate::formats::{self, Format};
use anyhow::{Context, Result, bail};
use clap::{Args, Command};
use dermake_process::print;
use std::process::ExitCode;

/// Show the manual of a command, or the keys of a file format
///
/// File formats: recipe (of `dermake train`), benchmarks (benchmarks.toml of `dermake eval`), results (results.json), tables
/// (predictions, embeddings and concept scores of `dermake eval`) and manifest (manifest.json of a quantized model).
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dermake help train
  dermake help recipe
  dermake help results --json")]
pub struct Help {
    /// A command, or recipe, benchmarks, results, tables or manifest [default: the list of commands]
    #[arg(value_name = "TOPIC")]
    topic: Vec<String>,

    /// Print the JSON schema of a file format
    #[arg(long)]
    json: bool,

    /// Print all file formats as Markdown
    #[arg(long, conflicts_with_all = ["json", "topic"])]
    markdown: bool,
}

impl Help {
    /// Prints the manual; `program` is the whole command line.
    pub fn run(self, program: Command) -> Result<ExitCode> {
        let topic = self.topic.join(" ");
        let text = if self.markdown {
            formats::page()
        } else if let Some(format) = Format::find(&topic) {
            if self.json { format.json_schema()? } else { format.text() }
        } else if self.json {
            bail!("--json is for file formats: {}", formats::names());
        } else {
            manual(program, &self.topic)?
        };
        print::summary(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The manual of a command, as `--help` prints it.
fn manual(program: Command, topic: &[String]) -> Result<String> {
    let mut command = program;
    command.build();
    for name in topic {
        let found = command.find_subcommand(name).cloned();
        command = found.with_context(|| {
            let formats = formats::names();
            format!("there is no command {name}; `dermake help` lists them, and the file formats are {formats}")
        })?;
    }
    Ok(command.render_long_help().to_string())
}
