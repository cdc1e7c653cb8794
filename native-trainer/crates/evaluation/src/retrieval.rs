//! Retrieval across modalities: the caption of each image among all captions, and the image of each caption.

use super::benchmarks::{Benchmark, image_roots};
use super::results::{BenchmarkResult, Details, Metric, Protocol, RetrievalDetails};
use super::scored::score_images;
use super::session::Session;
use super::table::Table;
use anyhow::{Result, bail};
use candle_core::Tensor;
use dermake_metrics::{intervals, mean_rank, median_rank, ranks, recall_at_k};
use std::path::Path;

const RECALL_KS: [usize; 3] = [10, 50, 100];
/// Cells that the reference's loader reads as missing.
const MISSING: [&str; 5] = ["", "nan", "NaN", "NA", "null"];
/// And what it makes of one.
const MISSING_CAPTION: &str = "nan";

/// Scores a benchmark's table.
pub fn run(
    session: &mut Session<'_>,
    benchmark: &Benchmark,
    table: &Path,
    caption_column: &str,
) -> Result<BenchmarkResult> {
    let table = Table::read(table)?;
    let (caption, image) =
        (table.column(&[caption_column])?, table.image_column(benchmark.image_column.as_deref())?);
    let is_missing = |row: &usize| MISSING.contains(&table.cell(*row, caption));
    let mut rows: Vec<usize> = (0..table.n_rows()).collect();
    let n_missing = rows.iter().filter(|row| is_missing(row)).count();
    let mut notes = Vec::new();
    if n_missing > 0 && session.protocol() == Protocol::All {
        rows.retain(|row| !is_missing(row));
        notes.push(format!("{n_missing} rows without a caption are left out"));
    } else if n_missing > 0 {
        notes.push(format!("{n_missing} rows without a caption stand as the text \"{MISSING_CAPTION}\""));
    }
    if rows.is_empty() {
        bail!("no row has a caption: {}", table.path.display());
    }
    let files = table.images(image, &rows, &image_roots(&table.path, session.data()))?;
    let scored = score_images(session, benchmark, &rows, &files)?;
    let text =
        |&row: &usize| if is_missing(&row) { MISSING_CAPTION.into() } else { table.cell(row, caption).into() };
    let captions: Vec<String> = scored.rows.iter().map(text).collect();
    let text_features = session.texts(&captions)?;

    let n = captions.len();
    let place = |queries: &Tensor, candidates: &Tensor| -> Result<Vec<usize>> {
        let similarities: Vec<f32> = queries.matmul(&candidates.t()?)?.flatten_all()?.to_vec1()?;
        Ok(ranks(&similarities, n))
    };
    let image_to_text = place(&scored.features, &text_features)?;
    let text_to_image = place(&text_features, &scored.features)?;
    let all = vec![1; n];
    let recalls = |ranks: &[usize]| RECALL_KS.iter().filter_map(|&k| recall_at_k(ranks, k, &all)).collect();
    let details = RetrievalDetails {
        recall_ks: RECALL_KS.to_vec(),
        image_to_text: recalls(&image_to_text),
        text_to_image: recalls(&text_to_image),
    };
    let mut metrics = direction("image_to_text", "image to text", &image_to_text, &all);
    metrics.extend(direction("text_to_image", "text to image", &text_to_image, &all));
    let recall = |counts: &[u32]| recall_at_k(&image_to_text, RECALL_KS[0], counts);
    let key = "recall_at_10_image_to_text";
    let breakdowns = super::groups::breakdowns(&table, &scored.rows, key, &mut notes, recall);
    Ok(BenchmarkResult {
        key: benchmark.key.clone(),
        title: benchmark.title.clone(),
        n_scored: n,
        n_rows: table.n_rows(),
        breakdowns,
        unreadable: scored.unreadable,
        notes,
        metrics,
        details: Details::Retrieval(details),
        table: table.path,
    })
}

/// Recalls and ranks of one direction.
fn direction(key: &str, title: &str, ranks: &[usize], all: &[u32]) -> Vec<Metric> {
    let of = |counts: &[u32]| {
        let recalls = RECALL_KS.iter().map(|&k| recall_at_k(ranks, k, counts));
        recalls.chain([mean_rank(ranks, counts), median_rank(ranks, counts)]).collect()
    };
    let names =
        RECALL_KS.map(|k| (format!("recall_at_{k}_{key}"), format!("recall@{k}, {title}"))).into_iter().chain([
            (format!("mean_rank_{key}"), format!("mean rank, {title}")),
            (format!("median_rank_{key}"), format!("median rank, {title}")),
        ]);
    let values: Vec<Option<f64>> = of(all);
    let metric = |(((key, title), value), interval)| Metric { key, title, value, interval };
    names.zip(values).zip(intervals(all, of)).map(metric).collect()
}
