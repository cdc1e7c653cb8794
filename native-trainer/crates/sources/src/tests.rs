//! Data sets as people keep them, read from real files.

mod packed;

use super::{Dataset, Form};
use dermake_files::absent::NO_FILE;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The bytes of a picture.
fn picture() -> &'static [u8] {
    shared_model::demo::SAMPLES[0].1
}

/// A folder of files; a content of `@` is a picture.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, if *content == "@" { picture() } else { content.as_bytes() }).unwrap();
    }
    folder
}

fn read(path: &Path) -> Dataset {
    Dataset::read(path).unwrap_or_else(|err| panic!("{:#}", anyhow::Error::from(err)))
}

fn error(path: &Path) -> String {
    Dataset::read(path)
        .err()
        .map_or_else(|| panic!("{} was read", path.display()), |err| format!("{:#}", anyhow::Error::from(err)))
}

fn column(data: &Dataset, name: &str) -> Vec<String> {
    let column = data.column(name).unwrap();
    (0..data.len()).map(|row| data.cell(row, column).to_owned()).collect()
}

/// The bytes of every row's image, or why it has none.
fn images(data: &Dataset) -> Vec<Result<Vec<u8>, String>> {
    let images = data.images(data.image_column(None).unwrap(), None);
    (0..data.len())
        .map(|row| images.get(row).map_err(|err| err.to_string())?.read().map_err(|err| err.to_string()))
        .collect()
}

#[test]
fn a_folder_of_classes_gives_labels_and_what_is_left_out_is_named() {
    let root = folder(&[
        ("acne/a.jpg", "@"),
        ("acne/deep/b.jpg", "@"),
        ("Basal cell carcinoma/c.PNG", "@"),
        ("acne/._a.jpg", "x"),
        (".DS_Store", "x"),
        ("notes.md", "x"),
        ("stray.jpg", "@"),
    ]);
    let data = read(root.path());
    assert_eq!((data.form(), data.len()), (Form::ClassFolders, 4));
    assert_eq!(column(&data, "label"), ["Basal cell carcinoma", "acne", "acne", ""]);
    assert!(images(&data).iter().all(|image| image.as_deref() == Ok(picture())));
    let notes = data.notes().join("\n");
    assert!(notes.contains("1 of 4 images are in no folder of a class"), "{notes}");
    assert!(notes.contains("1 other file is not read: notes.md"), "{notes}");
    assert!(data.description().starts_with("4 images from the folders in "), "{}", data.description());
    assert!(data.origin(1).to_string().ends_with("a.jpg"));
}

