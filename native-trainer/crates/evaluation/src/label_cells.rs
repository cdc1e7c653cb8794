//! Which class a cell of labels means: by its name, or by its place in the class list, counted from 0.

use crate::short_names;
use shared_model::labels::spelling_key;
use std::collections::HashMap;

/// What a number means if all classes are called by numbers. If not, it is a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// A name, however the number is written: `1.0` is the class 1.
    Names,
    /// A place, as in tables of predictions.
    Places,
}

/// The classes that cells may mean.
pub struct LabelCells<'a> {
    exact: HashMap<&'a str, usize>,
    by_key: HashMap<String, usize>,
    /// The numbers that all classes are called by, and what a number means then.
    numbers: Option<(Vec<f64>, Numbers)>,
}

impl<'a> LabelCells<'a> {
    pub fn new(class_names: &'a [String], numbers: Numbers) -> Self {
        Self {
            exact: class_names.iter().map(String::as_str).zip(0..).collect(),
            by_key: class_names.iter().map(|name| spelling_key(name)).zip(0..).collect(),
            numbers: numbers_of(class_names).map(|of_classes| (of_classes, numbers)),
        }
    }

    /// The class that a cell means, `None` if it is not of the class list.
    pub fn class_of(&self, cell: &str) -> Option<usize> {
        let by_name = || self.exact.get(cell).copied();
        let number = cell.parse::<f64>().ok();
        let by_place = || number.and_then(|number| self.place(number));
        match &self.numbers {
            None => by_name().or_else(by_place).or_else(|| self.of_key(cell)),
            Some((_, Numbers::Places)) => by_place(),
            Some((of_classes, Numbers::Names)) => {
                by_name().or_else(|| of_classes.iter().position(|of_class| Some(*of_class) == number))
            }
        }
    }

    /// The class of this name in any spelling, or the one that this short name abbreviates.
    fn of_key(&self, cell: &str) -> Option<usize> {
        let class = |name: &str| self.by_key.get(&spelling_key(name)).copied();
        class(cell).or_else(|| short_names::names_of(cell).iter().find_map(|name| class(name)))
    }

    /// What a cell should have been, in words.
    pub fn expected(&self) -> String {
        let n_classes = self.n_classes();
        match &self.numbers {
            None => format!("an integer below {n_classes} or a name of the class list"),
            Some((_, Numbers::Places)) => format!("an integer below {n_classes}"),
            Some((_, Numbers::Names)) => "a number of the class list".into(),
        }
    }

    pub fn n_classes(&self) -> usize {
        self.exact.len()
    }

    /// Returns whether an integer is a place, not a name.
    pub fn integers_are_places(&self) -> bool {
        !matches!(self.numbers, Some((_, Numbers::Names)))
    }

    fn place(&self, number: f64) -> Option<usize> {
        let is_place = number.fract() == 0.0 && number >= 0.0 && number < self.n_classes() as f64;
        is_place.then_some(number as usize)
    }
}

fn numbers_of(class_names: &[String]) -> Option<Vec<f64>> {
    class_names.iter().map(|name| name.trim().parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_place_unless_all_classes_are_called_by_numbers() {
        let classes = |names: [&str; 3], numbers, cells: [&str; 4]| {
            let names = names.map(String::from);
            let classes = LabelCells::new(&names, numbers);
            cells.map(|cell| classes.class_of(cell))
        };
        for numbers in [Numbers::Names, Numbers::Places] {
            let found = classes(["acne", "2", "wart"], numbers, ["1.0", "2", "WART", "3"]);
            assert_eq!(found, [Some(1), Some(1), Some(2), None]);
        }
        let found = classes(["1", "2", "3.5"], Numbers::Names, ["1.0", "3.50", "2", "0"]);
        assert_eq!(found, [Some(0), Some(2), Some(1), None]);
        let found = classes(["1", "2", "3"], Numbers::Places, ["0", "1", "2.0", "3"]);
        assert_eq!(found, [Some(0), Some(1), Some(2), None]);
    }
}
