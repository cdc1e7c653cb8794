//! A map as a table of its own. The drawings are the report's.

use super::{EmbeddingMap, MapPoint};
use anyhow::Result;
use dermake_sheets::Sheet;
use std::path::{Path, PathBuf};

/// Writes `NAME-map.csv` with the place, file, label and skin tone of each image; returns its path.
///
/// # Errors
/// When the file cannot be written.
pub fn write(map: &EmbeddingMap, name: &str, folder: &Path) -> Result<PathBuf> {
    let path = folder.join(format!("{name}-map.csv"));
    table(map).write(&path)?;
    Ok(path)
}

fn table(map: &EmbeddingMap) -> Sheet {
    let mut sheet = Sheet::default();
    let text = |of: &dyn Fn(&MapPoint) -> String| map.points.iter().map(of).collect::<Vec<_>>();
    let number = |axis: usize| map.points.iter().map(|point| Some(point.at[axis])).collect();
    sheet.texts("row", text(&|point| point.row.to_string()));
    sheet.texts("file", text(&|point| point.file.to_string_lossy().into_owned()));
    sheet.numbers("x", number(0));
    sheet.numbers("y", number(1));
    sheet.texts("label", text(&|point| map.class_names[point.label].clone()));
    if !map.tone_names.is_empty() {
        let tone = |point: &MapPoint| point.tone.map_or(String::new(), |tone| map.tone_names[tone].clone());
        sheet.texts("skin_tone", text(&tone));
    }
    sheet
}

#[cfg(test)]
mod tests {
    use super::super::MapMethod;
    use super::super::tests::map;
    use super::*;

    #[test]
    fn a_map_is_a_table_with_a_row_for_each_image() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(&map(12, MapMethod::Pca).unwrap(), "own", folder.path()).unwrap();
        assert_eq!(path, folder.path().join("own-map.csv"));
        let csv = std::fs::read_to_string(path).unwrap();
        assert!(csv.starts_with("row,file,x,y,label,skin_tone\n6,0.jpg,"), "{csv}");
        assert_eq!(csv.lines().count(), 13);
    }
}
