//! `dermake data shrink`: a copy of a table and its images that is quicker to decode.
//!
//! Decoding limits the samples per second of a loader. A photo of 12 megapixels takes a hundred times as long as one
//! whose short side is 384 pixels; even the smallest random crop of that, 0.4 of the area, has 243 pixels. The copy
//! records how it was made, and that is part of a run's fingerprint: a run on the originals cannot continue on it.

mod mark;

pub use mark::{MARKER_FILE, ShrinkSettings, read_marker};

use super::problem::{ProblemKind, RowProblem};
use super::samples::{find_image, image_root, read_image};
use super::schema::TableOptions;
use super::table::TrainingTable;
use anyhow::{Context, Result, bail, ensure};
use dermake_files::file_finder::FileFinder;
use dermake_files::lock::Lock;
use dermake_files::output::{create_folder, replace_file};
use dermake_process::interrupt::{self, Interrupted};
use dermake_process::print;
use dermake_process::progress;
use dermake_sources::Dataset;
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use mark::{Source, Sources};
use rayon::prelude::*;
use shared_model::config::Interpolation;
use shared_model::preprocess::{CropBox, DecodedImage, resample};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts of images, each counted once.
#[derive(Debug, Default)]
struct Counts {
    shrunk: AtomicUsize,
    /// Small enough.
    copied: AtomicUsize,
    /// Written by an earlier call, from the same source.
    present: AtomicUsize,
}

/// Where the copies of images go, and how they are made.
struct Copies<'a> {
    out: &'a Path,
    settings: ShrinkSettings,
    sources: &'a Sources,
    counts: &'a Counts,
}

/// Writes the images of a table below `out`, under their names, and the table beside them.
///
/// A larger image becomes a JPEG whatever its name ends with, since images are recognized by their content. Copies of an
/// earlier call are kept where their source has not changed since; images that cannot be read are left out. Returns
/// whether every image was found and read.
///
/// # Errors
/// When the table cannot be read, or is no file that names its images; when `out` holds images shrunk otherwise or of
/// another table, or lies where the images are; when an image cannot be written; [`Interrupted`] on Ctrl-C.
pub fn run(
    table_path: &Path,
    root: Option<&Path>,
    table: &TableOptions,
    settings: ShrinkSettings,
    out: &Path,
) -> Result<bool> {
    check_table(table_path)?;
    let table = TrainingTable::read(table_path, table)?;
    let root = match root {
        Some(root) => image_root(root)?,
        None => table.image_root().to_path_buf(),
    };
    create_folder(out)?;
    let same = |path: &Path| path.canonicalize().ok();
    ensure!(
        same(&root) != same(out),
        "--out is the folder of the images, which would be overwritten: {}",
        out.display()
    );
    let _lock = Lock::of_folder(out)?;
    mark::mark(out, settings, table_path, &root)?;
    let sources = Sources::open(out)?;
    interrupt::listen("image")?;

    let mut rows_of: BTreeMap<&str, usize> = BTreeMap::new();
    for row in (0..table.len()).filter(|&row| !table.image(row).trim().is_empty()) {
        rows_of.entry(table.image(row)).or_insert(row);
    }
    let files = FileFinder::new(&root);
    let (bar, counts) = (progress::images(rows_of.len()), Counts::default());
    let shrink = |(&name, &row): (&&str, &usize)| -> Result<Option<RowProblem>> {
        if interrupt::is_requested() {
            bail!(Interrupted);
        }
        let problem = shrink_one(&files, name, &Copies { out, settings, sources: &sources, counts: &counts });
        bar.inc(1);
        Ok(problem?.map(|kind| table.problem(row, table.image_column(), kind)))
    };
    let problems: Vec<Option<RowProblem>> = rows_of.par_iter().map(shrink).collect::<Result<_>>()?;
    bar.finish_and_clear();
    let problems: Vec<RowProblem> = problems.into_iter().flatten().collect();
    let content = fs::read(table_path).with_context(|| format!("cannot read {}", table_path.display()))?;
    let name = table_path.file_name().context("the table has a name")?;
    replace_file(&out.join(name), &content)?;

    problems.iter().for_each(print::remark);
    let count = |of: &AtomicUsize| of.load(Ordering::Relaxed);
    print::remark(format_args!(
        "{} images: {} shrunk, {} copied, {} there before; {} missing or unreadable: {}",
        rows_of.len(),
        count(&counts.shrunk),
        count(&counts.copied),
        count(&counts.present),
        problems.len(),
        out.display()
    ));
    Ok(problems.is_empty())
}

