//! Reads the photos that a calibration is fitted and measured on.

use super::fit::{Sample, Samples, fit};
use crate::benchmarks::{Benchmark, image_roots};
use crate::labeled::{counts_from_one, known_labels, label_column, repeated_images};
use crate::own_data::{LabeledData, LabeledRows, OwnColumns, labeled, name_of};
use crate::report::{listed, unreadable};
use crate::scored::{ScoredRows, scored_rows};
use crate::session::{Session, SessionOptions};
use crate::table::Table;
use crate::zero_shot::plain_classifier;
use anyhow::{Result, bail};
use dermake_features::{Encoder, FeatureStore, Identity, ImageFile};
use dermake_models::options::ModelOptions;
use dermake_process::interrupt;
use shared_model::calibration::Calibration;
use shared_model::labels::{LabelSet, Templates};
use shared_model::preprocess::Reading;
use shared_model::zero_shot::Classifier;
use std::path::{Path, PathBuf};

/// Labels outside the list that a message names.
const MAX_NAMED: usize = 8;

/// What to calibrate, and on what.
pub struct CalibrateOptions<'a> {
    pub model: &'a ModelOptions,
    /// Labeled photos, as `dermake eval --data` reads them.
    pub data: &'a Path,
    /// About the columns; its classes are the labels.
    pub columns: OwnColumns<'a>,
    /// Photos of something else, by folder or table.
    pub outside: &'a [PathBuf],
    /// Share of photos of the labels that may be answered with "none of these".
    pub refused_share: f64,
    /// The share of photos that may be unreadable.
    pub max_unreadable: f64,
    /// Folder of the feature cache; `None` for no cache.
    pub cache: Option<PathBuf>,
}

/// Fits a calibration of a model.
///
/// # Errors
/// When the data cannot be read or have too few photos, or the model cannot be loaded.
pub fn calibrate(options: &CalibrateOptions<'_>) -> Result<Calibration> {
    let labeled = LabeledPhotos::find(options)?;
    let titles = titles(options.outside)?;
    let outside = options.outside.iter().map(|path| Table::read(path)).collect::<Result<Vec<_>>>()?;
    let loaded = options.model.open()?;
    dermake_models::warn_of(&loaded.model);
    let identity = Identity::of(options.model, &loaded, Reading::Photo)?;
    let store = options.cache.as_ref().and_then(|cache| FeatureStore::open_cache(cache, &identity));
    interrupt::listen("batch")?;
    let session_options = SessionOptions::of_photos(options.data, options.max_unreadable);
    let mut session = Session::of_features(Encoder::new(&loaded.model, Reading::Photo, store), &session_options);
    let classifier = plain_classifier(&mut session, &labeled.labels, &Templates::skin())?;
    let mut samples = labeled.samples(&mut session, &classifier)?;
    for (table, title) in outside.iter().zip(titles) {
        let photos = encoded(&mut session, &title, table, None, table.rows())?;
        samples.outside.push((title, cosines(&classifier, &photos)?));
    }
    fit(&samples, options.refused_share)
}

/// Names of folders and tables: the last parts of their paths, or the whole paths of those whose last part is the same.
///
/// # Errors
/// When one is named twice.
fn titles(paths: &[PathBuf]) -> Result<Vec<String>> {
    let same = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.into());
    let n_of_name = |name: &str| paths.iter().filter(|path| name_of(path) == name).count();
    let mut titles = Vec::new();
    for (at, path) in paths.iter().enumerate() {
        if paths[..at].iter().any(|other| same(other) == same(path)) {
            bail!("--outside names these photos twice: {}", path.display());
        }
        let name = name_of(path);
        titles.push(if n_of_name(&name) == 1 { name } else { path.display().to_string() });
    }
    Ok(titles)
}

/// Labeled photos, before they are encoded.
struct LabeledPhotos {
    benchmark: Benchmark,
    table: Table,
    labels: LabelSet,
    /// Rows of the labels, with the labels' places.
    inside: Vec<(usize, usize)>,
    /// Rows of other labels.
    others: Vec<usize>,
}

