//! Tests of stores, and of stores with damaged files.

use super::layout::{CATALOG_FILE, OLD_CATALOG_FILE};
use super::*;

const STAMP: Stamp = Stamp { bytes: 3, modified_ns: 7 };

fn identity(model_name: &str) -> Identity {
    let json = serde_json::json!({
        "model_sha256": "0", "model_name": model_name, "embed_dim": 2, "precision": "f32",
        "applies_exif": true, "arithmetic": 1,
    });
    serde_json::from_value(json).unwrap()
}

#[test]
fn what_was_saved_is_there_and_what_was_not_is_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let open = || FeatureStore::open(folder.path(), &identity("m")).unwrap();
    let mut store = open();
    store.add(&[[1; 32], [2; 32]], &[1.0, 0.0, 0.0, 1.0]).unwrap();
    store.note_file("a.png", STAMP, Known::Row(1));
    store.note_file("b.png", STAMP, Known::Problem("torn".into()));
    store.save().unwrap();
    store.add(&[[3; 32]], &[9.0, 9.0]).unwrap();
    store.note_file("c.png", STAMP, Known::Row(2));
    drop(store);

    let mut store = open();
    assert_eq!((store.row(&[2; 32]), store.row(&[3; 32])), (Some(1), None));
    let files = store.files();
    assert_eq!(files["a.png"], (STAMP, Known::Row(1)));
    assert_eq!(files["b.png"], (STAMP, Known::Problem("torn".into())));
    assert_eq!(files.len(), 2);
    store.add(&[[4; 32]], &[0.6, 0.8]).unwrap();
    store.save().unwrap();
    assert_eq!(store.features().unwrap().values(), [1.0, 0.0, 0.0, 1.0, 0.6, 0.8]);
    drop(store);

    let index = SearchIndex::open(folder.path()).unwrap();
    let hits = index.nearest(&[0.0, 1.0], 5).unwrap();
    assert_eq!(hits, [Hit { file: "a.png".into(), cosine: 1.0 }], "the others have no file");
    assert_eq!(index.nearest(&[0.0, 1.0], usize::MAX).unwrap(), hits, "more than there are");
    assert_eq!(index.nearest(&[0.0, 1.0], 1).unwrap(), hits, "the nearest with a file");
    assert!(index.nearest(&[0.0], 5).is_err());
}

#[test]
fn a_store_is_one_model_s_and_one_process_s_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = FeatureStore::open(folder.path(), &identity("m")).unwrap();
    let second = FeatureStore::open(folder.path(), &identity("m")).err().unwrap();
    assert!(second.is::<Held>(), "{second:#}");
    drop(store);
    let other = FeatureStore::open(folder.path(), &identity("n")).err().unwrap();
    assert!(matches!(other.downcast_ref(), Some(StoreError::OtherModel { .. })), "{other:#}");
    let cache = FeatureStore::open_cache(folder.path(), &identity("n"));
    assert!(cache.is_some(), "a cache has a folder for each model");
    assert!(FeatureStore::open_cache(folder.path(), &identity("n")).is_none(), "another process has it");
}

#[test]
fn files_of_somebody_else_are_not_written_over() {
    for name in [FEATURES_FILE, FILES_TABLE] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, "of somebody else").unwrap();
        let err = FeatureStore::open(folder.path(), &identity("m")).err().unwrap();
        assert!(err.to_string().starts_with(name), "{err:#}");
        assert_eq!(std::fs::read(&path).unwrap(), b"of somebody else");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left there");
    }
}

#[test]
fn a_cache_that_cannot_be_made_is_done_without() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    for place in [file.join("cache"), file, "/proc/nope".into()] {
        assert!(FeatureStore::open_cache(&place, &identity("m")).is_none(), "{}", place.display());
    }
}

/// Two rows, three files (two of them with one content), one of which is gone.
fn filled(folder: &Path) {
    let mut store = FeatureStore::open(folder, &identity("m")).unwrap();
    store.add(&[[1; 32], [2; 32]], &[1.0, 0.0, 0.0, 1.0]).unwrap();
    store.note_file("a.png", STAMP, Known::Row(1));
    store.note_file("a copy.png", STAMP, Known::Row(1));
    store.save().unwrap();
    store.note_file("b.png", STAMP, Known::Row(0));
    store.note_file("c.png", STAMP, Known::Problem("torn".into()));
    store.save().unwrap();
    store.forget(&["b.png".into()]).unwrap();
}

#[test]
fn the_table_of_files_says_which_row_is_whose() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    let store = FeatureStore::open(folder.path(), &identity("m")).unwrap();
    let (path, n_rows) = store.write_files_table().unwrap();
    assert_eq!((n_rows, std::fs::read_to_string(path).unwrap()), (2, "row,file\n1,a copy.png\n1,a.png\n".into()));
}

