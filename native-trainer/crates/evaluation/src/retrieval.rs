//! Retrieval across modalities: the caption of each image among all captions, and the image of each caption.

use super::benchmarks::{Benchmark, image_roots};
use super::resampler::{Resampler, Scored};
use super::results::{BenchmarkResult, Details, Metric, Protocol, RetrievalDetails, WithoutExcluded};
use super::row_names::RowNames;
use super::scored::score_images;
use super::session::Session;
use anyhow::{Result, bail};
use candle_core::Tensor;
use dermake_files::missing;
use dermake_metrics::{intervals, mean_rank, median_rank, ranks, recall_at_k};
use std::collections::HashSet;
use std::path::Path;

/// Cells of the benchmarks' tables that the reference's loader reads as missing.
const MISSING: [&str; 5] = ["", "nan", "NaN", "NA", "null"];
/// And what it makes of one.
const MISSING_CAPTION: &str = "nan";
/// Queries whose similarities with all candidates are in memory at a time.
const N_AT_ONCE: usize = 1024;

/// The recalls of a protocol.
#[derive(Clone, Copy)]
struct Recalls {
    /// The places that count as found, the one of the main metric first.
    ks: &'static [usize],
    /// Whether their mean is given, too, as DermFM-Zero's table has it.
    has_mean: bool,
}

impl Recalls {
    /// Data of one's own may be so few that only the first places tell models apart.
    fn new(protocol: Protocol, is_own: bool) -> Self {
        let ks: &[usize] = match protocol {
            Protocol::DermfmZero => &[5, 10, 50],
            Protocol::All if is_own => &[10, 1, 5, 50, 100],
            Protocol::All | Protocol::Released => &[10, 50, 100],
        };
        Self { ks, has_mean: protocol == Protocol::DermfmZero }
    }

    /// In their order, and their mean.
    fn of(self, ranks: &[usize], counts: &[u32]) -> Vec<Option<f64>> {
        let mut values: Vec<Option<f64>> = self.ks.iter().map(|&k| recall_at_k(ranks, k, counts)).collect();
        if self.has_mean {
            let sum: Option<f64> = values.iter().copied().sum();
            values.push(sum.map(|sum| sum / self.ks.len() as f64));
        }
        values
    }

