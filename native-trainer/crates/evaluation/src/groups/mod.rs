//! The main metric by skin tone, sex and age, if a table has them, and the gap between best and worst.

mod column;
mod row_groups;
mod skin_tone;

use super::results::{Breakdown, Group};
use super::table::Table;
pub use column::UNKNOWN;
use column::{GroupName, Kind, columns, is_missing};
use dermake_metrics::intervals;
pub use row_groups::RowGroups;
use std::collections::BTreeMap;

/// Most groups that a figure can show.
const MAX_GROUPS: usize = 24;

/// The breakdowns of a metric over the rows of a table.
///
/// `rows` are the table's rows that the metric counts, in its order; `metric` is the figure for any counts of them.
/// Columns that look as if there should be a breakdown, and cells that are not understood, are named in `notes`.
pub fn breakdowns(
    table: &Table,
    rows: &[usize],
    key: &str,
    notes: &mut Vec<String>,
    metric: impl Fn(&[u32]) -> Option<f64> + Sync,
) -> Vec<Breakdown> {
    let mut breakdowns: Vec<Breakdown> = Vec::new();
    for (kind, column) in columns(table) {
        let name = &table.header()[column];
        let kind = kind.narrowed(rows.iter().map(|&row| table.cell(row, column)).filter(|cell| !is_missing(cell)));
        if breakdowns.iter().any(|breakdown| breakdown.column == kind.key()) {
            notes.push(format!("column {name}: not used, as another column says the same"));
            continue;
        }
        let Some(members) = members(table, rows, kind, column, notes) else { continue };
        let group = |(name, counts): (GroupName, Vec<u32>)| Group {
            name: name.text,
            n: counts.iter().filter(|&&count| count > 0).count(),
            value: metric(&counts),
            interval: intervals(&counts, |counts| vec![metric(counts)]).remove(0),
        };
        let groups: Vec<Group> = members.into_iter().map(group).collect();
        let gap = gap(&groups);
        breakdowns.push(Breakdown { column: kind.key().into(), metric: key.into(), groups, gap });
    }
    breakdowns
}

/// The groups of rows by skin tone; `None` if the table has no such column, or none that is understood.
pub fn skin_tones(table: &Table, rows: &[usize]) -> Option<RowGroups> {
    let (kind, column) = columns(table).into_iter().find(|(kind, _)| matches!(kind, Kind::SkinTone(_)))?;
    let kind = kind.narrowed(rows.iter().map(|&row| table.cell(row, column)).filter(|cell| !is_missing(cell)));
    let members = members(table, rows, kind, column, &mut Vec::new())?;
    let mut of_rows = vec![0; rows.len()];
    for (group, counts) in members.values().enumerate() {
        counts.iter().enumerate().filter(|(_, count)| **count > 0).for_each(|(row, _)| of_rows[row] = group);
    }
    Some(RowGroups { names: members.into_keys().map(|name| name.text).collect(), of_rows })
}

