//! The parts of labeled data: training, validation and test.

use crate::table::Table;
use anyhow::{Context, Result, bail, ensure};
use dermake_sources::columns::{SPLIT_COLUMN, TEST, TRAIN, VALIDATION, split_of};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, HashSet};

/// How rows without a part are divided.
pub struct SplitOptions<'a> {
    /// Share of the training rows for the test, if the data have no such part: without parts, of all rows.
    pub test_share: f64,
    /// Share of the other rows for the validation, if the data have no such part.
    pub validation_share: f64,
    /// A column whose values stay together, such as the patient.
    pub group_column: Option<&'a str>,
    pub seed: u64,
}

/// Places among the rows that were given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parts {
    pub train: Vec<usize>,
    pub validation: Vec<usize>,
    pub test: Vec<usize>,
    /// How they came about, in words.
    pub notes: Vec<String>,
}

/// Divides rows of a table, with a label for each, by its column `split` or at random.
///
/// # Errors
/// When a part would have no row, or the column of groups is missing.
pub fn parts(table: &Table, rows: &[usize], labels: &[usize], options: &SplitOptions<'_>) -> Result<Parts> {
    let groups = options.group_column.map(|name| table.column(&[name])).transpose()?;
    // A row without a group is one of its own.
    let group = |place: usize| match groups.map(|column| table.cell(rows[place], column).trim()) {
        Some(name) if !name.is_empty() => format!("group {name}"),
        _ => format!("row {place}"),
    };
    let is_written = |&column: &usize| rows.iter().any(|&row| !table.cell(row, column).is_empty());
    let column = table.find_column(&[SPLIT_COLUMN]).filter(is_written);
    let mut parts = match column {
        Some(column) => written(table, rows, column)?,
        None => Parts { train: (0..rows.len()).collect(), ..Parts::default() },
    };
    // Groups that others have stay there.
    let divide = |from: &mut Vec<usize>, others: &[usize], share: f64| -> Vec<usize> {
        let of_others: HashSet<String> = others.iter().map(|&place| group(place)).collect();
        let free: Vec<usize> = from.iter().copied().filter(|&place| !of_others.contains(&group(place))).collect();
        let share = share * from.len() as f64 / free.len().max(1) as f64;
        let taken = drawn(&free, labels, share, groups.is_some(), &group, options.seed);
        from.retain(|place| taken.binary_search(place).is_err());
        taken
    };
    if parts.test.is_empty() {
        parts.test = divide(&mut parts.train, &parts.validation, options.test_share);
        let percent = 100.0 * options.test_share;
        parts.notes.push(match column {
            None => format!("{percent:.0} % of the rows, drawn at random, are the test"),
            Some(_) => format!(
                "no row has the {SPLIT_COLUMN} test: {percent:.0} % of the training rows, drawn at random, are the test"
            ),
        });
    }
    if parts.validation.is_empty() {
        parts.validation = divide(&mut parts.train, &[], options.validation_share);
        let percent = 100.0 * options.validation_share;
        parts.notes.push(format!("{percent:.0} % of the training rows, drawn at random, are the validation"));
    }
    if groups.is_some() {
        let of_test: HashSet<String> = parts.test.iter().map(|&place| group(place)).collect();
        let n_shared =
            parts.train.iter().chain(&parts.validation).filter(|&&place| of_test.contains(&group(place))).count();
        ensure!(
            n_shared == 0,
            "{n_shared} rows of the training or the validation are of a group of the test; change the column \
             {SPLIT_COLUMN}, or leave out --group-column: {}",
            table.path.display()
        );
    }
    for (name, part) in [("training", &parts.train), ("validation", &parts.validation), ("test", &parts.test)] {
        ensure!(!part.is_empty(), "there is no {name} row; more rows are needed: {}", table.path.display());
    }
    Ok(parts)
}

