//! The rows of the CSV files.

use super::captions::{Captions, MAX_SUBCAPTIONS};
use super::case::Case;
use super::findings::{Concept, Findings};
use anyhow::{Context, Result};
use csv::Writer;

/// Header of `train.csv` and `val.csv`: MAKE's columns, then ours.
pub fn training_header() -> Vec<String> {
    let mut header: Vec<String> =
        ["filename", "truncated_caption", "ontology_caption", "visual_concept_caption"].map(String::from).into();
    header.extend((1..=MAX_SUBCAPTIONS).map(|number| format!("subcaption_{number}")));
    header.extend(["sub_caption_mask", "knowledge_masks", "condition", "fitzpatrick"].map(String::from));
    header
}

pub fn training_row(filename: &str, captions: &Captions, case: &Case) -> Vec<String> {
    let mut row = vec![
        filename.to_owned(),
        captions.caption.clone(),
        captions.ontology.clone().unwrap_or_default(),
        captions.visual_concept.clone().unwrap_or_default(),
    ];
    let subcaption = |index: usize| captions.subcaptions.get(index).cloned().unwrap_or_default();
    row.extend((0..MAX_SUBCAPTIONS).map(subcaption));
    row.push(mask((0..MAX_SUBCAPTIONS).map(|index| index < captions.subcaptions.len())));
    row.push(mask([true, captions.ontology.is_some(), captions.visual_concept.is_some()]));
    row.extend([case.condition.name().to_owned(), case.fitzpatrick.to_string()]);
    row
}

/// A list as the reference writes and evaluates it: "[1, 0, 1]".
fn mask(values: impl IntoIterator<Item = bool>) -> String {
    let digits: Vec<&str> = values.into_iter().map(|value| if value { "1" } else { "0" }).collect();
    format!("[{}]", digits.join(", "))
}

pub fn zero_shot_header() -> Vec<String> {
    ["filename", "label", "condition", "fitzpatrick", "sex", "age"].map(String::from).into()
}

pub fn zero_shot_row(filename: &str, case: &Case) -> Vec<String> {
    vec![
        filename.to_owned(),
        case.condition.label().to_string(),
        case.condition.name().to_owned(),
        case.fitzpatrick.to_string(),
        case.sex.name().to_owned(),
        case.age.to_string(),
    ]
}

pub fn concept_header() -> Vec<String> {
    std::iter::once("ImageID").chain(Concept::ANNOTATED.map(Concept::name)).map(String::from).collect()
}

pub fn concept_row(filename: &str, findings: &Findings) -> Vec<String> {
    let digit = |concept| if findings.shows(concept) { "1" } else { "0" };
    std::iter::once(filename).chain(Concept::ANNOTATED.map(digit)).map(String::from).collect()
}

pub fn retrieval_header() -> Vec<String> {
    ["filename", "caption_zh_polish_en"].map(String::from).into()
}

/// The table as the bytes of a CSV file.
pub fn to_csv(header: &[String], rows: &[Vec<String>]) -> Result<Vec<u8>> {
    let mut writer = Writer::from_writer(Vec::new());
    for row in std::iter::once(header).chain(rows.iter().map(Vec::as_slice)) {
        writer.write_record(row).context("cannot write a CSV row")?;
    }
    writer.into_inner().context("cannot finish a CSV table")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_written_as_the_reference_reads_them() {
        assert_eq!(mask([true, false, true]), "[1, 0, 1]");
        assert_eq!(
            training_header()[..5].join(","),
            "filename,truncated_caption,ontology_caption,visual_concept_caption,subcaption_1"
        );
        assert_eq!(
            training_header()[11..].join(","),
            "subcaption_8,sub_caption_mask,knowledge_masks,condition,fitzpatrick"
        );
    }
}
