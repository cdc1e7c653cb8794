//! Which columns of a table hold what.
//!
//! Image and caption are needed; every other column may be missing, and is masked then. The published tables have `filename`, `truncated_caption`, `ontology_caption`, `visual_concept_caption`,
//! `subcaption_1` to `subcaption_8`, `sub_caption_mask` and `knowledge_masks`; O-MAKE's also have `ontology_label` and
//! `agent_generated`. Other columns are ignored.

use dermake_files::table_file::{IMAGE_COLUMNS, find_column};
use dermake_sources::columns::{CAPTION_COLUMNS, find_image, find_usual};
use schemars::JsonSchema;
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TableOptions {
    /// Column of the image's file name; for `filename`, other usual names are also accepted.
    pub image_column: String,
    /// Column of the caption; for `truncated_caption`, other usual names are also accepted.
    pub caption_column: String,
    /// Sub-captions used of each row, 0 to 32; with 0, neither their columns nor their mask are looked at.
    pub n_subcaptions: usize,
}

impl Default for TableOptions {
    fn default() -> Self {
        Self { image_column: IMAGE_COLUMNS[0].into(), caption_column: CAPTION_COLUMNS[0].into(), n_subcaptions: 8 }
    }
}

impl TableOptions {
    /// Captions of each row, N: three, then the sub-captions.
    pub fn n_captions(&self) -> usize {
        N_KNOWLEDGE + self.n_subcaptions
    }
}

/// Places of the columns in a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub image: Column,
    /// Caption, ontology, visual concepts, then the sub-captions.
    pub captions: Vec<Column>,
    /// Without it, a caption counts that is not empty.
    pub knowledge_mask: Column,
    /// Likewise; absent, too, if no sub-captions are used or none are there.
    pub subcaption_mask: Column,
    /// Columns `subcaption_1`, `subcaption_2`, … of the table, used or not: the length of their mask.
    pub n_subcaption_columns: usize,
}

/// A column, and where it is, counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub index: Option<usize>,
    pub name: String,
}

impl Columns {
    /// Finds the columns in `header`, by their very names or in another case; of several with one name, the first.
    /// `knows_images` says that the images are known without a column.
    ///
    /// # Errors
    /// The names of the columns that are missing, if a row would have no image or no caption.
    pub fn find(header: &[String], knows_images: bool, options: &TableOptions) -> Result<Self, Vec<String>> {
        let find = |name: &str| Column { index: find_column(header, name), name: name.to_owned() };
        let usual = |name: &str, default: &str, index: Option<usize>| match (find(name), index) {
            (Column { index: None, .. }, Some(index)) if name == default => {
                Column { index: Some(index), name: header[index].clone() }
            }
            (column, _) => column,
        };
        let image = usual(&options.image_column, IMAGE_COLUMNS[0], find_image(header));
        let caption = usual(&options.caption_column, CAPTION_COLUMNS[0], find_usual(header, &CAPTION_COLUMNS));
        let is_caption_named = options.caption_column != CAPTION_COLUMNS[0];
        let mut captions = vec![caption, find(ONTOLOGY_COLUMN), find(VISUAL_COLUMN)];
        captions.extend((1..=options.n_subcaptions).map(|number| find(&subcaption_column(number))));
        let has_caption = captions[0].index.is_some()
            || !is_caption_named && captions.iter().any(|column| column.index.is_some());
        let mut missing = Vec::new();
        if image.index.is_none() && !knows_images {
            missing.push(image.name.clone());
        }
        if !has_caption {
            missing.push(captions[0].name.clone());
        }
        if !missing.is_empty() {
            return Err(missing);
        }
        let is_there = |&number: &usize| find_column(header, &subcaption_column(number)).is_some();
        let n_subcaption_columns = (1..).take_while(is_there).count();
        let mut subcaption_mask = find(SUBCAPTION_MASK_COLUMN);
        subcaption_mask.index =
            subcaption_mask.index.filter(|_| options.n_subcaptions > 0 && n_subcaption_columns > 0);
        Ok(Self {
            image,
            captions,
            knowledge_mask: find(KNOWLEDGE_MASK_COLUMN),
            subcaption_mask,
            n_subcaption_columns,
        })
    }