/// The parts that a column names.
fn written(table: &Table, rows: &[usize], column: usize) -> Result<Parts> {
    let mut parts = Parts::default();
    for (place, &row) in rows.iter().enumerate() {
        let part = match split_of(table.cell(row, column)) {
            Some(TRAIN) => &mut parts.train,
            Some(VALIDATION) => &mut parts.validation,
            Some(TEST) => &mut parts.test,
            _ => bail!(
                "row {} has the {SPLIT_COLUMN} {:?}, expected train, validation or test: {}",
                row + 1,
                table.cell(row, column),
                table.path.display()
            ),
        };
        part.push(place);
    }
    Ok(parts)
}

/// A share of some places, ascending: of each class the same share, or whole groups until the share is reached.
fn drawn(
    from: &[usize],
    labels: &[usize],
    share: f64,
    has_groups: bool,
    group: &impl Fn(usize) -> String,
    seed: u64,
) -> Vec<usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut together: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let key = |place: usize| if has_groups { group(place) } else { format!("class {:09}", labels[place]) };
    from.iter().for_each(|&place| together.entry(key(place)).or_default().push(place));
    let mut taken = Vec::new();
    if has_groups {
        let mut groups: Vec<Vec<usize>> = together.into_values().collect();
        groups.shuffle(&mut rng);
        let n = (share * from.len() as f64).round() as usize;
        for group in groups {
            if taken.len() >= n {
                break;
            }
            taken.extend(group);
        }
    } else {
        for mut places in together.into_values() {
            places.shuffle(&mut rng);
            let n = (share * places.len() as f64).round() as usize;
            taken.extend(&places[..n.min(places.len())]);
        }
    }
    taken.sort_unstable();
    taken
}

