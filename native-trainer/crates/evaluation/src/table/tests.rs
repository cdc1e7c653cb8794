//! Tables of benchmarks: columns, images, and rows that are refused.

use super::*;

#[test]
fn columns_are_found_whatever_their_case_and_cells_are_trimmed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    std::fs::write(&path, "\u{feff}FileName,label\na.png, 3 \n").unwrap();
    let table = Table::read(&path).unwrap();
    assert_eq!(table.column(&["image_path", "filename"]).unwrap(), 0);
    assert_eq!(table.cell(0, 1), "3");
    let err = table.column(&["sex", "gender"]).unwrap_err().to_string();
    assert!(err.contains("sex or gender") && err.contains("FileName, label"), "{err}");
    std::fs::write(&path, "filename\n").unwrap();
    assert!(Table::read(&path).is_err());
}

#[test]
fn images_are_looked_for_in_several_places_and_by_several_endings() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    std::fs::create_dir_all(&here).unwrap();
    std::fs::create_dir_all(&there).unwrap();
    std::fs::write(there.join("b.JPG"), "").unwrap();
    let path = folder.path().join("t.csv");
    std::fs::write(&path, "ImageID\na\nb\n").unwrap();
    let table = Table::read(&path).unwrap();
    let images = table.images(Some(0), &[0, 1], &[here, there.clone()]).unwrap();
    assert_eq!(images[1].path, there.join("b.JPG"));
    assert_eq!(images[0].path, there.join("a"), "what is missing is named as written");
}

#[test]
fn a_caption_may_be_a_list() {
    let table = table(b"{\"image\": \"a\", \"captions\": [\" a mole \", \"a wart\"]}\n").unwrap();
    let column = table.column(&["captions"]).unwrap();
    assert_eq!(table.caption(0, column), "a mole");
    assert!(table.several_captions_note(column).unwrap().starts_with("1 of 1 rows"));
}

#[test]
fn a_row_without_an_image_is_named_by_its_place() {
    let table = table(b"filename,label\na.png,1\n,2\n").unwrap();
    let images = table.images(Some(0), &[0, 1], &[]).unwrap();
    assert_eq!((images[1].path.as_path(), images[1].place().as_str()), (Path::new(""), "row 2 (line 3) of t.csv"));
    assert!(dermake_pictures::read(&images[1].path).unwrap_err().to_string().contains("there is no image"));
}

fn table(text: &[u8]) -> Result<Table> {
    Table::from_bytes(text, Path::new("t.csv"))
}

#[test]
fn tables_are_read_as_spreadsheets_save_them() {
    for text in [
        &b"\xEF\xBB\xBFfilename;label\r\na.png;3\r\n;\r\n;\r\n"[..],
        b"sep=;\r\nfilename;label\r\na.png;3\r\n",
        b"filename\tlabel\na.png\t3\n",
        b" FileName , LABEL\ra.png,3\r",
        b"\"filename\",\"label\"\n\"a.png\",\"3\"\n\n\n",
        b"sep=\t\nfilename\tlabel\na.png\t3\n",
        b"filename;label;age, years\na.png;3;20\n",
        b"\nfilename;label\na.png;3\n",
        b"filename,label\na.png,3,\n",
        b"filename,label,\na.png,3, ,\n",
        b"filename,label\na.png,3\n\x1a",
        b" \"FileName \" ; \"LABEL\"\n \"a.png\";\"3\"\n",
    ] {
        let table = table(text).unwrap();
        assert_eq!(table.n_rows(), 1, "{}", String::from_utf8_lossy(text));
        assert_eq!(table.cell(0, table.image_column(None).unwrap().unwrap()), "a.png");
        assert_eq!(table.cell(0, table.column(&["label"]).unwrap()), "3");
    }
}

#[test]
fn rows_that_cannot_be_what_is_meant_are_named() {
    let error = |text: &[u8]| format!("{:#}", table(text).err().unwrap());
    assert!(
        error(b"filename,label\na.png,1\nb.png,2,3\n")
            .contains("row 2 (line 3) of t.csv: the row has 3 cells, the header 2")
    );
    assert!(
        error(b"filename,label\na.png,\"1\nb.png,2\nc.png,3\n")
            .contains("quotation mark of row 1 (line 2) is never closed")
    );
    for (table, expected) in [
        (
            &b"filename,label\na.png,1\nb.png,2\nc.png,3\nd.png,\"4\ne.png,5\n"[..],
            "mark of row 4 (line 5) is never closed",
        ),
        (b"filename,label\na.png,1\n\"b.png,2\nc.png,3\n", "mark of row 2 (line 3) is never closed"),
        (b"filename,label\n\"a.png,1\nb.png\",2,3\n", "it spans several lines"),
        (b"Our photos\nfilename,label\na.png,1\n", "if the first line is a title, remove it"),
        (b"filename,label\n# more\na.png,1\n", "a table has no remarks"),
        (b"filename,label\na.png\n", "the row has 1 cells, the header 2; cells are missing"),
        (b"filename;label\na.png;1;2\n", "cells with a semicolon need quotation marks"),
    ] {
        assert!(error(table).contains(expected), "{expected}: {}", error(table));
    }
    assert!(error(b"PK\x03\x04").contains("Excel workbook"));
    let other = table(b"filename,label,note\na.png,1,B\xE4r\nb.png,\xE4,x\n").unwrap();
    assert!(other.column(&["filename"]).is_ok());
    assert!(other.column(&["label"]).unwrap_err().to_string().contains("row 2 has a label that is not UTF-8"));
}

#[test]
fn a_column_of_images_is_known_or_named() {
    let photo = table(b"Photo,label\na.png,1\n").unwrap();
    assert!(
        photo.image_column(None).unwrap_err().to_string().contains("image_column names another in benchmarks.toml")
    );
    assert_eq!(photo.image_column(Some("photo")).unwrap(), Some(0));
    assert_eq!(table(b"label,Image\n1,a.png\n").unwrap().image_column(None).unwrap(), Some(1));
}

#[test]
fn a_name_that_fits_two_files_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["A.png", "a.PNG"] {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    let table = table(b"filename\na.png\n").unwrap();
    let message = format!("{:#}", table.images(Some(0), &[0], &[folder.path().into()]).unwrap_err());
    assert!(message.contains("row 1 of t.csv") && message.contains("A.png, a.PNG"), "{message}");
}
