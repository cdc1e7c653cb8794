//! Precision and recall of the lexicon and of a language model on captions that were labeled by hand: `just test-llm`, or
//! `cargo run --release -p dermake-prepare --example score_readers -- --endpoint URL --model NAME`.
//!
//! Without `--endpoint`, of the lexicon alone. Answers are kept as by `dermake prepare`: after an interruption, the same
//! command asks only for the rest.

use anyhow::{Context, Result, bail};
use clap::Parser;
use dermake_files::text_file;
use dermake_prepare::Lexicon;
use dermake_prepare::llm::{LlmOptions, LlmReader, LlmReading, key_of_environment};
use dermake_prepare::scoring::{ASPECTS, Labeled, answers_in_words, labeled, spread, table};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use std::path::PathBuf;
use std::time::{Duration, Instant};

#[derive(Parser)]
#[command(args_override_self = true)]
struct Options {
    /// Base address of a service with OpenAI's chat completions; its key is read from DERMAKE_LLM_KEY
    #[arg(long, value_name = "URL", requires = "model")]
    endpoint: Option<String>,
    /// Name of the language model
    #[arg(long, value_name = "NAME", requires = "endpoint")]
    model: Option<String>,
    /// Labeled captions
    #[arg(long, value_name = "FILE", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/labeled/captions.psv"))]
    labeled: PathBuf,
    /// Number of captions, spread over the file [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    captions: Option<u32>,
    /// Answers that are kept
    #[arg(long, value_name = "FILE", default_value = "runs/llm/answers.jsonl")]
    answers: PathBuf,
    /// Requests at a time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    parallel: u16,
    /// Seconds that one request may take
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    timeout: u64,
}

fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_writer(std::io::stderr)
        .without_time()
        .with_target(false)
        .init();
    let options = Options::parse();
    let lexicon = Lexicon::new(None);
    let captions = captions(&options)?;
    let n_labels: Vec<String> = ASPECTS
        .iter()
        .enumerate()
        .map(|(at, aspect)| {
            format!("{aspect} {}", captions.iter().map(|labeled| labeled.names[at].len()).sum::<usize>())
        })
        .collect();
    println!("{} captions; labels: {}", captions.len(), n_labels.join(", "));
    let (Some(endpoint), Some(model)) = (&options.endpoint, &options.model) else {
        print!("{}", table(&lexicon, &captions, &[]));
        return Ok(());
    };
    let reader = LlmReader::new(
        &LlmOptions {
            endpoint: endpoint.clone(),
            model: model.clone(),
            key: key_of_environment(),
            answers: options.answers.clone(),
            timeout: Duration::from_secs(options.timeout),
            retry_wait: Duration::from_secs(1),
        },
        &lexicon,
    )?;
    let started = Instant::now();
    let readings = read(&reader, &captions, options.parallel)?;
    let n_requests = reader.counts().n_requests;
    println!("{model}: {n_requests} requests in {:.0} s", started.elapsed().as_secs_f64());
    print!("{}{}", answers_in_words(&reader.counts(), captions.len()), table(&lexicon, &captions, &readings));
    Ok(())
}

/// The captions of the file, or as many of them as wanted.
fn captions(options: &Options) -> Result<Vec<Labeled>> {
    let path = options.labeled.display();
    let all = labeled(&text_file::read(&options.labeled)?).with_context(|| format!("cannot read {path}"))?;
    if all.is_empty() {
        bail!("expected labeled captions, found none: {path}");
    }
    Ok(options.captions.map_or_else(|| all.clone(), |n| spread(&all, n as usize)))
}

fn read(reader: &LlmReader<'_>, captions: &[Labeled], n_parallel: u16) -> Result<Vec<LlmReading>> {
    let style = ProgressStyle::with_template("reading {bar:30} {pos}/{len} captions, {eta} left")?;
    let bar = ProgressBar::new(captions.len() as u64).with_style(style);
    let threads = rayon::ThreadPoolBuilder::new().num_threads(n_parallel.into()).build()?;
    let read_one = |labeled: &Labeled| {
        let reading = reader.read(&labeled.caption);
        bar.inc(1);
        reading
    };
    let readings = threads.install(|| captions.par_iter().map(read_one).collect());
    bar.finish_and_clear();
    readings
}
