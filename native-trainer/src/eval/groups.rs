//! The main metric by skin type, sex and age, where a table says them, and the gap between best and worst.

use super::metrics::intervals;
use super::results::{Breakdown, Group};
use super::table::Table;
use std::collections::BTreeMap;

/// Column of the breakdown, and the names that tables give it. "fitspatrick" is PAD-UFES-20's.
const COLUMNS: [(&str, &[&str]); 3] = [
    ("fitzpatrick", &["fitzpatrick", "fitzpatrick_scale", "fitspatrick", "skin_type"]),
    ("sex", &["sex", "gender"]),
    ("age", &["age", "age_approx"]),
];
/// Years that one age group spans.
const AGE_BAND: u32 = 20;
/// The lowest age of the last, open group.
const OLDEST: u32 = 80;
/// Rows whose cell says nothing; no part of a gap.
pub const UNKNOWN: &str = "unknown";

/// The breakdowns of a metric over the rows of a table.
///
/// `rows` are the table's rows that the metric counts, in its order; `metric` is the figure for any counts of them.
pub fn breakdowns(
    table: &Table,
    rows: &[usize],
    key: &str,
    metric: impl Fn(&[u32]) -> Option<f64> + Sync,
) -> Vec<Breakdown> {
    let mut breakdowns = Vec::new();
    for (name, columns) in COLUMNS {
        let Some(column) = table.find_column(columns) else { continue };
        let mut members: BTreeMap<GroupName, Vec<u32>> = BTreeMap::new();
        for (at, &row) in rows.iter().enumerate() {
            let group = group_name(name, table.cell(row, column));
            members.entry(group).or_insert_with(|| vec![0; rows.len()])[at] = 1;
        }
        let group = |(name, counts): (GroupName, Vec<u32>)| Group {
            name: name.text,
            n: counts.iter().filter(|&&count| count > 0).count(),
            value: metric(&counts),
            interval: intervals(&counts, |counts| vec![metric(counts)]).remove(0),
        };
        let groups: Vec<Group> = members.into_iter().map(group).collect();
        let gap = gap(&groups);
        breakdowns.push(Breakdown { column: name.into(), metric: key.into(), groups, gap });
    }
    breakdowns
}

/// A group's name; the order is that of the groups, the unknown last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct GroupName {
    is_unknown: bool,
    text: String,
}

fn group_name(column: &str, cell: &str) -> GroupName {
    let text = match column {
        "age" => age_band(cell),
        "fitzpatrick" => fitzpatrick(cell),
        _ => sex(cell),
    };
    GroupName { is_unknown: text.is_none(), text: text.unwrap_or_else(|| UNKNOWN.into()) }
}

/// 1 to 6, written as a number or in Roman numerals.
fn fitzpatrick(cell: &str) -> Option<String> {
    const ROMAN: [&str; 6] = ["I", "II", "III", "IV", "V", "VI"];
    let number = cell.parse::<f64>().ok().filter(|number| number.fract() == 0.0).map(|number| number as i64);
    let roman = ROMAN.iter().position(|numeral| numeral.eq_ignore_ascii_case(cell)).map(|at| at as i64 + 1);
    number.or(roman).filter(|number| (1..=6).contains(number)).map(|number| number.to_string())
}

fn sex(cell: &str) -> Option<String> {
    match cell.to_lowercase().as_str() {
        "" | "nan" | "none" | "unknown" | "-1" => None,
        "f" => Some("female".into()),
        "m" => Some("male".into()),
        other => Some(other.into()),
    }
}

fn age_band(cell: &str) -> Option<String> {
    let age = cell.parse::<f64>().ok().filter(|age| (0.0..150.0).contains(age))? as u32;
    if age >= OLDEST {
        return Some(format!("{OLDEST}+"));
    }
    let from = age / AGE_BAND * AGE_BAND;
    Some(format!("{from:02}–{}", from + AGE_BAND - 1))
}

/// Best minus worst over the known groups.
fn gap(groups: &[Group]) -> Option<f64> {
    let values: Vec<f64> =
        groups.iter().filter(|group| group.name != UNKNOWN).filter_map(|group| group.value).collect();
    let best = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let worst = values.iter().copied().fold(f64::INFINITY, f64::min);
    (values.len() >= 2).then_some(best - worst)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_understood_as_tables_write_them() {
        assert_eq!(["3", "3.0", "III", "-1", "", "7"].map(fitzpatrick), {
            let three = Some("3".to_string());
            [three.clone(), three.clone(), three, None, None, None]
        });
        assert_eq!(["7", "45.0", "80", "200", "nan"].map(age_band), {
            let band = |text: &str| Some(text.to_string());
            [band("00–19"), band("40–59"), band("80+"), None, None]
        });
        assert_eq!((sex("F"), sex("Male"), sex("nan")), (Some("female".into()), Some("male".into()), None));
    }

    #[test]
    fn the_gap_is_between_known_groups() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, "filename,fitzpatrick\na,1\nb,1\nc,6\nd,\n").unwrap();
        let table = Table::read(&path).unwrap();
        let is_right = [1, 0, 1, 0];
        let share = |counts: &[u32]| {
            let n: u32 = counts.iter().sum();
            let right: u32 = counts.iter().zip(is_right).map(|(count, right)| count * right).sum();
            (n > 0).then(|| f64::from(right) / f64::from(n))
        };
        let found = breakdowns(&table, &[0, 1, 2, 3], "top1_accuracy", share);
        assert_eq!(found.len(), 1, "no sex, no age");
        let groups: Vec<_> =
            found[0].groups.iter().map(|group| (group.name.as_str(), group.n, group.value)).collect();
        assert_eq!(groups, [("1", 2, Some(0.5)), ("6", 1, Some(1.0)), (UNKNOWN, 1, Some(0.0))]);
        assert_eq!(found[0].gap, Some(0.5));
    }
}
