//! Captions with the labels of a person.

use anyhow::{Result, bail};
use std::collections::BTreeSet;

/// What a person labels, and what is compared.
pub const ASPECTS: [&str; 3] = ["condition", "concepts", "negated"];

/// Names of one aspect of a caption.
pub type Names = BTreeSet<String>;

/// The columns of a file of labeled captions.
const HEADER: &str = "style|caption|condition|concepts|negated";

/// A caption and what a person reads in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labeled {
    /// The kind of text, such as textbook or forum.
    pub style: String,
    pub caption: String,
    /// In the order of [`ASPECTS`].
    pub names: [Names; 3],
}

/// Parses labeled captions: a header, then a line for each caption, whose cells are separated by `|` and the names in a
/// cell by commas.
///
/// # Errors
/// For another header, and for a line that has another number of cells.
pub fn labeled(text: &str) -> Result<Vec<Labeled>> {
    let mut lines = text.lines();
    let header = lines.next().unwrap_or_default();
    if header != HEADER {
        bail!("expected {HEADER:?} as the first line of labeled captions, found {header:?}");
    }
    lines.enumerate().map(|(at, line)| parse(line, at + 2)).collect()
}

/// Returns `n` of the captions at equal distances, so that each style has its share; all if there are no more than `n`.
pub fn spread(captions: &[Labeled], n: usize) -> Vec<Labeled> {
    let n = n.min(captions.len());
    (0..n).map(|at| captions[at * captions.len() / n].clone()).collect()
}

fn parse(line: &str, number: usize) -> Result<Labeled> {
    let cells: Vec<&str> = line.split('|').collect();
    let [style, caption, condition, concepts, negated] = cells[..] else {
        bail!("expected 5 cells ({HEADER}), found {}, in line {number}: {line:?}", cells.len());
    };
    let names =
        |cell: &str| cell.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    Ok(Labeled {
        style: style.to_owned(),
        caption: caption.to_owned(),
        names: [names(condition), names(concepts), names(negated)],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_names_and_a_broken_line_is_an_error_that_names_it() {
        let captions = labeled(&format!("{HEADER}\nforum|a red, scaly thing||red, scale|crust\n")).unwrap();
        assert_eq!((captions.len(), captions[0].caption.as_str()), (1, "a red, scaly thing"));
        let [condition, concepts, negated] = &captions[0].names;
        assert!(condition.is_empty() && negated.contains("crust"));
        assert_eq!(concepts.iter().collect::<Vec<_>>(), ["red", "scale"]);
        let error = labeled(&format!("{HEADER}\nforum|a|||\nforum|a|b|nevus||")).unwrap_err().to_string();
        assert!(error.contains("found 6, in line 3"), "{error}");
        assert_eq!(spread(&captions, 5), captions);
        assert!(labeled("caption,condition\n").unwrap_err().to_string().contains(HEADER));
    }

    #[test]
    fn captions_are_taken_at_equal_distances() {
        let lines: String = (0..7).map(|at| format!("forum|{at}|||\n")).collect();
        let captions = labeled(&format!("{HEADER}\n{lines}")).unwrap();
        let taken = |n| -> String { spread(&captions, n).into_iter().map(|labeled| labeled.caption).collect() };
        assert_eq!((taken(1).as_str(), taken(3).as_str(), taken(7).as_str()), ("0", "024", "0123456"));
    }
}
