//! The folder of the kept features.

use super::super::connection::Connection;
use super::super::protocol::{FeatureKeeping, Reply};
use super::super::store::{FileStore, name_of};
use crate::time::sleep;

/// Kind of the store.
const KIND: &str = "dermake-features";
/// Files of other models to keep.
const N_OTHERS: usize = 1;
/// How often, and after how many milliseconds, a deletion is tried again: a tab may read or write a file.
const DELETE_TRIES: u32 = 50;
const DELETE_PAUSE_MILLIS: u32 = 100;

/// Opens the folder, creating it if there is none; `None` if the browser has or allows none.
pub async fn open() -> Option<FileStore> {
    FileStore::open(&name_of(KIND)).await
}

/// Deletes everything that is kept, and says what is left.
pub async fn delete_all(connection: &Connection) {
    for _ in 0..DELETE_TRIES {
        if connection.keeps_features.get() || FileStore::delete(&name_of(KIND)).await {
            break;
        }
        sleep(DELETE_PAUSE_MILLIS).await;
    }
    report(connection).await;
}

/// Says how much is kept.
pub async fn report(connection: &Connection) {
    let keeping = match (connection.keeps_features.get(), FileStore::existing(&name_of(KIND)).await) {
        (_, Some(files)) => FeatureKeeping::Kept { n_bytes: n_bytes(&files, None).await },
        (false, None) => FeatureKeeping::Kept { n_bytes: 0 },
        (true, None) => match open().await {
            Some(_) => FeatureKeeping::Kept { n_bytes: 0 },
            None => FeatureKeeping::Unavailable,
        },
    };
    connection.send(0, Reply::Keeping(keeping));
}

/// Removes the files of other models that were used longest ago; returns the bytes of those that stay.
pub async fn make_room_beside(files: &FileStore, own: &str) -> u64 {
    let mut others = Vec::new();
    for name in files.names().await.into_iter().filter(|name| name != own) {
        if let Some(written_at) = files.written_at(&name).await {
            others.push((written_at, name));
        }
    }
    others.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (_, name) in others.iter().skip(N_OTHERS) {
        files.remove(name).await;
    }
    n_bytes(files, Some(own)).await
}

/// Bytes of all files but one.
async fn n_bytes(files: &FileStore, without: Option<&str>) -> u64 {
    let mut total = 0;
    for name in files.names().await.iter().filter(|name| Some(name.as_str()) != without) {
        total += files.n_bytes(name).await;
    }
    total
}
