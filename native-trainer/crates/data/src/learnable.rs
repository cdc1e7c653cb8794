//! Checks that a table has something that an objective can learn from.

use super::lineages::Lineages;
use super::schema::{KNOWLEDGE_MASK_COLUMN, N_KNOWLEDGE, SUBCAPTION_MASK_COLUMN};
use super::table::{TrainingTable, missing_text};
use dermake_objective::Objective;
use dermake_process::print::shown;

/// Why an objective can learn nothing from a table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NothingToLearn {
    #[error("the table has no usable row")]
    NoRow,
    #[error("the table has a single usable row, and training needs at least two")]
    OneRow,
    #[error("the objective counts sub-captions alone, and the recipe reads none of them")]
    NoSubcaptions,
    #[error("no {captions} counts: {masks} are 0 for it in every row")]
    NoCaption { masks: String, captions: String },
    #[error("every row that counts has the same {captions}")]
    SameCaptions { captions: String },
    #[error("every row that counts has the same image, {}", shown(image))]
    SameImage { image: String },
    #[error(
        "no row has a known diagnosis, as no ontology_caption counts that names one; `dermake prepare` makes them from \
         captions"
    )]
    NoDiagnosis,
}

/// Checks that two of these rows of the table differ in their images, and two in the captions that the objective counts.
///
/// # Errors
/// Says what is missing.
pub fn check_learnable(
    table: &TrainingTable,
    rows: impl Iterator<Item = usize>,
    objective: &Objective,
) -> Result<(), NothingToLearn> {
    let counted: Vec<usize> = (0..table.n_captions()).filter(|&kind| objective.counts(kind)).collect();
    let captions_of = |row: usize| -> Vec<Option<String>> {
        let mask: Vec<bool> = table.mask(row).collect();
        let caption =
            |&kind: &usize| mask[kind].then(|| plain(table.caption(row, kind).unwrap_or(missing_text(kind))));
        counted.iter().map(caption).collect()
    };
    let (mut n_rows, mut first) = (0usize, None);
    let (mut captions_differ, mut images_differ) = (false, false);
    for row in rows {
        n_rows += 1;
        let captions = captions_of(row);
        if captions.iter().all(Option::is_none) {
            continue;
        }
        let image = table.image(row);
        let (first_image, first_captions) = first.get_or_insert_with(|| (image, captions.clone()));
        images_differ |= *first_image != image;
        captions_differ |= *first_captions != captions;
        if images_differ && captions_differ {
            return Ok(());
        }
    }
    let what = |many: &str| match objective.variant.has_one_caption() {
        true => table.caption_column(0).to_owned(),
        false => many.to_owned(),
    };
    Err(match first {
        None if n_rows == 0 => NothingToLearn::NoRow,
        None if counted.is_empty() => NothingToLearn::NoSubcaptions,
        None => NothingToLearn::NoCaption { masks: masks(&counted), captions: what("caption") },
        Some(_) if n_rows == 1 => NothingToLearn::OneRow,
        Some(_) if !captions_differ => NothingToLearn::SameCaptions { captions: what("captions") },
        Some((image, _)) => NothingToLearn::SameImage { image: image.to_owned() },
    })
}

/// Checks that a loss can be computed on a table: that it has two usable rows, and one of them a caption that the objective
/// counts.
///
/// # Errors
/// Says what is missing.
pub fn check_countable(table: &TrainingTable, objective: &Objective) -> Result<(), NothingToLearn> {
    match check_learnable(table, table.usable_rows(), objective) {
        Err(NothingToLearn::SameCaptions { .. } | NothingToLearn::SameImage { .. }) => Ok(()),
        checked => checked,
    }
}

/// Checks that the place of some diagnosis is known, which soft targets and the sampler along an ontology need.
///
/// # Errors
/// When no diagnosis is known.
pub fn check_diagnoses(lineages: &Lineages) -> Result<(), NothingToLearn> {
    if lineages.n_known() > 0 { Ok(()) } else { Err(NothingToLearn::NoDiagnosis) }
}

