//! Prepares a table: reads pairs, extracts on all cores, writes the rows in their order.

use crate::aspects::MaskOrder;
use crate::cleaning;
use crate::extraction::Extractor;
use crate::hygiene::{self, HygieneOptions};
use crate::lexicon::Lexicon;
use crate::llm::{self, Estimate};
use crate::report::{self, FlaggedRows};
use crate::row::{COLUMNS, Prepared, Preparer, prepare};
use crate::sample::{Sample, SampleRow};
use crate::source::{self, Columns, Source};
use crate::summary::Summary;
use crate::units::TokenBudget;
use anyhow::{Context, Result, bail};
use dermake_files::inputs::is_same_place;
use dermake_files::new_file::NewFile;
use dermake_files::output::{check_file, create_folder, replace_file};
use dermake_process::interrupt::{self, Interrupted};
use dermake_sources::columns::SPLIT_COLUMN;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use std::ffi::OsStr;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// The file with the counts.
const COUNTS: &str = "prepare.json";
/// What a language model answered.
pub const ANSWERS: &str = "answers.jsonl";
/// What was found in each caption.
const EXTRACTED: &str = "extracted.jsonl";
/// The validation part, called as in the recipes.
const VALIDATION: &str = "val.csv";
/// The other files beside the table.
const BESIDE: [&str; 4] = [EXTRACTED, VALIDATION, "sample.csv", "report.html"];

/// Pairs that are prepared at a time.
const CHUNK: usize = 4096;

/// What to read and where to write.
#[derive(Clone, Debug)]
pub struct PrepareOptions {
    pub table: PathBuf,
    pub columns: Columns,
    /// The training table; the other files appear beside it.
    pub out: PathBuf,
    pub mask_order: MaskOrder,
    /// Captions that are read at a time; by default, one for each core.
    pub n_parallel: Option<usize>,
    pub hygiene: HygieneOptions,
}

/// Prepares a table and returns its summary. Each file appears whole, and all of them at the end, the table last.
///
/// # Errors
/// When the table cannot be read, a result cannot be written, or the run is interrupted.
pub fn run(
    options: &PrepareOptions,
    extractor: &dyn Extractor,
    lexicon: &Lexicon,
    budget: &TokenBudget,
) -> Result<Summary> {
    check_out(options)?;
    let roots = options.hygiene.images.as_ref().map(std::slice::from_ref);
    let Source { mut pairs, description, images, mask_order, has_parts } =
        source::read(&options.table, &options.columns, roots)?;
    tracing::info!("read {description}");
    let seen = hygiene::examine(&mut pairs, &images, &options.hygiene)?;
    let mut results = Results::create(options, has_parts)?;
    let _unfinished = match options.n_parallel {
        // Answers of a model are kept, so the chunk that was begun ends.
        Some(_) => interrupt::listen("request").map(|()| None)?,
        None => Some(interrupt::discard_on_request(results.paths())?),
    };
    results.summary.images = seen.counts;
    results.summary.input_mask_order = mask_order;
    let with = Preparer { extractor, lexicon, budget, mask_order: options.mask_order, has_parts };
    let threads = rayon::ThreadPoolBuilder::new().num_threads(options.n_parallel.unwrap_or(0)).build();
    let threads = threads.context("cannot start threads")?;
    let bar = progress(pairs.len() as u64);
    let mut pairs = pairs.into_iter();
    let mut row = 0;
    loop {
        let chunk: Vec<_> = pairs.by_ref().take(CHUNK).collect();
        if chunk.is_empty() {
            break;
        }
        if interrupt::is_requested() {
            bail!(Interrupted);
        }
        let prepared: Result<Vec<Prepared>> =
            threads.install(|| chunk.into_par_iter().map(|pair| prepare(pair, with)).collect());
        for mut prepared in prepared? {
            prepared.line.is_validation = seen.is_validation[row] && prepared.cells.is_some();
            prepared.line.cluster = seen.clusters[row];
            if prepared.cells.is_some() {
                prepared.line.flags.extend(&seen.flags[row]);
            }
            results.write(&prepared)?;
            row += 1;
        }
        bar.set_position(row as u64);
    }
    bar.finish_and_clear();
    results.summary.llm = extractor.llm_counts();
    results.finish(options)
}

/// Estimates what a language model would be asked, without asking.
///
/// # Errors
/// When the table cannot be read.
pub fn estimate(options: &PrepareOptions, model: &str, lexicon: &Lexicon) -> Result<Estimate> {
    let pairs = source::read(&options.table, &options.columns, None)?.pairs;
    let captions: Vec<String> = pairs.iter().map(|pair| cleaning::clean(&pair.caption).text).collect();
    let captions = captions.iter().map(String::as_str).filter(|caption| caption.chars().any(char::is_alphanumeric));
    Ok(llm::estimate(captions, model, lexicon))
}

/// Returns the file of this name beside the table.
pub fn beside(out: &Path, name: &str) -> PathBuf {
    out.with_file_name(name)
}

