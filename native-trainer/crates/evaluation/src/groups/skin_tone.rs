//! Scales of skin tone: which column has which, and what its cells mean.

/// Roman numerals of the Fitzpatrick skin types.
const ROMAN: [&str; 6] = ["I", "II", "III", "IV", "V", "VI"];
/// Pairs of Fitzpatrick skin types, as DDI writes them.
const PAIRS: [(i64, &str); 3] = [(12, "1–2"), (34, "3–4"), (56, "5–6")];
/// Lower bounds of the individual typology angle in degrees, and the names of the groups above them.
const ANGLES: [(f64, &str); 6] = [
    (55.0, "1 very light (> 55°)"),
    (41.0, "2 light (41–55°)"),
    (28.0, "3 intermediate (28–41°)"),
    (10.0, "4 tan (10–28°)"),
    (-30.0, "5 brown (-30–10°)"),
    (-90.0, "6 dark (< -30°)"),
];

/// A scale of skin tone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Skin types 1 to 6, or pairs of them.
    Fitzpatrick,
    /// Monk Skin Tone, 1 to 10.
    Monk,
    /// Individual typology angle in degrees.
    TypologyAngle,
    /// A scale that the table does not name: numbers up to 10, or words.
    Unnamed,
}

impl Scale {
    /// The scale of a column by its name, `None` for other columns.
    pub fn of_column(name: &str) -> Option<Self> {
        let name: String = name.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
        let has_word = |words: &[&str]| name.split('_').any(|word| words.contains(&word));
        let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
        if has(&["monk"]) || has_word(&["mst"]) {
            Some(Self::Monk)
        } else if has_word(&["ita"]) || has(&["typology_angle"]) {
            Some(Self::TypologyAngle)
        } else if has(&["fitzpatrick", "fitspatrick", "skin_type", "skintype", "phototype"])
            || has_word(&["fst", "fitz"])
        {
            Some(Self::Fitzpatrick)
        } else if has(&["skin_tone", "skintone", "skin_color", "skincolor", "skin_colour", "complexion"]) {
            Some(Self::Unnamed)
        } else {
            None
        }
    }

    /// Key of the breakdown.
    pub fn key(self) -> &'static str {
        match self {
            Self::Fitzpatrick => "fitzpatrick",
            Self::Monk => "monk",
            Self::TypologyAngle => "ita",
            Self::Unnamed => "skin_tone",
        }
    }

    /// Expected values of a cell, for messages.
    pub fn expected(self) -> &'static str {
        match self {
            Self::Fitzpatrick => "1 to 6, I to VI, or 12, 34, 56",
            Self::Monk => "1 to 10",
            Self::TypologyAngle => "degrees from -90 to 90",
            Self::Unnamed => "a number up to 10 or a word",
        }
    }

    /// The scale that a column without a scale's name uses: DDI's pairs are Fitzpatrick skin types.
    pub fn narrowed<'a>(self, cells: impl Iterator<Item = &'a str>) -> Self {
        let mut cells = cells.peekable();
        let is_pair = |cell: &str| whole_number(cell).is_some_and(|number| pair(number).is_some());
        let is_roman = |cell: &str| ROMAN.iter().any(|numeral| numeral.eq_ignore_ascii_case(cell));
        if self == Self::Unnamed && cells.peek().is_some() && cells.all(|cell| is_pair(cell) || is_roman(cell)) {
            return Self::Fitzpatrick;
        }
        self
    }

    /// The group of a cell, with the place of the group among the others; `None` if the cell is not understood.
    pub fn group(self, cell: &str) -> Option<(i64, String)> {
        match self {
            Self::Fitzpatrick => fitzpatrick(cell),
            Self::Monk => numbered(cell, 10),
            Self::TypologyAngle => typology_angle(cell),
            Self::Unnamed => numbered(cell, 10).or_else(|| word(cell)),
        }
    }
}

fn fitzpatrick(cell: &str) -> Option<(i64, String)> {
    let of_roman = |text: &str| ROMAN.iter().zip(1i64..).find(|(roman, _)| roman.eq_ignore_ascii_case(text));
    let number = |text: &str| whole_number(text).or_else(|| of_roman(text).map(|(_, number)| number));
    if let Some((first, last)) = cell.split_once(['-', '–', '/'])
        && let (Some(first), Some(last)) = (number(last_word(first.trim())), number(last.trim()))
    {
        let is_range = (1..=6).contains(&first) && (first..=6).contains(&last);
        return is_range.then(|| (first, format!("{first}–{last}")));
    }
    let number = number(last_word(cell))?;
    let pair = pair(number).map(|name| (number / 10, name.to_string()));
    pair.or_else(|| (1..=6).contains(&number).then(|| (number, number.to_string())))
}

fn pair(number: i64) -> Option<&'static str> {
    PAIRS.iter().find(|(pair, _)| *pair == number).map(|(_, name)| *name)
}

