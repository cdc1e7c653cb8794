//! Finds the files that tables and recipes name, even if a name differs in what programs and file systems change: case,
//! Unicode's normal form, `\` for `/`, white space around it, `jpg` for `jpeg` and `tif` for `tiff`; an image's name may
//! also lack its ending.

use crate::absent::{A_FOLDER, NO_FILE};
use dermake_process::print::shown;
use shared_model::labels::{cleaned, spelling_key};
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Endings that a table may leave out, in the order in which they are tried.
const IMAGE_ENDINGS: [&str; 9] = ["jpg", "png", "jpeg", "webp", "bmp", "tif", "tiff", "gif", "jfif"];
/// Endings that mean the same.
const EQUAL_ENDINGS: [(&str, &str); 4] = [("jpg", "jpeg"), ("jpeg", "jpg"), ("tif", "tiff"), ("tiff", "tif")];

/// Why a file is not found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    #[error("{NO_FILE}: {}", shown(&path.to_string_lossy()))]
    Missing { path: PathBuf },
    #[error("{A_FOLDER}: {}", shown(&path.to_string_lossy()))]
    Folder { path: PathBuf },
    #[error(
        "several files differ from this name by case or spelling only ({}): {}",
        shown(&names.join(", ")), shown(&path.to_string_lossy())
    )]
    Ambiguous { names: Vec<String>, path: PathBuf },
}

/// A folder's entries by [`spelling_key`].
type Listing = HashMap<String, Vec<OsString>>;

/// Finds files below a folder. Folders are listed once, and only where a name is not found as it is written.
pub struct FileFinder {
    root: PathBuf,
    listings: Mutex<HashMap<PathBuf, Arc<Listing>>>,
}

impl FileFinder {
    /// Takes the folder where names start; if it does not exist, the only similar one.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let mut finder = Self { root: root.into(), listings: Mutex::default() };
        if !finder.root.is_dir()
            && let (Some(parent), Some(name)) = (finder.root.parent(), finder.root.file_name())
            && let listing = finder.listing(parent)
            && let Some([only]) = listing.get(&spelling_key(&name.to_string_lossy())).map(Vec::as_slice)
        {
            finder.root = parent.join(only);
        }
        finder
    }

    /// The folder where names start.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the path of the file of this name: as written, with an image's ending, or the only similar one.
    ///
    /// # Errors
    /// When there is none, a folder, or several files that are similar.
    pub fn find(&self, name: &str) -> Result<PathBuf, FindError> {
        let written = self.root.join(name);
        if written.is_file() {
            return Ok(written);
        }
        let name = cleaned(name).replace('\\', "/");
        let with_ending = |ending: &str| self.root.join(format!("{name}.{ending}"));
        let upper = IMAGE_ENDINGS.map(str::to_uppercase);
        let mut endings = IMAGE_ENDINGS[..3].iter().copied().chain(upper[..3].iter().map(String::as_str));
        if let Some(path) = endings.find_map(|ending| Some(with_ending(ending)).filter(|path| path.is_file())) {
            return Ok(path);
        }
        // An absolute path of another machine may be one that counts from the root.
        for name in [name.as_str(), name.trim_start_matches('/')] {
            if let Some(path) = self.similar(Path::new(name)).map_err(|names| ambiguous(names, &written))?
                && path.is_file()
            {
                return Ok(path);
            }
        }
        match !name.is_empty() && written.is_dir() {
            true => Err(FindError::Folder { path: written }),
            false => Err(FindError::Missing { path: written }),
        }
    }

    /// The path whose parts are similar to those of `name`; the names to choose from where there are several.
    fn similar(&self, name: &Path) -> Result<Option<PathBuf>, Vec<String>> {
        let mut path = self.root.clone();
        let mut components = name.components().peekable();
        while let Some(component) = components.next() {
            let Component::Normal(part) = component else {
                path.push(component);
                continue;
            };
            let is_last = components.peek().is_none();
            let exact = path.join(part);
            if if is_last { exact.is_file() } else { exact.is_dir() } {
                path = exact;
                continue;
            }
            let listing = self.listing(&path);
            let keys = if is_last {
                file_keys(&part.to_string_lossy())
            } else {
                vec![spelling_key(&part.to_string_lossy())]
            };
            match keys.iter().find_map(|key| listing.get(key)).map(Vec::as_slice) {
                Some([only]) => path.push(only),
                Some(several) => {
                    return Err(several.iter().map(|name| name.to_string_lossy().into_owned()).collect());
                }
                None => return Ok(None),
            }
        }
        Ok(Some(path))
    }

    fn listing(&self, folder: &Path) -> Arc<Listing> {
        // A thread that panicked inside left a map that is whole, or lacks one entry.
        if let Some(listing) = self.listings.lock().unwrap_or_else(PoisonError::into_inner).get(folder) {
            return Arc::clone(listing);
        }
        let mut listing = Listing::new();
        let listed = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        for entry in std::fs::read_dir(listed).into_iter().flatten().flatten() {
            let name = entry.file_name();
            listing.entry(spelling_key(&name.to_string_lossy())).or_default().push(name);
        }
        listing.values_mut().for_each(|names| names.sort());
        let listing = Arc::new(listing);
        let mut listings = self.listings.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(listings.entry(folder.to_owned()).or_insert(listing))
    }
}

