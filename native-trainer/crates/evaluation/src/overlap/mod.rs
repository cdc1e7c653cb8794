//! `dermake data overlap`: evaluation images that are in the training data, too.
//!
//! Two images count as the same if their files are, if their perceptual hashes are close and their features are not far
//! apart, or if their features are nearly equal and their hashes are not far apart. The hash alone has coincidences among
//! many smooth pictures; features alone are close for pictures of one condition.

mod pairs;
mod sets;

pub use pairs::Thresholds;
pub use sets::ImageSet;

use crate::exclusion::{IMAGE_COLUMN, SHA256_COLUMN};
use crate::scored::hex;
use anyhow::{Context, Result, bail, ensure};
use candle_core::{Device, Tensor};
use dermake_features::{Encoder, FeatureStore, Identity, ImageFeatures};
use dermake_files::inputs::refuse_input;
use dermake_files::output::{check_file, replace_file};
use dermake_models::options::ModelOptions;
use dermake_pictures::{N_BITS, PerceptualHashes};
use dermake_process::interrupt::{self, Interrupted};
use dermake_process::{print, progress};
use pairs::{Images, Match, Reason, matches};
use rayon::prelude::*;
use shared_model::preprocess::Reading;
use std::path::{Path, PathBuf};

/// What to compare.
pub struct OverlapOptions<'a> {
    pub model: &'a ModelOptions,
    pub training: ImageSet,
    pub evaluations: Vec<ImageSet>,
    pub thresholds: Thresholds,
    /// Folder of the feature cache; `None` for no cache.
    pub cache: Option<PathBuf>,
    /// The list of what was found.
    pub out: &'a Path,
}

/// A set's readable images, with their places in the set.
struct Read {
    images: Images,
    places: Vec<usize>,
    n_unreadable: usize,
}

/// What was found in one evaluation set.
struct Found<'a> {
    set: &'a ImageSet,
    read: Read,
    matches: Vec<Match>,
}

/// Writes the list and prints a summary. Returns whether all images could be read.
///
/// # Errors
/// When a set has no readable image, the model fails, or the list cannot be written.
pub fn overlap(options: &OverlapOptions<'_>) -> Result<bool> {
    check_file(options.out)?;
    let is_csv = options.out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
    let is_device = options.out.metadata().is_ok_and(|found| !found.is_file());
    ensure!(
        is_csv || is_device,
        "--out is written as CSV, expected a name that ends in .csv: {}",
        options.out.display()
    );
    let sets = || options.evaluations.iter().chain([&options.training]);
    refuse_input("--out", options.out, sets().flat_map(|set| set.paths()))?;
    let loaded = options.model.open()?;
    dermake_models::warn_of(&loaded.model);
    let identity = Identity::of(options.model, &loaded, Reading::Reference)?;
    let store = options.cache.as_ref().and_then(|cache| FeatureStore::open_cache(cache, &identity));
    interrupt::listen("batch")?;
    let mut encoder = Encoder::new(&loaded.model, Reading::Reference, store);
    let training = read(&mut encoder, &options.training)?;
    let mut found = Vec::new();
    for set in &options.evaluations {
        let read = read(&mut encoder, set)?;
        let matches = matches(&read.images, &training.images, &options.thresholds)?;
        tracing::info!("{}: {} of {} images are in the training data", set.name, matches.len(), set.files.len());
        found.push(Found { set, read, matches });
    }
    replace_file(options.out, &table(&found, &options.training, &training)?)?;
    tracing::info!("the list is {}", options.out.display());
    print::summary(&summary(&found, &options.thresholds))?;
    let are_read = training.n_unreadable == 0 && found.iter().all(|found| found.read.n_unreadable == 0);
    Ok(are_read && sets().all(|set| set.is_whole))
}

