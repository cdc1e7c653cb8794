//! Answers on disk: a line for each request, so that a run that was stopped asks nothing twice.

use anyhow::{Context, Result, bail};
use dermake_files::append::AppendFile;
use dermake_files::hash::sha256;
use dermake_files::lock::Lock;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// How every line starts.
const LINE_START: &[u8] = b"{\"key\":";

/// One request and its answer.
#[derive(Serialize, Deserialize)]
struct Line {
    key: String,
    /// None if the answer had no content, or one that is too large.
    content: Option<String>,
}

/// The answers that are known, and the file to which new ones are appended.
pub struct Answers {
    known: Mutex<HashMap<String, Option<String>>>,
    file: Mutex<AppendFile>,
    _lock: Lock,
}

impl Answers {
    /// Opens the file, or creates it. A line that a killed run left incomplete is cut off.
    ///
    /// # Errors
    /// When it cannot be read or written, or another run uses it.
    pub fn open(path: &Path) -> Result<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        dermake_files::output::create_folder(folder)?;
        let lock = Lock::beside_folder(path, folder)?;
        let mut file = AppendFile::open_at_end(path)?;
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        // A killed run may have written a part of the first line only.
        if !bytes.starts_with(LINE_START) && !LINE_START.starts_with(&bytes) {
            bail!(
                "expected the answers of an earlier run, found another file; choose another folder for --out: {}",
                path.display()
            );
        }
        let len = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        if len < bytes.len() {
            file.cut(len as u64)?;
        }
        let lines = bytes[..len].split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        let mut known = HashMap::new();
        for line in lines {
            // A line that is damaged is asked again.
            if let Ok(Line { key, content }) = serde_json::from_slice(line) {
                known.insert(key, content);
            }
        }
        Ok(Self { known: Mutex::new(known), file: Mutex::new(file), _lock: lock })
    }

    /// The key of a request: what is asked, in all its parts.
    pub fn key(request: &str) -> String {
        sha256(request)
    }

    /// The content of the known answer, if that has one; None if no answer is known.
    pub fn get(&self, key: &str) -> Option<Option<String>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// Keeps an answer.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep(&self, key: &str, content: Option<&str>) -> Result<()> {
        let content = content.map(str::to_owned);
        let mut line = serde_json::to_vec(&Line { key: key.to_owned(), content: content.clone() })?;
        line.push(b'\n');
        self.file.lock().unwrap_or_else(PoisonError::into_inner).append(&line)?;
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), content);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_there_again_after_a_kill() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answers.jsonl");
        let answers = Answers::open(&path).unwrap();
        answers.keep("a", Some("1")).unwrap();
        answers.keep("n", None).unwrap();
        assert!(Answers::open(&path).is_err(), "one run at a time");
        drop(answers);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole[..], b"{\"key\": \"b\", \"con"].concat()).unwrap();
        let answers = Answers::open(&path).unwrap();
        assert_eq!(
            (answers.get("a"), answers.get("b"), answers.get("n")),
            (Some(Some("1".into())), None, Some(None))
        );
        answers.keep("c", Some("3")).unwrap();
        drop(answers);
        let again = Answers::open(&path).unwrap();
        assert_eq!((again.get("a"), again.get("c")), (Some(Some("1".into())), Some(Some("3".into()))));
        drop(again);
        std::fs::write(&path, "{\"ke").unwrap();
        assert!(Answers::open(&path).unwrap().get("a").is_none());
        std::fs::write(&path, "{\"image\": 1}\n").unwrap();
        assert!(Answers::open(&path).is_err(), "another file");
    }
}
