//! Rows that cannot be read, and options that cannot be kept.

use super::*;

#[test]
fn bad_rows_are_replaced_and_counted_and_too_many_end_the_run() {
    let folder = folder(13, &[3, 8]);
    let table = folder.path().join("train.csv");
    let csv = std::fs::read_to_string(&table).unwrap().replace("5.png,lesion 5", ",lesion 5");
    std::fs::write(&table, csv).unwrap();

    let mut loader = training(&folder, 2, 2, Position::default());
    assert_eq!((loader.batches_per_epoch(), loader.n_bad_rows()), (3, 1));
    while let Some(batch) = loader.next_batch().unwrap() {
        assert_eq!(batch.rows.len(), 4);
        assert!(batch.rows.iter().all(|row| ![3, 5, 8].contains(row)), "{:?}", batch.rows);
    }
    assert_eq!(loader.n_bad_rows(), 3);

    let strict = |share| LoaderOptions { max_bad_share: share, ..options(2) };
    let augmentation = Augmentation::default();
    let mut loader =
        Loader::training(source(&folder), &strict(0.1), &augmentation, 7, 2, Position::default()).unwrap();
    let error = loop {
        match loader.next_batch() {
            Ok(batch) => assert!(batch.is_some(), "the run ended well"),
            Err(err) => break err.to_string(),
        }
    };
    assert!(error.contains("2 of 13 rows") && error.contains("row 6 (line 7), column filename"), "{error}");
    assert!(error.contains("3.png") || error.contains("8.png"), "{error}");
    assert!(loader.next_batch().unwrap().is_none());

    let refused = Loader::training(source(&folder), &strict(0.0), &augmentation, 7, 2, Position::default());
    assert!(refused.err().unwrap().to_string().contains("1 of 13 rows"));
}

#[test]
fn nothing_readable_is_an_error_and_not_an_endless_search() {
    let folder = folder(4, &[0, 1, 2, 3]);
    let options = LoaderOptions { max_bad_share: 1.0, ..options(2) };
    let augmentation = Augmentation::default();
    let mut loader = Loader::training(source(&folder), &options, &augmentation, 7, 1, Position::default()).unwrap();
    assert!(loader.next_batch().err().unwrap().to_string().contains("none of the table's rows"));
    let mut loader = Loader::evaluation(source(&folder), &options).unwrap();
    assert!(loader.next_batch().unwrap().is_none());
}

#[test]
fn impossible_options_are_refused() {
    let folder = folder(3, &[]);
    let augmentation = Augmentation::default();
    let refused = |options: LoaderOptions, start: Position| {
        Loader::training(source(&folder), &options, &augmentation, 7, 1, start).err().unwrap().to_string()
    };
    let start = Position::default();
    assert!(refused(options(1), start).contains("3 usable rows, fewer than one batch of 4"));
    assert!(refused(LoaderOptions { batch_size: 0, ..options(1) }, start).contains("at least 1"));
    assert!(refused(LoaderOptions { max_bad_share: f64::NAN, ..options(1) }, start).contains("max_bad_share"));
    let later = Position { epoch: 0, batch: 3 };
    assert!(refused(LoaderOptions { batch_size: 2, ..options(1) }, later).contains("no batch 3"));
}
