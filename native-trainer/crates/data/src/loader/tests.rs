//! Batches for any number of threads and ranks, and the end of a loader.

mod refusals;

use super::*;
use crate::lineages::Lineages;
use crate::ontology_sampling::OntologySampling;
use crate::samples::Transform;
use crate::schema::TableOptions;
use crate::table::TrainingTable;
use shared_model::config::PreprocessConfig;
use shared_model::text_length;
use shared_model::tokenizer::{CLIP_MERGES_GZ, Tokenizer};
use std::fmt::Write;
use std::time::Duration;
use tempfile::TempDir;

const SIDE: usize = 8;

/// A table of `n` rows with one drawn image each; `broken` images are no images.
fn folder(n: usize, broken: &[usize]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut csv = String::from(
        "filename,truncated_caption,ontology_caption,visual_concept_caption,subcaption_1,sub_caption_mask,\
         knowledge_masks\n",
    );
    for row in 0..n {
        let name = format!("{row}.png");
        if broken.contains(&row) {
            std::fs::write(folder.path().join(&name), "no image").unwrap();
        } else {
            let shade = |x: u32, y: u32| image::Rgb([row as u8 * 5, (x * 9 + y) as u8, (y * 11) as u8]);
            image::RgbImage::from_fn(20, 16, shade).save(folder.path().join(&name)).unwrap();
        }
        writeln!(csv, "{name},lesion {row},nevus,,part {row},[{}],\"[1, 1, 0]\"", row % 2).unwrap();
    }
    std::fs::write(folder.path().join("train.csv"), csv).unwrap();
    folder
}

fn source(folder: &TempDir) -> Arc<SampleSource> {
    let options = TableOptions { n_subcaptions: 1, ..TableOptions::default() };
    let table = TrainingTable::read(&folder.path().join("train.csv"), &options).unwrap();
    let tokenizer = Tokenizer::from_merges_gz(CLIP_MERGES_GZ, 8).unwrap();
    Arc::new(SampleSource::new(table, folder.path(), tokenizer, PreprocessConfig::openai(SIDE)))
}

fn options(n_workers: usize) -> LoaderOptions {
    LoaderOptions { batch_size: 4, n_workers, max_bad_share: 0.5, ..LoaderOptions::default() }
}

fn training(folder: &TempDir, n_workers: usize, epochs: usize, start: Position) -> Loader {
    let augmentation = Augmentation::default();
    Loader::training(source(folder), &options(n_workers), &augmentation, 7, epochs, start).unwrap()
}

fn all(mut loader: Loader) -> Vec<Batch> {
    std::iter::from_fn(|| loader.next_batch().unwrap()).collect()
}

fn pixels(batch: &Batch) -> Vec<u8> {
    batch.pixels.flatten_all().unwrap().to_vec1().unwrap()
}

fn assert_same(left: &Batch, right: &Batch) {
    assert_eq!((left.position, &left.rows), (right.position, &right.rows));
    assert_eq!(pixels(left), pixels(right));
    assert_eq!((&left.captions, &left.input_ids), (&right.captions, &right.input_ids));
}

#[test]
fn batches_are_the_same_for_any_number_of_threads_and_from_any_position() {
    let folder = folder(14, &[2, 9]);
    let one = all(training(&folder, 1, 3, Position::default()));
    assert_eq!(one.len(), 9, "three epochs of three batches: the incomplete one is left out");
    for (n_workers, start) in [(5, Position::default()), (3, Position { epoch: 1, batch: 2 })] {
        let batches = all(training(&folder, n_workers, 3, start));
        assert_eq!(batches.len(), 9 - 3 * start.epoch - start.batch);
        for (batch, expected) in batches.iter().zip(&one[9 - batches.len()..]) {
            assert_same(batch, expected);
        }
    }
    assert!(all(training(&folder, 1, 3, Position { epoch: 2, batch: 3 })).is_empty());
}

