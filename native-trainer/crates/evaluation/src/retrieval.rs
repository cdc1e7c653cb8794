//! Retrieval across modalities: the caption of each image among all captions, and the image of each caption.

use super::benchmarks::{Benchmark, image_roots};
use super::resampler::{Resampler, Scored};
use super::results::{BenchmarkResult, Details, Metric, Protocol, RetrievalDetails, WithoutExcluded};
use super::scored::score_images;
use super::session::Session;
use anyhow::{Result, bail};
use candle_core::Tensor;
use dermake_files::missing;
use dermake_metrics::{intervals, mean_rank, median_rank, ranks, recall_at_k};
use std::path::Path;

/// Cells of the benchmarks' tables that the reference's loader reads as missing.
const MISSING: [&str; 5] = ["", "nan", "NaN", "NA", "null"];
/// And what it makes of one.
const MISSING_CAPTION: &str = "nan";

/// The places that count as found, the one of the main metric first. Data of one's own may be so few that only the first
/// places tell models apart.
fn recall_ks(protocol: Protocol, is_own: bool) -> &'static [usize] {
    match protocol {
        Protocol::DermfmZero => &[5, 10, 50],
        Protocol::All if is_own => &[10, 1, 5, 50, 100],
        Protocol::All | Protocol::Released => &[10, 50, 100],
    }
}

/// Scores a benchmark's table.
pub fn run(session: &mut Session<'_>, benchmark: &Benchmark, table: &Path, caption_column: &str) -> Result<Scored> {
    let table = benchmark.read(table)?;
    let (caption, image) =
        (table.column(&[caption_column])?, table.image_column(benchmark.image_column.as_deref())?);
    // The protocols of others read every table as their code does.
    let is_own = benchmark.own.is_some() && session.protocol() == Protocol::All;
    let has_none = |row: &usize| {
        let text = table.caption(*row, caption);
        if is_own { missing::is_missing(&text) } else { MISSING.contains(&text.as_str()) }
    };
    let mut rows = table.rows().to_vec();
    let lacking: Vec<usize> = rows.iter().copied().filter(has_none).collect();
    let n_missing = lacking.len();
    let mut notes = benchmark.notes();
    notes.extend(table.several_captions_note(caption));
    if n_missing > 0 && session.protocol() == Protocol::All {
        rows.retain(|row| !has_none(row));
        let words = missing::in_brackets(lacking.iter().map(|&row| table.caption(row, caption)));
        notes.push(format!("{n_missing} rows without a caption{words} are left out"));
    } else if n_missing > 0 {
        notes.push(format!("{n_missing} rows without a caption stand as the text \"{MISSING_CAPTION}\""));
    }
    if rows.is_empty() {
        bail!("no row has a caption: {}", table.path.display());
    }
    let files = table.images(image, &rows, &image_roots(&table.path, session.data()))?;
    let scored = score_images(session, benchmark, &rows, &files)?;
    let text = |&row: &usize| if has_none(&row) { MISSING_CAPTION.into() } else { table.caption(row, caption) };
    let captions: Vec<String> = scored.rows.iter().map(text).collect();
    let text_features = session.texts(&captions)?;

    let n = captions.len();
    let recall_ks = recall_ks(session.protocol(), benchmark.own.is_some());
    let [image_to_text, text_to_image] = both_ranks(&scored.features, &text_features)?;
    let all = vec![1; n];
    let mut in_order = recall_ks.to_vec();
    in_order.sort_unstable();
    let recalls = |ranks: &[usize]| in_order.iter().filter_map(|&k| recall_at_k(ranks, k, &all)).collect();
    let details = RetrievalDetails {
        image_to_text: recalls(&image_to_text),
        text_to_image: recalls(&text_to_image),
        recall_ks: in_order.clone(),
    };
    let recall = |counts: &[u32]| recall_at_k(&image_to_text, recall_ks[0], counts);
    let key = format!("recall_at_{}_image_to_text", recall_ks[0]);
    let breakdowns = super::groups::breakdowns(&table, &scored.rows, &key, &mut notes, recall);
    let without_excluded = session.exclusion().map(|exclusion| {
        without_excluded(&exclusion.counts(scored.images()), &scored.features, &text_features, recall_ks)
    });
    let result = BenchmarkResult {
        key: benchmark.key.clone(),
        title: benchmark.title.clone(),
        n_scored: n,
        n_rows: table.n_rows(),
        breakdowns,
        without_excluded: without_excluded.transpose()?,
        unreadable: scored.unreadable,
        notes,
        metrics: metrics(&image_to_text, &text_to_image, recall_ks),
        details: Details::Retrieval(details),
        table: table.path,
        map: None,
    };
    let rows = scored.rows.iter().map(usize::to_string).collect();
    let main = move |counts: &[u32]| recall_at_k(&image_to_text, recall_ks[0], counts);
    let resampler = Resampler::new(&result, rows, Box::new(main));
    Ok(Scored { result, resampler, predictions: None })
}

/// The rank of each image's text, and of each text's image.
fn both_ranks(images: &Tensor, texts: &Tensor) -> Result<[Vec<usize>; 2]> {
    let n = images.dim(0)?;
    let place = |queries: &Tensor, candidates: &Tensor| -> Result<Vec<usize>> {
        let similarities: Vec<f32> = queries.matmul(&candidates.t()?)?.flatten_all()?.to_vec1()?;
        Ok(ranks(&similarities, n))
    };
    Ok([place(images, texts)?, place(texts, images)?])
}

/// The metrics among the pairs that count: those left out are no candidates, either.
fn without_excluded(
    counts: &[u32],
    images: &Tensor,
    texts: &Tensor,
    recall_ks: &[usize],
) -> Result<WithoutExcluded> {
    let left: Vec<u32> = (0..counts.len() as u32).filter(|&row| counts[row as usize] > 0).collect();
    let found = if left.is_empty() {
        [Vec::new(), Vec::new()]
    } else {
        let left = Tensor::new(left, images.device())?;
        both_ranks(&images.index_select(&left, 0)?, &texts.index_select(&left, 0)?)?
    };
    Ok(WithoutExcluded::of(counts, |_| metrics(&found[0], &found[1], recall_ks)))
}

fn metrics(image_to_text: &[usize], text_to_image: &[usize], recall_ks: &[usize]) -> Vec<Metric> {
    let mut metrics = direction("image_to_text", "image to text", image_to_text, recall_ks);
    metrics.extend(direction("text_to_image", "text to image", text_to_image, recall_ks));
    metrics
}

/// Recalls and ranks of one direction.
fn direction(key: &str, title: &str, ranks: &[usize], recall_ks: &[usize]) -> Vec<Metric> {
    let all = &vec![1; ranks.len()];
    let of = |counts: &[u32]| {
        let recalls = recall_ks.iter().map(|&k| recall_at_k(ranks, k, counts));
        recalls.chain([mean_rank(ranks, counts), median_rank(ranks, counts)]).collect()
    };
    let recalls = recall_ks.iter().map(|k| (format!("recall_at_{k}_{key}"), format!("recall@{k}, {title}")));
    let names = recalls.chain([
        (format!("mean_rank_{key}"), format!("mean rank, {title}")),
        (format!("median_rank_{key}"), format!("median rank, {title}")),
    ]);
    let values: Vec<Option<f64>> = of(all);
    let metric = |(((key, title), value), interval)| Metric { key, title, value, interval };
    names.zip(values).zip(intervals(all, of)).map(metric).collect()
}