/// Checks where the results are written.
///
/// # Errors
/// When it is no place for a table, or something else would be overwritten.
pub fn check_out(options: &PrepareOptions) -> Result<()> {
    let out = &options.out;
    if out.is_dir() || out.file_name().is_none() {
        bail!("this is a folder, expected the name of a table such as train.csv: {}", out.display());
    }
    if out.metadata().is_ok_and(|found| !found.is_file()) {
        bail!("this is a device or a pipe, expected the name of a new table: {}", out.display());
    }
    if BESIDE.iter().chain(&[COUNTS, ANSWERS]).any(|name| out.file_name() == Some(OsStr::new(name))) {
        bail!("another result of the run has this name, expected a name such as train.csv: {}", out.display());
    }
    let is_folder_new = out.parent().is_some_and(|folder| !folder.as_os_str().is_empty() && !folder.exists());
    if !is_folder_new {
        check_file(out)?;
    }
    let is_table = |path: &Path| is_same_place(path, &options.table);
    if is_table(out) {
        bail!("--out names the table that is read, expected another file: {}", out.display());
    }
    // The counts of an earlier run say that the other files are of that run too.
    let is_again = is_of_an_earlier_run(&beside(out, COUNTS));
    for path in BESIDE.map(|name| beside(out, name)).into_iter().chain([beside(out, COUNTS), out.clone()]) {
        if is_table(&path) || (!is_again && path.symlink_metadata().is_ok()) {
            bail!("this file would be overwritten, choose another folder for --out: {}", path.display());
        }
    }
    Ok(())
}

/// Returns whether a file has the counts of a run.
fn is_of_an_earlier_run(counts: &Path) -> bool {
    let json = std::fs::read(counts).ok().and_then(|json| serde_json::from_slice::<serde_json::Value>(&json).ok());
    json.is_some_and(|counts| counts.get("mask_order").is_some() && counts.get("n_rows").is_some())
}

fn progress(n_rows: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("preparing {bar:30} {pos}/{len} captions, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(n_rows).with_style(style)
}

/// The files of a run, unnamed until it ends.
struct Results {
    table: csv::Writer<BufWriter<NewFile>>,
    validation: Option<csv::Writer<BufWriter<NewFile>>>,
    extracted: BufWriter<NewFile>,
    summary: Summary,
    sample: Sample,
    flagged: FlaggedRows,
}

impl Results {
    fn create(options: &PrepareOptions, has_parts: bool) -> Result<Self> {
        let folder = options.out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        create_folder(folder)?;
        let cannot = || format!("cannot write to {}", folder.display());
        let new = |path: &Path| NewFile::for_place(path).with_context(cannot);
        let new_table = |path: &Path| -> Result<_> {
            let mut table = csv::Writer::from_writer(BufWriter::new(new(path)?));
            table.write_record(COLUMNS.iter().chain(has_parts.then_some(&SPLIT_COLUMN)))?;
            Ok(table)
        };
        let has_validation = options.hygiene.validation_share > 0.0;
        let validation = has_validation.then(|| new_table(&beside(&options.out, VALIDATION))).transpose()?;
        let extracted = BufWriter::new(new(&beside(&options.out, EXTRACTED))?);
        let table = new_table(&options.out)?;
        Ok(Self {
            table,
            validation,
            extracted,
            summary: Summary::new(options.mask_order),
            sample: Sample::default(),
            flagged: FlaggedRows::default(),
        })
    }

    /// The files as long as they have no name.
    fn paths(&self) -> Vec<PathBuf> {
        let tables = [Some(&self.table), self.validation.as_ref()].into_iter().flatten().map(csv::Writer::get_ref);
        tables.chain([&self.extracted]).map(|file| file.get_ref().temporary_path().to_path_buf()).collect()
    }

    fn write(&mut self, row: &Prepared) -> Result<()> {
        self.summary.count(&row.line, row.cells.as_deref());
        self.flagged.offer(&row.line);
        if let Some(cells) = &row.cells {
            self.sample.offer(row.line.row, || SampleRow {
                row: row.line.row,
                image: row.line.image.clone(),
                caption: cells[1].clone(),
                extraction: row.line.extraction.clone(),
            });
            let table = self.validation.as_mut().filter(|_| row.line.is_validation).unwrap_or(&mut self.table);
            table.write_record(cells).context("cannot write the table")?;
        }
        serde_json::to_writer(&mut self.extracted, &row.line).context("cannot write extracted.jsonl")?;
        self.extracted.write_all(b"\n").context("cannot write extracted.jsonl")
    }

    fn finish(self, options: &PrepareOptions) -> Result<Summary> {
        let inner = |table: csv::Writer<_>| {
            table.into_inner().map_err(csv::IntoInnerError::into_error).context("cannot write the table")
        };
        let (table, validation) = (inner(self.table)?, self.validation.map(inner).transpose()?);
        if self.summary.n_rows == self.summary.n_left_out() {
            bail!("no row has an image and a caption: {}", options.table.display());
        }
        let page = report::html(&self.summary, &self.sample, &self.flagged);
        // The counts come first: after a full disk, they say that the other files are of an earlier run.
        for (name, content) in [
            (COUNTS, serde_json::to_vec_pretty(&self.summary)?),
            ("sample.csv", self.sample.to_csv()?),
            ("report.html", page.into_bytes()),
        ] {
            replace_file(&beside(&options.out, name), &content)?;
        }
        persist(self.extracted, &beside(&options.out, EXTRACTED))?;
        let path = beside(&options.out, VALIDATION);
        match validation {
            Some(validation) => persist(validation, &path)?,
            // Rows of an earlier run's part are in the table now.
            None if path.exists() => {
                std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
            }
            None => {}
        }
        // The table comes last: where it is, the others are too.
        persist(table, &options.out)?;
        Ok(self.summary)
    }
}

/// Gives a written file its name.
fn persist(file: BufWriter<NewFile>, path: &Path) -> Result<()> {
    let file = file.into_inner().map_err(std::io::IntoInnerError::into_error);
    file.and_then(NewFile::persist).with_context(|| format!("cannot write {}", path.display()))
}
