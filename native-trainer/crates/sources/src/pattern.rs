//! Several files named at once: `shards/*.tar`, and WebDataset's `shards/{000..012}.tar`.

use crate::Result;
use crate::error::SourceError;
use std::path::{Path, PathBuf};

/// Most files that a range may name.
const MAX_FILES: u64 = 100_000;

/// Returns whether a path has the marks of a pattern.
pub(crate) fn is_pattern(path: &Path) -> bool {
    path.to_str().is_some_and(|text| text.contains(['*', '?', '[']) || range(text).is_some())
}

/// The files that fit a pattern, in order.
///
/// # Errors
/// When there is none, or one of a range is not there.
pub(crate) fn files(path: &Path) -> Result<Vec<PathBuf>> {
    let missing = || SourceError::NoMatch { path: path.into() };
    let text = path.to_str().ok_or_else(missing)?;
    let mut files = Vec::new();
    for pattern in expanded(text) {
        let found = glob::glob(&pattern).map_err(|_| missing())?;
        let mut found: Vec<PathBuf> = found.flatten().filter(|path| path.is_file()).collect();
        if found.is_empty() {
            return Err(SourceError::NoMatch { path: pattern.into() });
        }
        found.sort();
        files.append(&mut found);
    }
    Ok(files)
}

/// The files that a path or a pattern names. A path names itself, whether or not there is something; of a pattern without a
/// file, none.
pub fn files_named(path: &Path) -> Vec<PathBuf> {
    if is_pattern(path) && !path.exists() { files(path).unwrap_or_default() } else { vec![path.into()] }
}

/// The text before a range, its first and last number, the width of numbers, and the text behind it.
fn range(text: &str) -> Option<(&str, u64, u64, usize, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (inside, behind) = rest.split_once('}')?;
    let (first, last) = inside.split_once("..")?;
    let (from, to) = (first.parse().ok()?, last.parse().ok()?);
    (from <= to && to - from < MAX_FILES).then_some((before, from, to, first.len(), behind))
}

fn expanded(text: &str) -> Vec<String> {
    let Some((before, from, to, width, behind)) = range(text) else { return vec![text.to_owned()] };
    (from..=to).flat_map(|number| expanded(&format!("{before}{number:0width$}{behind}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_stars_name_files_in_order() {
        assert_eq!(expanded("a{08..11}.tar"), ["a08.tar", "a09.tar", "a10.tar", "a11.tar"]);
        assert_eq!(expanded("{0..1}/{1..2}"), ["0/1", "0/2", "1/1", "1/2"]);
        assert_eq!(expanded("a{b}.tar"), ["a{b}.tar"]);
        let folder = tempfile::tempdir().unwrap();
        for name in ["s-1.tar", "s-0.tar"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let found = |pattern: &str| files(&folder.path().join(pattern)).map(|files| files.len());
        assert_eq!((found("*.tar").unwrap(), found("s-{0..1}.tar").unwrap()), (2, 2));
        assert!(found("s-{0..2}.tar").unwrap_err().to_string().contains("s-2.tar"));
        assert!(found("*.parquet").is_err());
        assert!(
            is_pattern(Path::new("a*")) && is_pattern(Path::new("{0..9}")) && !is_pattern(Path::new("{a}.csv"))
        );
    }
}
