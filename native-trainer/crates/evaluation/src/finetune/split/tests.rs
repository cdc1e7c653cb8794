//! Parts that a column names, parts that are drawn, and why there are none.

use super::*;

fn table(text: &str) -> Table {
    Table::from_bytes(text.as_bytes(), Path::new("t.csv")).unwrap()
}

const OPTIONS: SplitOptions<'static> =
    SplitOptions { test_share: 0.2, validation_share: 0.25, group_column: None, seed: 0 };

/// The parts of all rows of a table, of one class.
fn parts_of(text: &str, options: &SplitOptions<'_>) -> Result<Parts> {
    let table = table(text);
    let rows: Vec<usize> = (0..table.n_rows()).collect();
    divided(&table, &rows, &vec![0; rows.len()], options)
}

fn error(text: &str, options: &SplitOptions<'_>) -> String {
    parts_of(text, options).unwrap_err().to_string()
}

#[test]
fn a_written_split_is_followed_and_a_missing_validation_drawn() {
    let table =
        table("image,split\na,train\nb,Train\nc,training\nd,train\ne,test\nf,train\ng,train\nh,train\ni,train\n");
    let rows: Vec<usize> = (0..9).collect();
    let parts = divided(&table, &rows, &[0, 0, 0, 0, 0, 1, 1, 1, 1], &OPTIONS).unwrap();
    assert_eq!(parts.test, [4]);
    // A quarter of each class.
    assert_eq!((parts.validation.len(), parts.train.len()), (2, 6));
    assert!(parts.validation[0] < 4 && parts.validation[1] > 4);
    assert_eq!(parts.notes, ["2 of 8 training rows, drawn at random, are the validation"]);
}

#[test]
fn data_that_name_no_test_have_one_of_their_training_rows() {
    let of = |validation: &str, group_column| {
        let part = |row: usize| if row < 8 { validation } else { "train" };
        let text: String = (0..40).map(|row| format!("{row}.jpg,p{},{}\n", row % 10, part(row))).collect();
        parts_of(&format!("image,patient,split\n{text}"), &SplitOptions { group_column, ..OPTIONS }).unwrap()
    };
    let found = of("train", None);
    assert_eq!((found.train.len(), found.validation.len(), found.test.len()), (24, 8, 8));
    let expected = "no row has the split test: 8 of 40 training rows, drawn at random, are the test";
    assert_eq!(found.notes[0], expected);
    let found = of("val", None);
    assert_eq!((found.validation, found.test.len()), ((0..8).collect(), 6));
    // Of patients that the validation has, none is drawn.
    let found = of("val", Some("patient"));
    assert_eq!((found.validation.len(), found.test), (8, vec![8, 9, 18, 19, 28, 29, 38, 39]));
    assert!(
        found.notes[0].ends_with("8 of 32 training rows, whole groups of patient drawn at random, are the test")
    );
}

#[test]
fn groups_stay_together() {
    let text: String = (0..40).map(|row| format!("{row}.jpg,p{}\n", row / 4)).collect();
    let text = format!("image,patient\n{text}");
    let options = SplitOptions { group_column: Some("patient"), ..OPTIONS };
    let found = parts_of(&text, &options).unwrap();
    assert_eq!((found.train.len(), found.validation.len(), found.test.len()), (24, 8, 8));
    for (name, part) in found.named() {
        assert!(part.chunks(4).all(|group| group.iter().all(|row| row / 4 == group[0] / 4)), "{name}: {part:?}");
    }
    assert_eq!(found, parts_of(&text, &options).unwrap());
}

#[test]
fn notes_say_how_many_rows_whole_groups_have() {
    // Three large groups beside single rows: 20 % of 40 is 8, and a group more may be drawn.
    let group = |row: usize| if row < 36 { row / 12 } else { row };
    let text: String = (0..40).map(|row| format!("{row}.jpg,p{}\n", group(row))).collect();
    let options = SplitOptions { group_column: Some("patient"), ..OPTIONS };
    let found = parts_of(&format!("image,patient\n{text}"), &options).unwrap();
    let n = found.test.len();
    assert!(n > 8, "{n} shows nothing");
    assert_eq!(found.notes[0], format!("{n} of 40 rows, whole groups of patient drawn at random, are the test"));
}

