//! The conditions of the set: their order as labels, their names, and where and in whom they are seen.

/// A condition; the order of the variants is the order of the labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    Nevus,
    BasalCellCarcinoma,
    ActinicKeratosis,
    SeborrheicKeratosis,
    SquamousCellCarcinoma,
    Melanoma,
    Psoriasis,
    Vitiligo,
    Acne,
    Zoster,
    Tinea,
    Urticaria,
    CherryAngioma,
    AtopicDermatitis,
}

/// Words about a condition, apart from its appearance.
pub struct Profile {
    /// The canonical name, a label of the test files.
    pub name: &'static str,
    pub synonyms: &'static [&'static str],
    /// From the general to the particular, as the ontology caption spells it.
    pub category: &'static str,
    pub sites: &'static [&'static str],
    /// Years.
    pub ages: (u32, u32),
    pub durations: &'static [&'static str],
    pub symptoms: &'static [&'static str],
    /// Width of what the picture shows, millimeters.
    pub field_mm: (f32, f32),
}

const LONG: &[&str] = &["for years", "for two years", "for about a year", "for many years", "since childhood"];
const MONTHS: &[&str] = &["for three months", "for half a year", "for eight months", "for about a year"];
const WEEKS: &[&str] = &["for two weeks", "for a month", "for six weeks", "for ten days"];
const DAYS: &[&str] = &["since yesterday", "for three days", "for a week", "for five days"];
const SUN_SITES: &[&str] = &["forehead", "nose", "cheek", "temple", "ear", "scalp", "back of the hand", "forearm"];
const TRUNK: &[&str] = &["back", "chest", "abdomen", "shoulder", "flank"];

impl Condition {
    pub const ALL: [Self; 14] = [
        Self::Nevus,
        Self::BasalCellCarcinoma,
        Self::ActinicKeratosis,
        Self::SeborrheicKeratosis,
        Self::SquamousCellCarcinoma,
        Self::Melanoma,
        Self::Psoriasis,
        Self::Vitiligo,
        Self::Acne,
        Self::Zoster,
        Self::Tinea,
        Self::Urticaria,
        Self::CherryAngioma,
        Self::AtopicDermatitis,
    ];

    /// Index in `classes.json`.
    pub fn label(self) -> usize {
        self as usize
    }

    pub fn name(self) -> &'static str {
        self.profile().name
    }

    pub fn profile(self) -> &'static Profile {
        &PROFILES[self.label()]
    }
}

