//! What was drawn. The painter records it, and captions and annotations use nothing else.

/// A finding with a name of the concept benchmark (the keys of `concept_terms.json`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Concept {
    Papule,
    Plaque,
    Nodule,
    Patch,
    Wheal,
    Vesicle,
    Pustule,
    Scale,
    Crust,
    Erosion,
    Ulcer,
    Erythema,
    Telangiectasia,
    Hyperpigmentation,
    Hypopigmentation,
    PigmentNetwork,
    Macule,
    Comedo,
    Warty,
    BlueWhitishVeil,
    Translucent,
    Excoriation,
    Lichenification,
    Purple,
    Black,
}

impl Concept {
    /// The columns of the concept test, in their order. The other concepts occur in too few conditions.
    pub const ANNOTATED: [Self; 16] = [
        Self::Papule,
        Self::Plaque,
        Self::Nodule,
        Self::Patch,
        Self::Wheal,
        Self::Vesicle,
        Self::Pustule,
        Self::Scale,
        Self::Crust,
        Self::Erosion,
        Self::Ulcer,
        Self::Erythema,
        Self::Telangiectasia,
        Self::Hyperpigmentation,
        Self::Hypopigmentation,
        Self::PigmentNetwork,
    ];

    /// Every concept.
    #[cfg(test)]
    pub const ALL: [Self; 25] = [
        Self::Papule,
        Self::Plaque,
        Self::Nodule,
        Self::Patch,
        Self::Wheal,
        Self::Vesicle,
        Self::Pustule,
        Self::Scale,
        Self::Crust,
        Self::Erosion,
        Self::Ulcer,
        Self::Erythema,
        Self::Telangiectasia,
        Self::Hyperpigmentation,
        Self::Hypopigmentation,
        Self::PigmentNetwork,
        Self::Macule,
        Self::Comedo,
        Self::Warty,
        Self::BlueWhitishVeil,
        Self::Translucent,
        Self::Excoriation,
        Self::Lichenification,
        Self::Purple,
        Self::Black,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Papule => "papule",
            Self::Plaque => "plaque",
            Self::Nodule => "nodule",
            Self::Patch => "patch",
            Self::Wheal => "wheal",
            Self::Vesicle => "vesicle",
            Self::Pustule => "pustule",
            Self::Scale => "scale",
            Self::Crust => "crust",
            Self::Erosion => "erosion",
            Self::Ulcer => "ulcer",
            Self::Erythema => "erythema",
            Self::Telangiectasia => "telangiectasia",
            Self::Hyperpigmentation => "brown(hyperpigmentation)",
            Self::Hypopigmentation => "white(hypopigmentation)",
            Self::PigmentNetwork => "pigment network",
            Self::Macule => "macule",
            Self::Comedo => "comedo",
            Self::Warty => "warty/papillomatous",
            Self::BlueWhitishVeil => "blue whitish veil",
            Self::Translucent => "translucent",
            Self::Excoriation => "excoriation",
            Self::Lichenification => "lichenification",
            Self::Purple => "purple",
            Self::Black => "black",
        }
    }

    /// Other words for it, among them those that the concept benchmark asks for. Terms of the benchmark that mean
    /// something else as well are left out ("cyst" for a nodule, "blister" for a bulla).
    pub fn terms(self) -> &'static [&'static str] {
        match self {
            Self::Papule => &["papular", "papule"],
            Self::Plaque => &["plaque"],
            Self::Nodule => &["nodular", "nodule"],
            Self::Patch => &["patch"],
            Self::Wheal => &["wheal"],
            Self::Vesicle => &["vesicle", "fluid-containing"],
            Self::Pustule => &["pustule"],
            Self::Scale => &["scaly", "flaky and scaly", "hyperkeratosis"],
            Self::Crust => &["crust", "dried crust"],
            Self::Erosion => &["erosion", "erosive", "breakdown of the outer layers"],
            Self::Ulcer => &["ulcer", "ulcerated"],
            Self::Erythema => &["erythematous", "redness"],
            Self::Telangiectasia => &["dilated or broken blood vessels"],
            Self::Hyperpigmentation => &["hyperpigmentation", "hyperpigmented"],
            Self::Hypopigmentation => &["hypopigmentation"],
            Self::PigmentNetwork => &["pigment network", "intersecting brown lines"],
            Self::Macule => &["macule", "macular"],
            Self::Comedo => &["comedo", "blackhead"],
            Self::Warty => &["warty", "warty and papillomatous"],
            Self::BlueWhitishVeil => &["blue whitish veil", "blue white veil"],
            Self::Translucent => &["translucent"],
            Self::Excoriation => &["excoriation"],
            Self::Lichenification => &["lichenification", "thickened and leathery"],
            Self::Purple => &["purple"],
            Self::Black => &["black"],
        }
    }
}

/// Findings of one picture.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Without repetition, the foremost first.
    pub concepts: Vec<Concept>,
    /// Color words, the foremost first.
    pub colors: Vec<&'static str>,
    /// The main lesion, singular and plural: "plaque", "plaques".
    pub lesion: (&'static str, &'static str),
    /// Its number.
    pub count: usize,
    /// Width of the largest one, in units of the picture's shorter edge.
    pub largest: f32,
    /// Shape word: "round", "irregular", "annular".
    pub shape: &'static str,
    /// Border of the lesion: "sharp borders".
    pub border: &'static str,
    /// The arrangement of several lesions: "in groups along a band".
    pub arrangement: Option<&'static str>,
    /// Noun phrases of what else is to be seen: "silvery scale".
    pub details: Vec<&'static str>,
}

impl Findings {
    pub fn add(&mut self, concept: Concept) {
        if !self.concepts.contains(&concept) {
            self.concepts.push(concept);
        }
    }

    pub fn color(&mut self, word: &'static str) {
        if !self.colors.contains(&word) {
            self.colors.push(word);
        }
    }

    /// A concept together with the words for it.
    pub fn detail(&mut self, concept: Concept, words: &'static str) {
        self.add(concept);
        self.details.push(words);
    }

    pub fn shows(&self, concept: Concept) -> bool {
        self.concepts.contains(&concept)
    }
}
