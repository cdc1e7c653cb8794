//! The lists of concepts: clinical findings that dermatologists describe.

/// The 32 concepts of [SkinCon](https://skincon-dataset.github.io), in the order of MAKE's code.
const SKINCON: [&str; 32] = [
    "vesicle",
    "papule",
    "macule",
    "plaque",
    "pustule",
    "bulla",
    "patch",
    "nodule",
    "ulcer",
    "crust",
    "erosion",
    "excoriation",
    "atrophy",
    "exudate",
    "fissure",
    "induration",
    "xerosis",
    "telangiectasia",
    "scale",
    "scar",
    "friable",
    "pedunculated",
    "exophytic/fungating",
    "warty/papillomatous",
    "dome-shaped",
    "brown(hyperpigmentation)",
    "white(hypopigmentation)",
    "purple",
    "yellow",
    "black",
    "erythema",
    "umbilicated",
];

/// The seven structures of the [7-point checklist](https://derm.cs.sfu.ca), for dermoscopic photos.
const SEVEN_POINT: [&str; 7] = [
    "pigment network",
    "streaks",
    "pigmentation",
    "regression structures",
    "dots and globules",
    "blue whitish veil",
    "vascular structures",
];

/// A list of concepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConceptList {
    SkinCon,
    SevenPoint,
}

impl ConceptList {
    pub const ALL: [Self; 2] = [Self::SkinCon, Self::SevenPoint];

    pub(super) fn names(self) -> &'static [&'static str] {
        match self {
            Self::SkinCon => &SKINCON,
            Self::SevenPoint => &SEVEN_POINT,
        }
    }

    /// The list that has this concept.
    pub fn of(concept: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|list| list.names().contains(&concept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_model::concepts::Concept;

    #[test]
    fn every_concept_of_the_lists_is_known_to_the_model() {
        for name in ConceptList::ALL.iter().flat_map(|list| list.names()) {
            assert!(Concept::find(name).is_some(), "{name}");
        }
        assert_eq!(ConceptList::of("scale"), Some(ConceptList::SkinCon));
        assert_eq!(ConceptList::of("streaks"), Some(ConceptList::SevenPoint));
    }
}
