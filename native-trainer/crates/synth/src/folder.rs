//! The layout of the set: splits, their sizes, pictures and tables.

use super::captions::{self, Facts};
use super::case::{Case, Split, assignment, rng_for};
use super::condition::Condition;
use super::findings::Concept;
use super::options::{Extras, MIN_IMAGE_SIZE, SynthOptions};
use super::other;
use super::picture::{self, Picture};
use super::tables;
use anyhow::{Context, Result};
use dermake_files::output::OutputFolder;
use image::codecs::jpeg::JpegEncoder;
use image::{GrayImage, RgbImage};
use indicatif::ProgressBar;
use rand::Rng;
use rayon::prelude::*;
use std::path::Path;

/// Raised whenever the same seed gives another set.
pub const GENERATOR_VERSION: u32 = 1;

/// Purposes of a case's random generators; [`rng_for`] gives each its own.
const PURPOSE_PICTURE: u64 = 0;
const PURPOSE_CAPTION: u64 = 2;
const PURPOSE_FILE: u64 = 3;
const PURPOSE_VIEW: u64 = 4;
/// Folder of pictures without skin.
const OTHER_FOLDER: &str = "other";
/// Folder of the masks, beside that of the zero-shot pictures.
const MASKS_FOLDER: &str = "masks";

/// Quality of pictures without skin.
const JPEG_QUALITY: u8 = 90;

/// One part of the folder.
pub struct Part {
    pub split: Split,
    pub n_images: usize,
    /// Its table.
    pub table: &'static str,
    /// Folder of its pictures, from the root of the set.
    pub images: &'static str,
    /// Prefix of a picture's name in the table.
    pub prefix: &'static str,
    pub digits: usize,
}

/// The five parts of a set with `n_images` training pictures.
pub fn parts(n_images: usize) -> [Part; 5] {
    let n_conditions = Condition::ALL.len();
    let part =
        |split, n_images, table, images, prefix, digits| Part { split, n_images, table, images, prefix, digits };
    [
        part(Split::Train, n_images, "train.csv", "images/train", "images/train/", 6),
        part(Split::Validation, (n_images / 10).max(2 * n_conditions), "val.csv", "images/val", "images/val/", 6),
        part(
            Split::ZeroShot,
            (n_images / 5).max(10 * n_conditions),
            "zeroshot/test.csv",
            "zeroshot/images",
            "images/",
            5,
        ),
        part(Split::Concept, (n_images / 10).max(60), "concept/meta.csv", "concept/final_images", "", 5),
        part(Split::Retrieval, (n_images / 10).max(60), "retrieval/test.csv", "retrieval/images", "images/", 5),
    ]
}

/// Paints a part and writes its pictures and its table.
pub fn write_part(folder: &OutputFolder, options: &SynthOptions, part: &Part, bar: &ProgressBar) -> Result<()> {
    let images = folder.path(part.images);
    std::fs::create_dir_all(&images).with_context(|| format!("cannot create {}", part.images))?;
    let make = |index: usize| {
        let row = write_picture(&images, options, part, index);
        bar.inc(1);
        row
    };
    let rows: Vec<Vec<String>> = (0..part.n_images).into_par_iter().map(make).collect::<Result<_>>()?;
    let header = match part.split {
        Split::ZeroShot => tables::zero_shot_header(),
        Split::Concept => tables::concept_header(),
        Split::Retrieval => tables::retrieval_header(),
        Split::Train | Split::Validation | Split::ContactSheet | Split::Other => tables::training_header(),
    };
    folder.write(part.table, &tables::to_csv(&header, &rows)?)
}

/// A painted case as a JPEG.
pub struct Photo {
    case: Case,
    picture: Picture,
    pub jpeg: Vec<u8>,
}

/// A drawn picture, and what is to be found on it.
pub struct MarkedPhoto {
    pub jpeg: Vec<u8>,
    /// White where lesions are; of the picture's size.
    pub lesions: GrayImage,
    /// Name of the condition, one of [`conditions`](super::conditions).
    pub condition: &'static str,
}

