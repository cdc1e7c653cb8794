//! The answers to the images of all classifications, as one table for other programs.

use super::Predictions;
use crate::image_rows::ImageRows;
use crate::resampler::Scored;
use dermake_sheets::Sheet;
use std::collections::HashMap;

/// A row for each image with the classes by their names, and a column of probabilities for each class. A class that a
/// benchmark does not have is missing in its rows.
pub fn to_sheet(scored: &[Scored]) -> Sheet {
    let answered = scored.iter().filter_map(|one| Some((one.result.key.as_str(), one.predictions.as_ref()?)));
    sheet_of(&answered.collect::<Vec<_>>())
}

/// As [`to_sheet`], of benchmarks by their keys.
pub fn sheet_of(answered: &[(&str, &Predictions)]) -> Sheet {
    let rows = || answered.iter().flat_map(|(key, of)| of.rows.iter().map(move |row| (*key, *of, row)));
    let class = |of: &Predictions, place: usize| of.class_names[place].clone();
    let mut images = ImageRows::default();
    rows().for_each(|(key, _, row)| images.add(key, row.row, row.image.as_str()));
    let mut sheet = images.into_sheet();
    sheet.texts("true_label", rows().map(|(_, of, row)| class(of, row.label)).collect());
    sheet.texts("predicted_label", rows().map(|(_, of, row)| class(of, row.predicted)).collect());
    let mut names: Vec<&String> = Vec::new();
    let places: Vec<HashMap<&String, usize>> =
        answered.iter().map(|(_, of)| of.class_names.iter().zip(0..).collect()).collect();
    for name in answered.iter().flat_map(|(_, of)| &of.class_names) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    for name in names {
        let of_class = |((_, of), places): (&(&str, &Predictions), &HashMap<&String, usize>)| {
            let place = places.get(name).copied();
            of.rows.iter().map(|row| place.map(|place| row.probabilities[place])).collect::<Vec<_>>()
        };
        sheet.numbers(format!("probability_{name}"), answered.iter().zip(&places).flat_map(of_class).collect());
    }
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predictions::Prediction;
    use dermake_sources::Dataset;

    #[test]
    fn classes_of_several_benchmarks_are_columns_of_one_table() {
        let of = |names: &[&str], probabilities: &[f64]| Predictions {
            class_names: names.iter().map(|name| name.to_string()).collect(),
            rows: vec![Prediction {
                row: 3,
                image: "a.jpg".into(),
                sha256: None,
                label: 0,
                predicted: 1,
                probabilities: probabilities.to_vec(),
            }],
        };
        let (own, other) = (of(&["acne", "nevus"], &[0.25, 0.75]), of(&["nevus", "wart"], &[0.125, 0.875]));
        let folder = tempfile::tempdir().unwrap();
        for name in ["p.parquet", "p.csv"] {
            let path = folder.path().join(name);
            sheet_of(&[("own", &own), ("other", &other)]).write(&path).unwrap();
            let written = Dataset::read(&path).unwrap();
            let row = |row: usize| (0..8).map(|column| written.cell(row, column)).collect::<Vec<_>>().join("|");
            assert_eq!(
                written.columns()[3..],
                ["true_label", "predicted_label", "probability_acne", "probability_nevus", "probability_wart"]
            );
            assert_eq!(row(0), "own|3|a.jpg|acne|nevus|0.25|0.75|");
            assert_eq!(row(1), "other|3|a.jpg|nevus|wart||0.125|0.875");
        }
    }
}
