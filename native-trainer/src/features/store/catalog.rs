//! The database of a store: which content has which row, which file has which content.

use super::super::identity::Identity;
use super::super::reading::Stamp;
use super::{Known, StoreError};
use anyhow::{Context, Result, bail};
use redb::{
    Database, DatabaseError, MultimapTableDefinition, ReadOnlyDatabase, ReadTransaction, ReadableDatabase,
    ReadableTable, TableDefinition,
};
use std::collections::HashMap;
use std::path::Path;

/// `identity`: an [`Identity`] as JSON.
const IDENTITY: TableDefinition<&str, &[u8]> = TableDefinition::new("identity");
/// `rows`: how many rows of the features file are named.
const COUNTS: TableDefinition<&str, u64> = TableDefinition::new("counts");
/// SHA-256 of a content to its row.
const CONTENTS: TableDefinition<&[u8; 32], u64> = TableDefinition::new("contents");
/// File name to size, time of writing, row (or [`NO_ROW`]) and problem.
const FILES: TableDefinition<&str, (u64, u64, u64, &str)> = TableDefinition::new("files");
/// Row to the names of the files that have its content.
const NAMES: MultimapTableDefinition<u64, &str> = MultimapTableDefinition::new("names");
/// The row of a file that is no readable image.
const NO_ROW: u64 = u64::MAX;

/// The database, open for writing.
pub struct Catalog(Database);

impl Catalog {
    /// Opens or makes the database.
    ///
    /// # Errors
    /// [`StoreError`] if it is in use, another model's or no database.
    pub fn open(path: &Path, identity: &Identity) -> Result<Self> {
        let database = Database::create(path).map_err(|err| store_error(err, path))?;
        let write = database.begin_write()?;
        {
            let mut identities = write.open_table(IDENTITY)?;
            let found: Option<Identity> =
                identities.get("identity")?.map(|json| serde_json::from_slice(json.value())).transpose()?;
            match found {
                Some(found) if found != *identity => bail!(StoreError::OtherModel {
                    found: found.model_name,
                    expected: identity.model_name.clone(),
                    path: folder(path),
                }),
                Some(_) => {}
                None => {
                    identities.insert("identity", serde_json::to_vec(identity)?.as_slice())?;
                }
            }
            write.open_table(COUNTS)?;
            write.open_table(CONTENTS)?;
            write.open_table(FILES)?;
            write.open_multimap_table(NAMES)?;
        }
        write.commit()?;
        Ok(Self(database))
    }

    /// Rows by content, and how many rows there are.
    pub fn rows(&self) -> Result<(HashMap<[u8; 32], u64>, u64)> {
        let read = self.0.begin_read()?;
        let contents = read.open_table(CONTENTS)?;
        let row = |entry: Result<(redb::AccessGuard<&[u8; 32]>, redb::AccessGuard<u64>), redb::StorageError>| {
            let (content, row) = entry?;
            Ok::<_, redb::StorageError>((*content.value(), row.value()))
        };
        let rows = contents.iter()?.map(row).collect::<Result<_, _>>()?;
        Ok((rows, n_rows(&read)?))
    }

    /// What is noted of every file.
    pub fn files(&self) -> Result<HashMap<String, (Stamp, Known)>> {
        let read = self.0.begin_read()?;
        let mut files = HashMap::new();
        for entry in read.open_table(FILES)?.iter()? {
            let (name, file) = entry?;
            let (bytes, modified_ns, row, problem) = file.value();
            let known = if row == NO_ROW { Known::Problem(problem.into()) } else { Known::Row(row) };
            files.insert(name.value().to_string(), (Stamp { bytes, modified_ns }, known));
        }
        Ok(files)
    }

    /// Adds rows and files in one commit.
    pub fn add(&self, rows: &[([u8; 32], u64)], files: &[(String, Stamp, Known)], n_rows: u64) -> Result<()> {
        let write = self.0.begin_write()?;
        {
            write.open_table(COUNTS)?.insert("rows", n_rows)?;
            let mut contents = write.open_table(CONTENTS)?;
            for (content, row) in rows {
                contents.insert(content, row)?;
            }
            let (mut table, mut names) = (write.open_table(FILES)?, write.open_multimap_table(NAMES)?);
            for (name, stamp, known) in files {
                let (row, problem) = match known {
                    Known::Row(row) => (*row, ""),
                    Known::Problem(problem) => (NO_ROW, problem.as_str()),
                };
                let value = (stamp.bytes, stamp.modified_ns, row, problem);
                let before = table.insert(name.as_str(), value)?.map(|before| before.value().2);
                if let Some(before) = before {
                    names.remove(before, name.as_str())?;
                }
                if row != NO_ROW {
                    names.insert(row, name.as_str())?;
                }
            }
        }
        Ok(write.commit()?)
    }

    /// Takes files out.
    pub fn forget(&self, file_names: &[String]) -> Result<()> {
        let write = self.0.begin_write()?;
        {
            let (mut table, mut names) = (write.open_table(FILES)?, write.open_multimap_table(NAMES)?);
            for name in file_names {
                let row = table.remove(name.as_str())?.map(|before| before.value().2);
                if let Some(row) = row {
                    names.remove(row, name.as_str())?;
                }
            }
        }
        Ok(write.commit()?)
    }
}

/// The database, open for reading only.
pub struct CatalogReader(ReadTransaction);

impl CatalogReader {
    /// # Errors
    /// [`StoreError`] if it is being written or no database.
    pub fn open(path: &Path) -> Result<Self> {
        let database = match ReadOnlyDatabase::open(path) {
            // Whoever wrote it was killed: opening it for writing sets it right.
            Err(DatabaseError::RepairAborted) => {
                drop(Database::open(path).map_err(|err| store_error(err, path))?);
                ReadOnlyDatabase::open(path)
            }
            opened => opened,
        };
        Ok(Self(database.map_err(|err| store_error(err, path))?.begin_read()?))
    }

    pub fn identity(&self) -> Result<Identity> {
        let table = self.0.open_table(IDENTITY)?;
        let json = table.get("identity")?.context("the features' database does not say which model made them")?;
        Ok(serde_json::from_slice(json.value())?)
    }

    pub fn n_rows(&self) -> Result<u64> {
        n_rows(&self.0)
    }

    /// The files that have a row's content.
    pub fn names(&self, row: u64) -> Result<Vec<String>> {
        let names = self.0.open_multimap_table(NAMES)?;
        let names = names.get(row)?.map(|name| Ok(name?.value().to_string()));
        names.collect()
    }
}

fn n_rows(read: &ReadTransaction) -> Result<u64> {
    Ok(read.open_table(COUNTS)?.get("rows")?.map_or(0, |rows| rows.value()))
}

fn folder(path: &Path) -> std::path::PathBuf {
    path.parent().unwrap_or(Path::new(".")).into()
}

fn store_error(err: DatabaseError, path: &Path) -> StoreError {
    match err {
        DatabaseError::DatabaseAlreadyOpen => StoreError::InUse { path: folder(path) },
        other => StoreError::Damaged { detail: other.to_string(), path: folder(path) },
    }
}