    /// Keys and titles in a direction.
    fn names(self, key: &str, title: &str) -> Vec<(String, String)> {
        let name = |k: &usize| (format!("recall_at_{k}_{key}"), format!("recall@{k}, {title}"));
        let mean = self.has_mean.then(|| (format!("mean_recall_{key}"), format!("mean recall, {title}")));
        self.ks.iter().map(name).chain(mean).collect()
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
    notes.extend(repeats(&scored.sha256, &captions));
    let text_features = session.texts(&captions)?;

    let n = captions.len();
    let recalls = Recalls::new(session.protocol(), benchmark.own.is_some());
    let [image_to_text, text_to_image] = both_ranks(&scored.features, &text_features, N_AT_ONCE)?;
    let all = vec![1; n];
    let mut in_order = recalls.ks.to_vec();
    in_order.sort_unstable();
    let curve = |ranks: &[usize]| in_order.iter().filter_map(|&k| recall_at_k(ranks, k, &all)).collect();
    let details = RetrievalDetails {
        image_to_text: curve(&image_to_text),
        text_to_image: curve(&text_to_image),
        recall_ks: in_order.clone(),
    };
    let recall = |counts: &[u32]| recall_at_k(&image_to_text, recalls.ks[0], counts);
    let key = format!("recall_at_{}_image_to_text", recalls.ks[0]);
    let breakdowns = super::groups::breakdowns(&table, &scored.rows, &key, &mut notes, recall);
    let without_excluded = session.exclusion().map(|exclusion| {
        without_excluded(&exclusion.counts(scored.images()), &scored.features, &text_features, recalls)
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
        metrics: metrics(&image_to_text, &text_to_image, recalls),
        details: Details::Retrieval(details),
        table: table.path,
        map: None,
    };
    let rows = scored.rows.iter().map(usize::to_string).collect();
    let main = move |counts: &[u32]| recall_at_k(&image_to_text, recalls.ks[0], counts);
    let resampler = Resampler::new(&result, RowNames::new(rows), Box::new(main));
    Ok(Scored { result, resampler, predictions: None })
}

/// Says how many rows repeat an image or a caption, which no model can tell apart.
fn repeats(images: &[String], captions: &[String]) -> Option<String> {
    let n_repeated = |of: &[String]| of.len() - of.iter().collect::<HashSet<_>>().len();
    let (n_images, n_captions) = (n_repeated(images), n_repeated(captions));
    (n_images + n_captions > 0).then(|| {
        format!(
            "repeats of an earlier row: {n_images} of its image, {n_captions} of its caption; only the partner in the same \
             row counts as found, and of equal ones the earlier comes first"
        )
    })
}

/// The rank of each image's text, and of each text's image; `n_at_once` queries at a time, so that the similarities of all
/// pairs need not fit in memory.
fn both_ranks(images: &Tensor, texts: &Tensor, n_at_once: usize) -> Result<[Vec<usize>; 2]> {
    let n = images.dim(0)?;
    let of = |queries: &Tensor, candidates: &Tensor| -> Result<Vec<usize>> {
        let mut found = Vec::with_capacity(n);
        for first in (0..n).step_by(n_at_once) {
            let block = queries.narrow(0, first, n_at_once.min(n - first))?;
            let similarities: Vec<f32> = block.matmul(&candidates.t()?)?.flatten_all()?.to_vec1()?;
            found.extend(ranks(&similarities, n, first));
        }
        Ok(found)
    };
    Ok([of(images, texts)?, of(texts, images)?])
}

/// The metrics among the pairs that count: those left out are no candidates, either.
fn without_excluded(counts: &[u32], images: &Tensor, texts: &Tensor, recalls: Recalls) -> Result<WithoutExcluded> {
    let left: Vec<u32> = (0..counts.len() as u32).filter(|&row| counts[row as usize] > 0).collect();
    let found = if left.is_empty() {
        [Vec::new(), Vec::new()]
    } else {
        let left = Tensor::new(left, images.device())?;
        both_ranks(&images.index_select(&left, 0)?, &texts.index_select(&left, 0)?, N_AT_ONCE)?
    };
    Ok(WithoutExcluded::of(counts, |_| metrics(&found[0], &found[1], recalls)))
}

fn metrics(image_to_text: &[usize], text_to_image: &[usize], recalls: Recalls) -> Vec<Metric> {
    let mut metrics = direction("image_to_text", "image to text", image_to_text, recalls);
    metrics.extend(direction("text_to_image", "text to image", text_to_image, recalls));
    metrics
}

/// Recalls and ranks of one direction.
fn direction(key: &str, title: &str, ranks: &[usize], recalls: Recalls) -> Vec<Metric> {
    let all = &vec![1; ranks.len()];
    let of = |counts: &[u32]| {
        let found = recalls.of(ranks, counts).into_iter();
        found.chain([mean_rank(ranks, counts), median_rank(ranks, counts)]).collect()
    };
    let names = recalls.names(key, title).into_iter().chain([
        (format!("mean_rank_{key}"), format!("mean rank, {title}")),
        (format!("median_rank_{key}"), format!("median rank, {title}")),
    ]);
    let values: Vec<Option<f64>> = of(all);
    let metric = |(((key, title), value), interval)| Metric { key, title, value, interval };
    names.zip(values).zip(intervals(all, of)).map(metric).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn repeated_images_and_captions_are_counted() {
        let texts = |texts: &[&str]| texts.iter().map(|text| text.to_string()).collect::<Vec<_>>();
        let note = repeats(&texts(&["a", "b", "a"]), &texts(&["x", "x", "x"])).unwrap();
        assert!(note.starts_with("repeats of an earlier row: 1 of its image, 2 of its caption; "), "{note}");
        assert_eq!(repeats(&texts(&["a", "b"]), &texts(&["x", "y"])), None);
    }

    #[test]
    fn the_mean_of_the_recalls_is_one_protocol_s() {
        let ranks = [0, 4, 7, 60];
        let of = |protocol| {
            let metrics = direction("image_to_text", "image to text", &ranks, Recalls::new(protocol, false));
            metrics.into_iter().map(|metric| (metric.key, metric.value.unwrap())).collect::<Vec<_>>()
        };
        let [five, ten, fifty, mean, ..] = &of(Protocol::DermfmZero)[..] else { panic!("too few metrics") };
        assert_eq!((five.1, ten.1, fifty.1), (0.5, 0.75, 0.75));
        assert_eq!((mean.0.as_str(), mean.1), ("mean_recall_image_to_text", 2.0 / 3.0));
        assert!(of(Protocol::Released).iter().all(|(key, _)| !key.starts_with("mean_recall")));
    }

    #[test]
    fn ranks_do_not_depend_on_how_many_queries_are_taken_at_a_time() {
        let (n, embed_dim) = (11, 3);
        let values = |step: usize| (0..n * embed_dim).map(move |at| ((at * step) % 7) as f32).collect::<Vec<_>>();
        let features = |step| Tensor::from_vec(values(step), (n, embed_dim), &Device::Cpu).unwrap();
        let (images, texts) = (features(3), features(5));
        let whole = both_ranks(&images, &texts, n).unwrap();
        assert!(whole.iter().flatten().any(|&rank| rank > 0) && whole[0].len() == n, "{whole:?}");
        for n_at_once in [1, 4, 10] {
            assert_eq!(both_ranks(&images, &texts, n_at_once).unwrap(), whole, "{n_at_once}");
        }
    }
}
