//! Folders and tables of one's own, read from real files.

use super::*;
use crate::labeled::{Columns, LabeledImages};
use std::fs;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn error(path: &Path, columns: &OwnColumns<'_>) -> String {
    format!("{:#}", benchmarks(path, columns, 0.01).unwrap_err())
}

#[test]
fn folders_are_classes_and_their_spellings_are_one() {
    let root = folder(&[("Acne/a.jpg", ""), ("acne/b.jpg", ""), ("nevus/c.jpg", "")]);
    let found = benchmarks(root.path(), &OwnColumns::default(), 0.01).unwrap();
    let Task::Classification { classes: Classes::Names(names), label_column, .. } = &found[0].task else {
        panic!()
    };
    assert_eq!((names.as_slice(), label_column.as_str()), (&["Acne".to_owned(), "nevus".to_owned()][..], "label"));
    assert_eq!((found.len(), found[0].own.as_ref().unwrap().rows.len()), (1, 3));
}

#[test]
fn labels_and_captions_of_a_table_are_both_measured_unless_one_is_named() {
    let root = folder(&[("t.csv", "image,dx,caption,split\na,acne,x,train\nb,nevus,y,test\nc,acne,z,test\n")]);
    let path = root.path().join("t.csv");
    let keys = |columns: &OwnColumns<'_>| {
        let found = benchmarks(&path, columns, 0.01).unwrap();
        found.iter().map(|found| (found.key.clone(), found.own.as_ref().unwrap().rows.len())).collect::<Vec<_>>()
    };
    assert_eq!(keys(&OwnColumns::default()), [("own".into(), 3), ("own_retrieval".into(), 3)]);
    assert_eq!(keys(&OwnColumns { caption: Some("caption"), ..OwnColumns::default() })[0].0, "own_retrieval");
    assert_eq!(
        keys(&OwnColumns { split: Some("Test"), label: Some("dx"), ..OwnColumns::default() }),
        [("own".into(), 2)]
    );
    let split = error(&path, &OwnColumns { split: Some("val"), ..OwnColumns::default() });
    assert!(split.contains("there are test (2 rows), train (1 rows)"), "{split}");
}

#[test]
fn a_part_is_found_under_each_of_its_usual_names() {
    let root =
        folder(&[("t.csv", "image,dx,split\na,acne,val\nb,nevus,Valid\nc,wart,dev\nd,acne,train\ne,acne,val2\n")]);
    let n_rows = |split: &'static str| {
        let columns =
            OwnColumns { split: Some(split), classes: Some("acne, nevus, wart"), ..OwnColumns::default() };
        benchmarks(&root.path().join("t.csv"), &columns, 0.0).unwrap()[0].own.as_ref().unwrap().rows.len()
    };
    let expected = [("validation", 3), ("dev", 3), ("training", 1), ("val2", 1)];
    assert_eq!(expected.map(|(split, _)| (split, n_rows(split))), expected);
}

#[test]
fn words_for_a_missing_value_are_no_classes_unless_a_class_has_this_name() {
    let root = folder(&[("t.csv", "image,label\na,acne\nb,NA\nc,none\nd,nan\ne, NA \n")]);
    let path = root.path().join("t.csv");
    let classes = |columns: &OwnColumns<'_>| {
        let found = benchmarks(&path, columns, 0.9).unwrap().remove(0);
        let Task::Classification { classes: Classes::Names(names), .. } = found.task else { panic!() };
        let own = found.own.unwrap();
        (names.join(" "), own.rows, own.notes.concat())
    };
    let (names, rows, notes) = classes(&OwnColumns::default());
    assert_eq!((names.as_str(), rows), ("acne none", vec![0, 2]));
    assert!(
        notes.starts_with("3 rows without a label (2 say NA, 1 says nan) are left out, the first is"),
        "{notes}"
    );
    let (names, rows, notes) = classes(&OwnColumns { classes: Some("acne, NA, none"), ..OwnColumns::default() });
    assert_eq!((names.as_str(), rows), ("acne NA none", vec![0, 1, 2, 4]));
    assert!(notes.starts_with("1 rows without a label (1 says nan)"), "{notes}");

    let message = error(&path, &OwnColumns::default());
    assert!(message.contains("its label is NA, which counts as none; if NA is the name of a class"), "{message}");
    let folders = folder(&[("NA/a.jpg", ""), ("acne/b.jpg", "")]);
    assert_eq!(
        benchmarks(folders.path(), &OwnColumns::default(), 0.01).unwrap()[0].own.as_ref().unwrap().rows.len(),
        2
    );
}

#[test]
fn what_cannot_be_classes_is_said_with_a_next_step() {
    let table = |text: &str| folder(&[("t.csv", text)]);
    let default = OwnColumns::default();
    for (text, columns, expected) in [
        ("image,label\na,0\nb,1\n", default, "name the classes in the order of their numbers"),
        ("image,label\na,acne\nb,acne\n", default, "every row has the same label, acne"),
        ("image,label\na,acne\nb,\n", default, "1 of 2 rows have no label (50.0 %"),
        ("image,kind\na,acne\nb,nevus\n", default, "(image, kind)"),
        ("photo,label\na,acne\n", default, "--image-column"),
        ("image,label\na,acne\n", OwnColumns { label: Some("dx"), ..default }, "there is no column dx"),
    ] {
        let message = error(&table(text).path().join("t.csv"), &columns);
        assert!(message.contains(expected), "{message}");
    }
    let names: String = (0..30).map(|row| format!("{row}.jpg,name {row}\n")).collect();
    let message = error(&table(&format!("image,label\n{names}")).path().join("t.csv"), &default);
    assert!(message.contains("30 different texts in 30 rows"), "{message}");
    assert!(error(Path::new("none"), &default).contains("--data photos"));
    let numbers = table("image,label\na,0\nb,1\n");
    let named = OwnColumns { classes: Some("acne, nevus"), ..default };
    assert_eq!(benchmarks(&numbers.path().join("t.csv"), &named, 0.01).unwrap().len(), 1);
}

