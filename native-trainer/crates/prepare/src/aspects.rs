//! The sentences and masks of a training table.

use crate::extraction::Extraction;
use serde::{Deserialize, Serialize};

/// Order of `knowledge_masks`. MAKE's code and its example table have the first; its guide says the second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaskOrder {
    /// Caption, ontology, visual concepts: what `dermake train` and the reference read.
    #[default]
    CaptionOntologyVisual,
    /// Caption, visual concepts, ontology: for programs that follow the guide.
    CaptionVisualOntology,
}

/// Returns the ontology caption, or an empty text without a condition.
pub fn ontology_caption(extraction: &Extraction) -> String {
    if extraction.path.is_empty() {
        return String::new();
    }
    format!("This is a skin photo diagnosed as {}.", extraction.path.join(", "))
}

/// Returns the caption of visual concepts, or an empty text without one.
pub fn visual_concept_caption(extraction: &Extraction) -> String {
    if extraction.concepts.is_empty() {
        return String::new();
    }
    format!("This skin photo shows {}.", extraction.concepts.join(", "))
}

/// Returns the mask of caption, ontology and visual concepts.
pub fn knowledge_mask(has_caption: bool, extraction: &Extraction, order: MaskOrder) -> [bool; 3] {
    let (ontology, visual) = (!extraction.path.is_empty(), !extraction.concepts.is_empty());
    match order {
        MaskOrder::CaptionOntologyVisual => [has_caption, ontology, visual],
        MaskOrder::CaptionVisualOntology => [has_caption, visual, ontology],
    }
}

/// Returns the order in which the masks of an existing table are written, if its rows tell: a row with one of the two
/// captions does.
pub fn mask_order_of<'a>(rows: impl Iterator<Item = (&'a [bool], bool, bool)>) -> Option<MaskOrder> {
    let (mut n_reference, mut n_guide) = (0u64, 0u64);
    for (mask, has_ontology, has_visual) in rows.filter(|(mask, ..)| mask.len() == 3) {
        if has_ontology != has_visual {
            n_reference += u64::from(mask[1] == has_ontology && mask[2] == has_visual);
            n_guide += u64::from(mask[1] == has_visual && mask[2] == has_ontology);
        }
    }
    match n_reference.cmp(&n_guide) {
        std::cmp::Ordering::Greater => Some(MaskOrder::CaptionOntologyVisual),
        std::cmp::Ordering::Less => Some(MaskOrder::CaptionVisualOntology),
        std::cmp::Ordering::Equal => None,
    }
}

/// Writes a mask as the tables have it: `[1, 0, 1]`.
pub fn mask_cell(mask: &[bool]) -> String {
    let entries: Vec<&str> = mask.iter().map(|&entry| if entry { "1" } else { "0" }).collect();
    format!("[{}]", entries.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Lexicon, read};

    #[test]
    fn sentences_are_the_published_ones_and_unknown_stays_unknown() {
        let lexicon = Lexicon::new(None);
        let found = read(&lexicon, "Chronic atopic dermatitis in the antecubital fossa.");
        let expected =
            "This is a skin photo diagnosed as inflammatory, non-infectious, dermatitis, atopic dermatitis.";
        assert_eq!(ontology_caption(&found), expected);
        assert_eq!(visual_concept_caption(&found), "");
        let order = MaskOrder::CaptionOntologyVisual;
        assert_eq!(mask_cell(&knowledge_mask(true, &found, order)), "[1, 1, 0]");
        assert_eq!(mask_cell(&knowledge_mask(true, &found, MaskOrder::CaptionVisualOntology)), "[1, 0, 1]");
        let found = read(&lexicon, "Erythematous patches sparing the folds");
        assert_eq!(visual_concept_caption(&found), "This skin photo shows erythema, patch.");
        assert_eq!(ontology_caption(&found), "");
    }

    #[test]
    fn the_order_of_a_table_is_seen_in_rows_with_one_of_the_two() {
        let order =
            |mask: [bool; 3]| mask_order_of([(&mask[..], true, false), (&[true; 3][..], true, true)].into_iter());
        assert_eq!(order([true, true, false]), Some(MaskOrder::CaptionOntologyVisual));
        assert_eq!(order([true, false, true]), Some(MaskOrder::CaptionVisualOntology));
        assert_eq!(order([true, true, true]), None);
    }
}
