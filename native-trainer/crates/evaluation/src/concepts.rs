//! Concept annotation of a table: how well the presence score of a concept separates the images that show it from the
//! others.

use super::benchmarks::Benchmark;
use super::concept_scores::{OfBenchmark, OfConcept};
use super::labeled::repeated_images;
use super::resampler::{Resampler, Scored};
use super::results::{BenchmarkResult, ConceptDetails, ConceptResult, Details, Metric, WithoutExcluded};
use super::row_names::RowNames;
use super::scored::score_images;
use super::session::Session;
use super::table::Table;
use anyhow::{Result, bail};
use dermake_files::file_finder::FileFinder;
use dermake_files::text_file;
use dermake_metrics::{RankedScores, intervals};
use shared_model::concepts::{Concept, ConceptScorer};
use shared_model::labels::ConceptTemplates;
use shared_model::text_file::lines;
use std::path::Path;

/// The AUROC above which a concept counts as passed.
const PASS_MARK: f64 = 0.7;

/// A concept of the table: its terms, and the column with its labels.
struct Annotated {
    concept: Concept,
    column: usize,
}

/// Source of the names of the concepts to score.
pub struct ConceptSource<'a> {
    /// A file beside the table, if it exists.
    pub list: &'a str,
    /// Otherwise these; if there are none, every column.
    pub named: &'a [String],
}

/// Scores a benchmark's table.
pub fn run(
    session: &mut Session<'_>,
    benchmark: &Benchmark,
    table: &Path,
    images: &str,
    source: &ConceptSource<'_>,
) -> Result<Scored> {
    let table = Table::read(table)?;
    let folder = table.path.parent().unwrap_or(Path::new(".")).to_path_buf();
    let mut notes = Vec::new();
    let annotated = annotated(&table, &wanted(&table, &folder, source)?, &mut notes)?;
    let rows: Vec<usize> = (0..table.n_rows()).collect();
    let shown = annotated.iter().map(|concept| presence(&table, concept)).collect::<Result<Vec<Vec<bool>>>>()?;
    let image_column = match &benchmark.image_column {
        Some(name) => table.column(&[name])?,
        None => table.column(&["ImageID", table.header()[0].as_str()])?,
    };
    let files = table.images(Some(image_column), &rows, &[folder.join(images), folder])?;
    let shown_of = |row: usize| shown.iter().map(|rows| rows[row]).collect::<Vec<bool>>();
    if let Some(repeated) = repeated_images(&files, shown_of) {
        tracing::warn!("{}: {repeated}", benchmark.title);
        notes.push(repeated);
    }
    let scored = score_images(session, benchmark, &rows, &files)?;

    let concepts: Vec<Concept> = annotated.iter().map(|annotated| annotated.concept.clone()).collect();
    let templates = ConceptTemplates::skin();
    let features = session.texts(&ConceptScorer::prompts(&concepts, &templates))?;
    let scores = ConceptScorer::new(&concepts, &templates, &features)?.scores(&scored.features)?;
    if let Some(table) = &mut session.tables.concept_scores {
        let concept = |((concept, scores), shown): ((&Concept, &Vec<f64>), &Vec<bool>)| OfConcept {
            name: concept.name.clone(),
            is_shown: scored.of_read(shown),
            scores: scores.clone(),
        };
        table.add(OfBenchmark {
            key: benchmark.key.clone(),
            rows: scored.rows.clone(),
            files: scored.files.clone(),
            concepts: concepts.iter().zip(&scores).zip(&shown).map(concept).collect(),
        });
    }
    let ranked: Vec<RankedScores> = scores
        .iter()
        .zip(&shown)
        .map(|(scores, shown)| RankedScores::new(scores, &scored.of_read(shown)))
        .collect();
    let all = vec![1; scored.rows.len()];
    let aurocs =
        |counts: &[u32]| -> Vec<Option<f64>> { ranked.iter().map(|ranked| ranked.auroc(counts)).collect() };
    let concept = |(at, interval): (usize, Option<[f64; 2]>)| {
        let auroc = ranked[at].auroc(&all);
        ConceptResult {
            name: concepts[at].name.clone(),
            n_positive: scored.of_read(&shown[at]).iter().filter(|&&shows| shows).count(),
            auroc,
            interval: interval.filter(|_| auroc.is_some()),
            roc: ranked[at].roc(&all),
        }
    };
    let concepts: Vec<ConceptResult> = intervals(&all, aurocs).into_iter().enumerate().map(concept).collect();
    let mean_auroc = |counts: &[u32]| mean(&aurocs(counts));
    let breakdowns = super::groups::breakdowns(&table, &scored.rows, "mean_auroc", &mut notes, mean_auroc);
    let counts = session.exclusion().map(|exclusion| exclusion.counts(scored.images()));
    let result = BenchmarkResult {
        key: benchmark.key.clone(),
        title: benchmark.title.clone(),
        n_scored: scored.rows.len(),
        n_rows: table.n_rows(),
        metrics: metrics(&all, aurocs),
        breakdowns,
        without_excluded: counts.map(|counts| WithoutExcluded::of(&counts, |counts| metrics(counts, aurocs))),
        unreadable: scored.unreadable,
        notes,
        details: Details::Concepts(ConceptDetails { concepts, pass_mark: PASS_MARK }),
        table: table.path,
        map: None,
    };
    let rows = scored.rows.iter().map(usize::to_string).collect();
    let is_of_present = result.metrics.first().is_some_and(|metric| metric.key != "mean_auroc");
    let main = move |counts: &[u32]| {
        let aurocs: Vec<Option<f64>> = ranked.iter().map(|ranked| ranked.auroc(counts)).collect();
        let defined: Vec<Option<f64>> = aurocs.iter().copied().filter(Option::is_some).collect();
        mean(if is_of_present { &defined } else { &aurocs })
    };
    let resampler = Resampler::new(&result, RowNames::new(rows), Box::new(main));
    Ok(Scored { result, resampler, predictions: None })
}