#[test]
fn the_parts_of_several_ranks_are_the_batches_of_one() {
    let folder = folder(14, &[2, 9]);
    let whole = all(training(&folder, 1, 3, Position::default()));
    let source = source(&folder);
    let mut bad_rows = Vec::new();
    for n_ranks in [2, 3] {
        let of_ranks: Vec<Vec<Batch>> = (0..n_ranks)
            .map(|rank| {
                let options = LoaderOptions { rank, n_ranks, ..options(2) };
                let start = Position { epoch: 1, batch: 1 };
                let augmentation = Augmentation::default();
                all(Loader::training(Arc::clone(&source), &options, &augmentation, 7, 3, start).unwrap())
            })
            .collect();
        for (at, expected) in whole[4..].iter().enumerate() {
            let parts: Vec<&Batch> = of_ranks.iter().map(|batches| &batches[at]).collect();
            let rows: Vec<usize> = parts.iter().flat_map(|part| part.rows.clone()).collect();
            assert_eq!(rows, expected.rows);
            assert_eq!(parts.iter().flat_map(|part| pixels(part)).collect::<Vec<_>>(), pixels(expected));
            let (captions, input_ids) = source.batch_captions(&rows, None).unwrap();
            assert_eq!((&captions, &input_ids), (&expected.captions, &expected.input_ids));
            bad_rows.extend(parts.iter().flat_map(|part| part.bad_rows.clone()));
        }
        assert!(of_ranks.iter().all(|batches| batches.len() == 5));
    }
    bad_rows.sort_unstable();
    bad_rows.dedup();
    assert_eq!(bad_rows, [2, 9]);
}

#[test]
fn batches_of_related_diagnoses_are_dealt_out_and_begin_anywhere() {
    let folder = folder(14, &[2, 9]);
    let table = folder.path().join("train.csv");
    let text = std::fs::read_to_string(&table).unwrap();
    let diagnoses = ["growth, nevus", "growth, wart", "rash", "growth, nevus"];
    let lines =
        text.lines().enumerate().map(|(at, line)| line.replace(",nevus,", &format!(",\"{}\",", diagnoses[at % 4])));
    std::fs::write(&table, lines.collect::<Vec<_>>().join("\n")).unwrap();
    let source = Arc::into_inner(source(&folder)).unwrap();
    let lineages = Lineages::of_table(source.table(), None);
    assert_eq!(lineages.n_known(), 14);
    let source = Arc::new(source.with_lineages(lineages));
    let sampling = OntologySampling { ramp_epochs: 1, ..OntologySampling::default() };
    let batches = |rank: usize, n_ranks: usize, start: Position| {
        let options = LoaderOptions { rank, n_ranks, ontology_sampling: Some(sampling), ..options(2) };
        all(Loader::training(Arc::clone(&source), &options, &Augmentation::default(), 7, 3, start).unwrap())
    };
    let whole = batches(0, 1, Position::default());
    let random = all(training(&folder, 1, 3, Position::default()));
    assert!(whole.iter().zip(&random).any(|(batch, random)| batch.rows != random.rows));
    for batch in &whole {
        let lineages = source.lineages().unwrap();
        let expected: Vec<_> = batch.rows.iter().map(|&row| lineages.of_row(row).clone()).collect();
        assert_eq!(batch.captions.lineages, expected);
    }
    let start = Position { epoch: 1, batch: 1 };
    let ranks: Vec<Vec<Batch>> = (0..2).map(|rank| batches(rank, 2, start)).collect();
    for (at, expected) in whole[4..].iter().enumerate() {
        let rows: Vec<usize> = ranks.iter().flat_map(|batches| batches[at].rows.clone()).collect();
        assert_eq!(rows, expected.rows);
        assert_eq!(source.batch_captions(&rows, None).unwrap().0, expected.captions);
    }
    let options = LoaderOptions { ontology_sampling: Some(sampling), ..options(1) };
    let refused = Loader::training(self::source(&folder), &options, &Augmentation::default(), 7, 1, start);
    assert!(refused.err().unwrap().to_string().contains("needs the places of diagnoses"));
}

#[test]
fn the_batches_of_an_evaluation_are_dealt_out() {
    let folder = folder(10, &[0, 5]);
    let whole = all(Loader::evaluation(source(&folder), &options(2)).unwrap());
    for n_ranks in [2, 5] {
        let mut all_ranks: Vec<Batch> = (0..n_ranks)
            .flat_map(|rank| {
                let options = LoaderOptions { rank, n_ranks, ..options(2) };
                all(Loader::evaluation(source(&folder), &options).unwrap())
            })
            .collect();
        all_ranks.sort_by_key(|batch| batch.position);
        assert_eq!(all_ranks.len(), whole.len());
        all_ranks.iter().zip(&whole).for_each(|(batch, expected)| assert_same(batch, expected));
    }
}

