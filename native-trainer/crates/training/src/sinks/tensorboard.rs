//! Scalars for TensorBoard: `events.out.tfevents.<unix seconds>.<host>.<process>` in the run's folder.
//!
//! A resumed run adds a file. What the earlier ones hold of the resumed step and later steps stays in them, and
//! TensorBoard leaves it out when it meets the new file's session start. It takes a folder's files in the order of
//! their names and takes a folder's first session start for a beginning, never for a restart, so every file of ours
//! has a name after all others and opens with one.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::event::{Content, Event};
use super::record::{Record, unix_secs};
use dermake_files::append::AppendFile;

const FILE_PREFIX: &str = "events.out.tfevents.";
/// Shown by nothing; TensorBoard counts which programs its files come from.
const WRITER: &str = "dermake";

/// The event file that is being written. Every record is in the file when [`EventWriter::append`] returns.
pub struct EventWriter {
    file: AppendFile,
}

impl EventWriter {
    /// Begins a run in a folder, which is made if need be.
    ///
    /// # Errors
    /// If the folder or a file in it cannot be made.
    pub fn create(folder: &Path) -> Result<Self> {
        Self::resume_at(folder, 0)
    }

    /// Continues a run whose next step is `step`: TensorBoard ignores the values of earlier files from that step on.
    ///
    /// # Errors
    /// If the folder or a file in it cannot be made.
    pub fn resume_at(folder: &Path, step: u64) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let wall_secs = unix_secs();
        let began = match newest(folder)? {
            Some(newest) => newest.saturating_add(1).max(wall_secs as u64),
            None => wall_secs as u64,
        };
        let name = format!("{FILE_PREFIX}{began:010}.{}.{}", host(), std::process::id());
        let mut file = AppendFile::create(&folder.join(name))?;
        for content in [Content::Header { writer: WRITER }, Content::SessionStart] {
            let step = if matches!(content, Content::SessionStart) { step } else { 0 };
            file.append(&Event { wall_secs, step, content }.to_frame())?;
        }
        Ok(Self { file })
    }

    /// Adds the scalars of a step; TensorBoard keeps them as f32.
    ///
    /// # Errors
    /// A full disk.
    pub fn append(&mut self, record: &Record) -> Result<()> {
        let content = Content::Scalars(&record.scalars);
        self.file.append(&Event { wall_secs: record.wall_secs, step: record.step, content }.to_frame())
    }

    /// The file being written.
    pub fn path(&self) -> &Path {
        self.file.path()
    }
}

/// The latest second that an event file of the folder is named after.
fn newest(folder: &Path) -> Result<Option<u64>> {
    let mut newest = None;
    let unlisted = || format!("cannot list {}", folder.display());
    for entry in fs::read_dir(folder).with_context(unlisted)? {
        let name = entry.with_context(unlisted)?.file_name();
        let began = name.to_str().and_then(|name| name.strip_prefix(FILE_PREFIX)?.split('.').next()?.parse().ok());
        newest = newest.max(began);
    }
    Ok(newest)
}

/// The machine's name, with characters that are allowed in a file name.
fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| std::env::var("HOSTNAME"));
    let name = name.unwrap_or_else(|_| "localhost".into());
    name.trim().chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' }).collect()
}

#[cfg(test)]
mod tests;