impl LabeledPhotos {
    fn find(options: &CalibrateOptions<'_>) -> Result<Self> {
        let LabeledData { benchmark, table, label_column: name, class_list } =
            labeled(options.data, &options.columns, options.max_unreadable, LabeledRows::OfSplit)?;
        let labels = with_known_key(class_list);
        let column = label_column(&table, &name, &labels.class_names)?;
        let rows = table.rows().to_vec();
        let places = known_labels(&table, column, &labels, &rows)?;
        let inside: Vec<(usize, usize)> =
            rows.iter().zip(&places).filter_map(|(&row, &place)| Some((row, place?))).collect();
        let (of_labels, classes): (Vec<usize>, Vec<usize>) = inside.iter().copied().unzip();
        let files = files(&table, benchmark.image_column.as_deref(), &rows, options.data)?;
        let doubts = [
            repeated_images(&files, |at| places[at]),
            counts_from_one(&table, &name, &of_labels, &classes, &labels),
        ];
        for doubt in doubts.into_iter().flatten() {
            tracing::warn!("{doubt}: {}", table.path.display());
        }
        let others: Vec<usize> =
            rows.iter().zip(&places).filter(|(_, place)| place.is_none()).map(|(&row, _)| row).collect();
        if !others.is_empty() {
            let mut names: Vec<&str> = others.iter().map(|&row| table.cell(row, column)).collect();
            names.sort_unstable();
            names.dedup();
            tracing::info!("{} photos are of other labels: {}", others.len(), listed(&names, MAX_NAMED));
        }
        Ok(Self { benchmark, table, labels, inside, others })
    }

    fn samples(&self, session: &mut Session<'_>, classifier: &Classifier) -> Result<Samples<'_>> {
        let (rows, places): (Vec<usize>, Vec<usize>) = self.inside.iter().copied().unzip();
        if rows.is_empty() {
            bail!("no photo has one of the labels: {}", self.table.path.display());
        }
        let photos = self.encoded(session, &rows)?;
        let labels = photos.of_read(&places);
        let sample = |((content, cosines), label): ((&String, Vec<f32>), usize)| Sample {
            content: content.clone(),
            cosines,
            label,
        };
        let inside = photos.sha256.iter().zip(cosines(classifier, &photos)?).zip(labels).map(sample).collect();
        let mut outside = Vec::new();
        if !self.others.is_empty() {
            let others = self.encoded(session, &self.others)?;
            outside.push(("other labels".to_string(), cosines(classifier, &others)?));
        }
        Ok(Samples { data: name_of(&self.table.path), labels: &self.labels, inside, outside })
    }

    fn encoded(&self, session: &mut Session<'_>, rows: &[usize]) -> Result<ScoredRows> {
        let Benchmark { title, image_column, .. } = &self.benchmark;
        encoded(session, title, &self.table, image_column.as_deref(), rows)
    }
}

/// The set with the key of the built-in set that has the same labels.
fn with_known_key(set: LabelSet) -> LabelSet {
    let sorted = |set: &LabelSet| {
        let mut names = set.class_names.clone();
        names.sort_unstable();
        names
    };
    let known = LabelSet::built_in().into_iter().find(|known| sorted(known) == sorted(&set));
    match known {
        Some(LabelSet { key, title, .. }) => LabelSet { key, title, ..set },
        None => set,
    }
}

/// The photos of some rows of a table below `data`.
fn files(table: &Table, image_column: Option<&str>, rows: &[usize], data: &Path) -> Result<Vec<ImageFile>> {
    table.images(table.image_column(image_column)?, rows, &image_roots(&table.path, data))
}

/// Features of the photos of some rows. Those that cannot be read go to the log.
fn encoded(
    session: &mut Session<'_>,
    title: &str,
    table: &Table,
    image_column: Option<&str>,
    rows: &[usize],
) -> Result<ScoredRows> {
    let files = files(table, image_column, rows, session.data())?;
    let features = session.images(title, &files)?;
    let scored = scored_rows(session, rows, &files, features)?;
    if let Some(left_out) = unreadable(&scored.unreadable, rows.len(), "") {
        tracing::warn!("{title}: {left_out}");
    }
    Ok(scored)
}

/// The cosines of photos and labels.
fn cosines(classifier: &Classifier, photos: &ScoredRows) -> Result<Vec<Vec<f32>>> {
    let cosines: Vec<Vec<f32>> = classifier.cosines(&photos.features)?.to_vec2()?;
    if cosines.iter().flatten().any(|cosine| !cosine.is_finite()) {
        bail!("the model gives features that are not finite numbers");
    }
    Ok(cosines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_the_same_name_are_told_apart_and_none_is_taken_twice() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        for name in ["a/other", "b/other", "rocks"] {
            std::fs::create_dir_all(path(name)).unwrap();
        }
        let found = titles(&[path("a/other"), path("b/other"), path("rocks")]).unwrap();
        let shown = |name: &str| path(name).display().to_string();
        assert_eq!(found, [shown("a/other"), shown("b/other"), "rocks".into()]);
        let error = titles(&[path("rocks"), path("a/../rocks")]).unwrap_err().to_string();
        assert!(error.starts_with("--outside names these photos twice"), "{error}");
    }
}
