//! Training tables: missing cells, problems of rows, and the forms that people save.

use super::*;
use std::io::Write;

const HEADER: &str = "filename,truncated_caption,ontology_caption,visual_concept_caption,subcaption_1,\
                      subcaption_2,sub_caption_mask,knowledge_masks,ontology_label,agent_generated\n";

fn read(rows: &[u8]) -> TrainingTable {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(HEADER.as_bytes()).unwrap();
    file.write_all(rows).unwrap();
    let options = TableOptions { n_subcaptions: 2, ..TableOptions::default() };
    TrainingTable::read(file.path(), &options).unwrap()
}

fn problems(table: &TrainingTable) -> Vec<String> {
    table.problems().iter().map(RowProblem::to_string).collect()
}

#[test]
fn missing_cells_become_what_the_reference_makes_of_them() {
    let table = read(b"a.png,NA,,\"x, \"\"y\"\"\nz\",null,b,\"[0, 1]\",\"(0, False, 1.0)\",1;2,yes\n\nb.png,c,d,e,f,g,\"[1, 1]\",\"[1, 1, 1]\",,\n");
    assert_eq!(problems(&table), Vec::<String>::new());
    let row = table.row(0);
    assert_eq!((row.image, row.captions), ("a.png", vec!["nan", "nan", "x, \"y\"\nz", "", "b"]));
    assert_eq!(row.mask, [false, false, true, false, true]);
    assert_eq!((table.line(0), table.line(1), table.len()), (Some(2), Some(5), 2));
    assert_eq!(table.row(1).captions, ["c", "d", "e", "f", "g"]);
    assert_eq!(table.caption(0, 0), None);
}

#[test]
fn lines_are_counted_whatever_ends_them() {
    let row = "a.png,c,d,e,f,\"two\r\nlines\",\"[1, 1]\",\"[1, 1, 1]\",,";
    for (end, expected) in [("\n", [2, 4, 6]), ("\r\n", [2, 4, 6]), ("\r\n\r\n", [2, 5, 8]), ("\r", [2, 4, 6])] {
        let table = read(format!("{row}{end}{row}{end}{row}").as_bytes());
        assert_eq!([0, 1, 2].map(|row| table.line(row)), expected.map(Some), "{end:?}");
    }
}

#[test]
fn problems_of_a_row_are_named_and_the_other_rows_stay() {
    let table = read(
        b"a.png,c,d,e,f,g,\"[1, 1]\",\"[1, 1, 1]\",,\n\
          b.png,c,d,e,f,g,\"[1, 1, 1]\",\"[1, 1]\",,\n\
          ,c,d,e,f,g,oops,,,\n\
          d.png,c,d,e,, ,\"[1, 1]\",\"[1, 1, 1]\",,\n\
          e.png,c\xff,d,e,f,g,\"[1, 1]\",\"[1, 1, 1]\",,\n\
          f.png,c,d,e,f,g,\"[1, 1]\",\"[1, 1, 1]\",,,more\n\
          g.png,c\n\
          h.png,c,d,e,f,g,\"[1, 1]\",\"[1, 1, 1]\",,, ,\n",
    );
    assert_eq!(table.usable_rows().collect::<Vec<_>>(), [0, 7], "empty cells at the end are none");
    let found = problems(&table).join("\n");
    for expected in [
        "row 2 (line 3), column knowledge_masks: the mask has 2 entries, expected 3",
        "row 2 (line 3), column sub_caption_mask: the mask has 3 entries, expected 2",
        "row 3 (line 4), column filename: the image has no name",
        "row 3 (line 4), column knowledge_masks: no mask: expected a list of 0 and 1, found nothing",
        "row 3 (line 4), column sub_caption_mask: no mask: expected a list of 0 and 1 such as [1, 0], found \"oops\"",
        "row 4 (line 5), column subcaption_1: the caption is empty",
        "row 4 (line 5), column subcaption_2: the caption is empty",
        "row 5 (line 6), column truncated_caption: the cell is not UTF-8",
        "row 6 (line 7): the row has 11 fields, the header 10",
        "row 7 (line 8), column sub_caption_mask: no mask",
    ] {
        assert!(found.contains(expected), "{expected} is not in\n{found}");
    }
    assert_eq!(found.lines().filter(|line| line.starts_with("row 5 ")).count(), 1, "{found}");
    assert_eq!(table.row(4).captions[0], "nan");
}

#[test]
fn a_table_without_image_or_caption_is_an_error_with_the_columns_that_are_there() {
    let read =
        |text: &str| TrainingTable::from_bytes(text.as_bytes(), Path::new("t.csv"), &TableOptions::default());
    let error = read("\u{feff}filename,label\na.png,b\n").err().unwrap().to_string();
    assert!(error.contains("lacks the columns truncated_caption; it has filename, label;"), "{error}");
    assert!(matches!(read("filename,caption\n").err(), Some(TableError::Source(SourceError::NoRows { .. }))));
}