/// Returns which rows belong to each group; `None` if no cell has a group.
fn members(
    table: &Table,
    rows: &[usize],
    kind: Kind,
    column: usize,
    notes: &mut Vec<String>,
) -> Option<BTreeMap<GroupName, Vec<u32>>> {
    let name = &table.header()[column];
    let mut members: BTreeMap<GroupName, Vec<u32>> = BTreeMap::new();
    let mut not_understood: Vec<&str> = Vec::new();
    for (at, &row) in rows.iter().enumerate() {
        let cell = table.cell(row, column);
        let group = kind.group(cell);
        if group.is_none() && !is_missing(cell) {
            not_understood.push(cell);
        }
        let group = group.unwrap_or_else(GroupName::unknown);
        members.entry(group).or_insert_with(|| vec![0; rows.len()])[at] = 1;
    }
    if members.keys().all(|group| group.is_unknown) {
        let found = not_understood.first().map_or("only empty cells".into(), |cell| format!("{cell:?}"));
        notes.push(format!("column {name}: no figures by group; expected {}, found {found}", kind.expected()));
        return None;
    }
    if members.len() > MAX_GROUPS {
        notes.push(format!("column {name}: no figures by group, as there are {} different ones", members.len()));
        return None;
    }
    if let Some(first) = not_understood.first() {
        let n = not_understood.len();
        notes.push(format!(
            "column {name}: {n} of {} cells are not understood and count as unknown, such as {first:?}; expected {}",
            rows.len(),
            kind.expected()
        ));
    }
    Some(members)
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
    use std::path::Path;

    /// Breakdowns of a table in which rows 0 and 2 are right, and the notes.
    fn found(csv: &str) -> (Vec<Breakdown>, Vec<String>) {
        let table = Table::from_bytes(csv.as_bytes(), Path::new("t.csv")).unwrap();
        let rows: Vec<usize> = (0..table.n_rows()).collect();
        let share = |counts: &[u32]| {
            let n: u32 = counts.iter().sum();
            let right: u32 = counts.iter().zip([1, 0, 1, 0]).map(|(count, right)| count * right).sum();
            (n > 0).then(|| f64::from(right) / f64::from(n))
        };
        let mut notes = Vec::new();
        (breakdowns(&table, &rows, "top1_accuracy", &mut notes, share), notes)
    }

    fn groups(breakdown: &Breakdown) -> Vec<(&str, usize)> {
        breakdown.groups.iter().map(|group| (group.name.as_str(), group.n)).collect()
    }

    #[test]
    fn the_gap_is_between_known_groups() {
        let (found, notes) = found("filename,fitzpatrick\na,1\nb,1\nc,6\nd,\n");
        assert_eq!((found.len(), notes.len()), (1, 0), "no sex, no age");
        let groups: Vec<_> =
            found[0].groups.iter().map(|group| (group.name.as_str(), group.n, group.value)).collect();
        assert_eq!(groups, [("1", 2, Some(0.5)), ("6", 1, Some(1.0)), (UNKNOWN, 1, Some(0.0))]);
        assert_eq!(found[0].gap, Some(0.5));
    }

    #[test]
    fn skin_tone_has_figures_whatever_its_scale() {
        let tone = |column: &str, cells: [&str; 4]| {
            let rows: String = cells.iter().map(|cell| format!("a,{cell}\n")).collect();
            let (mut found, notes) = found(&format!("filename,{column}\n{rows}"));
            assert_eq!((found.len(), notes.len()), (1, 0), "{column}: {notes:?}");
            found.remove(0)
        };
        let ddi = tone("skin_tone", ["12", "56", "34", "12"]);
        assert_eq!(ddi.column, "fitzpatrick");
        assert_eq!(groups(&ddi), [("1–2", 2), ("3–4", 1), ("5–6", 1)]);
        let monk = tone("Monk_Scale", ["10", "2", "2", "MST 9"]);
        assert_eq!((monk.column.as_str(), groups(&monk)), ("monk", vec![("2", 2), ("9", 1), ("10", 1)]));
        assert_eq!(groups(&tone("fst", ["VI", "I", "I", "VI"])), [("1", 2), ("6", 2)]);
        assert_eq!(tone("skin_tone", ["light", "Dark", "dark", "light"]).column, "skin_tone");
        let angle = tone("ITA", ["60", "-1", "30", "-45.5"]);
        assert_eq!(angle.column, "ita");
        assert_eq!(angle.groups.len(), 4, "-1 degree is an angle");
    }

    #[test]
    fn each_row_has_its_group_by_skin_tone() {
        let table = |csv: &str| Table::from_bytes(csv.as_bytes(), Path::new("t.csv")).unwrap();
        let found = skin_tones(&table("filename,age,fst\na,3,VI\nb,4,\nc,5,I\nd,6,VI\n"), &[0, 1, 3]).unwrap();
        assert_eq!((found.names, found.of_rows), (vec!["6".to_string(), UNKNOWN.into()], vec![0, 1, 0]));
        assert_eq!(skin_tones(&table("filename,age\na,3\n"), &[0]), None);
    }

    #[test]
    fn what_has_no_figures_is_named() {
        let (none, notes) = found("filename,skin_type,age\na,dry,\nb,oily,\nc,dry,\nd,dry,\n");
        assert!(none.is_empty(), "{none:?}");
        assert!(
            notes[0].contains("skin_type: no figures by group; expected 1 to 6") && notes[0].contains("\"dry\"")
        );
        assert!(notes[1].contains("age: no figures by group") && notes[1].contains("only empty cells"));
        let (some, notes) =
            found("filename,fitzpatrick_scale,fitzpatrick_centaur,monk\na,1,2,3\nb,9,2,3\nc,2,1,1\nd,1,1,1\n");
        let columns: Vec<&str> = some.iter().map(|breakdown| breakdown.column.as_str()).collect();
        assert_eq!(columns, ["fitzpatrick", "monk"]);
        assert!(notes[0].contains("1 of 4 cells are not understood") && notes[0].contains("\"9\""), "{notes:?}");
        assert!(notes[1].contains("fitzpatrick_centaur: not used"), "{notes:?}");
    }
}
