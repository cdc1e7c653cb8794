//! `metrics.jsonl`: a line of JSON for every [`Record`] of a run, in the order of the steps.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use shared_model::text_file;

use super::record::Record;
use dermake_files::append::AppendFile;

/// How every line starts.
const LINE_START: &[u8] = b"{\"step\":";

/// The file that is being written.
pub struct MetricsLog {
    file: AppendFile,
    last_step: Option<u64>,
}

impl MetricsLog {
    /// Begins a new file.
    ///
    /// # Errors
    /// If there is one already: another run's numbers are not to be mixed in or lost.
    pub fn create(path: &Path) -> Result<Self> {
        Ok(Self { file: AppendFile::create(path)?, last_step: None })
    }

    /// Continues a run whose next step is `step`: removes every line of that step or later, and an incomplete last
    /// line. Creates the file if it does not exist.
    ///
    /// The shortened file is written under another name and renamed, so that a kill loses nothing. A file with lines
    /// that are not records, perhaps from an editor, is copied to `metrics.jsonl.bad` with a warning; the run continues
    /// with the other lines.
    ///
    /// # Errors
    /// A file that cannot be read or written.
    pub fn resume_at(path: &Path, step: u64) -> Result<Self> {
        let text = match fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            text => text.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let (lines, bad) = parse(&text);
        if let Some(BadLine { number, error }) = bad {
            let aside = put_aside(path, &text).with_context(|| format!("cannot copy {}", path.display()))?;
            tracing::warn!(
                "line {number} of the metrics is no record ({error}); the file is kept as {}, and the run goes on with \
                 its other lines: {}",
                aside.display(),
                path.display()
            );
        }
        let kept = || lines.iter().filter(|(_, record)| record.step < step);
        if kept().map(|(line, _)| line.len()).sum::<usize>() != text.len() {
            let kept: Vec<u8> = kept().flat_map(|(line, _)| line.iter().copied()).collect();
            replace(path, &kept).with_context(|| format!("cannot rewrite {}", path.display()))?;
        }
        let last_step = kept().map(|(_, record)| record.step).max();
        Ok(Self { file: AppendFile::open_at_end(path)?, last_step })
    }

    /// Adds a line. A step may have several, such as the training's and the evaluation's.
    ///
    /// # Errors
    /// A step before the last one written, two scalars of one name, or a full disk.
    pub fn append(&mut self, record: &Record) -> Result<()> {
        let last = self.last_step.unwrap_or(0);
        let path = self.file.path().display();
        ensure!(record.step >= last, "step {} comes after step {last}: {path}", record.step);
        let line = record.to_line().with_context(|| format!("cannot append to {path}"))?;
        self.file.append(line.as_bytes())?;
        self.last_step = Some(record.step);
        Ok(())
    }
}

/// Reads every record of a file, which may still be written to: a half-written last line is left out.
///
/// # Errors
/// A line that is no record, other than the last one; or a file that cannot be read.
pub fn read(path: &Path) -> Result<Vec<Record>> {
    let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (lines, bad) = parse(&text);
    if let Some(BadLine { number, error }) = bad {
        return Err(error).with_context(|| format!("no record in line {number} of {}", path.display()));
    }
    Ok(lines.into_iter().map(|(_, record)| record).collect())
}

/// A line that is no record, counted from 1.
struct BadLine {
    number: usize,
    error: serde_json::Error,
}

/// Each line that is a record, newline included, and the first that is none. The last line is neither if it is the beginning
/// of a record, or torn.
fn parse(text: &[u8]) -> (Vec<(&[u8], Record)>, Option<BadLine>) {
    // Editors may write a byte order mark before the first line; what else they write, its lines show.
    let text = text_file::without_mark(text).unwrap_or(text);
    let mut lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    // Even if it parses, a last line without its newline may miss the end of its last number's digits.
    let cut_short = lines.pop_if(|line| !line.ends_with(b"\n"));
    let mut records = Vec::with_capacity(lines.len());
    let mut bad = None;
    for (index, line) in lines.iter().enumerate() {
        match serde_json::from_slice(line) {
            Ok(record) => records.push((*line, record)),
            Err(_) if index + 1 == lines.len() && is_torn(line) => {}
            Err(error) => bad = bad.or(Some(BadLine { number: index + 1, error })),
        }
    }
    if let Some(line) = cut_short.filter(|line| !is_torn(line))
        && !line.starts_with(LINE_START)
        && !LINE_START.starts_with(line)
        && let Err(error) = serde_json::from_slice::<Record>(line)
    {
        bad = bad.or(Some(BadLine { number: lines.len() + 1, error }));
    }
    (records, bad)
}

/// Returns whether a line has zeros: a machine that lost power may leave the last block of the file so.
fn is_torn(line: &[u8]) -> bool {
    line.contains(&0)
}