/// The keys under which a file may be listed, the most similar first.
fn file_keys(name: &str) -> Vec<String> {
    let key = spelling_key(name);
    let equal = EQUAL_ENDINGS.iter().filter_map(|(ending, other)| {
        let stem = key.strip_suffix(ending)?;
        stem.ends_with('.').then(|| format!("{stem}{other}"))
    });
    let mut keys: Vec<String> = equal.collect();
    keys.insert(0, key.clone());
    keys.extend(IMAGE_ENDINGS.iter().map(|ending| format!("{key}.{ending}")));
    keys
}

fn ambiguous(names: Vec<String>, written: &Path) -> FindError {
    FindError::Ambiguous { names, path: written.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        folder
    }

    #[test]
    fn names_that_differ_in_case_form_or_separators_are_found() {
        let folder = folder(&["images/A.JPG", "Images2/\u{e9}.png", "ISIC_1.jpeg", "plain", "x.Tif"]);
        let finder = FileFinder::new(folder.path());
        for (name, expected) in [
            ("images/A.JPG", "images/A.JPG"),
            ("images/a.jpg", "images/A.JPG"),
            ("Images/A.jpg", "images/A.JPG"),
            ("images\\A.JPG", "images/A.JPG"),
            ("IMAGES\\a.jpeg", "images/A.JPG"),
            (".\\images\\A.jpg ", "images/A.JPG"),
            ("./images//A.jpg", "images/A.JPG"),
            ("/images/A.jpg", "images/A.JPG"),
            ("images2/e\u{301}.PNG", "Images2/\u{e9}.png"),
            ("\u{feff}images/A", "images/A.JPG"),
            ("isic_1", "ISIC_1.jpeg"),
            ("ISIC_1.jpg", "ISIC_1.jpeg"),
            ("plain", "plain"),
            ("x", "x.Tif"),
        ] {
            assert_eq!(finder.find(name).unwrap(), folder.path().join(expected), "{name:?}");
        }
        let images = FileFinder::new(folder.path().join("Images"));
        assert_eq!(images.find("a").unwrap(), folder.path().join("images/A.JPG"));
    }

    #[test]
    fn what_is_missing_is_named_as_written_and_several_are_an_error() {
        let folder = folder(&["A.png", "a.PNG", "b.jpg", "b.png"]);
        let finder = FileFinder::new(folder.path());
        assert_eq!(finder.find("A.png").unwrap(), folder.path().join("A.png"));
        let Err(FindError::Ambiguous { names, .. }) = finder.find("a.png") else { panic!("not ambiguous") };
        assert_eq!(names, ["A.png", "a.PNG"]);
        assert_eq!(finder.find("b").unwrap(), folder.path().join("b.jpg"), "the first ending");
        for missing in ["c.png", "none/b.png", "", "b.gif"] {
            assert_eq!(finder.find(missing), Err(FindError::Missing { path: folder.path().join(missing) }));
        }
        fs::create_dir(folder.path().join("d.png")).unwrap();
        for (name, path) in [("d.png", "d.png"), ("d", "d"), (".", ".")] {
            let error = finder.find(name).unwrap_err();
            let path = folder.path().join(path);
            let expected = if path.is_dir() { FindError::Folder { path } } else { FindError::Missing { path } };
            assert_eq!(error, expected);
        }
        let error = finder.find("two\nlines.png").unwrap_err().to_string();
        assert!(error.starts_with(NO_FILE) && error.ends_with("two\\nlines.png"), "{error}");
    }
}