fn metrics(all: &[u32], aurocs: impl Fn(&[u32]) -> Vec<Option<f64>> + Sync) -> Vec<Metric> {
    let of = |counts: &[u32]| {
        let aurocs = aurocs(counts);
        let defined: Vec<Option<f64>> = aurocs.iter().copied().filter(Option::is_some).collect();
        let n_passed = defined.iter().flatten().filter(|&&auroc| auroc > PASS_MARK).count();
        [mean(&aurocs), mean(&defined), Some(n_passed as f64)].to_vec()
    };
    let (values, intervals) = (of(all), intervals(all, of));
    let titles = [
        ("mean_auroc", "mean AUROC"),
        ("mean_auroc_present", "mean AUROC of the concepts that occur"),
        ("n_passed", "concepts above 0.7"),
    ];
    let metric = |at: usize| Metric {
        key: titles[at].0.into(),
        title: titles[at].1.into(),
        value: values[at],
        interval: if values[at].is_some() { intervals[at] } else { None },
    };
    // The second is there for tables on which the first is undefined.
    (0..titles.len()).filter(|&at| at != 1 || values[0].is_none()).map(metric).collect()
}

/// The mean; `None` if there is nothing or something undefined.
fn mean(values: &[Option<f64>]) -> Option<f64> {
    let values: Vec<f64> = values.iter().copied().collect::<Option<_>>()?;
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The names to score, in order.
fn wanted(table: &Table, folder: &Path, source: &ConceptSource<'_>) -> Result<Vec<String>> {
    if let Ok(list) = FileFinder::new(folder).find(source.list) {
        let text = text_file::read(&list)?;
        let names = lines(&text).flat_map(|line| line.split(',')).map(str::trim).filter(|name| !name.is_empty());
        return Ok(names.map(str::to_string).collect());
    }
    if !source.named.is_empty() {
        return Ok(source.named.to_vec());
    }
    Ok(table.header()[1..].to_vec())
}

/// Concepts with terms and a column; the others are noted.
fn annotated(table: &Table, wanted: &[String], notes: &mut Vec<String>) -> Result<Vec<Annotated>> {
    let (mut found, mut without_terms, mut without_column) = (Vec::new(), Vec::new(), Vec::new());
    for name in wanted {
        match (Concept::find(name), table.find_column(&[&name.to_lowercase()])) {
            (None, _) => without_terms.push(name.to_lowercase()),
            (_, None) => without_column.push(name.to_lowercase()),
            (Some(concept), Some(column)) => found.push(Annotated { concept, column }),
        }
    }
    for (what, names) in
        [("no terms are known for", without_terms), ("the table has no column for", without_column)]
    {
        if !names.is_empty() {
            notes.push(format!("left out, as {what} them: {}", names.join(", ")));
        }
    }
    if found.is_empty() {
        bail!(
            "no concept of the table is known; its columns are {}: {}",
            table.header().join(", "),
            table.path.display()
        );
    }
    Ok(found)
}

/// Which rows show a concept.
fn presence(table: &Table, annotated: &Annotated) -> Result<Vec<bool>> {
    let shows = |row: usize| match table.cell(row, annotated.column).to_ascii_lowercase().as_str() {
        "false" => Ok(false),
        "true" => Ok(true),
        cell if cell.parse() == Ok(0.0) => Ok(false),
        cell if cell.parse() == Ok(1.0) => Ok(true),
        _ => bail!(
            "row {} has {:?} for {}, expected 0 or 1: {}",
            row + 1,
            table.cell(row, annotated.column),
            annotated.concept.name,
            table.path.display()
        ),
    };
    (0..table.n_rows()).map(shows).collect()
}