/// How the camera is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// The lesions are about in the middle.
    Usual,
    /// The lesions are small and away from the middle.
    OffCenter,
}

/// Paints one case.
pub fn photograph(seed: u64, split: Split, number: u64, image_size: u32, view: View) -> Result<Photo> {
    let (condition, fitzpatrick) = assignment(seed, split, number);
    let mut rng = rng_for(seed, split, number, PURPOSE_PICTURE);
    let mut case = Case::sample(condition, fitzpatrick, &mut rng);
    if view == View::OffCenter {
        case.move_off_center(&mut rng_for(seed, split, number, PURPOSE_VIEW));
    }
    let mut file_rng = rng_for(seed, split, number, PURPOSE_FILE);
    let picture = picture::paint(&case, picture_size(image_size, &mut file_rng), rng);
    let jpeg = encode(&picture.image, file_rng.random_range(86..=94))?;
    Ok(Photo { case, picture, jpeg })
}

/// Paints one case of the zero-shot pictures.
pub fn marked_photo(seed: u64, number: u64, image_size: u32, view: View) -> Result<MarkedPhoto> {
    let Photo { case, picture, jpeg } = photograph(seed, Split::ZeroShot, number, image_size, view)?;
    Ok(MarkedPhoto { jpeg, lesions: picture.lesions, condition: case.condition.name() })
}

/// Writes the caption of one case, which is painted in little.
pub fn caption(seed: u64, split: Split, number: u64) -> Result<String> {
    let Photo { case, picture, .. } = photograph(seed, split, number, MIN_IMAGE_SIZE, View::Usual)?;
    let facts = Facts { case: &case, findings: &picture.findings, extras: &picture.extras };
    Ok(captions::identifying(facts, &mut rng_for(seed, split, number, PURPOSE_CAPTION)))
}

/// Paints one case, writes the JPEG and returns its row.
fn write_picture(images: &Path, options: &SynthOptions, part: &Part, index: usize) -> Result<Vec<String>> {
    let (seed, split, number) = (options.seed, part.split, index as u64);
    let view = if options.extras.is_off_center { View::OffCenter } else { View::Usual };
    let Photo { case, picture, jpeg } = photograph(seed, split, number, options.image_size, view)?;
    let file = format!("{index:0width$}.jpg", width = part.digits);
    let path = images.join(&file);
    std::fs::write(&path, jpeg).with_context(|| format!("cannot write {}", path.display()))?;
    if options.extras.has_masks && split == Split::ZeroShot {
        write_mask(&images.with_file_name(MASKS_FOLDER), &file, &picture)?;
    }
    let name = format!("{}{file}", part.prefix);
    let facts = Facts { case: &case, findings: &picture.findings, extras: &picture.extras };
    let mut caption_rng = rng_for(seed, split, number, PURPOSE_CAPTION);
    Ok(match split {
        Split::ZeroShot => tables::zero_shot_row(&name, &case),
        Split::Concept => tables::concept_row(&name, &picture.findings),
        Split::Retrieval => vec![name, captions::identifying(facts, &mut caption_rng)],
        Split::Train | Split::Validation | Split::ContactSheet | Split::Other => {
            tables::training_row(&name, &captions::write(facts, &mut caption_rng), &case)
        }
    })
}

/// Writes where the lesions of a picture are, as a PNG of the picture's name.
fn write_mask(folder: &Path, file: &str, picture: &Picture) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let path = folder.join(Path::new(file).with_extension("png"));
    picture.lesions.save(&path).with_context(|| format!("cannot write {}", path.display()))
}