#[test]
fn a_store_full_of_outdated_entries_is_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    let open = || FeatureStore::open(folder.path(), &identity("m")).unwrap();
    let mut store = open();
    for modified_ns in 0..2000 {
        store.note_file("a.png", Stamp { bytes: 3, modified_ns }, Known::Row(1));
    }
    store.save().unwrap();
    let files = store.files().clone();
    drop(store);
    let size = || std::fs::metadata(folder.path().join(CATALOG_FILE)).unwrap().len();
    let before = size();
    let mut store = open();
    assert!(size() < before / 100, "{} bytes of {before}", size());
    assert_eq!((store.files(), store.row(&[2; 32])), (&files, Some(1)));
    store.note_file("d.png", STAMP, Known::Row(0));
    store.save().unwrap();
    drop(store);
    assert_eq!(open().files().len(), files.len() + 1);
    assert_eq!(SearchIndex::open(folder.path()).unwrap().nearest(&[1.0, 0.0], 1).unwrap()[0].file, "d.png");
}

/// With any bytes in the files, a search fails with a message or finds what was stored, and adding works.
#[test]
fn no_damage_of_any_byte_is_taken_for_features() {
    let whole = tempfile::tempdir().unwrap();
    filled(whole.path());
    let expected = SearchIndex::open(whole.path()).unwrap().nearest(&[0.0, 1.0], 9).unwrap();
    assert_eq!(expected.len(), 2);
    for name in [CATALOG_FILE, FEATURES_FILE] {
        let bytes = std::fs::read(whole.path().join(name)).unwrap();
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            let mut zeroed = bytes.clone();
            zeroed[at..].fill(0);
            for (what, damaged) in [("flipped", &flipped[..]), ("cut", &bytes[..at]), ("zeroed", &zeroed)] {
                let folder = tempfile::tempdir().unwrap();
                for (file, bytes) in [(CATALOG_FILE, &whole), (FEATURES_FILE, &whole)] {
                    std::fs::copy(bytes.path().join(file), folder.path().join(file)).unwrap();
                }
                std::fs::write(folder.path().join(name), damaged).unwrap();
                let what = format!("{name} {what} at {at}");
                check_search(folder.path(), &expected, &what);
                // Each of these waits for the disk.
                if at % 32 == 0 {
                    check_adding(folder.path(), &what);
                }
            }
        }
    }
}

fn check_search(folder: &Path, expected: &[Hit], what: &str) {
    match SearchIndex::open(folder) {
        Err(err) => assert!(err.to_string().contains("the index is damaged"), "{what}: {err:#}"),
        // Cut between two saves, it is as it was after the first.
        Ok(index) => {
            let hits = index.nearest(&[0.0, 1.0], 9).unwrap();
            assert!(hits.iter().all(|hit| hit.file == "b.png" || expected.contains(hit)), "{what}: {hits:?}");
        }
    }
}

fn check_adding(folder: &Path, what: &str) {
    let mut store = FeatureStore::open(folder, &identity("m")).unwrap_or_else(|err| panic!("{what}: {err:#}"));
    store.add(&[[7; 32]], &[0.6, 0.8]).unwrap();
    let row = store.row(&[7; 32]).unwrap();
    store.note_file("new.png", STAMP, Known::Row(row));
    store.save().unwrap();
    drop(store);
    let nearest = SearchIndex::open(folder).unwrap().nearest(&[0.6, 0.8], 1).unwrap();
    assert_eq!(nearest[0].file, "new.png", "{what}");
}

#[test]
fn a_folder_or_an_older_catalog_in_a_file_s_place_is_damage() {
    for name in [CATALOG_FILE, FEATURES_FILE] {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path());
        std::fs::remove_file(folder.path().join(name)).unwrap();
        std::fs::create_dir(folder.path().join(name)).unwrap();
        let err = SearchIndex::open(folder.path()).err().unwrap();
        assert!(err.to_string().contains("damaged"), "{err:#}");
        let err = FeatureStore::open(folder.path(), &identity("m")).err().unwrap();
        assert!(format!("{err:#}").contains(name), "nobody's folder is removed: {err:#}");
    }
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    std::fs::write(folder.path().join(OLD_CATALOG_FILE), "redb").unwrap();
    let err = SearchIndex::open(folder.path()).err().unwrap();
    assert!(err.to_string().contains("older program"), "{err:#}");
    FeatureStore::open(folder.path(), &identity("m")).unwrap();
    assert!(!folder.path().join(OLD_CATALOG_FILE).exists());
}
