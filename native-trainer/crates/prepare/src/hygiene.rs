//! What the images of a table say about its rows: copies, rows that an evaluation uses too, faces and text, and a
//! validation part that shares no patient and no copy with the training part.

use crate::clusters::{Clusters, near_pairs};
use crate::flags::Flag;
use crate::image_flags::ImageSearch;
use crate::row::{Pair, Reason};
use crate::sample::mixed;
use anyhow::{Context, Result, bail};
use dermake_files::hash::sha256;
use dermake_pictures::PerceptualHashes;
use dermake_process::interrupt::{self, Interrupted};
use dermake_sources::columns::{TRAIN, are_of_part, split_of};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use serde::Serialize;
use shared_model::preprocess::Reading;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// Bits in which the perceptual hashes of copies differ at most.
const NEAR: u32 = 4;

/// How to look at the images and how to split.
#[derive(Clone, Debug, Default)]
pub struct HygieneOptions {
    /// Folder where image names start; without it, images are not looked at.
    pub images: Option<PathBuf>,
    /// Folders with images that a model will be evaluated on: rows with a copy are left out.
    pub evaluation: Vec<PathBuf>,
    /// Whether rows of copies in another size or form become one, as those of the same file do.
    pub join_copies: bool,
    /// Whether to search the images of rows for faces and text.
    pub flag_faces_and_text: bool,
    /// Share of the rows that become `val.csv`.
    pub validation_share: f64,
    pub seed: u64,
}

/// Counts of what was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HygieneCounts {
    pub n_images: u64,
    /// Rows whose image is not there.
    pub n_missing: u64,
    /// Images that cannot be decoded.
    pub n_unreadable: u64,
    /// Rows whose image is the same file as that of an earlier row, to which their captions were added.
    pub n_joined: u64,
    /// Rows whose image is a copy of another row's in another size or form.
    pub n_near: u64,
    /// Of these, rows whose captions were added to that of an earlier copy.
    pub n_joined_copies: u64,
    /// Images in the folders of the evaluation.
    pub n_evaluation_images: u64,
    /// Images that were searched for faces and text.
    pub n_searched: u64,
}

/// The content and the look of an image.
#[derive(Clone)]
struct Look {
    content: String,
    hashes: Option<PerceptualHashes>,
    flags: Vec<Flag>,
}

/// What was seen of every row.
pub struct Hygiene {
    pub counts: HygieneCounts,
    /// For each row, whether it is in the validation part.
    pub is_validation: Vec<bool>,
    /// For each row, the number of the first row of its cluster, if that has several.
    pub clusters: Vec<Option<u64>>,
    /// For each row, what a person should look at in its image; empty if images were not searched.
    pub flags: Vec<Vec<Flag>>,
}

/// Looks at the images: joins captions of equal images, marks rows that an evaluation uses, and splits.
///
/// # Errors
/// When a folder is not there, or the user stops the command.
pub fn examine(pairs: &mut [Pair], images: &[Option<PathBuf>], options: &HygieneOptions) -> Result<Hygiene> {
    let mut counts = HygieneCounts::default();
    let mut clusters = Clusters::new(pairs.len());
    let mut flags = vec![Vec::new(); pairs.len()];
    if let Some(root) = &options.images {
        if !root.is_dir() {
            bail!("expected the folder of the images, and it does not exist: {}", root.display());
        }
        let search = options.flag_faces_and_text.then(ImageSearch::default);
        let looks = looks_of_rows(images, search.as_ref(), &mut counts)?;
        join_equal(pairs, &looks, &mut clusters, &mut counts);
        join_near(pairs, &looks, options.join_copies, &mut clusters, &mut counts);
        leave_out_evaluated(pairs, &looks, options, &mut counts)?;
        flags = looks.into_iter().map(|look| look.map(|look| look.flags).unwrap_or_default()).collect();
    }
    // Equal names are equal images, whether or not the files were looked at.
    for name in [|pair: &Pair| &pair.group, |pair: &Pair| &pair.image] as [fn(&Pair) -> &String; 2] {
        let named = pairs.iter().enumerate().filter(|(_, pair)| !name(pair).is_empty());
        clusters.join_equal(named.map(|(at, pair)| (at, name(pair))));
    }
    let roots: Vec<usize> = (0..pairs.len()).map(|row| clusters.root(row)).collect();
    let mut sizes: HashMap<usize, u32> = HashMap::new();
    roots.iter().for_each(|root| *sizes.entry(*root).or_default() += 1);
    let limit = (options.validation_share * u64::MAX as f64) as u64;
    // Rows of other parts stay in their part.
    let parts: Vec<Option<&str>> = pairs.iter().map(|pair| split_of(&pair.split)).collect();
    let is_drawn = |root: usize| mixed(mixed(options.seed) ^ root as u64) < limit;
    let is_validation =
        roots.iter().zip(are_of_part(&parts, TRAIN)).map(|(&root, can_be)| can_be && is_drawn(root)).collect();
    let number = |root: &usize| (sizes[root] > 1).then(|| pairs[*root].row);
    Ok(Hygiene { counts, is_validation, clusters: roots.iter().map(number).collect(), flags })
}

