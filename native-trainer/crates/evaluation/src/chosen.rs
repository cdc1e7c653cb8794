//! Which benchmarks an evaluation runs.

use super::benchmarks::Benchmark;
use super::eval_options::EvalOptions;
use super::own_data;
use super::results::{Results, SkippedBenchmark};
use anyhow::{Result, bail};
use dermake_files::file_finder::FileFinder;
use std::path::Path;

/// Returns the benchmarks to run.
///
/// # Errors
/// When the options name an unknown benchmark, or the data cannot be read.
pub fn chosen(options: &EvalOptions<'_>) -> Result<Vec<Benchmark>> {
    let own = || own_data::benchmarks(options.data, &options.columns, options.max_unreadable);
    if !options.data.is_dir() || options.columns.is_given() {
        if !options.only.is_empty() && !options.data.exists() {
            bail!("there is no data folder {}; name one with --data", options.data.display());
        }
        if !options.only.is_empty() {
            bail!("--only chooses among the benchmarks of a data folder: {}", options.data.display());
        }
        return own();
    }
    let known = Benchmark::known(options.data)?;
    let data = FileFinder::new(options.data);
    let has_benchmark = known.iter().any(|benchmark| benchmark.table(&data).is_some());
    if !has_benchmark && !Benchmark::has_list(options.data) && options.only.is_empty() {
        match own() {
            // A folder with nothing in it is told where the data of the benchmarks are from.
            Err(err) if !is_empty(options.data) => return Err(err),
            Err(_) => {}
            found => return found,
        }
    }
    let keys = || known.iter().map(|benchmark| benchmark.key.as_str()).collect::<Vec<_>>().join(", ");
    let is_named = |benchmark: &Benchmark, key: &str| benchmark.key.eq_ignore_ascii_case(key.trim());
    if let Some(unknown) = options.only.iter().find(|key| known.iter().all(|benchmark| !is_named(benchmark, key))) {
        bail!("there is no benchmark {unknown}; there are {}", keys());
    }
    let is_chosen = |b: &Benchmark| options.only.is_empty() || options.only.iter().any(|key| is_named(b, key));
    Ok(known.into_iter().filter(is_chosen).collect())
}

/// Returns whether a folder has no file that is not hidden.
fn is_empty(folder: &Path) -> bool {
    let is_hidden = |entry: &std::fs::DirEntry| entry.file_name().as_encoded_bytes().starts_with(b".");
    std::fs::read_dir(folder).is_ok_and(|entries| entries.flatten().all(|entry| is_hidden(&entry)))
}

/// # Errors
/// Always: says what could be evaluated, and where the data of the benchmarks are from.
pub fn nothing_found(options: &EvalOptions<'_>, results: &Results) -> Result<()> {
    let how = |skipped: &SkippedBenchmark| format!("\n  {}: {} ({})", skipped.key, skipped.how, skipped.source);
    let all: String = results.skipped.iter().map(how).collect();
    bail!(
        "there is nothing to evaluate in the data folder: {}; what works, for example:{}\nThe data of the benchmarks:{all}",
        options.data.display(),
        own_data::WAYS
    )
}
