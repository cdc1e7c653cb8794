//! What the names of folders say of the pictures in them.

use crate::columns::split_of;

/// The class and the part of the data that a picture's folders name, by the path below the root.
pub(super) struct FolderNames {
    /// Whether the first folder of every picture is a part of the data.
    pub has_splits: bool,
    /// Folders above those of the classes that say nothing: `images`.
    n_skipped: usize,
}

impl FolderNames {
    const SAY_NOTHING: [&str; 6] = ["images", "image", "imgs", "photos", "pictures", "data"];

    pub fn of(folders: &[Vec<String>]) -> Self {
        // Pictures above all folders say nothing about them.
        let below: Vec<&Vec<String>> = folders.iter().filter(|folders| !folders.is_empty()).collect();
        if below.is_empty() {
            return Self { has_splits: false, n_skipped: 0 };
        }
        let first_of = |at: usize| below.iter().map(move |folders| folders.get(at).map_or("", String::as_str));
        let mut n_skipped = 0;
        while first_of(n_skipped).all(|name| Self::SAY_NOTHING.contains(&name.to_lowercase().as_str())) {
            n_skipped += 1;
        }
        let has_splits = first_of(n_skipped).all(|name| split_of(name).is_some());
        Self { has_splits, n_skipped }
    }

    pub fn split(&self, folders: &[String]) -> Option<&'static str> {
        folders.get(self.n_skipped).filter(|_| self.has_splits).and_then(|name| split_of(name))
    }

    pub fn class<'a>(&self, folders: &'a [String]) -> &'a str {
        folders.get(self.n_skipped + usize::from(self.has_splits)).map_or("", String::as_str)
    }
}