/// A whole number from 1 to `most`, with or without the scale's name in front: `MST 4`.
fn numbered(cell: &str, most: i64) -> Option<(i64, String)> {
    let number = whole_number(last_word(cell)).filter(|number| (1..=most).contains(number))?;
    Some((number, number.to_string()))
}

fn typology_angle(cell: &str) -> Option<(i64, String)> {
    let angle: f64 = cell.trim_end_matches(['°', ' ']).replace(',', ".").parse().ok()?;
    let (place, (_, name)) = ANGLES.iter().enumerate().find(|(_, (lowest, _))| angle > *lowest)?;
    (angle <= 90.0).then(|| (place as i64, name.to_string()))
}

/// A word such as "dark"; numbers off the scale are none.
fn word(cell: &str) -> Option<(i64, String)> {
    cell.chars().all(|c| c.is_alphabetic() || matches!(c, ' ' | '-' | '_' | '/')).then(|| (0, cell.to_lowercase()))
}

/// The number in `3`, `3.0`, or `3,0`.
fn whole_number(text: &str) -> Option<i64> {
    let number: f64 = text.trim().replace(',', ".").parse().ok()?;
    (number.fract() == 0.0 && number.abs() < 1000.0).then_some(number as i64)
}

/// The part after the name of a scale: `Fitzpatrick type III`, `FST3`, `MST-E 4`.
fn last_word(cell: &str) -> &str {
    let cell = cell.rsplit([' ', '_', ':']).next().unwrap_or(cell);
    let digits = cell.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    if digits.starts_with(|c: char| c.is_ascii_digit()) { digits } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_skin_tone_are_known_by_their_names() {
        for (name, scale) in [
            ("fitzpatrick", Scale::Fitzpatrick),
            ("Fitspatrick", Scale::Fitzpatrick),
            ("Fitzpatrick Skin Type", Scale::Fitzpatrick),
            ("fst", Scale::Fitzpatrick),
            ("FST_label", Scale::Fitzpatrick),
            ("skin_type", Scale::Fitzpatrick),
            ("phototype", Scale::Fitzpatrick),
            ("monk", Scale::Monk),
            ("monk_scale", Scale::Monk),
            ("MST", Scale::Monk),
            ("ITA", Scale::TypologyAngle),
            ("skin_tone", Scale::Unnamed),
            ("SkinTone", Scale::Unnamed),
        ] {
            assert_eq!(Scale::of_column(name), Some(scale), "{name}");
        }
        for other in ["label", "sex", "capital", "italy", "first", "skin", "tone"] {
            assert_eq!(Scale::of_column(other), None, "{other}");
        }
    }

    #[test]
    fn cells_are_understood_as_tables_write_them() {
        let group = |scale: Scale, cell: &str| scale.group(cell).map(|(_, name)| name);
        for (scale, cell, expected) in [
            (Scale::Fitzpatrick, "3", Some("3")),
            (Scale::Fitzpatrick, "3.0", Some("3")),
            (Scale::Fitzpatrick, "iii", Some("3")),
            (Scale::Fitzpatrick, "Type III", Some("3")),
            (Scale::Fitzpatrick, "FST3", Some("3")),
            (Scale::Fitzpatrick, "I-II", Some("1–2")),
            (Scale::Fitzpatrick, "Type III - IV", Some("3–4")),
            (Scale::Fitzpatrick, "12", Some("1–2")),
            (Scale::Fitzpatrick, "56", Some("5–6")),
            (Scale::Fitzpatrick, "-1", None),
            (Scale::Fitzpatrick, "7", None),
            (Scale::Fitzpatrick, "", None),
            (Scale::Monk, "10", Some("10")),
            (Scale::Monk, "MST 4", Some("4")),
            (Scale::Monk, "MST-E 4", Some("4")),
            (Scale::Monk, "11", None),
            (Scale::TypologyAngle, "56.2", Some("1 very light (> 55°)")),
            (Scale::TypologyAngle, "-31", Some("6 dark (< -30°)")),
            (Scale::TypologyAngle, "12,5", Some("4 tan (10–28°)")),
            (Scale::TypologyAngle, "180", None),
            (Scale::Unnamed, "Dark", Some("dark")),
            (Scale::Unnamed, "8", Some("8")),
            (Scale::Unnamed, "?", None),
        ] {
            assert_eq!(group(scale, cell).as_deref(), expected, "{scale:?} {cell:?}");
        }
    }

    #[test]
    fn a_column_without_a_scale_takes_that_of_its_cells() {
        let narrowed = |cells: &[&'static str]| Scale::Unnamed.narrowed(cells.iter().copied());
        assert_eq!(narrowed(&["12", "56", "34"]), Scale::Fitzpatrick);
        assert_eq!(narrowed(&["II", "vi"]), Scale::Fitzpatrick);
        assert_eq!(narrowed(&["1", "2"]), Scale::Unnamed);
        assert_eq!(narrowed(&[]), Scale::Unnamed);
        assert_eq!(Scale::Monk.narrowed(["12"].into_iter()), Scale::Monk);
    }
}