/// Writes `content` beside the file, under an unused name; returns the name.
fn put_aside(path: &Path, content: &[u8]) -> std::io::Result<PathBuf> {
    let mut aside = path.with_extension("jsonl.bad");
    for number in 2.. {
        match File::create_new(&aside) {
            Ok(mut file) => {
                file.write_all(content)?;
                break;
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                aside = path.with_extension(format!("jsonl.bad-{number}"));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(aside)
}

/// Puts `content` in the file's place, as a whole or not at all.
fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension("jsonl.partial");
    let mut file = File::create(&beside)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(step: u64) -> Record {
        let scalars = vec![("loss".into(), 4.0 / (step + 1) as f64), ("lr".into(), 0.5)];
        Record { step, epoch: step / 4, wall_secs: 100.0 + step as f64, scalars }
    }

    fn written(path: &Path, steps: std::ops::Range<u64>) {
        let mut log = MetricsLog::create(path).unwrap();
        steps.for_each(|step| log.append(&record(step)).unwrap());
    }

    fn steps(path: &Path) -> Vec<u64> {
        read(path).unwrap().iter().map(|record| record.step).collect()
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        written(&path, 0..9);
        assert_eq!(read(&path).unwrap(), (0..9).map(record).collect::<Vec<_>>());
        assert!(MetricsLog::create(&path).is_err(), "another run's file must not be taken");
    }

    #[test]
    fn a_run_killed_at_any_byte_resumes_to_the_file_of_one_that_was_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        written(&path, 0..7);
        let whole = fs::read(&path).unwrap();
        for cut in 0..=whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let complete = whole[..cut].iter().filter(|byte| **byte == b'\n').count() as u64;
            assert_eq!(steps(&path), (0..complete).collect::<Vec<_>>(), "the reader, cut at {cut}");
            // The checkpoint may be older than the last line.
            for step in complete.saturating_sub(3)..=complete {
                fs::write(&path, &whole[..cut]).unwrap();
                let mut log = MetricsLog::resume_at(&path, step).unwrap();
                (step..7).for_each(|step| log.append(&record(step)).unwrap());
                assert_eq!(fs::read(&path).unwrap(), whole, "cut at {cut}, resumed at {step}");
            }
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing may be left beside the file");
    }

    #[test]
    fn resume_begins_a_file_where_there_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        MetricsLog::resume_at(&path, 5).unwrap().append(&record(5)).unwrap();
        assert_eq!(steps(&path), [5]);
    }

    #[test]
    fn a_torn_last_line_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        written(&path, 0..3);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, [&whole[..], b"\0\0\0\n"].concat()).unwrap();
        drop(MetricsLog::resume_at(&path, 9).unwrap());
        assert_eq!(fs::read(&path).unwrap(), whole);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_something_else_has_changed_is_put_aside_and_the_run_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        written(&path, 0..3);
        let whole = fs::read(&path).unwrap();
        let nan = br#"{"step":0,"epoch":0,"wall_secs":1,"loss":NaN}"#;
        for (n_aside, changed) in (1..).zip([[b"{\n", &whole[..]].concat(), [&nan[..], b"\n", &whole].concat()]) {
            fs::write(&path, &changed).unwrap();
            assert!(read(&path).unwrap_err().to_string().contains("no record in line 1 of"));
            let mut log = MetricsLog::resume_at(&path, 3).unwrap();
            log.append(&record(3)).unwrap();
            assert_eq!(steps(&path), [0, 1, 2, 3]);
            let name = if n_aside == 1 { "metrics.jsonl.bad" } else { "metrics.jsonl.bad-2" };
            assert_eq!(fs::read(folder.path().join(name)).unwrap(), changed);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1 + n_aside);
        }
        // A single line that is not ours, with its end and without.
        for other in ["a note\n", "a note"] {
            let of_other = tempfile::tempdir().unwrap();
            let path = of_other.path().join("metrics.jsonl");
            fs::write(&path, other).unwrap();
            drop(MetricsLog::resume_at(&path, 0).unwrap());
            assert_eq!(fs::read_to_string(path.with_extension("jsonl.bad")).unwrap(), other);
        }
        // A mark at its beginning and another end of line say nothing.
        let lines = String::from_utf8(whole.clone()).unwrap().replace('\n', "\r\n");
        fs::write(&path, format!("\u{feff}{lines}")).unwrap();
        assert_eq!(steps(&path), [0, 1, 2]);
        drop(MetricsLog::resume_at(&path, 9).unwrap());
        assert_eq!(steps(&path), [0, 1, 2]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "nothing to put aside");
    }

    #[test]
    fn steps_do_not_go_back_but_may_have_two_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        written(&path, 0..3);
        let mut log = MetricsLog::resume_at(&path, 3).unwrap();
        let error = log.append(&record(1)).unwrap_err().to_string();
        assert!(error.contains("step 1") && error.contains("step 2"), "{error}");
        log.append(&record(3)).unwrap();
        log.append(&record(3)).unwrap();
        assert_eq!(steps(&path), [0, 1, 2, 3, 3]);
    }
}