fn looks_of_rows(
    images: &[Option<PathBuf>],
    search: Option<&ImageSearch>,
    counts: &mut HygieneCounts,
) -> Result<Vec<Option<Look>>> {
    counts.n_missing = images.iter().filter(|path| path.is_none()).count() as u64;
    let files: HashSet<&Path> = images.iter().flatten().map(PathBuf::as_path).collect();
    let files: Vec<&Path> = files.into_iter().collect();
    counts.n_images = files.len() as u64;
    let looks = looks(&files, search)?;
    counts.n_unreadable = files.len() as u64 - looks.len() as u64;
    counts.n_searched = search.map_or(0, |_| looks.len() as u64);
    let look = |path: &Option<PathBuf>| looks.get(path.as_deref()?).cloned();
    Ok(images.iter().map(look).collect())
}

/// Reads each file once.
fn looks<'a>(files: &[&'a Path], search: Option<&ImageSearch>) -> Result<HashMap<&'a Path, Look>> {
    let style = ProgressStyle::with_template("looking at images {bar:30} {pos}/{len}, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(files.len() as u64).with_style(style);
    let found = files.par_iter().map(|path| {
        if interrupt::is_requested() {
            bail!(Interrupted);
        }
        let found = look(path, search)?;
        bar.inc(1);
        Ok((*path, found))
    });
    let found: Vec<_> = found.collect::<Result<_>>()?;
    bar.finish_and_clear();
    Ok(found.into_iter().filter_map(|(path, look)| Some((path, look?))).collect())
}

/// Looks at the image as people see it, so that a face is upright; `None` if it cannot be read.
fn look(path: &Path, search: Option<&ImageSearch>) -> Result<Option<Look>> {
    let Ok(bytes) = dermake_pictures::read(path) else { return Ok(None) };
    let Ok(image) = dermake_pictures::decode(&bytes, Reading::Photo) else { return Ok(None) };
    let flags = search.map(|search| search.flags(&image)).transpose()?.unwrap_or_default();
    Ok(Some(Look { content: sha256(&bytes), hashes: PerceptualHashes::of_image(&image), flags }))
}

/// Rows of the same file and part become one, with all their captions.
fn join_equal(pairs: &mut [Pair], looks: &[Option<Look>], clusters: &mut Clusters, counts: &mut HygieneCounts) {
    let mut first: HashMap<(&str, Option<&str>), usize> = HashMap::new();
    for (row, look) in looks.iter().enumerate() {
        let Some(look) = look.as_ref().filter(|_| pairs[row].problem.is_none()) else { continue };
        let known = *first.entry((look.content.as_str(), split_of(&pairs[row].split))).or_insert(row);
        if known != row {
            clusters.join(known, row);
            counts.n_joined += 1;
            absorb(pairs, known, row, Reason::JoinedWithEarlierRow);
        }
    }
}