    /// Names of the columns of captions and masks that the table does not have.
    pub fn absent(&self) -> Vec<String> {
        let masks = [&self.knowledge_mask, &self.subcaption_mask].into_iter();
        let n_masks = if self.captions.len() > N_KNOWLEDGE { 2 } else { 1 };
        let columns = self.captions.iter().chain(masks.take(n_masks));
        columns.filter(|column| column.index.is_none()).map(|column| column.name.clone()).collect()
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

    fn indices(columns: &Columns) -> Vec<Option<usize>> {
        columns.captions.iter().map(|column| column.index).collect()
    }

    #[test]
    fn columns_are_found_in_any_order_among_others() {
        let header = header(
            "agent_generated knowledge_masks subcaption_2 ontology_label visual_concept_caption path \
             subcaption_1 ontology_caption text sub_caption_mask text",
        );
        let options = TableOptions { image_column: "path".into(), caption_column: "text".into(), n_subcaptions: 1 };
        let columns = Columns::find(&header, false, &options).unwrap();
        assert_eq!((columns.image.index, indices(&columns)), (Some(5), vec![Some(8), Some(7), Some(4), Some(6)]));
        assert_eq!((columns.knowledge_mask.index, columns.subcaption_mask.index), (Some(1), Some(9)));
        assert_eq!((columns.n_subcaption_columns, columns.absent()), (2, Vec::<String>::new()));
    }

    #[test]
    fn names_may_differ_in_case_and_image_and_caption_may_have_other_usual_names() {
        let header = header("Label Image_Path Caption ONTOLOGY_caption visual_concept_caption Knowledge_Masks");
        let options = TableOptions { n_subcaptions: 0, ..TableOptions::default() };
        let columns = Columns::find(&header, false, &options).unwrap();
        assert_eq!(indices(&columns), [Some(2), Some(3), Some(4)]);
        assert_eq!((columns.image.index, columns.knowledge_mask.index), (Some(1), Some(5)));
        assert_eq!((columns.image.name.as_str(), columns.captions[0].name.as_str()), ("Image_Path", "Caption"));
        let named = TableOptions { image_column: "photo".into(), ..options.clone() };
        assert_eq!(Columns::find(&header, false, &named).unwrap_err(), ["photo"]);
        let named = TableOptions { caption_column: "words".into(), ..options };
        assert_eq!(Columns::find(&header, false, &named).unwrap_err(), ["words"]);
    }

    #[test]
    fn only_image_and_caption_must_be_there_and_the_rest_is_named() {
        let options = TableOptions { n_subcaptions: 2, ..TableOptions::default() };
        let found = |names: &str, knows_images| Columns::find(&header(names), knows_images, &options);
        assert_eq!(found("id sex", false).unwrap_err(), ["filename", "truncated_caption"]);
        assert_eq!(found("id sex", true).unwrap_err(), ["truncated_caption"]);
        let plain = found("image text", false).unwrap();
        let absent =
            "ontology_caption visual_concept_caption subcaption_1 subcaption_2 knowledge_masks sub_caption_mask";
        assert_eq!(plain.absent(), header(absent));
        let aspects = found("image ontology_caption subcaption_1 sub_caption_mask", false).unwrap();
        assert_eq!(indices(&aspects), [None, Some(1), None, Some(2), None]);
        assert_eq!((aspects.subcaption_mask.index, aspects.n_subcaption_columns), (Some(3), 1));
    }

    #[test]
    fn without_subcaptions_their_columns_are_not_looked_at() {
        let header = header("filename truncated_caption ontology_caption visual_concept_caption knowledge_masks");
        let options = TableOptions { n_subcaptions: 0, ..TableOptions::default() };
        let columns = Columns::find(&header, false, &options).unwrap();
        assert_eq!((columns.captions.len(), columns.absent()), (3, Vec::<String>::new()));
    }
}
