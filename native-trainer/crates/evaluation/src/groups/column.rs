//! Columns of skin tone, sex and age: which they are, and the group of a cell.

use super::skin_tone::Scale;
use crate::table::Table;

/// Columns of sex and age by the names that tables give them.
const SEX_COLUMNS: [&str; 4] = ["sex", "gender", "patient_sex", "patient_gender"];
const AGE_COLUMNS: [&str; 5] = ["age", "age_approx", "patient_age", "age_years", "age_at_diagnosis"];
/// Columns of skin tone that are taken before others: PAD-UFES-20 writes "fitspatrick".
const FIRST_COLUMNS: [&str; 4] = ["fitzpatrick", "fitzpatrick_scale", "fitspatrick", "skin_type"];
/// Rows without a value; not part of a gap.
pub const UNKNOWN: &str = "unknown";
/// Cells that mean a missing value.
const MISSING: [&str; 12] =
    ["", "-", "-1", "-1.0", "nan", "none", "null", "na", "n/a", "unknown", "not available", "unspecified"];
/// Years that one age group spans.
const AGE_BAND: u32 = 20;
/// The lowest age of the last, open group.
const OLDEST: u32 = 80;

/// What a column contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    SkinTone(Scale),
    Sex,
    Age,
}

/// The columns of skin tone, sex and age, in this order.
pub fn columns(table: &Table) -> Vec<(Kind, usize)> {
    let first = FIRST_COLUMNS.iter().filter_map(|name| table.find_column(&[name]));
    let mut skin_tone: Vec<usize> = first.collect();
    let of_name = |name: &String| Scale::of_column(name);
    let others = (0..table.header().len()).filter(|&column| of_name(&table.header()[column]).is_some());
    skin_tone.extend(others.filter(|column| !skin_tone.contains(column)).collect::<Vec<_>>());
    let scale = |column: usize| of_name(&table.header()[column]).map(|scale| (Kind::SkinTone(scale), column));
    let mut columns: Vec<(Kind, usize)> = skin_tone.into_iter().filter_map(scale).collect();
    columns.extend(table.find_column(&SEX_COLUMNS).map(|column| (Kind::Sex, column)));
    columns.extend(table.find_column(&AGE_COLUMNS).map(|column| (Kind::Age, column)));
    columns
}

/// A group's name; the order is that of the groups, the unknown last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupName {
    pub is_unknown: bool,
    place: i64,
    pub text: String,
}

impl GroupName {
    /// The group of rows without a value.
    pub fn unknown() -> Self {
        Self { is_unknown: true, place: 0, text: UNKNOWN.into() }
    }
}

impl Kind {
    /// This kind, its scale of skin tone narrowed by the column's cells.
    pub fn narrowed<'a>(self, cells: impl Iterator<Item = &'a str>) -> Self {
        match self {
            Self::SkinTone(scale) => Self::SkinTone(scale.narrowed(cells)),
            other => other,
        }
    }

    /// Key of the breakdown.
    pub fn key(self) -> &'static str {
        match self {
            Self::SkinTone(scale) => scale.key(),
            Self::Sex => "sex",
            Self::Age => "age",
        }
    }

    /// What a cell should have.
    pub fn expected(self) -> &'static str {
        match self {
            Self::SkinTone(scale) => scale.expected(),
            Self::Sex => "words",
            Self::Age => "years",
        }
    }

    /// Returns the group of a cell; `None` if it is empty or not understood.
    pub fn group(self, cell: &str) -> Option<GroupName> {
        if is_missing(cell) && self != Self::SkinTone(Scale::TypologyAngle) {
            return None;
        }
        let (place, text) = match self {
            Self::SkinTone(scale) => scale.group(cell)?,
            Self::Sex => (0, sex(cell)),
            Self::Age => (0, age_band(cell)?),
        };
        Some(GroupName { is_unknown: false, place, text })
    }
}

/// Whether a cell means a missing value.
pub fn is_missing(cell: &str) -> bool {
    MISSING.contains(&cell.to_lowercase().as_str())
}

fn sex(cell: &str) -> String {
    match cell.to_lowercase().as_str() {
        "f" | "w" | "woman" | "weiblich" | "frau" | "femme" | "féminin" | "mujer" | "femenino" | "femminile" => {
            "female".into()
        }
        "m" | "man" | "männlich" | "mann" | "homme" | "masculin" | "hombre" | "masculino" | "maschile" => {
            "male".into()
        }
        other => other.into(),
    }
}

fn age_band(cell: &str) -> Option<String> {
    let age =
        cell.trim_end_matches('+').replace(',', ".").parse::<f64>().ok().filter(|age| (0.0..150.0).contains(age))?
            as u32;
    if age >= OLDEST {
        return Some(format!("{OLDEST}+"));
    }
    let from = age / AGE_BAND * AGE_BAND;
    Some(format!("{from:02}–{}", from + AGE_BAND - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_understood_as_tables_write_them() {
        assert_eq!(["7", "45.0", "45,5", "80", "200", "x"].map(age_band), {
            let band = |text: &str| Some(text.to_string());
            [band("00–19"), band("40–59"), band("40–59"), band("80+"), None, None]
        });
        for (cells, expected) in [
            (["F", "W", "Weiblich", "Féminin", "female"], "female"),
            (["M", "man", "M\u{c4}NNLICH", "Masculino", "Male"], "male"),
        ] {
            assert_eq!(cells.map(sex), [expected; 5].map(String::from));
        }
        assert_eq!(Kind::Sex.group("nan"), None);
    }
}
