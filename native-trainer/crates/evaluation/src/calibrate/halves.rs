//! Two halves of labeled photos: one to fit, one to measure.

use dermake_files::hash;
use std::collections::HashMap;

/// Rows of the two halves.
pub struct Halves {
    pub fitted: Vec<usize>,
    pub held_out: Vec<usize>,
}

/// Divides rows by the hashes of their contents, so that copies of a photo are in one half, and each class goes half to
/// either side. The same photos give the same halves, in any order.
///
/// `contents`: what identifies the photo of each row.
pub fn halves(contents: &[&str], labels: &[usize]) -> Halves {
    let mut order: Vec<(usize, String, usize)> = Vec::with_capacity(labels.len());
    for (row, (content, &label)) in contents.iter().zip(labels).enumerate() {
        order.push((label, hash::sha256(content), row));
    }
    order.sort_unstable();
    let mut half_of: HashMap<&str, bool> = HashMap::new();
    let mut next_is_fitted = true;
    for (_, content, _) in &order {
        half_of.entry(content).or_insert_with(|| {
            let is_fitted = next_is_fitted;
            next_is_fitted = !next_is_fitted;
            is_fitted
        });
    }
    let (mut fitted, mut held_out): (Vec<_>, Vec<_>) =
        order.iter().partition(|(_, content, _)| half_of[content.as_str()]);
    let rows = |half: &mut Vec<&(usize, String, usize)>| half.iter().map(|(.., row)| *row).collect::<Vec<_>>();
    Halves { fitted: rows(&mut fitted), held_out: rows(&mut held_out) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn classes_are_halved_and_copies_stay_together() {
        let names: Vec<String> = (0..40).map(|photo| format!("photo {}", photo % 36)).collect();
        let contents: Vec<&str> = names.iter().map(String::as_str).collect();
        let labels: Vec<usize> = (0..40).map(|photo| photo % 36 % 4).collect();
        let Halves { fitted, held_out } = halves(&contents, &labels);
        assert_eq!(fitted.len() + held_out.len(), 40);
        let of = |rows: &[usize]| rows.iter().map(|&row| contents[row]).collect::<HashSet<_>>();
        assert!(of(&fitted).is_disjoint(&of(&held_out)));
        for class in 0..4 {
            let n = of(&fitted).iter().filter(|name| name[6..].parse::<usize>().unwrap() % 4 == class).count();
            assert!((4..=5).contains(&n), "{n} of 9 photos of class {class}");
        }
    }

    #[test]
    fn the_order_of_rows_changes_nothing() {
        let contents = ["a", "b", "c", "d", "e"];
        let reversed: Vec<&str> = contents.iter().rev().copied().collect();
        let names = |contents: &[&str], rows: Vec<usize>| {
            let mut names: Vec<String> = rows.iter().map(|&row| contents[row].to_string()).collect();
            names.sort();
            names
        };
        let (one, other) = (halves(&contents, &[0; 5]), halves(&reversed, &[0; 5]));
        assert_eq!(names(&contents, one.fitted), names(&reversed, other.fitted));
    }
}