#[test]
fn rows_without_a_group_are_not_one_group() {
    let text: String = (0..40).map(|row| format!("{row}.jpg,\n")).collect();
    let options = SplitOptions { group_column: Some("patient"), ..OPTIONS };
    let found = parts_of(&format!("image,patient\n{text}"), &options).unwrap();
    assert_eq!((found.train.len(), found.validation.len(), found.test.len()), (24, 8, 8));
}

#[test]
fn a_group_in_two_written_parts_is_an_error_or_a_warning() {
    let options = SplitOptions { group_column: Some("patient"), ..OPTIONS };
    let text = "image,patient,split\na,p1,train\nb,p2,test\nc,p2,train\nd,p3,val\ne,,train\nf,,test\n";
    let expected = "1 rows of the training or the validation are of a group of the test";
    assert!(error(text, &options).starts_with(expected), "{}", error(text, &options));
    assert!(parts_of(text, &OPTIONS).is_ok());
    let text = "image,patient,split\na,p1,train\nb,p2,test\nc,p3,train\nd,p3,val\ne,,train\nf,,val\n";
    let notes = parts_of(text, &options).unwrap().notes;
    assert!(notes[0].starts_with("1 training rows have a patient that the validation has, too"), "{notes:?}");
    assert!(parts_of(text, &OPTIONS).unwrap().notes.is_empty());
}

#[test]
fn why_a_part_has_no_row_is_said() {
    let patients = |of: fn(usize) -> usize, n: usize| -> String {
        let rows: String = (0..n).map(|row| format!("{row}.jpg,p{}\n", of(row))).collect();
        format!("image,patient\n{rows}")
    };
    let grouped = |test_share| SplitOptions { group_column: Some("patient"), test_share, ..OPTIONS };
    let (ten, one, two) = (patients(|row| row, 10), patients(|_| 0, 10), patients(|row| row % 2, 10));
    for (text, options, expected) in [
        (
            "image,split\na,train\nb,later\n",
            &OPTIONS,
            "row 2 has the split \"later\", expected train, validation or",
        ),
        ("image,split\na,test\nb,val\n", &OPTIONS, "there is no training row: no row has the split train: t.csv"),
        (
            "image,split\na,train\nb,train\n",
            &OPTIONS,
            "there is no test row: 0.2 of 2 training rows is less than one row of each class; more rows are needed, or a \
             larger --test-share: t.csv",
        ),
        (
            "image,label\na,x\nb,x\n",
            &OPTIONS,
            "there is no test row: 0.2 of 2 rows is less than one row of each class",
        ),
        (
            &ten[..],
            &SplitOptions { test_share: 0.0, ..OPTIONS },
            "there is no test row: --test-share is 0, expected more, or rows with the split test",
        ),
        (
            &ten[..],
            &SplitOptions { validation_share: 0.0, ..OPTIONS },
            "there is no validation row: --validation-share is 0, expected more, or rows with the split validation",
        ),
        (
            &ten[..],
            &SplitOptions { test_share: 0.9, ..OPTIONS },
            "there is no validation row: 0.25 of 1 training rows is less than one row of each class; more rows are \
             needed, or a larger --validation-share or a smaller --test-share",
        ),
        (
            &ten[..],
            &SplitOptions { test_share: 1.0, ..OPTIONS },
            "there is no training row: all 10 rows are the test; more rows are needed, or a smaller --test-share",
        ),
        (
            &one[..],
            &grouped(0.2),
            "there is no training row: all 10 rows have one patient, and are the test; more are needed",
        ),
        (
            &two[..],
            &grouped(0.2),
            "there is no training row: all 5 training rows have one patient, and are the validation; more are needed",
        ),
        (
            &two[..],
            &grouped(0.9),
            "there is no training row: the 10 rows are of 2 groups of patient, and all are the test; more groups are \
             needed, or a smaller --test-share",
        ),
        (
            "image,patient,split\na,p1,train\nb,p1,train\nc,p1,val\n",
            &grouped(0.2),
            "there is no test row: every patient of the 2 training rows is in the validation, too; change the column \
             split, or leave out --group-column",
        ),
    ] {
        let found = error(text, options);
        assert!(found.starts_with(expected), "{found}\n{expected}");
    }
}
