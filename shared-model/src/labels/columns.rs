//! Tables where a list of labels is expected: lines with several columns.

use super::labels_error;
use super::spelling::spelling_key;
use crate::Result;

/// Column names by which a table is told from a list.
const TABLE_COLUMNS: [&str; 25] = [
    "label",
    "labels",
    "class",
    "class_name",
    "diagnosis",
    "condition",
    "disease",
    "category",
    "filename",
    "file",
    "image",
    "image_path",
    "image_id",
    "path",
    "label_name",
    "disease_name",
    "diagnoses",
    "dx",
    "concept",
    "concepts",
    "term",
    "icd",
    "icd10",
    "umls",
    "code",
];

/// Refuses a file whose first line is the header of a table with several columns.
pub(super) fn refuse_table(first: &str) -> Result<()> {
    let columns: Vec<String> = first.split([',', ';', '\t', '|']).map(spelling_key).collect();
    let is_header = |column: &String| TABLE_COLUMNS.contains(&column.trim_matches('"'));
    if columns.len() > 1 && columns.iter().any(is_header) {
        let found = format!("a table with the columns {}", columns.join(", "));
        return Err(labels_error("labels", "a list with one label a line, without other columns", &found));
    }
    Ok(())
}

/// Refuses lines that all have tabs, or separators between cells in quotation marks: rows of a table.
pub(super) fn refuse_columns(lines: &[String]) -> Result<()> {
    let is_quoted = |line: &String| line.starts_with('"') && line.ends_with('"') && line.len() > 1;
    let is_row = |line: &String| is_quoted(line) && matches!(outside_quotes(line).trim(), "," | ";" | "|");
    let found = if lines.iter().all(|line| line.contains('\t')) {
        "columns with tabs"
    } else if lines.iter().all(is_row) {
        "columns in quotation marks"
    } else {
        return Ok(());
    };
    if lines.len() < 2 {
        return Ok(());
    }
    Err(labels_error("labels", "a list with one label a line, without other columns", found))
}

/// The separator that each of several names has, equally often.
pub(super) fn common_separator(names: &[String]) -> Option<char> {
    let count = |name: &String, separator: char| name.matches(separator).count();
    let is_common = |separator: &char| {
        let expected = names.first().map_or(0, |name| count(name, *separator));
        names.len() > 1 && expected > 0 && names.iter().all(|name| count(name, *separator) == expected)
    };
    [',', ';', '|'].into_iter().find(is_common)
}

/// The line without its quoted names.
pub(super) fn outside_quotes(line: &str) -> String {
    let mut parts = line.split('"');
    let mut outside = parts.next().unwrap_or_default().to_owned();
    while let (Some(quoted), next) = (parts.next(), parts.next()) {
        // The last mark of an odd number opens nothing.
        outside.push_str(next.unwrap_or(quoted));
    }
    outside
}

#[cfg(test)]
mod tests {
    use super::super::split::of_file;

    #[test]
    fn tables_are_no_lists() {
        for text in [
            "filename,label\na.png,acne\nb.png,nevus",
            "id;diagnosis\n1;acne",
            "disease_name|icd10\nacne|L70\nnevus|D22",
            "concept,umls\npapule,C1",
            "acne\tL70\nnevus\tD22",
            "\"acne\",\"L70\"\n\"nevus\",\"D22\"",
        ] {
            let message = of_file(text).map(|read| read.names).unwrap_err().to_string();
            assert!(message.contains("one label a line"), "{text}: {message}");
        }
    }
}
