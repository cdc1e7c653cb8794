//! Prepares a table: reads pairs, extracts on all cores, writes the rows in their order.

use crate::cleaning;
use crate::extraction::Extractor;
use crate::hygiene;
use crate::lexicon::Lexicon;
use crate::llm::{self, Estimate};
use crate::options::PrepareOptions;
use crate::out::{COUNTS, EXTRACTED, Earlier, REPORT, SAMPLE, VALIDATION, Written, beside, check_out};
use crate::report::{self, FlaggedRows};
use crate::row::{COLUMNS, Prepared, Preparer, prepare};
use crate::sample::{Sample, SampleRow};
use crate::source::{self, Source};
use crate::summary::Summary;
use crate::units::TokenBudget;
use anyhow::{Context, Result, bail};
use dermake_files::hash::{sha256, sha256_of_file};
use dermake_files::new_file::NewFile;
use dermake_files::output::{create_folder, replace_file};
use dermake_process::interrupt::{self, Interrupted};
use dermake_sources::columns::SPLIT_COLUMN;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Pairs that are prepared at a time.
const CHUNK: usize = 4096;

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
    let n_validation = seen.is_validation.iter().filter(|is_validation| **is_validation).count();
    check_parts(options, n_validation as u64, pairs.len() as u64)?;
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

/// Checks that some of `n_rows` rows are in each part.
///
/// # Errors
/// When one part is empty.
fn check_parts(options: &PrepareOptions, n_validation: u64, n_rows: u64) -> Result<()> {
    let share = options.hygiene.validation_share;
    let why = match n_validation {
        _ if share == 0.0 || n_rows == 0 => return Ok(()),
        0 => {
            format!("no row of {n_rows} is drawn for val.csv with --validation-share {share}; give a larger share")
        }
        n if n == n_rows => {
            format!("all {n_rows} rows are drawn for val.csv with --validation-share {share}; give a smaller share")
        }
        _ => return Ok(()),
    };
    bail!("{why}, or another --seed: {}", options.table.display())
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

    fn finish(mut self, options: &PrepareOptions) -> Result<Summary> {
        let inner = |table: csv::Writer<_>| {
            table.into_inner().map_err(csv::IntoInnerError::into_error).context("cannot write the table")
        };
        let n_kept = self.summary.n_rows - self.summary.n_left_out();
        if n_kept == 0 {
            bail!("no row has an image and a caption: {}", options.table.display());
        }
        check_parts(options, self.summary.n_validation, n_kept)?;
        let page = report::html(&self.summary, &self.sample, &self.flagged).into_bytes();
        let sheet = self.sample.to_csv()?;
        // The table comes last: where it is, the others are too.
        let mut files = vec![(beside(&options.out, EXTRACTED), whole(self.extracted)?)];
        if let Some(validation) = self.validation {
            files.push((beside(&options.out, VALIDATION), whole(inner(validation)?)?));
        }
        files.push((options.out.clone(), whole(inner(self.table)?)?));
        let contents = [(beside(&options.out, SAMPLE), sheet), (beside(&options.out, REPORT), page)];

        let mut hashes: Vec<(&Path, String)> =
            contents.iter().map(|(path, content)| (path.as_path(), sha256(content))).collect();
        for (path, file) in &files {
            hashes.push((path, sha256_of_file(file.temporary_path()).context("cannot read the results")?));
        }
        self.summary.files = written(&options.out, &hashes)?;
        // The counts come first: after a full disk, they know the files of both runs.
        replace_file(&beside(&options.out, COUNTS), &serde_json::to_vec_pretty(&self.summary)?)?;
        for (path, content) in &contents {
            replace_file(path, content)?;
        }
        for (path, file) in files {
            file.persist().with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(self.summary)
    }
}

/// What is known of the files when these new ones replace them: the hashes of the new files, and of those that are there
/// until then.
///
/// # Errors
/// When somebody has changed a file since an earlier run wrote it.
fn written(out: &Path, new: &[(&Path, String)]) -> Result<Written> {
    let earlier = Earlier::of(out);
    let mut files = earlier.files.clone();
    for (path, hash) in new {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let hashes = std::iter::once(hash.clone()).chain(earlier.replaced(path)?);
        files.insert(name, hashes.collect());
    }
    Ok(files)
}

/// A file whose content is written.
fn whole(file: BufWriter<NewFile>) -> Result<NewFile> {
    let file = file.into_inner().map_err(std::io::IntoInnerError::into_error);
    file.context("cannot write the results")
}
