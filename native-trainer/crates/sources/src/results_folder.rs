//! Folders that this program has written. Their pictures and tables are results, and never data.

use dermake_files::text_file;
use serde::Deserialize;
use std::path::Path;

/// The file by which a report is known.
const REPORT_FILE: &str = "results.json";
/// What the format that this file names begins with.
const REPORT_FORMATS: [&str; 2] = ["dermake-results/", "dermake-comparison/"];
/// Files that are together only in the folder of a training run, and of a search for a learning rate.
const RUN_FILES: [[&str; 2]; 2] = [["plan.toml", "metrics.jsonl"], ["lr-find.csv", "lr-find.svg"]];

#[derive(Deserialize)]
struct Report {
    format: String,
}

/// Returns whether a folder has the report of an evaluation or of a fine-tuned classifier.
pub fn is_report(folder: &Path) -> bool {
    let path = folder.join(REPORT_FILE);
    let json = if path.is_file() { text_file::read(&path).unwrap_or_default() } else { String::new() };
    let is_ours = |report: Report| REPORT_FORMATS.iter().any(|format| report.format.starts_with(format));
    serde_json::from_str(&json).is_ok_and(is_ours)
}

/// Returns whether a folder has what a command has written: a report, a training run, or a search for a learning rate.
pub fn is_results_folder(folder: &Path) -> bool {
    is_report(folder) || RUN_FILES.iter().any(|files| files.iter().all(|file| folder.join(file).is_file()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_report_is_known_by_its_format_and_a_run_by_its_files() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path();
        assert!(!is_results_folder(folder) && !is_report(&folder.join("none")));
        for (json, expected) in [
            (r#"{"format": "dermake-results/1", "models": []}"#, true),
            (r#"{"format": "dermake-comparison/1"}"#, true),
            (r#"{"format": "another/1"}"#, false),
            (r#"{"accuracy": 0.5}"#, false),
            ("no JSON", false),
        ] {
            fs::write(folder.join(REPORT_FILE), json).unwrap();
            assert_eq!((is_report(folder), is_results_folder(folder)), (expected, expected), "{json}");
        }
        for [first, second] in RUN_FILES {
            fs::write(folder.join(first), "").unwrap();
            assert!(!is_results_folder(folder), "{first} alone may be anything");
            fs::write(folder.join(second), "").unwrap();
            assert!(is_results_folder(folder) && !is_report(folder));
            fs::remove_file(folder.join(second)).unwrap();
        }
    }
}