/// Writes the pictures without skin.
pub fn write_other(folder: &OutputFolder, options: &SynthOptions, bar: &ProgressBar) -> Result<()> {
    if options.extras.n_other == 0 {
        return Ok(());
    }
    let images = folder.path(OTHER_FOLDER);
    std::fs::create_dir_all(&images).with_context(|| format!("cannot create {OTHER_FOLDER}"))?;
    let write = |number: usize| {
        let path = images.join(format!("{number:05}.jpg"));
        let jpeg = encode(&other::paint(options.seed, number as u64, options.image_size), JPEG_QUALITY)?;
        bar.inc(1);
        std::fs::write(&path, jpeg).with_context(|| format!("cannot write {}", path.display()))
    };
    (0..options.extras.n_other).into_par_iter().try_for_each(write)
}

/// Square but for one in six, which are nine to seven in either direction.
fn picture_size(side: u32, rng: &mut impl Rng) -> (u32, u32) {
    let long = side * 9 / 7;
    match rng.random_range(0..12) {
        0 => (long, side),
        1 => (side, long),
        _ => (side, side),
    }
}

fn encode(image: &RgbImage, quality: u8) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality)
        .encode_image(image)
        .context("cannot encode a picture as JPEG")?;
    Ok(bytes)
}

/// The files that do not depend on the pictures.
pub fn write_descriptions(folder: &OutputFolder, options: &SynthOptions) -> Result<()> {
    let names = Condition::ALL.map(Condition::name);
    folder.write("classes.json", &serde_json::to_vec_pretty(&names).context("cannot write the class names")?)?;
    let concepts: String = Concept::ANNOTATED.iter().map(|concept| format!("{}\n", concept.name())).collect();
    folder.write("concept/concepts.txt", concepts.as_bytes())?;
    folder.write("README.md", readme(options).as_bytes())
}

fn readme(options: &SynthOptions) -> String {
    let [train, validation, zero_shot, concept, retrieval] = parts(options.n_images).map(|part| part.n_images);
    format!(
        "# Drawn dermatology set

Every picture here was drawn by a program (`dermake synth`): no patient, no photo. It serves to train, test and
demonstrate models of skin images, and is **not for diagnosis**: a model trained on it knows drawings only.

Generator version {GENERATOR_VERSION}, seed {seed}, {train} training pictures, shorter edge {side} pixels. The same
version, seed, number and size give the same bytes.

| file | rows | what |
|---|---|---|
| `classes.json` | {n_conditions} | names of the conditions, in label order |
| `train.csv`, `val.csv` | {train}, {validation} | pictures with captions; file names are relative to this folder |
| `zeroshot/test.csv` | {zero_shot} | `filename,label,condition,fitzpatrick,sex,age`; file names are relative to `zeroshot/` |
| `concept/meta.csv` | {concept} | `ImageID` (a file in `concept/final_images/`), then 0 or 1 for each name in `concept/concepts.txt` |
| `retrieval/test.csv` | {retrieval} | `filename,caption_zh_polish_en`; one distinct caption for each picture, file names relative to `retrieval/` |
{extras}
Columns of `train.csv` and `val.csv`: `filename`, `truncated_caption`, `ontology_caption`, `visual_concept_caption`,
`subcaption_1` to `subcaption_8`, `sub_caption_mask` (which of the eight are there), `knowledge_masks` (caption,
ontology, visual concept), `condition`, `fitzpatrick` (skin tone, 1 to 6). An empty cell has mask 0.
",
        seed = options.seed,
        side = options.image_size,
        n_conditions = Condition::ALL.len(),
        extras = extra_rows(options.extras),
    )
}

/// The rows of the readme's table for what is not in every set.
fn extra_rows(extras: Extras) -> String {
    let mut rows = String::new();
    if extras.has_masks {
        rows.push_str(
            "| `zeroshot/masks/` | | where the lesions of each picture are: white in a PNG of its name |\n",
        );
    }
    if extras.n_other > 0 {
        rows.push_str(&format!("| `other/` | {} | pictures without skin, and without a table |\n", extras.n_other));
    }
    if extras.is_off_center {
        rows.push_str("\nLesions are small and away from the middle of the pictures.\n");
    }
    rows
}
