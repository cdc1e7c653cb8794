//! Tar files of samples, as WebDataset writes them: files of one sample have one name before the first dot, and are
//! beside each other.
//!
//! Only the texts are read. Of an image, its place in the archive is kept.

use crate::Result;
use crate::builder::Builder;
use crate::columns::{CAPTION_COLUMN, LABEL_COLUMN};
use crate::error::SourceError;
use crate::image::Image;
use crate::json::{self, Record};
use crate::pictures_below::is_picture_ending;
use crate::problem::RowFault;
use shared_model::text_file;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;
use std::sync::Arc;

/// The mark of a tar file, and where it is.
const MARK: (usize, &[u8]) = (257, b"ustar");
/// The column with the name of the sample.
const KEY_COLUMN: &str = "__key__";
/// Endings of the texts of a sample.
const TEXT_ENDINGS: [&str; 5] = ["txt", "text", "caption", "cls", "json"];
/// Largest text of a sample.
const MAX_TEXT_BYTES: u64 = 1 << 20;

/// Returns whether these are the first bytes of a tar file.
pub(crate) fn is_archive(head: &[u8]) -> bool {
    head.get(MARK.0..MARK.0 + MARK.1.len()) == Some(MARK.1)
}

/// The files of one sample.
#[derive(Default)]
struct Sample {
    key: String,
    texts: Record,
    image: Option<Image>,
    faults: Vec<RowFault>,
}

/// Reads the samples of a tar file.
///
/// # Errors
/// When the file is damaged or ends early.
pub(crate) fn read(path: &Path, builder: &mut Builder) -> Result<()> {
    let mut samples = Samples { builder, current: None, keys: HashSet::new(), unread: Unread::default() };
    let outcome = read_members(path, &mut samples);
    let after = samples.current.as_ref().map(|sample| sample.key.clone());
    outcome.map_err(|source| SourceError::Archive { after, path: path.into(), source })?;
    samples.flush();
    let Samples { builder, unread, .. } = samples;
    builder.notes.extend(unread.notes().into_iter().map(|note| format!("{note}: {}", path.display())));
    Ok(())
}

fn read_members(path: &Path, samples: &mut Samples<'_>) -> io::Result<()> {
    let archive_path: Arc<Path> = path.into();
    let n_bytes = path.metadata()?.len();
    let mut archive = tar::Archive::new(BufReader::new(File::open(path)?));
    for member in archive.entries_with_seek()? {
        let mut member = member?;
        let kind = member.header().entry_type();
        samples.unread.n_links += usize::from(kind.is_symlink() || kind.is_hard_link());
        if !kind.is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&member.path_bytes()).into_owned();
        let (key, ending) = key_and_ending(&name);
        if key.rsplit('/').next().is_some_and(|base| base.is_empty() || base.starts_with("._")) {
            samples.unread.n_hidden += 1;
            continue;
        }
        let (offset, bytes) = (member.raw_file_position(), member.size());
        if offset.saturating_add(bytes) > n_bytes {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file ends early"));
        }
        samples.of(key);
        let kind = ending.to_lowercase();
        if is_picture_ending(&kind) {
            let (archive, name) = (archive_path.clone(), name.clone());
            samples.image(Image::Member { archive, name, offset, bytes }, ending);
        } else if TEXT_ENDINGS.contains(&kind.as_str()) {
            let text = text_of(&mut member, bytes);
            samples.text(&kind, text.map_err(|detail| format!("{detail}: {name}")));
        } else {
            samples.unread.add(&name, ending);
        }
    }
    Ok(())
}

/// Members of an archive that are not read.
#[derive(Default)]
struct Unread {
    /// By their ending.
    others: BTreeMap<String, usize>,
    /// Files that would be images or texts of a sample, had their names one dot only, and the first of them.
    n_dotted: usize,
    first_dotted: String,
    n_links: usize,
    n_hidden: usize,
}

impl Unread {
    fn add(&mut self, name: &str, ending: &str) {
        let last = ending.rsplit_once('.').map(|(_, last)| last.to_lowercase());
        if last.is_some_and(|last| is_picture_ending(&last) || TEXT_ENDINGS.contains(&last.as_str())) {
            if self.n_dotted == 0 {
                self.first_dotted = name.to_owned();
            }
            self.n_dotted += 1;
        } else {
            *self.others.entry(ending.to_owned()).or_default() += 1;
        }
    }

