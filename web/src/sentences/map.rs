//! Where a photo is most like a text.

use crate::language::Catalog;
use crate::texts::{self, Text};
use shared_model::{Place, Third};

/// Where the photo is most like the text, in a sentence.
pub fn most_like(catalog: &Catalog, text: &str, place: Option<Place>) -> String {
    match place {
        Some(place) => texts::map_most(catalog, text, &in_words(catalog, place)),
        None => texts::map_nowhere(catalog, text),
    }
}

fn in_words(catalog: &Catalog, place: Place) -> String {
    use Third::{First, Last, Middle};
    let text: Text = match (place.vertical, place.horizontal) {
        (First, First) => texts::place_top_left,
        (First, Middle) => texts::place_top,
        (First, Last) => texts::place_top_right,
        (Middle, First) => texts::place_left,
        (Middle, Middle) => texts::place_middle,
        (Middle, Last) => texts::place_right,
        (Last, First) => texts::place_bottom_left,
        (Last, Middle) => texts::place_bottom,
        (Last, Last) => texts::place_bottom_right,
    };
    text(catalog)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_said_with_the_text() {
        let place = Place { vertical: Third::First, horizontal: Third::Last };
        let said = |place| most_like(&Catalog::english(), "scale", place);
        assert_eq!(said(Some(place)), "Most like “scale”: at the top right.");
        assert_eq!(said(None), "No place is more like “scale” than like the other labels.");
    }
}