/// A caption as the tokenizer takes it, more or less: letters' case and spaces make no difference.
fn plain(text: &str) -> String {
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The columns whose masks decide on these kinds of captions.
fn masks(kinds: &[usize]) -> String {
    let of_knowledge = kinds.iter().any(|&kind| kind < N_KNOWLEDGE);
    let of_subcaptions = kinds.iter().any(|&kind| kind >= N_KNOWLEDGE);
    let columns = [(of_knowledge, KNOWLEDGE_MASK_COLUMN), (of_subcaptions, SUBCAPTION_MASK_COLUMN)];
    let columns: Vec<&str> = columns.iter().filter(|(is_used, _)| *is_used).map(|(_, column)| *column).collect();
    columns.join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TableOptions;
    use dermake_objective::Variant;
    use std::path::Path;

    const HEADER: &str = "filename,truncated_caption,ontology_caption,visual_concept_caption,subcaption_1,\
                          sub_caption_mask,knowledge_masks\n";

    /// What each of `released`, `paper` and `clip` lacks in a table of these rows; empty where it lacks nothing.
    fn lacks(rows: &str) -> [String; 3] {
        let options = TableOptions { n_subcaptions: 1, ..TableOptions::default() };
        let csv = format!("{HEADER}{rows}");
        let table = TrainingTable::from_bytes(csv.as_bytes(), Path::new("t.csv"), &options).unwrap();
        assert_eq!(table.problems(), []);
        [Variant::Released, Variant::Paper, Variant::Clip].map(|variant| {
            let checked = check_learnable(&table, table.usable_rows(), &Objective::of(variant));
            checked.err().map_or(String::new(), |err| err.to_string())
        })
    }

    #[test]
    fn two_rows_must_differ_in_image_and_in_counted_captions() {
        let learned =
            lacks("a.png,mole,nevus,,spot,[1],\"[1, 1, 0]\"\nb.png,wart,verruca,,horn,[1],\"[1, 1, 0]\"\n");
        assert_eq!(learned, ["", "", ""]);
        let zero = lacks("a.png,mole,nevus,,spot,[0],\"[0, 0, 0]\"\nb.png,wart,verruca,,horn,[0],\"[0, 0, 0]\"\n");
        let both = "no caption counts: knowledge_masks and sub_caption_mask are 0 for it in every row";
        assert_eq!(zero, [both, both, "no truncated_caption counts: knowledge_masks are 0 for it in every row"]);
        let without = lacks("a.png,,nevus,,spot,[1],\"[0, 1, 0]\"\nb.png,,verruca,,horn,[1],\"[0, 1, 0]\"\n");
        assert_eq!(without, ["", "", "no truncated_caption counts: knowledge_masks are 0 for it in every row"]);
        let one_text =
            lacks("a.png,Mole,nevus,,spot,[1],\"[1, 1, 0]\"\nb.png,mole ,verruca,,horn,[1],\"[1, 1, 0]\"\n");
        assert_eq!(one_text, ["", "", "every row that counts has the same truncated_caption"]);
        let row = "a.png,mole,nevus,,spot,[1],\"[1, 1, 0]\"\n";
        let twice = lacks(&row.repeat(2));
        assert_eq!(twice[0], "every row that counts has the same captions");
        assert_eq!(lacks(row), ["the table has a single usable row, and training needs at least two"; 3]);
        let one_image = lacks(&format!("{row}{}", row.replace("mole", "wart")));
        assert_eq!(one_image, ["every row that counts has the same image, a.png"; 3]);
        let options = TableOptions { n_subcaptions: 1, ..TableOptions::default() };
        let table =
            TrainingTable::from_bytes(format!("{HEADER}{row}").as_bytes(), Path::new("t.csv"), &options).unwrap();
        assert_eq!(check_countable(&table, &Objective::of(Variant::Clip)), Err(NothingToLearn::OneRow));
        let none = check_learnable(&table, std::iter::empty(), &Objective::of(Variant::Clip));
        assert_eq!(none, Err(NothingToLearn::NoRow));
    }
}
