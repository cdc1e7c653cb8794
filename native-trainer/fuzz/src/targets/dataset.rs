//! Data sets in one file: Parquet and tar files, JSON, and tables.

use dermake_sources::Dataset;

/// Rows whose cells and images are read.
const N_ROWS: usize = 64;

/// Reads the input as a file of a data set, then cells and images of its first rows.
pub(super) fn run(bytes: &[u8]) {
    let Ok(folder) = tempfile::tempdir() else { return };
    let path = folder.path().join("data");
    if std::fs::write(&path, bytes).is_err() {
        return;
    }
    let Ok(data) = Dataset::read(&path) else { return };
    let images = data.images(data.image_column(None).ok().flatten(), None);
    for row in 0..data.len().min(N_ROWS) {
        for column in 0..data.columns().len() {
            let _ = data.cell(row, column);
        }
        if let Ok(image) = images.get(row) {
            let _ = image.read();
        }
        assert!(!data.origin(row).to_string().is_empty());
    }
    assert!(data.problems().iter().all(|problem| problem.row < data.len()));
}