const PROFILES: [Profile; 14] = [
    Profile {
        name: "nevus",
        synonyms: &["melanocytic nevus", "mole", "common mole", "benign nevus", "naevus"],
        category: "neoplastic, benign",
        sites: &["back", "chest", "shoulder", "upper arm", "forearm", "cheek", "neck", "thigh", "calf"],
        ages: (8, 65),
        durations: LONG,
        symptoms: &["unchanged", "no symptoms"],
        field_mm: (18.0, 40.0),
    },
    Profile {
        name: "basal cell carcinoma",
        synonyms: &["BCC", "basal cell cancer", "basalioma"],
        category: "neoplastic, malignant",
        sites: &["nose", "cheek", "forehead", "temple", "eyelid", "ear", "neck", "shoulder", "back"],
        ages: (45, 90),
        durations: MONTHS,
        symptoms: &["bleeds easily", "slowly growing", "a sore that does not heal"],
        field_mm: (20.0, 45.0),
    },
    Profile {
        name: "actinic keratosis",
        synonyms: &["AK", "solar keratosis", "senile keratosis"],
        category: "neoplastic, premalignant",
        sites: SUN_SITES,
        ages: (48, 90),
        durations: MONTHS,
        symptoms: &["rough to the touch", "feels like sandpaper", "stings in the sun"],
        field_mm: (35.0, 80.0),
    },
    Profile {
        name: "seborrheic keratosis",
        synonyms: &["SK", "seborrhoeic keratosis", "seborrheic wart", "senile wart"],
        category: "neoplastic, benign",
        sites: &["back", "chest", "temple", "cheek", "neck", "abdomen", "scalp", "shoulder"],
        ages: (45, 90),
        durations: LONG,
        symptoms: &["catches on clothing", "no symptoms", "itches now and then"],
        field_mm: (20.0, 50.0),
    },
    Profile {
        name: "squamous cell carcinoma",
        synonyms: &["SCC", "cutaneous squamous cell carcinoma", "squamous cell cancer"],
        category: "neoplastic, malignant",
        sites: &["ear", "scalp", "back of the hand", "forearm", "cheek", "temple", "lower leg", "neck"],
        ages: (50, 92),
        durations: MONTHS,
        symptoms: &["tender", "growing quickly", "bleeds easily"],
        field_mm: (25.0, 55.0),
    },
    Profile {
        name: "melanoma",
        synonyms: &["malignant melanoma", "superficial spreading melanoma", "cutaneous melanoma"],
        category: "neoplastic, malignant",
        sites: &["back", "calf", "shoulder", "upper arm", "chest", "thigh", "neck", "cheek", "forearm"],
        ages: (28, 85),
        durations: MONTHS,
        symptoms: &["changing in shape and color", "growing", "a mole that has changed"],
        field_mm: (18.0, 40.0),
    },
    Profile {
        name: "psoriasis",
        synonyms: &["plaque psoriasis", "psoriasis vulgaris", "chronic plaque psoriasis"],
        category: "inflammatory, papulosquamous",
        sites: &["elbow", "knee", "lower back", "shin", "forearm", "abdomen", "scalp", "buttock"],
        ages: (15, 75),
        durations: LONG,
        symptoms: &["itchy", "mildly itchy", "flakes on clothing"],
        field_mm: (70.0, 200.0),
    },
    Profile {
        name: "vitiligo",
        synonyms: &["vitiligo vulgaris", "nonsegmental vitiligo", "leukoderma"],
        category: "pigmentary, depigmentation",
        sites: &["back of the hand", "forearm", "knee", "neck", "chest", "shin", "elbow", "abdomen", "cheek"],
        ages: (8, 70),
        durations: LONG,
        symptoms: &["no symptoms", "slowly spreading"],
        field_mm: (60.0, 180.0),
    },
    Profile {
        name: "acne vulgaris",
        synonyms: &["acne", "inflammatory acne", "pimples", "papulopustular acne"],
        category: "inflammatory, acneiform",
        sites: &["cheek", "forehead", "chin", "jaw", "back", "chest", "shoulder"],
        ages: (12, 38),
        durations: MONTHS,
        symptoms: &["tender", "oily skin", "worse before exams"],
        field_mm: (45.0, 110.0),
    },
    Profile {
        name: "herpes zoster",
        synonyms: &["shingles", "zoster", "zona"],
        category: "infectious, viral",
        sites: &["flank", "chest", "back", "abdomen", "neck", "forehead", "thigh", "buttock"],
        ages: (25, 88),
        durations: DAYS,
        symptoms: &["burning pain", "painful", "stabbing pain on one side"],
        field_mm: (60.0, 160.0),
    },
    Profile {
        name: "tinea corporis",
        synonyms: &["ringworm", "tinea", "ringworm of the body", "dermatophyte infection"],
        category: "infectious, fungal",
        sites: &["forearm", "thigh", "abdomen", "neck", "shoulder", "upper arm", "back", "buttock", "cheek"],
        ages: (4, 70),
        durations: WEEKS,
        symptoms: &["itchy", "spreading slowly", "itchy at the edge"],
        field_mm: (50.0, 140.0),
    },
    Profile {
        name: "urticaria",
        synonyms: &["hives", "acute urticaria", "nettle rash"],
        category: "inflammatory, urticarial",
        sites: &["abdomen", "back", "thigh", "forearm", "chest", "upper arm", "neck", "flank"],
        ages: (4, 70),
        durations: DAYS,
        symptoms: &["very itchy", "comes and goes within hours", "itchy"],
        field_mm: (80.0, 220.0),
    },
    Profile {
        name: "cherry angioma",
        synonyms: &["Campbell de Morgan spot", "senile angioma", "cherry hemangioma"],
        category: "neoplastic, vascular",
        sites: TRUNK,
        ages: (32, 88),
        durations: LONG,
        symptoms: &["no symptoms", "unchanged"],
        field_mm: (20.0, 60.0),
    },
    Profile {
        name: "atopic dermatitis",
        synonyms: &["eczema", "atopic eczema", "neurodermatitis"],
        category: "inflammatory, eczematous",
        sites: &["elbow crease", "back of the knee", "neck", "wrist", "forearm", "cheek", "ankle"],
        ages: (1, 50),
        durations: &["for years", "since childhood", "for a month", "for two weeks", "on and off for years"],
        symptoms: &["very itchy", "intensely itchy", "dry skin", "itchy at night"],
        field_mm: (60.0, 180.0),
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_condition_has_its_own_profile_and_label() {
        let names: HashSet<_> = Condition::ALL.iter().map(|condition| condition.name()).collect();
        assert_eq!(names.len(), Condition::ALL.len());
        assert!(Condition::ALL.iter().enumerate().all(|(index, condition)| condition.label() == index));
        assert_eq!(Condition::Tinea.name(), "tinea corporis");
    }
}