#[test]
fn a_batch_holds_what_the_table_says() {
    let folder = folder(9, &[]);
    let source = source(&folder);
    let tokenizer = Tokenizer::from_merges_gz(CLIP_MERGES_GZ, 8).unwrap();
    let batches = all(training(&folder, 2, 1, Position::default()));
    let mut seen: Vec<usize> = Vec::new();
    for batch in &batches {
        assert_eq!(batch.pixels.dims(), [4, 3, SIDE, SIDE]);
        assert_eq!((batch.captions.rows.len(), batch.captions.n_kinds), (16, 4));
        // Four original captions and sub-captions, one ontology caption, one that is missing.
        assert_eq!((batch.captions.n_rows, batch.input_ids.len()), (10, 10));
        for (sample, &row) in batch.rows.iter().enumerate() {
            let expected = source.table().row(row);
            for (kind, text) in expected.captions.iter().enumerate() {
                let ids = &batch.input_ids[batch.captions.row(sample, kind)];
                let encoded = tokenizer.encode(text).unwrap();
                assert_eq!(ids[..], encoded[..text_length(&encoded)]);
            }
            assert_eq!(batch.captions.mask[sample * 4..][..4], expected.mask);
            let transform = Transform::Training { augmentation: Augmentation::default(), seed: 7 };
            let alone = source.sample(row, 0, &transform).unwrap();
            assert_eq!(pixels(batch)[sample * 3 * SIDE * SIDE..][..3 * SIDE * SIDE], alone.pixels);
        }
        seen.extend(&batch.rows);
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 8, "no row comes twice in an epoch");
}

#[test]
fn evaluation_is_sequential_complete_and_leaves_bad_rows_out() {
    let folder = folder(10, &[0, 5, 6, 7, 4]);
    let options = LoaderOptions { batch_size: 4, ..options(3) };
    let batches = all(Loader::evaluation(source(&folder), &options).unwrap());
    let rows: Vec<_> = batches.iter().map(|batch| batch.rows.clone()).collect();
    assert_eq!(rows, [vec![1, 2, 3], vec![8, 9]]);
    for batch in &batches {
        assert_eq!(batch.pixels.dims(), [batch.rows.len(), 3, SIDE, SIDE]);
        assert_eq!(batch.captions.n_samples(), batch.rows.len());
        for (sample, &row) in batch.rows.iter().enumerate() {
            let alone = source(&folder).sample(row, 0, &Transform::Evaluation).unwrap();
            assert_eq!(pixels(batch)[sample * 3 * SIDE * SIDE..][..3 * SIDE * SIDE], alone.pixels);
        }
    }
}

#[test]
fn only_the_captions_that_are_looked_at_come_into_a_batch() {
    let folder = folder(4, &[]);
    let options = LoaderOptions { n_captions: Some(1), ..options(1) };
    let batches = all(Loader::evaluation(source(&folder), &options).unwrap());
    let whole = all(Loader::evaluation(source(&folder), &LoaderOptions { n_captions: None, ..options }).unwrap());
    assert_eq!((batches[0].captions.n_kinds, batches[0].captions.rows.as_slice()), (1, &[0, 1, 2, 3][..]));
    for sample in 0..4 {
        let ids = |batch: &Batch| batch.input_ids[batch.captions.row(sample, 0)].clone();
        assert_eq!(ids(&batches[0]), ids(&whole[0]));
    }
}

#[test]
fn no_more_batches_are_made_than_may_wait() {
    let folder = folder(40, &[]);
    let source = source(&folder);
    let options = LoaderOptions { n_workers: 2, prefetch_batches: 3, ..options(2) };
    let mut loader = Loader::evaluation(Arc::clone(&source), &options).unwrap();
    loader.next_batch().unwrap();
    // The consumer has one; three are being made or wait, and no more come while it rests.
    let batches = loader.batches.as_ref().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while batches.len() < 3 && Instant::now() < deadline {
        std::thread::yield_now();
    }
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(batches.len(), 3);
}

#[test]
fn dropping_a_loader_ends_its_threads() {
    let folder = folder(40, &[]);
    for n_taken in [0, 1, 4] {
        let source = source(&folder);
        let mut loader = Loader::training(
            Arc::clone(&source),
            &options(3),
            &Augmentation::default(),
            7,
            100,
            Position::default(),
        )
        .unwrap();
        for _ in 0..n_taken {
            loader.next_batch().unwrap();
        }
        drop(loader);
        assert_eq!(Arc::strong_count(&source), 1, "a thread still holds the table");
    }
}

#[test]
fn a_stopper_ends_a_loader_that_is_waited_for() {
    let folder = folder(40, &[]);
    let augmentation = Augmentation::default();
    let start = Position::default();
    let mut loader = Loader::training(source(&folder), &options(2), &augmentation, 7, usize::MAX, start).unwrap();
    let stopper = loader.stopper();
    let waiting = std::thread::spawn(move || while loader.next_batch().unwrap().is_some() {});
    stopper.stop();
    waiting.join().unwrap();
}