fn read(encoder: &mut Encoder<'_>, set: &ImageSet) -> Result<Read> {
    let bar = progress::images(set.files.len());
    bar.set_message(set.name.clone());
    let ImageFeatures { rows, features, contents } = encoder.images(&set.files, &bar)?;
    bar.finish_and_clear();
    let bar = progress::images(set.files.len());
    let hash = |file: &dermake_features::ImageFile| {
        bar.inc(1);
        if interrupt::is_requested() { None } else { Some(PerceptualHashes::of_file(&file.path)) }
    };
    let hashes: Vec<_> = set.files.par_iter().map(hash).collect();
    bar.finish_and_clear();
    let (mut places, mut kept, mut kept_hashes) = (Vec::new(), Vec::new(), Vec::new());
    let mut problems = Vec::new();
    for (place, (row, hash)) in rows.into_iter().zip(hashes).enumerate() {
        match (row, hash) {
            (_, None) => bail!(Interrupted),
            (Ok(row), Some(Ok(hash))) => {
                places.push(place);
                kept.push(row);
                kept_hashes.push(hash);
            }
            (Err(problem), _) => problems.push((place, problem)),
            (_, Some(Err(problem))) => problems.push((place, problem.to_string())),
        }
    }
    if let Some((place, problem)) = problems.first() {
        let (n, all, file) = (problems.len(), set.files.len(), set.files[*place].path.display());
        if n == all {
            bail!("none of {all} images can be read, the first: {problem}: {file}");
        }
        tracing::warn!("{}: {n} of {all} images cannot be read, the first: {problem}: {file}", set.name);
    }
    let index: Vec<u32> = kept.iter().map(|&row| row as u32).collect();
    let images = Images {
        features: features.index_select(&Tensor::new(index, &Device::Cpu)?, 0)?,
        contents: kept.iter().map(|&row| contents[row]).collect(),
        hashes: kept_hashes,
    };
    Ok(Read { images, places, n_unreadable: problems.len() })
}

/// The list: a row for each evaluation image that is in the training data.
fn table(found: &[Found<'_>], training_set: &ImageSet, training: &Read) -> Result<Vec<u8>> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record([
        "evaluation",
        IMAGE_COLUMN,
        SHA256_COLUMN,
        "training_image",
        "training_sha256",
        "cosine",
        "hash_distance",
        "reason",
    ])?;
    for Found { set, read, matches } in found {
        for found in matches {
            table.write_record([
                set.name.as_str(),
                &set.images[read.places[found.evaluation]],
                &hex(&read.images.contents[found.evaluation]),
                &training_set.images[training.places[found.training]],
                &hex(&training.images.contents[found.training]),
                &format!("{:.4}", found.cosine),
                &found.distance.map_or_else(String::new, |distance| distance.to_string()),
                found.reason.name(),
            ])?;
        }
    }
    table.into_inner().context("cannot write a table into memory")
}

/// A line for each evaluation set, and the thresholds.
fn summary(found: &[Found<'_>], thresholds: &Thresholds) -> String {
    let width = found.iter().map(|found| found.set.name.chars().count()).max().unwrap_or(0).max("evaluation".len());
    let mut text =
        format!("{:width$}  images  overlap   share  same file  hash  cosine  unreadable\n", "evaluation");
    for Found { set, read, matches } in found {
        let of = |reason: Reason| matches.iter().filter(|found| found.reason == reason).count();
        let share = 100.0 * matches.len() as f64 / read.places.len().max(1) as f64;
        text.push_str(&format!(
            "{:width$}  {:>6}  {:>7}  {share:>5.2} %  {:>9}  {:>4}  {:>6}  {:>10}\n",
            set.name,
            read.places.len(),
            matches.len(),
            of(Reason::SameFile),
            of(Reason::Hash),
            of(Reason::Cosine),
            read.n_unreadable
        ));
    }
    let Thresholds { hash_distance, hash_cosine, cosine, cosine_distance } = thresholds;
    text.push_str(&format!(
        "An image overlaps if a training image has the same bytes (same file), or at most {hash_distance} of {N_BITS} bits of \
         its perceptual hash differ in any orientation and the cosine is at least {hash_cosine} (hash), or at most \
         {cosine_distance} bits and the cosine is at least {cosine} (cosine).\n"
    ));
    text
}