/// Adds the captions of a row, each a line, to those of an earlier one, and leaves the row out for this reason.
fn absorb(pairs: &mut [Pair], into: usize, row: usize, reason: Reason) {
    let captions = std::mem::take(&mut pairs[row].caption);
    pairs[row].problem = Some(reason);
    for caption in captions.lines().map(str::trim).filter(|caption| !caption.is_empty()) {
        if !pairs[into].caption.lines().any(|line| line.trim() == caption) {
            pairs[into].caption += "\n";
            pairs[into].caption += caption;
        }
    }
}

/// Hashes of each file once: rows of the same file and part are joined before.
fn hashes_of_files(pairs: &[Pair], looks: &[Option<Look>]) -> Vec<(usize, [u64; 8])> {
    let rows = looks.iter().enumerate().filter(|(row, _)| pairs[*row].problem.is_none());
    rows.filter_map(|(row, look)| Some((row, look.as_ref()?.hashes?.0))).collect()
}

fn join_near(
    pairs: &mut [Pair],
    looks: &[Option<Look>],
    join_copies: bool,
    clusters: &mut Clusters,
    counts: &mut HygieneCounts,
) {
    let hashes = hashes_of_files(pairs, looks);
    let mut near = HashSet::new();
    // By ascending rows, so that the first of several copies gets the captions of all that are near to it.
    for (a, b) in near_pairs(&hashes, NEAR) {
        near.extend([a, b]);
        clusters.join(a, b);
        let are_rows = [a, b].iter().all(|&row| pairs[row].problem.is_none());
        if join_copies && are_rows && split_of(&pairs[a].split) == split_of(&pairs[b].split) {
            absorb(pairs, a, b, Reason::CopyOfEarlierRow);
            counts.n_joined_copies += 1;
        }
    }
    counts.n_near = near.len() as u64;
}

/// Leaves out rows whose image is among those of an evaluation.
fn leave_out_evaluated(
    pairs: &mut [Pair],
    looks_of_rows: &[Option<Look>],
    options: &HygieneOptions,
    counts: &mut HygieneCounts,
) -> Result<()> {
    if options.evaluation.is_empty() {
        return Ok(());
    }
    let mut files = Vec::new();
    for folder in &options.evaluation {
        for entry in walkdir::WalkDir::new(folder).follow_links(true) {
            let entry = entry.with_context(|| format!("cannot read the folder {}", folder.display()))?;
            if entry.file_type().is_file() {
                files.push(entry.into_path());
            }
        }
    }
    let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    // Tables and texts beside the images are no images.
    let evaluated: Vec<Look> = looks(&paths, None)?.into_values().collect();
    counts.n_evaluation_images = evaluated.len() as u64;
    if evaluated.is_empty() {
        let folders: Vec<String> = options.evaluation.iter().map(|folder| folder.display().to_string()).collect();
        bail!("expected images of an evaluation, found none that can be read: {}", folders.join(", "));
    }
    let mut contents: HashSet<&str> = HashSet::new();
    let n_rows = pairs.len();
    let mut hashes = hashes_of_files(pairs, looks_of_rows);
    for (at, look) in evaluated.iter().enumerate() {
        if let (true, Some(found)) = (contents.insert(&look.content), look.hashes) {
            hashes.push((n_rows + at, found.0));
        }
    }
    let near = near_pairs(&hashes, NEAR).into_iter().filter(|(a, b)| *a < n_rows && *b >= n_rows);
    contents.extend(near.filter_map(|(row, _)| Some(looks_of_rows[row].as_ref()?.content.as_str())));
    let is_evaluated =
        |look: &Option<Look>| look.as_ref().is_some_and(|look| contents.contains(look.content.as_str()));
    let rows: Vec<usize> = (0..n_rows).filter(|&row| is_evaluated(&looks_of_rows[row])).collect();
    for row in rows {
        pairs[row].problem.get_or_insert(Reason::InEvaluation);
    }
    Ok(())
}
