//! The class names of predictions: a table `diag,label` beside them, as the field publishes it, or a label file.

use super::probe_folder::ProbeFolder;
use crate::table::Table;
use anyhow::{Context, Result, bail};
use dermake_files::labels;
use shared_model::labels::LabelSet;
use std::path::{Path, PathBuf};

/// Folder of the class tables in the layout of DermFM-Zero's published predictions.
pub const CLASS_FOLDER: &str = "class2label";

/// Columns of a class name.
const NAMES: [&str; 7] = ["diag", "class", "class_name", "name", "diagnosis", "disease", "condition"];
const NUMBERS: [&str; 4] = ["label", "class_id", "index", "id"];

/// Reads class names: the key of a built-in set, a table with the columns `diag` and `label`, or a label file.
///
/// # Errors
/// When the file cannot be read, or its numbers are not 0, 1, 2, …, each once.
pub fn read_class_names(argument: &Path) -> Result<LabelSet> {
    let is_table = || Table::read(argument).ok().filter(|table| columns(table).is_some());
    match is_table() {
        Some(table) => of_table(&table),
        None => labels::class_list(&argument.to_string_lossy(), Path::new(".")),
    }
}

/// The table of class names.
pub fn write_class_names(class_names: &[String]) -> Result<Vec<u8>> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(["diag", "label"])?;
    for (label, name) in class_names.iter().enumerate() {
        table.write_record([name, label.to_string().as_str()])?;
    }
    table.into_inner().context("cannot write a table into memory")
}

/// Where the class names of a prediction file may be; the first that exists counts.
pub fn beside(predictions: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(predictions).ok()?;
    let folder = absolute.parent()?;
    let (stem, dataset) = (absolute.file_stem()?.to_string_lossy(), folder.file_name()?.to_string_lossy());
    let mut places =
        vec![folder.join(format!("classes_{stem}.csv")), folder.join(format!("classes_{dataset}.csv"))];
    if let Some(above) = folder.parent() {
        places.push(above.join(format!("classes_{dataset}.csv")));
        places.push(above.join(CLASS_FOLDER).join(format!("{dataset}.csv")));
        if let (Some(probes), Some(root)) = (ProbeFolder::of(above), above.parent()) {
            places.push(root.join(CLASS_FOLDER).join(format!("{}.csv", probes.benchmark)));
        }
    }
    places.into_iter().find(|place| place.is_file())
}

fn columns(table: &Table) -> Option<(usize, usize)> {
    Some((table.find_column(&NAMES)?, table.find_column(&NUMBERS)?))
}

fn of_table(table: &Table) -> Result<LabelSet> {
    let (name, number) = (table.column(&NAMES)?, table.column(&NUMBERS)?);
    let mut names: Vec<Option<String>> = vec![None; table.n_rows()];
    for row in 0..table.n_rows() {
        let cell = table.cell(row, number);
        let place = cell.parse().ok().and_then(|class: usize| names.get_mut(class));
        match place {
            Some(place @ None) => *place = Some(table.cell(row, name).to_string()),
            Some(Some(other)) => {
                bail!("rows of {other:?} and of row {} have one number, {cell}: {}", row + 1, table.path.display())
            }
            None => bail!(
                "row {} has {} {cell:?}, expected each integer below {} once: {}",
                row + 1,
                table.header()[number],
                table.n_rows(),
                table.path.display()
            ),
        }
    }
    let set = LabelSet::from_class_names(names.into_iter().flatten().collect());
    set.with_context(|| format!("in {}", table.path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_order_of_their_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("classes.csv");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read_class_names(&path).map(|set| set.class_names).map_err(|err| format!("{err:#}"))
        };
        assert_eq!(read("diag,label\nnevus,1\nacne,0\n").unwrap(), ["acne", "nevus"]);
        assert_eq!(read("\u{feff}Diag;Label\r\nacne;0\r\nnevus;1\r\n").unwrap(), ["acne", "nevus"]);
        assert_eq!(read("acne\nnevus\n").unwrap(), ["acne", "nevus"]);
        assert!(read("diag,label\nacne,0\nnevus,2\n").unwrap_err().contains("row 2 has label \"2\""));
        assert!(read("diag,label\nacne,0\nnevus,0\n").unwrap_err().contains("have one number, 0"));
        assert_eq!(read_class_names(Path::new("pad")).unwrap().class_names.len(), 6);
        let written = String::from_utf8(write_class_names(&["a, b".into(), "c".into()]).unwrap()).unwrap();
        assert_eq!(read(&written).unwrap(), ["a, b", "c"]);
    }

    #[test]
    fn they_are_found_beside_the_predictions() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("HAM/MAKE.csv");
        for name in ["class2label/HAM.csv", "classes_HAM.csv", "HAM/classes_HAM.csv", "HAM/classes_MAKE.csv"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&path, "").unwrap();
            assert_eq!(beside(&file), Some(std::path::absolute(path).unwrap()));
        }
        assert_eq!(beside(&folder.path().join("other/a.csv")), None);
    }
}