/// Checks, before images are read, that the data are a table that can be copied with the names of its images.
fn check_table(path: &Path) -> Result<()> {
    ensure!(
        !path.is_dir(),
        "expected a table that names images, found a folder; name a table in it, or write one: {}",
        path.display()
    );
    let data = Dataset::read(path)?;
    ensure!(path.is_file(), "expected one table that names images, found several files: {}", path.display());
    ensure!(
        !data.has_packed_images(),
        "expected a table that names images, found images inside the file, which is not copied; write them as files, \
         with a table: {}",
        path.display()
    );
    Ok(())
}

/// Writes one image; returns what is wrong with it.
fn shrink_one(files: &FileFinder, name: &str, copies: &Copies<'_>) -> Result<Option<ProblemKind>> {
    let Copies { out, settings, sources, counts } = *copies;
    let found = match find_image(files, name) {
        Ok(found) => found,
        Err(problem) => return Ok(Some(problem)),
    };
    let is_absolute = Path::new(name).is_absolute();
    let Some(below) = below(&found, files.root()).filter(|_| !is_absolute) else {
        let detail = format!(
            "its name does not lead into the folder of the images, {}, and would lead elsewhere in the copy, too; name the \
             folder above all images with --root, and write the names in the table from there on",
            files.root().display()
        );
        return Ok(Some(ProblemKind::ImageUnreadable { path: found.display().to_string(), detail }));
    };
    let (destination, image_name) = (out.join(below), below.to_string_lossy());
    let source = Source::of(&found)?;
    if sources.has(&image_name, source) && destination.exists() {
        counts.present.fetch_add(1, Ordering::Relaxed);
        return Ok(None);
    }
    let image = match read_image(&found) {
        Ok(image) => image,
        Err(problem) => return Ok(Some(problem)),
    };
    if let Some(folder) = destination.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let (content, counter) = match image.width().min(image.height()) > settings.short_side {
        true => (shrunk(&image, settings)?, &counts.shrunk),
        false => {
            let content = fs::read(&found).with_context(|| format!("cannot read {}", found.display()))?;
            (content, &counts.copied)
        }
    };
    replace_file(&destination, &content)?;
    sources.keep(&image_name, source)?;
    counter.fetch_add(1, Ordering::Relaxed);
    Ok(None)
}

/// The path of an image below `root`, and of its copy below the new folder. None for an image elsewhere.
fn below<'a>(found: &'a Path, root: &Path) -> Option<&'a Path> {
    let below = found.strip_prefix(root).ok()?;
    below.components().all(|part| matches!(part, std::path::Component::Normal(_))).then_some(below)
}

/// Returns the bytes of a JPEG with the short side of the settings.
fn shrunk(image: &DecodedImage, settings: ShrinkSettings) -> Result<Vec<u8>> {
    let (width, height) = (image.width(), image.height());
    let scaled = |side: u32| {
        let side = u64::from(side) * u64::from(settings.short_side) / u64::from(width.min(height));
        u32::try_from(side).context("an image within the limits keeps sides within them")
    };
    let whole = CropBox { left: 0, top: 0, width, height };
    let small = resample(image, whole, scaled(width)?, scaled(height)?, Interpolation::Bicubic)?.to_rgb();
    let mut jpeg = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, settings.quality);
    encoder.encode(small.as_bytes(), small.width(), small.height(), ExtendedColorType::Rgb8)?;
    Ok(jpeg)
}

#[cfg(test)]
mod tests;
