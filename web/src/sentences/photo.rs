//! What is said of a photo.

use crate::crop::{Crop, PhotoSize};
use crate::journal::BODY_SITES;
use crate::language::Catalog;
use crate::state::PhotoHint;
use crate::texts::{self, Text};

/// What may spoil the answer, and what to do.
pub fn hint(catalog: &Catalog, hint: PhotoHint) -> String {
    match hint {
        PhotoHint::Dark => texts::photo_dark(catalog),
        PhotoHint::Blurred => texts::photo_blurred(catalog),
        PhotoHint::FewPixels => texts::photo_few_pixels(catalog),
    }
}

/// The square in words, for screen readers and prints.
pub fn crop(catalog: &Catalog, Crop { left, top, side }: Crop, PhotoSize { width, height }: PhotoSize) -> String {
    texts::crop_in_words(catalog, side, width, height, left, top)
}

/// A part of the body that the page offers, by the name that the journal keeps; other names stay as they are.
pub fn body_site(catalog: &Catalog, site: &str) -> String {
    const NAMES: [Text; BODY_SITES.len()] = [
        texts::site_head,
        texts::site_face,
        texts::site_neck,
        texts::site_chest,
        texts::site_abdomen,
        texts::site_back,
        texts::site_buttocks,
        texts::site_genital_area,
        texts::site_left_arm,
        texts::site_right_arm,
        texts::site_left_hand,
        texts::site_right_hand,
        texts::site_left_leg,
        texts::site_right_leg,
        texts::site_left_foot,
        texts::site_right_foot,
    ];
    let name = BODY_SITES.iter().zip(NAMES).find(|(known, _)| **known == site);
    name.map_or_else(|| site.into(), |(_, name)| name(catalog))
}

/// Where kept spots are, with their number at each site; `None` if no photo names a site.
pub fn kept_spots(catalog: &Catalog, spots_by_site: &[(String, usize)]) -> Option<String> {
    let site =
        |(site, n_spots): &(String, usize)| texts::figure_kept_site(catalog, &body_site(catalog, site), *n_spots);
    let sites: Vec<String> = spots_by_site.iter().map(site).collect();
    (!sites.is_empty()).then(|| texts::figure_kept(catalog, &sites.join(" · ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_english_parts_of_the_body_are_those_that_the_journal_keeps() {
        let english = Catalog::english();
        for site in BODY_SITES.into_iter().chain(["knee", ""]) {
            assert_eq!(body_site(&english, site), site);
        }
    }

    #[test]
    fn kept_spots_are_said_with_their_number_at_each_site() {
        let english = Catalog::english();
        assert_eq!(kept_spots(&english, &[]), None);
        let spots = [("left arm".into(), 2), ("knee".into(), 1)];
        assert_eq!(kept_spots(&english, &spots).unwrap(), "Kept spots: left arm (2) · knee (1)");
    }

    #[test]
    fn a_crop_is_said_in_words() {
        let crop = Crop { left: 110, top: 60, side: 180 };
        assert_eq!(
            super::crop(&Catalog::english(), crop, PhotoSize { width: 400, height: 300 }),
            "A square of 180 × 180 of the photo's 400 × 300 pixels, 110 from its left edge and 60 from its top."
        );
    }
}
