//! Where the diagnosis of each row is in an ontology.

use super::ontology::Ontology;
use super::table::TrainingTable;
use dermake_objective::Lineage;
use std::collections::HashMap;

/// The kind of the ontology caption among the captions of a row.
const ONTOLOGY_CAPTION: usize = 1;

/// Words of an ontology caption before the diagnosis, as MAKE's data, `dermake prepare` and `dermake synth` write it.
const BEFORE_DIAGNOSIS: &str = "diagnosed as ";

/// The lineage of every row of a table.
#[derive(Clone, Debug, Default)]
pub struct Lineages(Vec<Lineage>);

impl Lineages {
    /// Reads them from the ontology captions.
    ///
    /// A caption names the path to its diagnosis, "This is a skin photo diagnosed as inflammatory, infectious, wart.":
    /// without `ontology`, that path is the lineage. With it, the caption tells the diagnosis only, which is its last
    /// name that the ontology has. Rows whose ontology caption does not count, and diagnoses that the ontology lacks,
    /// have an unknown place.
    pub fn of_table(table: &TrainingTable, ontology: Option<&Ontology>) -> Self {
        let mut numbers = Numbers::default();
        let mut known: HashMap<&str, Lineage> = HashMap::new();
        let lineage = |row: usize| {
            let counts = table.mask(row).nth(ONTOLOGY_CAPTION) == Some(true);
            let Some(caption) = table.caption(row, ONTOLOGY_CAPTION).filter(|_| counts) else {
                return Lineage::default();
            };
            known.entry(caption).or_insert_with(|| numbers.lineage(&path_of(caption, ontology))).clone()
        };
        Self((0..table.len()).map(lineage).collect())
    }

    /// The lineage of a row, counted from 0.
    ///
    /// # Panics
    /// When the table has no row of this number.
    pub fn of_row(&self, row: usize) -> &Lineage {
        &self.0[row]
    }

    /// Rows whose place in the ontology is known.
    pub fn n_known(&self) -> usize {
        self.0.iter().filter(|lineage| lineage.is_known()).count()
    }
}

/// Numbers of nodes. A node is a name below its path: two groups may each have an "other".
#[derive(Default)]
struct Numbers(HashMap<Vec<String>, u32>);

impl Numbers {
    fn lineage(&mut self, path: &[String]) -> Lineage {
        let number = |end: usize| {
            let next = self.0.len() as u32;
            *self.0.entry(path[..end].to_vec()).or_insert(next)
        };
        Lineage::new(&(1..=path.len()).map(number).collect::<Vec<_>>())
    }
}

/// The path to the diagnosis of a caption, in lower case; empty if it is unknown.
fn path_of(caption: &str, ontology: Option<&Ontology>) -> Vec<String> {
    let caption = caption.to_lowercase();
    let diagnosis = caption.rsplit(BEFORE_DIAGNOSIS).next().unwrap_or_default();
    let diagnosis = diagnosis.trim_matches(|c: char| c.is_whitespace() || matches!(c, '.' | '{' | '}'));
    let names: Vec<&str> = diagnosis.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let Some(ontology) = ontology else { return names.into_iter().map(str::to_owned).collect() };
    // The longest end that is a node: names may have commas.
    let nodes = (0..names.len()).filter_map(|start| ontology.path(&names[start..].join(", ")));
    nodes.map(<[String]>::to_vec).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TableOptions;
    use std::path::Path;

    fn table(captions: &[&str]) -> TrainingTable {
        let mut csv = "filename,truncated_caption,ontology_caption,knowledge_masks\n".to_owned();
        for caption in captions {
            let mask = u8::from(!caption.is_empty());
            csv += &format!("a.png,spot,\"{caption}\",\"[1, {mask}, 0]\"\n");
        }
        let options = TableOptions { n_subcaptions: 0, ..TableOptions::default() };
        TrainingTable::from_bytes(csv.as_bytes(), Path::new("t.csv"), &options).unwrap()
    }

    #[test]
    fn captions_tell_the_path_and_rows_without_one_are_unknown() {
        let lineages = Lineages::of_table(
            &table(&[
                "This is a skin photo diagnosed as inflammatory, infectious, wart.",
                "This is a skin photo diagnosed as Inflammatory, infectious, scabies.",
                "",
                "This is a skin photo diagnosed as {neoplastic, other}.",
                "inflammatory, other",
            ]),
            None,
        );
        let similarity = |a: usize, b: usize| lineages.of_row(a).similarity(lineages.of_row(b));
        assert_eq!((similarity(0, 1), similarity(1, 4)), (2.0 / 3.0, 0.4));
        assert_eq!((similarity(0, 2), similarity(3, 4)), (0.0, 0.0), "\"other\" is in two groups");
        assert_eq!(lineages.n_known(), 4);
    }

    #[test]
    fn with_an_ontology_the_diagnosis_alone_counts() {
        let json =
            r#"{"inflammatory": {"infectious": {"viral": {"wart": {}}}, "nails": {"carcinoma, basal cell": {}}}}"#;
        let ontology = Ontology::from_json(json).unwrap();
        let captions = [
            "This is a skin photo diagnosed as wart.",
            "This is a skin photo diagnosed as something else, Wart.",
            "This is a skin photo diagnosed as nails, carcinoma, basal cell.",
            "This is a skin photo diagnosed as eczema.",
        ];
        let lineages = Lineages::of_table(&table(&captions), Some(&ontology));
        assert_eq!(lineages.of_row(0), lineages.of_row(1));
        assert_eq!(lineages.of_row(0).similarity(lineages.of_row(2)), 2.0 / 7.0);
        assert!(!lineages.of_row(3).is_known());
    }
}