/// Takes out of the training what is in the validation or the test by the content of its file, and out of the validation
/// what is in the test.
pub fn without_copies(parts: &mut Parts, content: impl Fn(usize) -> Option<String>) -> Result<()> {
    let contents =
        |places: &[usize]| places.iter().filter_map(|&place| content(place)).collect::<HashSet<String>>();
    let mut others = contents(&parts.test);
    let mut n_left_out = 0;
    let mut keep = |places: &mut Vec<usize>, others: &HashSet<String>| {
        let before = places.len();
        places.retain(|&place| content(place).is_none_or(|content| !others.contains(&content)));
        n_left_out += before - places.len();
    };
    keep(&mut parts.validation, &others);
    others.extend(contents(&parts.validation));
    keep(&mut parts.train, &others);
    if n_left_out > 0 {
        let note = format!("{n_left_out} rows are left out whose image is also in the validation or the test");
        tracing::warn!("{note}");
        parts.notes.push(note);
    }
    let is_trainable = !parts.train.is_empty() && !parts.validation.is_empty();
    is_trainable.then_some(()).context("every training or validation image is also in the test")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn table(text: &str) -> Table {
        Table::from_bytes(text.as_bytes(), Path::new("t.csv")).unwrap()
    }

    const OPTIONS: SplitOptions<'static> =
        SplitOptions { test_share: 0.2, validation_share: 0.25, group_column: None, seed: 0 };

    #[test]
    fn a_written_split_is_followed_and_a_missing_validation_drawn() {
        let table = table(
            "image,split\na,train\nb,Train\nc,training\nd,train\ne,test\nf,train\ng,train\nh,train\ni,train\n",
        );
        let rows: Vec<usize> = (0..9).collect();
        let parts = parts(&table, &rows, &[0, 0, 0, 0, 0, 1, 1, 1, 1], &OPTIONS).unwrap();
        assert_eq!(parts.test, [4]);
        // A quarter of each class.
        assert_eq!((parts.validation.len(), parts.train.len()), (2, 6));
        assert!(parts.validation[0] < 4 && parts.validation[1] > 4);
        assert_eq!(parts.notes.len(), 1);
    }

    #[test]
    fn data_that_name_no_test_have_one_of_their_training_rows() {
        let rows: Vec<usize> = (0..40).collect();
        let of = |validation: &str, group_column| {
            let part = |row: usize| if row < 8 { validation } else { "train" };
            let text: String = rows.iter().map(|&row| format!("{row}.jpg,p{},{}\n", row % 10, part(row))).collect();
            let table = table(&format!("image,patient,split\n{text}"));
            let options = SplitOptions { group_column, ..OPTIONS };
            parts(&table, &rows, &[0; 40], &options).unwrap()
        };
        let found = of("train", None);
        assert_eq!((found.train.len(), found.validation.len(), found.test.len()), (24, 8, 8));
        assert!(
            found.notes[0].contains("no row has the split test: 20 % of the training rows"),
            "{:?}",
            found.notes
        );
        let found = of("val", None);
        assert_eq!((found.validation, found.test.len()), ((0..8).collect(), 6));
        // Of patients that the validation has, none is drawn.
        let found = of("val", Some("patient"));
        assert_eq!((found.validation.len(), found.test), (8, vec![8, 9, 18, 19, 28, 29, 38, 39]));
    }

    #[test]
    fn groups_stay_together() {
        let rows: Vec<usize> = (0..40).collect();
        let text: String = rows.iter().map(|row| format!("{row}.jpg,p{}\n", row / 4)).collect();
        let table = table(&format!("image,patient\n{text}"));
        let options = SplitOptions { group_column: Some("patient"), ..OPTIONS };
        let found = parts(&table, &rows, &[0; 40], &options).unwrap();
        assert_eq!((found.train.len(), found.validation.len(), found.test.len()), (24, 8, 8));
        for part in [&found.train, &found.validation, &found.test] {
            assert!(part.chunks(4).all(|group| group.iter().all(|row| row / 4 == group[0] / 4)), "{part:?}");
        }
        assert_eq!(found, parts(&table, &rows, &[0; 40], &options).unwrap());
    }

    #[test]
    fn rows_without_a_group_are_not_one_group() {
        let rows: Vec<usize> = (0..40).collect();
        let text: String = rows.iter().map(|row| format!("{row}.jpg,\n")).collect();
        let table = table(&format!("image,patient\n{text}"));
        let options = SplitOptions { group_column: Some("patient"), ..OPTIONS };
        let found = parts(&table, &rows, &[0; 40], &options).unwrap();
        assert_eq!((found.train.len(), found.validation.len(), found.test.len()), (24, 8, 8));
    }

    #[test]
    fn a_group_on_both_sides_of_a_written_split_is_an_error() {
        let text = "image,patient,split\na,p1,train\nb,p2,test\nc,p2,train\nd,p3,val\ne,,train\nf,,test\n";
        let table = table(text);
        let options = SplitOptions { group_column: Some("patient"), ..OPTIONS };
        let rows: Vec<usize> = (0..6).collect();
        let error = parts(&table, &rows, &[0; 6], &options).unwrap_err().to_string();
        assert!(
            error.starts_with("1 rows of the training or the validation are of a group of the test"),
            "{error}"
        );
        assert!(parts(&table, &rows, &[0; 6], &OPTIONS).is_ok());
    }

    #[test]
    fn faults_are_named() {
        let error = |text: &str| {
            let table = table(text);
            let rows: Vec<usize> = (0..table.n_rows()).collect();
            parts(&table, &rows, &vec![0; rows.len()], &OPTIONS).unwrap_err().to_string()
        };
        assert!(error("image,split\na,train\nb,later\n").contains("row 2 has the split \"later\""));
        assert!(error("image,split\na,train\nb,train\n").contains("there is no test row"));
        assert!(error("image,label\na,x\nb,x\n").contains("there is no test row"));
    }

    #[test]
    fn copies_of_test_images_are_left_out() {
        let mut parts = Parts { train: vec![0, 1, 2], validation: vec![3, 4], test: vec![5], notes: vec![] };
        let contents = ["a", "t", "v", "v", "t", "t"];
        without_copies(&mut parts, |place| Some(contents[place].to_string())).unwrap();
        assert_eq!((parts.train, parts.validation), (vec![0], vec![3]));
        assert!(parts.notes[0].starts_with("3 rows are left out"), "{:?}", parts.notes);
        let mut all = Parts { train: vec![0], validation: vec![1], test: vec![2], notes: vec![] };
        assert!(without_copies(&mut all, |_| Some("same".into())).is_err());
    }
}