    /// What is not read, in sentences.
    fn notes(self) -> Vec<String> {
        let Self { others, n_dotted, first_dotted, n_links, n_hidden } = self;
        let mut notes: Vec<String> = others
            .into_iter()
            .map(|(ending, n)| format!("{n} files of the archive ending in .{ending} are not read"))
            .collect();
        if n_dotted > 0 {
            notes.push(format!(
                "{n_dotted} files of the archive are not read, such as {first_dotted}: the name of a sample ends at its first \
                 dot, as in WebDataset; rename them if they belong to samples"
            ));
        }
        if n_links > 0 {
            notes.push(format!(
                "{n_links} links of the archive are not read; tar --dereference packs the files that they lead to"
            ));
        }
        if n_hidden > 0 {
            notes.push(format!("{n_hidden} hidden files of the archive are not read"));
        }
        notes
    }
}

/// The samples that are being read.
struct Samples<'a> {
    builder: &'a mut Builder,
    current: Option<Sample>,
    keys: HashSet<String>,
    unread: Unread,
}

impl Samples<'_> {
    /// Makes the sample of this key the current one.
    fn of(&mut self, key: &str) {
        if self.current.as_ref().is_some_and(|sample| sample.key == key) {
            return;
        }
        self.flush();
        let mut sample = Sample { key: key.to_owned(), ..Sample::default() };
        if !self.keys.insert(key.to_owned()) {
            let detail =
                format!("an earlier sample has this name, too, or its files are not beside each other: {key}");
            sample.faults.push(RowFault::Unreadable { detail });
        }
        self.current = Some(sample);
    }

    fn image(&mut self, image: Image, ending: &str) {
        match &mut self.current {
            Some(sample) if sample.image.is_none() => sample.image = Some(image),
            _ => self.unread.add(&image.name(), ending),
        }
    }

    fn text(&mut self, kind: &str, text: std::result::Result<String, String>) {
        let Some(sample) = &mut self.current else { return };
        let found = text.and_then(|text| match kind {
            "json" => json::record(&text).map_err(|err| format!("expected a JSON object ({err})")),
            "cls" => Ok(vec![(LABEL_COLUMN.into(), text.trim().to_owned())]),
            _ => Ok(vec![(CAPTION_COLUMN.into(), text.trim().to_owned())]),
        });
        match found {
            // A key of the JSON object may repeat a file of the sample, which counts.
            Ok(found) if kind == "json" => {
                let known: Vec<String> = sample.texts.iter().map(|(key, _)| key.clone()).collect();
                sample.texts.extend(found.into_iter().filter(|(key, _)| !known.contains(key)));
            }
            Ok(found) => {
                sample.texts.retain(|(key, _)| *key != found[0].0);
                sample.texts.extend(found);
            }
            Err(detail) => sample.faults.push(RowFault::Unreadable { detail }),
        }
    }

    /// Adds the current sample to the data set.
    fn flush(&mut self) {
        let Some(Sample { key, texts, image, faults }) = self.current.take() else { return };
        faults.into_iter().for_each(|fault| self.builder.problem(fault));
        let key_column = self.builder.column(KEY_COLUMN);
        let mut cells = json::record_cells(self.builder, &texts);
        cells.push((key_column, Cow::Borrowed(&key)));
        self.builder.push(0, &cells, image);
    }
}

/// A name before the first dot behind its folders, and the ending behind that dot.
fn key_and_ending(name: &str) -> (&str, &str) {
    let name = name.strip_prefix("./").unwrap_or(name);
    let base = name.rfind('/').map_or(0, |at| at + 1);
    match name[base..].find('.') {
        Some(dot) => (&name[..base + dot], &name[base + dot + 1..]),
        None => (name, ""),
    }
}

fn text_of(member: &mut tar::Entry<'_, impl Read + Seek>, bytes: u64) -> std::result::Result<String, String> {
    if bytes > MAX_TEXT_BYTES {
        return Err(format!("a text of {bytes} bytes, expected at most {MAX_TEXT_BYTES}"));
    }
    let mut content = Vec::new();
    member.read_to_end(&mut content).map_err(|err| err.to_string())?;
    text_file::decode(&content).map(str::to_owned).map_err(|err| err.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_what_has_one_name_before_the_first_dot() {
        for (name, expected) in [
            ("a.jpg", ("a", "jpg")),
            ("./b/a.seg.png", ("b/a", "seg.png")),
            ("b.d/a", ("b.d/a", "")),
            ("b.d/.a", ("b.d/", "a")),
        ] {
            assert_eq!(key_and_ending(name), expected);
        }
    }
}
