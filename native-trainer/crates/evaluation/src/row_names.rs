//! Names of scored rows, by which the rows of several evaluations are matched: their images may be in other places.

use super::predictions::Predictions;
use std::collections::{HashMap, HashSet};

/// What the rows of an evaluation can be called by.
pub struct RowNames {
    /// The images as they were named, with `/` between folders; or other names.
    images: Vec<String>,
    /// SHA-256 of the images, if each is known.
    contents: Option<Vec<String>>,
}

impl RowNames {
    pub fn new(images: Vec<String>) -> Self {
        Self { images, contents: None }
    }

    /// The names of rows of predictions.
    pub fn of(predictions: &Predictions) -> Self {
        let rows = &predictions.rows;
        Self {
            images: rows.iter().map(|row| row.image.replace('\\', "/")).collect(),
            contents: rows.iter().map(|row| row.sha256.clone()).collect(),
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.images.len()
    }

    /// Names of the rows of several evaluations, so that equal names are equal rows, and each is there once in an
    /// evaluation: the images' file names, or if some repeat, the hashes of their contents, or if these repeat or are not
    /// known, their paths below the folder that all images of the evaluation have in common, and how often they occurred
    /// before.
    pub fn matched(evaluations: &[&Self]) -> Vec<Vec<String>> {
        let all = |names: fn(&Self) -> Option<Vec<String>>| -> Option<Vec<Vec<String>>> {
            evaluations.iter().map(|rows| names(rows).filter(|names| are_distinct(names))).collect()
        };
        all(|rows| Some(rows.file_names()))
            .or_else(|| all(|rows| rows.contents.clone()))
            .unwrap_or_else(|| evaluations.iter().map(|rows| counted(&below_common_folder(&rows.images))).collect())
    }

    fn file_names(&self) -> Vec<String> {
        self.images.iter().map(|path| path.rsplit('/').next().unwrap_or(path).to_owned()).collect()
    }
}

fn are_distinct(names: &[String]) -> bool {
    names.iter().collect::<HashSet<_>>().len() == names.len()
}

/// The paths from behind the folders with which all of them begin.
fn below_common_folder(paths: &[String]) -> Vec<&str> {
    let folder = |path: &String| path.rfind('/').map_or(0, |slash| slash + 1);
    let mut common = paths.first().map_or("", |path| &path[..folder(path)]);
    for path in paths {
        while !path.starts_with(common) {
            let shorter = common[..common.len() - 1].rfind('/').map_or(0, |slash| slash + 1);
            common = &common[..shorter];
        }
    }
    paths.iter().map(|path| &path[common.len()..]).collect()
}

/// Names with a number from their second occurrence on.
fn counted(names: &[&str]) -> Vec<String> {
    let mut n_before: HashMap<&str, usize> = HashMap::new();
    let mut counted = Vec::with_capacity(names.len());
    for name in names {
        let n = n_before.entry(name).or_default();
        counted.push(if *n == 0 { name.to_string() } else { format!("{name}#{n}") });
        *n += 1;
    }
    counted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predictions::Prediction;

    fn rows(images: &[&str], contents: &[&str]) -> RowNames {
        let row = |(at, image): (usize, &&str)| Prediction {
            row: 1,
            image: image.to_string(),
            sha256: contents.get(at).map(|content| content.to_string()),
            label: 0,
            predicted: 0,
            probabilities: vec![1.0, 0.0],
        };
        let rows = images.iter().enumerate().map(row).collect();
        RowNames::of(&Predictions { class_names: Vec::new(), rows })
    }

    fn matched(evaluations: &[&RowNames]) -> Vec<Vec<String>> {
        RowNames::matched(evaluations)
    }

    #[test]
    fn rows_are_called_after_their_files_unless_two_have_one_name() {
        let names = |images: &[&str]| matched(&[&rows(images, &[])]).remove(0);
        assert_eq!(names(&["/home/a/1.jpg", "b\\2.jpg"]), ["1.jpg", "2.jpg"]);
        assert_eq!(names(&["x/a/1.jpg", "x/b/1.jpg", "x/a/1.jpg"]), ["a/1.jpg", "b/1.jpg", "a/1.jpg#1"]);
        assert_eq!(names(&["/a/1.jpg", "/ab/1.jpg"]), ["a/1.jpg", "ab/1.jpg"]);
        assert_eq!(names(&["1.jpg", "a/1.jpg"]), ["1.jpg", "a/1.jpg"]);
        assert!(matched(&[&rows(&[], &[])])[0].is_empty());
    }

    #[test]
    fn the_same_images_in_another_place_have_the_same_names() {
        let (here, there) = (["/a/acne/1.jpg", "/a/nevus/1.jpg"], ["/home/b/acne/1.jpg", "/home/b/nevus/1.jpg"]);
        for contents in [&["x", "y"][..], &[], &["x", "x"]] {
            let names = matched(&[&rows(&here, contents), &rows(&there, contents)]);
            assert_eq!(names[0], names[1], "{contents:?}");
            assert_ne!(names[0][0], names[0][1]);
        }
        // Of two files, both are named by what both have.
        let names = matched(&[&rows(&here, &["x", "y"]), &rows(&["other/5.jpg"], &["y"])]);
        assert_eq!(names, [vec!["x", "y"], vec!["y"]]);
    }
}
