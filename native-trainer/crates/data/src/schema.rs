//! Which columns of a table hold what.
//!
//! The published tables have `filename`, `truncated_caption`, `ontology_caption`, `visual_concept_caption`,
//! `subcaption_1` to `subcaption_8`, `sub_caption_mask` and `knowledge_masks`; O-MAKE's also have `ontology_label` and
//! `agent_generated`. Other columns are ignored.

use dermake_files::table_file::{IMAGE_COLUMNS, find_column};
use serde::{Deserialize, Serialize};

/// The column of the ontology caption.
pub const ONTOLOGY_COLUMN: &str = "ontology_caption";
/// The column of the caption that lists visual concepts.
pub const VISUAL_COLUMN: &str = "visual_concept_caption";
/// The mask of the sub-captions.
pub const SUBCAPTION_MASK_COLUMN: &str = "sub_caption_mask";
/// The mask of caption, ontology and visual concepts, in this order.
pub const KNOWLEDGE_MASK_COLUMN: &str = "knowledge_masks";

/// Captions of a row before its sub-captions: the caption, ontology, visual concepts.
pub const N_KNOWLEDGE: usize = 3;

/// Largest number of sub-captions.
pub const MAX_SUBCAPTIONS: usize = 32;

/// Options for reading a training table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TableOptions {
    /// Column of the image's file name; for `filename`, other usual names are also accepted.
    pub image_column: String,
    /// Column of the caption.
    pub caption_column: String,
    /// Sub-captions used of each row, 0 to 32; with 0, neither their columns nor their mask are looked at.
    pub n_subcaptions: usize,
}

impl Default for TableOptions {
    fn default() -> Self {
        Self { image_column: IMAGE_COLUMNS[0].into(), caption_column: "truncated_caption".into(), n_subcaptions: 8 }
    }
}

impl TableOptions {
    /// Captions of each row, N: three, then the sub-captions.
    pub fn n_captions(&self) -> usize {
        N_KNOWLEDGE + self.n_subcaptions
    }

    /// Returns the column of the images: the named one or, if that is the default and missing, the first of the usual
    /// ones.
    fn image_column_of<'a>(&'a self, header: &[String]) -> &'a str {
        let is_there = |name: &&str| find_column(header, name).is_some();
        let is_named = self.image_column != IMAGE_COLUMNS[0] || is_there(&IMAGE_COLUMNS[0]);
        let usual = || IMAGE_COLUMNS.into_iter().find(is_there).filter(|_| !is_named);
        usual().unwrap_or(&self.image_column)
    }
}

/// Places of the needed columns in a header, all counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    /// Fields of the header.
    pub n_fields: usize,
    pub image: Column,
    /// Caption, ontology, visual concepts, then the sub-captions.
    pub captions: Vec<Column>,
    pub knowledge_mask: Column,
    /// Absent if no sub-captions are used.
    pub subcaption_mask: Option<Column>,
    /// Columns `subcaption_1`, `subcaption_2`, … of the table, used or not: the length of their mask.
    pub n_subcaption_columns: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub index: usize,
    pub name: String,
}

impl Columns {
    /// Finds the columns in `header`, by their very names or in another case; of several with one name, the first.
    ///
    /// # Errors
    /// The names of the columns that are missing.
    pub fn find(header: &[String], options: &TableOptions) -> Result<Self, Vec<String>> {
        let mut missing = Vec::new();
        let mut find = |name: &str| {
            let index = find_column(header, name);
            if index.is_none() {
                missing.push(name.to_owned());
            }
            Column { index: index.unwrap_or(0), name: name.to_owned() }
        };
        let image = find(options.image_column_of(header));
        let mut captions = vec![find(&options.caption_column), find(ONTOLOGY_COLUMN), find(VISUAL_COLUMN)];
        captions.extend((1..=options.n_subcaptions).map(|number| find(&subcaption_column(number))));
        let knowledge_mask = find(KNOWLEDGE_MASK_COLUMN);
        let subcaption_mask = (options.n_subcaptions > 0).then(|| find(SUBCAPTION_MASK_COLUMN));
        if !missing.is_empty() {
            return Err(missing);
        }
        let is_there = |&number: &usize| find_column(header, &subcaption_column(number)).is_some();
        let n_subcaption_columns = (1..).take_while(is_there).count();
        Ok(Self { n_fields: header.len(), image, captions, knowledge_mask, subcaption_mask, n_subcaption_columns })
    }
}

fn subcaption_column(number: usize) -> String {
    format!("subcaption_{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(names: &str) -> Vec<String> {
        names.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn columns_are_found_in_any_order_among_others() {
        let header = header(
            "agent_generated knowledge_masks subcaption_2 ontology_label visual_concept_caption path \
             subcaption_1 ontology_caption text sub_caption_mask text",
        );
        let options = TableOptions { image_column: "path".into(), caption_column: "text".into(), n_subcaptions: 1 };
        let columns = Columns::find(&header, &options).unwrap();
        let indices: Vec<usize> = columns.captions.iter().map(|column| column.index).collect();
        assert_eq!((columns.image.index, indices), (5, vec![8, 7, 4, 6]));
        assert_eq!((columns.knowledge_mask.index, columns.subcaption_mask.map(|c| c.index)), (1, Some(9)));
        assert_eq!((columns.n_subcaption_columns, columns.n_fields), (2, 11));
    }

    #[test]
    fn names_may_differ_in_case_and_the_image_column_may_have_another_usual_name() {
        let header =
            header("Label Image_Path Truncated_Caption ONTOLOGY_caption visual_concept_caption Knowledge_Masks");
        let options = TableOptions { n_subcaptions: 0, ..TableOptions::default() };
        let columns = Columns::find(&header, &options).unwrap();
        let indices: Vec<usize> = columns.captions.iter().map(|column| column.index).collect();
        assert_eq!((columns.image.index, indices, columns.knowledge_mask.index), (1, vec![2, 3, 4], 5));
        assert_eq!(columns.image.name, "image_path");
        let named = TableOptions { image_column: "photo".into(), ..options };
        assert_eq!(Columns::find(&header, &named).unwrap_err(), ["photo"]);
    }

    #[test]
    fn every_missing_column_is_named() {
        let missing = Columns::find(&header("filename subcaption_1"), &TableOptions::default()).unwrap_err();
        assert!(!missing.iter().any(|name| name == "filename" || name == "subcaption_1"));
        for name in ["truncated_caption", "subcaption_2", "subcaption_8", "sub_caption_mask", "knowledge_masks"] {
            assert!(missing.iter().any(|found| found == name), "{missing:?}");
        }
    }

    #[test]
    fn without_subcaptions_their_columns_are_not_needed() {
        let header = header("filename truncated_caption ontology_caption visual_concept_caption knowledge_masks");
        let options = TableOptions { n_subcaptions: 0, ..TableOptions::default() };
        assert_eq!(Columns::find(&header, &options).unwrap().captions.len(), 3);
        assert!(Columns::find(&header, &TableOptions::default()).is_err());
    }
}
