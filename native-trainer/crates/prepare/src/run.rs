//! Prepares a table: reads pairs, extracts on all cores, writes the rows in their order.

use crate::aspects::MaskOrder;
use crate::extraction::Extractor;
use crate::row::{COLUMNS, Pair, Prepared, prepare};
use crate::source::{Columns, Source};
use crate::summary::Summary;
use crate::units::TokenBudget;
use anyhow::{Context, Result, bail};
use dermake_process::interrupt::{self, Interrupted};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Pairs that are prepared at a time.
const CHUNK: usize = 4096;

/// What to read and where to write.
#[derive(Clone, Debug)]
pub struct PrepareOptions {
    pub table: PathBuf,
    pub columns: Columns,
    /// The training table; `extracted.jsonl` and `prepare.json` appear beside it.
    pub out: PathBuf,
    pub mask_order: MaskOrder,
}

/// Prepares a table and returns its summary. All files appear whole or not at all.
///
/// # Errors
/// When the table cannot be read, a result cannot be written, or the run is interrupted.
pub fn run(options: &PrepareOptions, extractor: &dyn Extractor, budget: &TokenBudget) -> Result<Summary> {
    check_out(options)?;
    let source = Source::open(&options.table, options.columns.clone())?;
    interrupt::listen("chunk")?;
    let mut results = Results::create(options)?;
    let bar = progress(source.len_bytes());
    let mut chunk: Vec<Pair> = Vec::with_capacity(CHUNK);
    let mut work = |chunk: &mut Vec<Pair>| -> Result<()> {
        if interrupt::is_requested() {
            bail!(Interrupted);
        }
        let pairs = std::mem::take(chunk);
        let prepared: Result<Vec<Prepared>> =
            pairs.into_par_iter().map(|pair| prepare(pair, extractor, budget, options.mask_order)).collect();
        prepared?.iter().try_for_each(|row| results.write(row))
    };
    source.each(&options.table, |pair, end| {
        chunk.push(pair);
        if chunk.len() == CHUNK {
            bar.set_position(end);
            work(&mut chunk)?;
        }
        Ok(())
    })?;
    work(&mut chunk)?;
    bar.finish_and_clear();
    results.finish(options)
}

/// Returns the file of this name beside the table.
pub fn beside(out: &Path, name: &str) -> PathBuf {
    out.with_file_name(name)
}

fn check_out(options: &PrepareOptions) -> Result<()> {
    let out = &options.out;
    if out.is_dir() || out.file_name().is_none() {
        bail!("this is a folder, expected the name of a table such as train.csv: {}", out.display());
    }
    let is_same =
        matches!((out.canonicalize(), options.table.canonicalize()), (Ok(out), Ok(table)) if out == table);
    if is_same {
        bail!("--out names the table that is read, expected another file: {}", out.display());
    }
    Ok(())
}

fn progress(len_bytes: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("preparing {bar:30} {percent}%, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(len_bytes).with_style(style)
}

/// The files of a run, unnamed until it ends.
struct Results {
    table: csv::Writer<BufWriter<NamedTempFile>>,
    extracted: BufWriter<NamedTempFile>,
    summary: Summary,
}

impl Results {
    fn create(options: &PrepareOptions) -> Result<Self> {
        let folder = options.out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        dermake_files::output::create_folder(folder)?;
        let new = || NamedTempFile::new_in(folder).with_context(|| format!("cannot write to {}", folder.display()));
        let mut table = csv::Writer::from_writer(BufWriter::new(new()?));
        table.write_record(COLUMNS)?;
        let extracted = BufWriter::new(new()?);
        Ok(Self { table, extracted, summary: Summary::new(options.mask_order) })
    }

    fn write(&mut self, row: &Prepared) -> Result<()> {
        self.summary.count(&row.line, row.cells.as_deref());
        if let Some(cells) = &row.cells {
            self.table.write_record(cells).context("cannot write the table")?;
        }
        serde_json::to_writer(&mut self.extracted, &row.line).context("cannot write extracted.jsonl")?;
        self.extracted.write_all(b"\n").context("cannot write extracted.jsonl")
    }

    fn finish(self, options: &PrepareOptions) -> Result<Summary> {
        let table =
            self.table.into_inner().map_err(csv::IntoInnerError::into_error).context("cannot write the table")?;
        if self.summary.n_rows == self.summary.n_left_out() {
            bail!("no row has an image and a caption: {}", options.table.display());
        }
        let summary = serde_json::to_vec_pretty(&self.summary)?;
        let extracted = beside(&options.out, "extracted.jsonl");
        persist(self.extracted, &extracted)?;
        dermake_files::output::replace_file(&beside(&options.out, "prepare.json"), &summary)?;
        // The table comes last: where it is, the others are too.
        persist(table, &options.out)?;
        Ok(self.summary)
    }
}

/// Gives a written file its name.
fn persist(file: BufWriter<NamedTempFile>, path: &Path) -> Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    let file = file.into_inner().map_err(std::io::IntoInnerError::into_error).with_context(cannot)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644)).with_context(cannot)?;
    }
    file.as_file().sync_all().with_context(cannot)?;
    file.persist(path).with_context(cannot)?;
    Ok(())
}
