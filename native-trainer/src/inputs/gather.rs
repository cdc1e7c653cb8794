//! From the arguments of a command to photos.

use super::folder::photos_below;
use super::photo::{Photo, STDIN};
use dermake_files::absent::NO_FILE;
use dermake_files::table_file::IMAGE_COLUMNS;
use dermake_files::text_file;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Begins an argument that names a file of paths.
const LIST: char = '@';

/// The photos that arguments name, in their order; an argument that names none is a photo that cannot be read.
///
/// An argument is a file, a folder (all photos in it and below), `@LIST` (a text file with a path on each line, remarks
/// behind `#`), `-` (standard input), or a pattern that no shell has expanded. Where a file has the whole name `@LIST`, it is
/// that file; `./@…` is always a file.
pub fn gather(arguments: &[PathBuf]) -> Vec<Photo> {
    let mut gathered = Gathered::default();
    for argument in arguments {
        match list_of(argument) {
            Some(list) => gathered.list(list),
            None => gathered.argument(argument),
        }
    }
    gathered.photos
}

/// The lists of photos that arguments name.
pub fn lists(arguments: &[PathBuf]) -> Vec<PathBuf> {
    arguments.iter().filter_map(|argument| list_of(argument).map(PathBuf::from)).collect()
}

/// The list of photos that an argument names, if it names one.
fn list_of(argument: &Path) -> Option<&str> {
    argument.to_str()?.strip_prefix(LIST).filter(|_| !argument.exists())
}

#[derive(Default)]
struct Gathered {
    photos: Vec<Photo>,
    paths: HashSet<PathBuf>,
    /// Whether an argument is standard input.
    has_stdin: bool,
}

impl Gathered {
    fn argument(&mut self, argument: &Path) {
        if argument == Path::new(STDIN) {
            let is_first = !std::mem::replace(&mut self.has_stdin, true);
            let again = || Photo::of_nothing(argument, "standard input is read once, and was named before");
            self.photos.push(if is_first { Photo::of_stdin() } else { again() });
        } else if argument.is_dir() {
            self.folder(argument);
        } else if argument.symlink_metadata().is_err() && is_pattern(argument) {
            self.pattern(argument);
        } else {
            self.file(argument.into());
        }
    }

    /// A named file is answered each time it is named.
    fn file(&mut self, path: PathBuf) {
        self.paths.insert(path.clone());
        self.photos.push(Photo::of_file(path));
    }

    /// A file found in a folder is answered once.
    fn found(&mut self, path: PathBuf) {
        if !self.paths.contains(&path) {
            self.file(path);
        }
    }

    fn folder(&mut self, folder: &Path) {
        let (found, closed) = photos_below(folder, None);
        if found.is_empty() && closed.is_empty() {
            self.photos.push(Photo::of_nothing(folder, "there is no photo in this folder"));
        }
        found.into_iter().for_each(|path| self.found(path));
        self.photos.extend(closed.into_iter().map(|closed| Photo::of_nothing(&closed.path, closed.reason)));
    }

    fn pattern(&mut self, pattern: &Path) {
        let paths: Vec<PathBuf> =
            pattern.to_str().and_then(|text| glob::glob(text).ok()).into_iter().flatten().flatten().collect();
        if paths.is_empty() {
            self.photos.push(Photo::of_nothing(pattern, format!("{NO_FILE}, and none that fits this pattern")));
        }
        for path in paths {
            if path.is_dir() { self.folder(&path) } else { self.found(path) }
        }
    }

    fn list(&mut self, list: &str) {
        let text = match list {
            STDIN => {
                self.has_stdin = true;
                text_file::read_stdin()
            }
            list => text_file::read(Path::new(list)),
        };
        let text = match text {
            Ok(text) => text,
            Err(err) => {
                let problem = format!("cannot read the list of photos: {:#}", anyhow::Error::from(err));
                self.photos.push(Photo::of_nothing(Path::new(list), problem));
                return;
            }
        };
        let mut is_empty = true;
        for (at, line) in shared_model::text_file::lines(&text).filter(|line| !line.trim().is_empty()).enumerate() {
            let path = listed(line, Path::new(list));
            if path.symlink_metadata().is_err() && is_no_entry(at, line) {
                continue;
            }
            is_empty = false;
            if path.is_dir() { self.folder(&path) } else { self.file(path) }
        }
        if is_empty {
            self.photos.push(Photo::of_nothing(Path::new(list), "the list of photos is empty"));
        }
    }
}

/// The path on a line of a list: from where the program runs, or else from where the list is. Where no file has the whole
/// line as its name, spaces around it and quotation marks are left out.
fn listed(line: &str, list: &Path) -> PathBuf {
    let trimmed = line.trim();
    let unquoted = trimmed.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(trimmed);
    let folder = list.parent().unwrap_or(Path::new(""));
    let candidates =
        [line, trimmed, unquoted].into_iter().flat_map(|name| [PathBuf::from(name), folder.join(name)]);
    let mut there = candidates.filter(|path| path.exists());
    there.next().unwrap_or_else(|| trimmed.into())
}

/// Returns whether a line that is not a file is a comment, or, as the first line, a column's heading.
fn is_no_entry(at: usize, line: &str) -> bool {
    let word = line.trim().trim_matches('"');
    let is_heading = || IMAGE_COLUMNS.iter().any(|column| column.eq_ignore_ascii_case(word));
    word.starts_with('#') || (at == 0 && is_heading())
}

fn is_pattern(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().iter().any(|byte| b"*?[".contains(byte))
}