#[test]
fn columns_that_are_not_there_are_masked_and_captions_count_unless_empty() {
    let options = TableOptions { n_subcaptions: 2, ..TableOptions::default() };
    let masks = |text: &str| -> Vec<Vec<bool>> {
        let table = TrainingTable::from_bytes(text.as_bytes(), Path::new("t.csv"), &options).unwrap();
        assert_eq!(problems(&table), Vec::<String>::new(), "{text}");
        (0..table.len()).map(|row| table.mask(row).collect()).collect()
    };
    let (yes, no) = (true, false);
    assert_eq!(masks("image,caption\na.png,x\nb.png,\n"), [[yes, no, no, no, no], [no; 5]]);
    assert_eq!(masks("image,caption,ontology_caption\na.png,x,y\n"), [[yes, yes, no, no, no]]);
    // A mask counts for the columns that are there.
    assert_eq!(
        masks("image,caption,subcaption_1,knowledge_masks,sub_caption_mask\na.png,x,y,\"[1, 1, 1]\",[1]\n"),
        [[yes, no, no, yes, no]]
    );
    assert_eq!(masks("image,caption,subcaption_1\na.png,x,y\n"), [[yes, no, no, yes, no]]);
    assert_eq!(masks("image,caption,sub_caption_mask\na.png,x,[1]\n"), [[yes, no, no, no, no]]);
}

#[test]
fn images_of_tables_in_several_folders_are_those_beside_each_table() {
    let root = tempfile::tempdir().unwrap();
    for part in ["a", "b"] {
        std::fs::create_dir(root.path().join(part)).unwrap();
        std::fs::write(root.path().join(part).join("captions.csv"), format!("image,caption\n1.jpg,{part}\n"))
            .unwrap();
        std::fs::write(root.path().join(part).join("1.jpg"), part).unwrap();
    }
    let table = TrainingTable::read(&root.path().join("*/captions.csv"), &TableOptions::default()).unwrap();
    for row in 0..2 {
        let fields = table.row(row);
        assert_eq!(std::fs::read_to_string(table.image_root.join(fields.image)).unwrap(), fields.captions[0]);
    }
}

#[test]
fn a_table_may_be_json_lines() {
    let text = "{\"image\": \"a.png\", \"caption\": \"x\"}\n\noops\n{\"image\": \"b.png\", \"caption\": null}\n";
    let table = TrainingTable::from_bytes(text.as_bytes(), Path::new("t.jsonl"), &TableOptions::default()).unwrap();
    assert_eq!((table.len(), table.row(0).captions[0], table.line(2)), (3, "x", Some(4)));
    assert_eq!(table.usable_rows().collect::<Vec<_>>(), [0, 2]);
    assert!(problems(&table)[0].starts_with("row 2 (line 3): line 3 is no JSON object"), "{:?}", problems(&table));
}

#[test]
fn of_a_list_of_captions_the_first_counts() {
    let text = "{\"image\": \"a.png\", \"captions\": [\"x\", \"y\"]}\n{\"image\": \"b.png\", \"captions\": []}\n";
    let table = TrainingTable::from_bytes(text.as_bytes(), Path::new("t.jsonl"), &TableOptions::default()).unwrap();
    assert_eq!((table.caption(0, 0), table.caption(1, 0)), (Some("x"), None));
    assert_eq!((table.mask(0).next(), table.mask(1).next()), (Some(true), Some(false)));
}

#[test]
fn tables_are_read_as_spreadsheets_save_them() {
    let options = TableOptions { n_subcaptions: 0, ..TableOptions::default() };
    let comma = "filename,truncated_caption,ontology_caption,visual_concept_caption,knowledge_masks\n\
                 a.png,c,d,\"e\",\"[1, 1, 1]\"\n,,,,\n";
    let (semicolon, tab) = (comma.replace(',', ";").replace("[1; 1; 1]", "[1, 1, 1]"), comma.replace(',', "\t"));
    for text in [
        comma.replace("filename", "\u{feff}FileName "),
        semicolon.replace('\n', "\r\n"),
        format!("sep=;\r\n{semicolon}"),
        tab.replace("[1\t 1\t 1]", "[1, 1, 1]"),
        comma.replace('\n', "\r"),
    ] {
        let table = TrainingTable::from_bytes(text.as_bytes(), Path::new("t.csv"), &options).unwrap();
        assert_eq!((table.len(), problems(&table)), (1, Vec::new()), "{text}");
        assert_eq!(table.row(0).captions, ["c", "d", "e"]);
        assert_eq!(table.line(0), Some(if text.starts_with("sep") { 3 } else { 2 }));
    }
    let open = comma.replace("1]\"", "1]");
    let error = TrainingTable::from_bytes(open.as_bytes(), Path::new("t.csv"), &options).err().unwrap();
    assert!(matches!(error, TableError::Source(SourceError::OpenQuote { line: 2, .. })), "{error}");
    let wide: Vec<u8> = comma.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let error = TrainingTable::from_bytes(&wide, Path::new("t.csv"), &options).err().unwrap();
    assert!(format!("{:#}", anyhow::Error::from(error)).contains("UTF-16"));
}
