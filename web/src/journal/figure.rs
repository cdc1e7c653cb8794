//! The figure of the body: outlines of the sites that a visitor chooses, and where kept spots are shown. It is a scheme:
//! small sites are drawn larger than they are, so that a finger hits them.

/// Width and height of the figure from one side, in the units of its outlines.
pub const FIGURE_SIZE: (u16, u16) = (160, 344);

/// From where the figure is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureView {
    Front,
    Back,
}

/// A site of the body in one view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// One of [`super::BODY_SITES`].
    pub site: &'static str,
    /// The outline as an SVG path, of the left half of the picture if it is [mirrored](Self::is_mirrored).
    pub outline: &'static str,
    /// Whether the outline is to be mirrored, left to right.
    pub is_mirrored: bool,
    /// Where the number of spots is written, mirrored if the outline is.
    pub center: (u16, u16),
}

/// An outline, and where a number is written on it.
type Shape = (&'static str, (u16, u16));

// A head from the front is the scalp above the face; from behind it is one.
const SCALP: Shape = ("M54 30a26 27 0 0 1 52 0q-26-8-52 0z", (80, 15));
const FACE: Shape = ("M54 33q26-8 52 0v8a26 29 0 0 1-52 0z", (80, 48));
const HEAD: Shape = ("M54 30a26 27 0 0 1 52 0v11a26 29 0 0 1-52 0z", (80, 36));
const NECK: Shape = ("M64 69q16 8 32 0v15q2 8 13 10h-58q11-2 13-10z", (80, 84));
const CHEST: Shape = ("M50 97h60q9 1 9 11l-5 37h-68l-5-37q0-10 9-11z", (80, 121));
const ABDOMEN: Shape = ("M46 148h68l-3 17q0 12 4 25h-70q4-13 4-25z", (80, 169));
const GENITAL_AREA: Shape = ("M52 193h56l-20 33h-16z", (80, 207));
const BACK: Shape = ("M50 97h60q9 1 9 11l-8 57 2 19h-66l2-19-8-57q0-10 9-11z", (80, 140));
/// Covers the upper ends of the legs.
const BUTTOCKS: Shape = ("M44 187h72q5 20 4 40-20 9-40 5-20 4-40-5-1-20 4-40z", (80, 208));
const ARM: Shape = ("M38 99q-14 3-17 18l-15 75 25 5 11-58q-3-20-4-40z", (26, 150));
const HAND: Shape = ("M5 195l26 5q3 22-5 34-5 6-12 3-13-7-13-24z", (16, 216));
const LEG: Shape = ("M44 193h5l20 36h9l-3 80h-27q1-38-6-70-3-23 2-46z", (60, 262));
const FOOT: Shape = ("M48 312h27v16q0 11-7 11h-28q-8-2-4-9 12-7 12-18z", (58, 326));

/// Limbs by their names on the left and on the right of the body.
const LIMBS: [([&str; 2], Shape); 4] = [
    (["left arm", "right arm"], ARM),
    (["left hand", "right hand"], HAND),
    (["left leg", "right leg"], LEG),
    (["left foot", "right foot"], FOOT),
];
const FRONT: [(&str, Shape); 6] = [
    ("head", SCALP),
    ("face", FACE),
    ("neck", NECK),
    ("chest", CHEST),
    ("abdomen", ABDOMEN),
    ("genital area", GENITAL_AREA),
];
const BEHIND: [(&str, Shape); 4] = [("head", HEAD), ("neck", NECK), ("back", BACK), ("buttocks", BUTTOCKS)];

impl FigureView {
    pub const ALL: [Self; 2] = [Self::Front, Self::Back];

    /// The regions that this view has, in the order in which they are painted.
    pub fn regions(self) -> Vec<Region> {
        let region = |site, (outline, center): Shape, is_mirrored| Region { site, outline, is_mirrored, center };
        // Who faces the visitor has the right arm on the left of the picture.
        let is_mirrored = |is_left: bool| is_left == (self == Self::Front);
        let limbs = LIMBS.iter().flat_map(|&([left, right], shape)| {
            [region(left, shape, is_mirrored(true)), region(right, shape, is_mirrored(false))]
        });
        let trunk: &[(&str, Shape)] = match self {
            Self::Front => &FRONT,
            Self::Back => &BEHIND,
        };
        limbs.chain(trunk.iter().map(|&(site, shape)| region(site, shape, false))).collect()
    }

    /// Where the number of a site's spots is written in this view. It is written in one view only, so that no spot seems
    /// to be two.
    pub fn number_at(self, site: &str) -> Option<(u16, u16)> {
        let region = |view: Self| view.regions().into_iter().find(|region| region.site == site);
        let first = Self::ALL.into_iter().find(|view| region(*view).is_some())?;
        let Region { center: (x, y), is_mirrored, .. } = region(self).filter(|_| first == self)?;
        Some((if is_mirrored { FIGURE_SIZE.0 - x } else { x }, y))
    }
}

#[cfg(test)]
mod tests {
    use super::super::BODY_SITES;
    use super::*;

    #[test]
    fn every_site_has_a_region_and_every_region_is_a_site() {
        for site in BODY_SITES {
            let in_views =
                FigureView::ALL.map(|view| view.regions().iter().filter(|region| region.site == site).count());
            assert!(in_views.iter().all(|n_regions| *n_regions <= 1), "{site} is twice in a view: {in_views:?}");
            assert!(in_views.contains(&1), "{site} cannot be chosen on the figure");
        }
        for region in FigureView::ALL.into_iter().flat_map(FigureView::regions) {
            assert!(BODY_SITES.contains(&region.site), "{}", region.site);
        }
    }

    #[test]
    fn the_number_of_a_site_is_in_one_view() {
        for site in BODY_SITES {
            let n_views = FigureView::ALL.into_iter().filter(|view| view.number_at(site).is_some()).count();
            assert_eq!(n_views, 1, "{site}");
        }
        assert!(FigureView::Back.number_at("buttocks").is_some());
        assert!(FigureView::Front.number_at("left arm").is_some());
        assert_eq!(FigureView::ALL.map(|view| view.number_at("knee")), [None, None], "a site of another program");
    }

    #[test]
    fn from_the_front_the_left_of_the_body_is_on_the_right_of_the_picture() {
        let x = |site| FigureView::Front.number_at(site).unwrap().0;
        for [left, right] in LIMBS.map(|(sites, _)| sites) {
            assert!(x(left) > FIGURE_SIZE.0 / 2 && x(right) < FIGURE_SIZE.0 / 2, "{left}");
            assert_eq!(x(left) + x(right), FIGURE_SIZE.0);
            let mirrored =
                |site: &str, view: FigureView| view.regions().iter().find(|r| r.site == site).unwrap().is_mirrored;
            assert!(mirrored(left, FigureView::Front) && mirrored(right, FigureView::Back), "{left}");
            assert!(!mirrored(right, FigureView::Front) && !mirrored(left, FigureView::Back), "{left}");
        }
    }
}
