//! Images of a benchmark that are not scored, in words.

use super::format;
use crate::results::{BenchmarkResult, UnreadableImage};

/// Images that are named in a sentence.
const MAX_NAMED: usize = 3;

/// "299 of 300 rows scored" where some are not.
pub fn share(benchmark: &BenchmarkResult) -> Option<String> {
    let count = |n: usize| format::count(n as u64);
    let (n_scored, n_rows) = (benchmark.n_scored, benchmark.n_rows);
    (n_scored < n_rows).then(|| format!("{} of {} rows scored", count(n_scored), count(n_rows)))
}

/// Which images cannot be read, and why.
pub fn sentence(benchmark: &BenchmarkResult) -> Option<String> {
    let images = &benchmark.unreadable;
    let verb = if images.len() == 1 { "image is" } else { "images are" };
    (!images.is_empty())
        .then(|| format!("{} {verb} not scored: {}", format::count(images.len() as u64), named(images)))
}

/// Which of `n_images` cannot be read, and why; `of_parts` says in brackets where they are missing.
pub fn unreadable(images: &[UnreadableImage], n_images: usize, of_parts: &str) -> Option<String> {
    let [n, n_images] = [images.len(), n_images].map(|n| format::count(n as u64));
    (!images.is_empty())
        .then(|| format!("{n} of {n_images} images cannot be read and are left out{of_parts}: {}", named(images)))
}

/// The first of some images, each with its row and problem, and the number of the others.
fn named(images: &[UnreadableImage]) -> String {
    let first = images.iter().take(MAX_NAMED);
    let first: Vec<String> =
        first.map(|image| format!("row {}: {}: {}", image.row, image.problem, image.file)).collect();
    let more = images.len().saturating_sub(MAX_NAMED);
    let and_more = if more > 0 { format!("; and {} more", format::count(more as u64)) } else { String::new() };
    first.join("; ") + &and_more
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn three_images_are_named_and_the_others_counted() {
        let mut benchmark = samples::classification(&["acne", "nevus"]);
        assert_eq!(sentence(&benchmark), None);
        let image =
            |row: usize| UnreadableImage { row, file: format!("{row}.jpg"), problem: "no such file".into() };
        benchmark.unreadable = vec![image(7)];
        assert_eq!(sentence(&benchmark).unwrap(), "1 image is not scored: row 7: no such file: 7.jpg");
        benchmark.unreadable = (1..=5).map(image).collect();
        let text = unreadable(&benchmark.unreadable, 1200, " (5 of the test)").unwrap();
        assert!(
            text.starts_with(
                "5 of 1,200 images cannot be read and are left out (5 of the test): row 1: no such file"
            ),
            "{text}"
        );
        assert_eq!(unreadable(&[], 3, ""), None);
        let text = sentence(&benchmark).unwrap();
        assert!(
            text.starts_with("5 images are not scored: row 1")
                && text.ends_with("row 3: no such file: 3.jpg; and 2 more")
        );
        assert_eq!(share(&benchmark).unwrap(), "40 of 1,041 rows scored");
        benchmark.n_scored = 1041;
        assert_eq!(share(&benchmark), None);
    }
}
