//! The confusion matrix as a heat map.

use super::wrapped::Wrapped;
use crate::report::format;
use crate::results::ClassResult;
use dermake_drawing::{drawing, px, width_style};
use maud::{Markup, html};

/// Most classes whose cells are large enough to be labeled.
pub const MAX_LABELED: usize = 40;
/// Width of a matrix without labels, in pixels.
const UNLABELED_WIDTH: f64 = 480.0;
/// Shades of a matrix without labels.
const N_SHADES: usize = 10;
/// Characters of a line of a class name: few, so that another figure fits beside, or more if names would be cut.
const MAX_CHARACTERS: [usize; 2] = [20, 28];
/// Width from which a cell's number has the full size, in pixels.
const MIN_FULL_CELL: f64 = 30.0;
/// Share from which a cell is so dark that its number must be light.
const DARK_FROM: f64 = 0.7;
/// Sine and cosine of 60 degrees, by which the names below the matrix are turned.
const TURN: [f64; 2] = [0.866, 0.5];

/// `confusion[label][prediction]`, shaded by the share of the label's images.
pub fn figure(classes: &[ClassResult], confusion: &[Vec<u64>]) -> Markup {
    let matrix = Matrix { classes, confusion };
    let is_labeled = classes.len() <= MAX_LABELED;
    let (width, height, content) = if is_labeled { matrix.labeled() } else { matrix.unlabeled() };
    let label = format!(
        "Confusion matrix of {} classes; {} of {} images lie on the diagonal",
        classes.len(),
        matrix.n_right(),
        confusion.iter().flatten().sum::<u64>()
    );
    // Smaller, the numbers in the cells could not be read on a phone.
    let min_width = if is_labeled { format!("min-width:{:.0}px", 0.8 * f64::from(width)) } else { String::new() };
    html! {
        figure style=(width_style(width)) {
            figcaption {
                strong { "Confusion matrix. " }
                "Rows: labels; columns: predictions, both "
                @if is_labeled { "in label order; numbers: images" }
                @else { "from 1 to " (classes.len()) " in label order" }
                "; shade: share of the label’s images."
            }
            div.scroll tabindex="0" role="region" aria-label="Confusion matrix" {
                div style=(min_width) { (drawing(width, height, &label, &content)) }
            }
        }
    }
}

struct Matrix<'a> {
    classes: &'a [ClassResult],
    confusion: &'a [Vec<u64>],
}

/// An occupied cell.
struct Cell {
    label: usize,
    prediction: usize,
    n: u64,
    /// Of the label's images.
    share: f64,
}

impl Matrix<'_> {
    fn n_right(&self) -> u64 {
        self.confusion.iter().enumerate().filter_map(|(label, row)| row.get(label)).sum()
    }

    fn cells(&self) -> impl Iterator<Item = Cell> {
        self.confusion.iter().take(self.classes.len()).enumerate().flat_map(|(label, row)| {
            let total: u64 = row.iter().sum();
            let cell = move |(prediction, &n): (usize, &u64)| Cell {
                label,
                prediction,
                n,
                share: n as f64 / total as f64,
            };
            row.iter().take(self.classes.len()).enumerate().filter(|(_, n)| **n > 0).map(cell)
        })
    }

    /// Width, height and content, with names and numbers.
    fn labeled(&self) -> (u32, u32, Markup) {
        let n = self.classes.len();
        let cell = match n {
            0..=8 => 46.0,
            9..=16 => 32.0,
            _ => 25.0,
        };
        let [few, more] = MAX_CHARACTERS.map(|max| self.names(max));
        let names = if few.iter().any(Wrapped::is_cut) { more } else { few };
        let name_width = names.iter().map(Wrapped::width).fold(0.0, f64::max) + 8.0;
        // The turned names reach below the matrix and, the first ones, to the left of it.
        let left = name_width.max(name_width * TURN[1] - cell / 2.0 + 8.0);
        let side = cell * n as f64;
        let below = name_width * TURN[0] + 14.0;
        let middle = |at: usize| (at as f64 + 0.5) * cell;
        let content = html! {
            rect.frame x=(px(left)) y="1" width=(px(side)) height=(px(side)) {}
            @for found in self.cells() { (self.labeled_cell(&found, cell, left)) }
            @for (at, name) in names.iter().enumerate() {
                (name.ending_at(&format!("translate({} {})", px(left - 6.0), px(1.0 + middle(at)))))
                (name.ending_at(&format!("translate({} {}) rotate(-60)", px(left + middle(at)), px(side + 8.0))))
            }
        };
        ((left + side + 2.0).ceil() as u32, (side + below).ceil() as u32, content)
    }

    fn names(&self, max_characters: usize) -> Vec<Wrapped<'_>> {
        self.classes.iter().map(|class| Wrapped::new(&class.name, max_characters)).collect()
    }

    fn labeled_cell(&self, found: &Cell, cell: f64, left: f64) -> Markup {
        let (x, y) = (left + found.prediction as f64 * cell, 1.0 + found.label as f64 * cell);
        let (label, prediction) = (&self.classes[found.label].name, &self.classes[found.prediction].name);
        html! {
            g {
                title { (label) " → " (prediction) ": " (found.n) " (" (format::share(Some(found.share))) ")" }
                rect.heat x=(px(x)) y=(px(y)) width=(px(cell)) height=(px(cell))
                    fill-opacity={ (format!("{:.2}", found.share)) } {}
                text.cell-count.small[cell < MIN_FULL_CELL].on-dark[found.share >= DARK_FROM]
                    x=(px(x + cell / 2.0)) y=(px(y + cell / 2.0 + 3.5)) text-anchor="middle" {
                    (format::short_count(found.n))
                }
            }
        }
    }

    /// Width, height and content, a path for each shade: a hundred classes make thousands of cells.
    fn unlabeled(&self) -> (u32, u32, Markup) {
        let mut shades = vec![String::new(); N_SHADES];
        for found in self.cells() {
            let shade = ((found.share * N_SHADES as f64).ceil() as usize).clamp(1, N_SHADES) - 1;
            shades[shade].push_str(&format!("M{} {}h1v1h-1z", found.prediction, found.label));
        }
        let scale = UNLABELED_WIDTH / self.classes.len() as f64;
        let side = px(UNLABELED_WIDTH);
        let content = html! {
            rect.frame x="1" y="1" width=(side) height=(side) {}
            g transform={ "translate(1 1) scale(" (format!("{scale:.4}")) ")" } {
                @for (at, cells) in shades.iter().enumerate() {
                    @if !cells.is_empty() {
                        path.heat d=(cells) fill-opacity=(format!("{:.1}", (at + 1) as f64 / N_SHADES as f64)) {}
                    }
                }
            }
        };
        (UNLABELED_WIDTH as u32 + 2, UNLABELED_WIDTH as u32 + 2, content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(name: &str) -> ClassResult {
        ClassResult { name: name.into(), n: 4, ..ClassResult::default() }
    }

    #[test]
    fn cells_are_shares_of_their_row_and_empty_rows_have_none() {
        let text = figure(&[class("a"), class("b")], &[vec![3, 1], vec![0, 0]]).into_string();
        assert_eq!(text.matches("<rect class=\"heat\"").count(), 2);
        assert!(text.contains("a → b: 1 (0.250)") && text.contains("3 of 4 images"), "{text}");
    }

    #[test]
    fn no_classes_are_no_trouble() {
        assert!(figure(&[], &[]).into_string().contains("0 classes"));
    }
}