#[test]
fn images_of_a_table_may_be_in_a_folder_of_their_own() {
    let root = folder(&[
        ("tables/t.csv", "image,dx\na,acne\nb,nevus\n"),
        ("photos/a.jpg", ""),
        ("photos/b.jpg", ""),
        ("classes/acne/c.jpg", ""),
    ]);
    let (path, photos) = (root.path().join("tables/t.csv"), root.path().join("photos"));
    let columns = OwnColumns { images: Some(&photos), ..OwnColumns::default() };
    let LabeledData { table, label_column, class_list, .. } =
        labeled(&path, &columns, 0.0, LabeledRows::All).unwrap();
    let columns = Columns { label: &label_column, image: None };
    let images = LabeledImages::of_rows(&table, table.rows(), &columns, &class_list, root.path()).unwrap();
    let found: Vec<&Path> = images.files.iter().map(|file| file.path.as_path()).collect();
    assert_eq!(found, [photos.join("a.jpg"), photos.join("b.jpg")]);
    for (data, images, expected) in [
        (&path, root.path().join("none"), "--images names no folder"),
        (&root.path().join("classes"), photos.clone(), "--images is for tables that name their images"),
    ] {
        let message = error(data, &OwnColumns { images: Some(&images), ..OwnColumns::default() });
        assert!(message.contains(expected), "{message}");
    }
}

/// Images with a row of 0 and 1 for MEL, NV, BCC, AKIEC, BKL, DF, VASC and UNK.
fn isic(rows: &str) -> tempfile::TempDir {
    folder(&[("isic.csv", &format!("image,MEL,NV,BCC,AKIEC,BKL,DF,VASC,UNK\n{rows}"))])
}

#[test]
fn a_column_for_each_class_is_one_label_a_row() {
    let root = isic("a,1.0,0,0,0,0,0,0,0\nb,0,true,0,0,0,0,0,0\nc,0,0,0,1,0,0,0,0\n");
    let path = root.path().join("isic.csv");
    let columns = OwnColumns::default();
    let LabeledData { benchmark, table, label_column, class_list } =
        labeled(&path, &columns, 0.0, LabeledRows::All).unwrap();
    assert_eq!(
        class_list.class_names.join(", "),
        "melanoma, nevus, basal cell carcinoma, actinic keratosis, benign keratosis, dermatofibroma, vascular lesion"
    );
    let notes = benchmark.notes().join("\n");
    for expected in [
        "the labels are columns: MEL, NV, BCC, AKIEC, BKL, DF, VASC; UNK is 0 in every row and left out",
        "short names are read as labels: AKIEC is actinic keratosis, MEL is melanoma, NV is nevus",
    ] {
        assert!(notes.contains(expected), "{notes}");
    }
    let read = |classes: &LabelSet| {
        let columns = Columns { label: &label_column, image: None };
        LabeledImages::of_rows(&table, table.rows(), &columns, classes, root.path()).map(|images| images.labels)
    };
    assert_eq!(read(&class_list).unwrap(), [0, 1, 3]);
    assert_eq!(read(&LabelSet::find("pad").unwrap()).unwrap(), [5, 0, 2], "a built-in set has these labels");
    let f17k = LabelSet::find("f17k").unwrap();
    assert_eq!(f17k.class_names[read(&f17k).unwrap()[1]], "nevocytic nevus");
    let message = read(&LabelSet::from_class_names(vec!["nevus".into(), "acne".into()]).unwrap()).unwrap_err();
    assert!(message.to_string().contains("row 1 has label \"MEL\", row 3 has label \"AKIEC\""), "{message}");
}

#[test]
fn rows_of_no_class_or_several_are_counted_and_named() {
    let root = isic("a,1,0,0,0,0,0,0,0\nb,0,1,0,0,0,0,0,0\nc,0,0,0,0,0,0,0,0\nd,1,1,0,0,0,0,0,0\n");
    let path = root.path().join("isic.csv");
    let message = error(&path, &OwnColumns::default());
    assert!(message.contains("2 of 4 rows have no label (50.0 %"), "{message}");
    assert!(message.contains("none of the columns of classes is 1 (MEL, NV"), "{message}");
    let found = benchmarks(&path, &OwnColumns::default(), 0.5).unwrap().remove(0).own.unwrap();
    assert_eq!(found.rows, [0, 1]);
    let notes = found.notes.join("\n");
    assert!(notes.contains("2 rows without a label are left out, the first is row 3 (line 4)"), "{notes}");
    assert!(notes.contains(": none of the columns of classes is 1 (MEL"), "{notes}");
}

#[test]
fn short_names_in_a_column_of_labels_stand_for_labels() {
    let root = folder(&[("t.csv", "image,dx\na,mel\nb,nv\nc,mel\n")]);
    let found = benchmarks(&root.path().join("t.csv"), &OwnColumns::default(), 0.0).unwrap().remove(0);
    let Task::Classification { classes: Classes::Names(names), .. } = &found.task else { panic!() };
    assert_eq!(names.join(", "), "melanoma, nevus");
    assert_eq!(found.own.unwrap().notes, ["short names are read as labels: mel is melanoma, nv is nevus"]);
}