#[test]
fn files_beside_classes_that_are_no_table_of_images_are_noted() {
    let classes = ["acne/a.jpg", "nevus/b.jpg"].map(|name| (name, "@"));
    for files in [
        &[("classes.json", r#"["acne", "nevus"]"#)][..],
        &[("class_indices.json", "{\n \"0\": \"acne\",\n \"1\": \"nevus\"\n}\n")],
        &[("results.csv", "")],
        &[("classes.json", r#"["acne"]"#), ("results.csv", "epoch,loss\n1,0.5\n")],
    ] {
        let root = folder(&[&classes[..], files].concat());
        let data = read(root.path());
        assert_eq!(column(&data, "label"), ["acne", "nevus"], "{files:?}");
        assert!(
            data.notes()[0].contains("not read: ") && data.notes()[0].contains(files[0].0),
            "{:?}",
            data.notes()
        );
        let no_classes = folder(&[&[("images/a.jpg", "@")][..], files].concat());
        assert!(Dataset::read(no_classes.path()).is_err(), "without classes it may be meant: {files:?}");
    }
    let damaged = folder(&[&classes[..], &[("captions.csv", "image,caption\na.jpg,\"x\nb.jpg,y\n")]].concat());
    assert!(error(damaged.path()).contains("never closed"), "a table is not passed over");
    let meant = [("a.csv", "image,caption\nacne/a.jpg,x\n"), ("b.csv", "image,caption\nnevus/b.jpg,y\n")];
    assert!(error(folder(&[&classes[..], &meant].concat()).path()).contains("2 tables, name one of them"));
}

#[test]
fn reports_below_the_data_are_no_data() {
    let report = r#"{"format": "dermake-results/1"}"#;
    let root = folder(&[
        ("acne/a.jpg", "@"),
        ("nevus/b.jpg", "@"),
        ("nevus/out/results.json", report),
        ("nevus/out/figures/own.png", "@"),
        ("report/results.json", report),
        ("report/figures/own.png", "@"),
        ("report/features.parquet", "a table of features"),
        ("run/plan.toml", ""),
        ("run/metrics.jsonl", ""),
        ("run/curves.png", "@"),
    ]);
    let data = read(root.path());
    assert_eq!(column(&data, "label"), ["acne", "nevus"]);
    let notes = data.notes().join("\n");
    for results in ["nevus/out", "report", "run"] {
        let note = format!(
            "has results that dermake has written, and is not read: {}",
            root.path().join(results).display()
        );
        assert!(notes.contains(&note), "{notes}");
    }
    // One that is named itself is read.
    assert_eq!(read(&root.path().join("nevus/out")).len(), 1);
}

#[test]
fn parts_of_the_data_are_a_column_and_folders_that_say_nothing_are_none() {
    let root = folder(&[("images/train/acne/a.jpg", "@"), ("images/test/acne/b.jpg", "@")]);
    let data = read(root.path());
    assert_eq!(
        (column(&data, "split"), column(&data, "label")),
        (vec!["test".to_owned(), "train".to_owned()], vec!["acne".to_owned(), "acne".to_owned()])
    );
}

#[test]
fn text_files_beside_images_are_captions_and_columns() {
    let root = folder(&[
        ("a.jpg", "@"),
        ("a.txt", "\u{feff}a mole \r\n"),
        ("b.jpg", "@"),
        ("b.json", r#"{"caption": "a wart", "age": 30}"#),
        ("c.jpg", "@"),
        ("d.jpg", "@"),
        ("d.jpg.json", "[1]"),
        ("lost.txt", "x"),
    ]);
    let data = read(root.path());
    assert_eq!(
        (data.form(), column(&data, "caption")),
        (Form::Pictures, ["a mole", "a wart", "", ""].map(str::to_owned).into())
    );
    assert_eq!(column(&data, "age"), ["", "30", "", ""]);
    assert_eq!(data.problems().len(), 1);
    assert!(data.problems()[0].row == 3 && data.problems()[0].fault.to_string().contains("expected a JSON object"));
    let notes = data.notes().join("\n");
    assert!(notes.contains("1 of 4 images have no text file") && notes.contains("not read: lost.txt"), "{notes}");
}

#[test]
fn tables_of_every_kind_give_the_same_rows() {
    let root = folder(&[
        ("x/a.jpg", "@"),
        ("c.csv", "\u{feff}Image Path,Caption\r\nx/a.jpg,\"one, two\"\r\n,\r\nx/none.jpg,\r\n"),
        ("s.csv", "sep=;\nImage Path;Caption\nx/a.jpg;one, two\nx/none.jpg;\n"),
        ("t.tsv", "Image Path\tCaption\nx/a.jpg\tone, two\nx/none.jpg\t\n"),
        (
            "l.jsonl",
            "{\"Image Path\": \"x/a.jpg\", \"Caption\": \"one, two\"}\n{\"Image Path\": \"x/none.jpg\", \"n\": NaN}\n",
        ),
        (
            "l.json",
            "[{\"Image Path\": \"x/a.jpg\", \"Caption\": \"one, two\"},\n {\"Image Path\": \"x/none.jpg\"}]",
        ),
    ]);
    for (name, origin) in [
        ("c.csv", "row 2 (line 4) of"),
        ("s.csv", "row 2 (line 4) of"),
        ("t.tsv", "row 2 (line 3) of"),
        ("l.jsonl", "row 2 (line 2) of"),
        ("l.json", "row 2 of"),
    ] {
        let data = read(&root.path().join(name));
        let caption = data.caption_column(None).unwrap();
        assert_eq!((data.cell(0, caption), data.cell(1, caption)), ("one, two", ""), "{name}");
        let images = images(&data);
        assert_eq!(images[0].as_deref(), Ok(picture()), "{name}");
        assert!(images[1].as_ref().unwrap_err().contains(NO_FILE), "{name}: {images:?}");
        assert!(data.origin(1).to_string().starts_with(origin), "{}", data.origin(1));
        assert!(data.problems().is_empty(), "{name}");
        assert!(data.label_column(None).unwrap_err().to_string().contains("--label-column"));
    }
    let zipped = root.path().join("z.csv.gz");
    let mut encoder =
        flate2::write::GzEncoder::new(fs::File::create(&zipped).unwrap(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, b"image,caption\nx/a.jpg,one\n").unwrap();
    encoder.finish().unwrap();
    assert_eq!(column(&read(&zipped), "caption"), ["one"]);
    let alone = tempfile::tempdir().unwrap();
    fs::copy(&zipped, alone.path().join("rows.v2.csv.gz")).unwrap();
    assert_eq!(column(&read(alone.path()), "caption"), ["one"]);
}

#[test]
fn faults_of_rows_are_problems_and_the_rows_stay() {
    let data = |text: &[u8]| Dataset::of_bytes(text, Path::new("t.csv")).unwrap();
    let table = data(b"image,label\na.jpg,1,x\nb.jpg\nc.jpg,\xff\nd.jpg,2,\n");
    let faults: Vec<(usize, String)> =
        table.problems().iter().map(|problem| (problem.row, problem.fault.to_string())).collect();
    assert_eq!(table.len(), 4);
    for (row, expected) in [
        (0, "3 cells, the header 2; cells with a comma need quotation marks"),
        (1, "1 cells, the header 2; cells are missing"),
        (2, "cell 2 is not UTF-8"),
    ] {
        assert!(faults.iter().any(|(at, fault)| *at == row && fault.contains(expected)), "{faults:?}");
    }
    assert_eq!(faults.len(), 3, "{faults:?}");
    let lines = data(b"{\"image\": \"a\"}\nnot json\n{\"image\": \"b\"}\n");
    assert_eq!((lines.len(), lines.problems()[0].row), (3, 1));
    for (text, expected) in [
        (&b"image,caption\na,\"b\nc,d\n"[..], "a quotation mark of row 1 (line 2) is never closed"),
        (b"image,caption\n", "no rows"),
        (b"", "no rows"),
        (b"{\"a\": \n 1}", "line 1 is no JSON object"),
        (b"[1, 2]", "a list of objects"),
        (b"PK\x03\x04", "Excel workbook"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "this is a picture"),
    ] {
        let error = Dataset::of_bytes(text, Path::new("t.csv")).err().unwrap();
        let error = format!("{:#}", anyhow::Error::from(error));
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_folder_with_a_table_is_that_table() {
    let root = folder(&[
        ("metadata.jsonl", "{\"file_name\": \"a.jpg\", \"text\": \"one\"}\n"),
        ("a.jpg", "@"),
        ("b.jpg", "@"),
    ]);
    let data = read(root.path());
    assert_eq!((column(&data, "text"), data.form()), (vec!["one".to_owned()], Form::Json));
    assert_eq!(images(&data), [Ok(picture().to_vec())]);
    assert!(data.notes()[0].contains("1 images of the folder are not in its metadata"), "{:?}", data.notes());

    let parts = folder(&[
        ("train/metadata.csv", "file_name,text\na.jpg,one\n"),
        ("train/a.jpg", "@"),
        ("test/metadata.csv", "file_name,text\nb.jpg,two\n"),
        ("test/b.jpg", "@"),
    ]);
    let data = read(parts.path());
    assert_eq!(images(&data).iter().filter(|image| image.is_ok()).count(), 2);
    assert_eq!(column(&data, "split"), ["test", "train"]);

    // The folder that all files are in names no part.
    let dev = folder(&[("dev/a.csv", "image,label\na.jpg,x\n"), ("dev/b.csv", "image,label\nb.jpg,y\n")]);
    let data = Dataset::read(&dev.path().join("dev/*.csv")).unwrap();
    assert!(data.column("split").is_err() && data.len() == 2);

    let splits = folder(&[("train.csv", "image,label\na.jpg,x\n"), ("test.csv", "image,label\nb.jpg,y\n")]);
    assert_eq!(column(&read(splits.path()), "split"), ["test", "train"]);
    fs::write(splits.path().join("more.csv"), "image,label\n").unwrap();
    assert!(error(splits.path()).contains("3 tables, name one of them (more.csv, test.csv, train.csv)"));
    assert!(error(folder(&[("x.pdf", "%PDF")]).path()).contains("no image and no table"));
    assert!(error(Path::new("no/such/place")).contains("there is no such file or folder"));
}

#[test]
fn a_column_that_is_there_twice_is_named() {
    let data = Dataset::of_bytes(b"image,label,label,,\na.png,nevus,x,,\n", Path::new("t.csv")).unwrap();
    assert_eq!(column(&data, "label"), ["nevus"]);
    assert_eq!(data.notes(), ["the column label is there more than once; the first is read: t.csv"]);

    // The first is read in a second file, too.
    let parts = folder(&[
        ("train/metadata.csv", "file_name,text,text\na.jpg,one,x\n"),
        ("train/a.jpg", "@"),
        ("test/metadata.csv", "file_name,text,text\nb.jpg,two,x\n"),
        ("test/b.jpg", "@"),
    ]);
    let data = read(parts.path());
    let texts: BTreeSet<String> = column(&data, "text").into_iter().collect();
    assert_eq!(texts, ["one", "two"].map(String::from).into());
}
