//! Sentences about a case in several voices; none of them ends with a full stop.

use super::facts::Facts;
use super::words;
use crate::case::CaseRng;
use crate::findings::Concept;
use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};

pub struct Writer<'a> {
    pub facts: Facts<'a>,
    pub rng: &'a mut CaseRng,
}

impl Writer<'_> {
    fn pick<const N: usize>(&mut self, mut choices: [String; N]) -> String {
        let chosen = self.rng.random_range(0..N);
        std::mem::take(&mut choices[chosen])
    }

    /// The canonical name in three of four cases, else a synonym or both.
    pub fn name(&mut self) -> String {
        let profile = self.facts.case.condition.profile();
        // A synonym may claim a kind of lesion that this picture does not have.
        let is_true = |synonym: &&&str| {
            let claims = |word: &str, concept| synonym.contains(word) && !self.facts.findings.shows(concept);
            !claims("plaque", Concept::Plaque) && !claims("pustular", Concept::Pustule)
        };
        let synonyms: Vec<&str> = profile.synonyms.iter().filter(is_true).copied().collect();
        let synonym = synonyms.choose(self.rng).copied().unwrap_or(profile.name);
        match self.rng.random_range(0..100) {
            0..66 => profile.name.to_owned(),
            66..78 if synonym.len() < 12 => format!("{} ({synonym})", profile.name),
            66..78 => format!("{synonym} ({})", profile.name),
            _ => synonym.to_owned(),
        }
    }

    /// A caption of a few words.
    pub fn brief(&mut self) -> String {
        let (name, case) = (self.name(), self.facts.case);
        let site = case.site;
        let word = self.facts.findings.colors.first().copied().unwrap_or("typical");
        let lesion = self.facts.findings.lesion.0;
        self.pick([
            words::capitalized(&name),
            format!("{name} on the {site}"),
            words::capitalized(&format!("{name}, {site}")),
            format!("{name} with {}", words::with_article(&format!("{word} {lesion}"))),
            format!("photo of {name}"),
        ])
    }

    pub fn diagnosis(&mut self) -> String {
        let (name, case) = (self.name(), self.facts.case);
        let (site, person) = (case.site, words::person(case));
        let a_person = words::with_article(&person);
        let sentence = self.pick([
            format!("{name} on the {site} of {a_person}"),
            format!("{name} of the {site}"),
            format!("{a_person} with {name} on the {site}"),
            format!("clinical photo of {name} on the {site}"),
            format!("this image shows {name} affecting the {site}"),
            format!("diagnosis: {name}"),
            format!("{name}, {site}, {person}"),
            format!("typical {name} on the {site}"),
            format!("the findings are consistent with {name}"),
        ]);
        words::capitalized(&sentence)
    }

    /// "two large red well-demarcated plaques".
    fn lesions(&mut self) -> String {
        let findings = self.facts.findings;
        let is_one = findings.count == 1;
        let noun = if is_one { findings.lesion.0 } else { findings.lesion.1 };
        let n_colors = self.rng.random_range(1..=2).min(findings.colors.len());
        let color = words::list(&findings.colors[..n_colors]);
        let mut adjectives: Vec<&str> = Vec::new();
        if self.rng.random_bool(0.6) {
            adjectives.push(words::size(findings.largest));
        }
        if !color.is_empty() {
            adjectives.push(&color);
        }
        if self.rng.random_bool(0.6) && !findings.shape.is_empty() {
            adjectives.push(findings.shape);
        }
        let phrase = format!("{} {noun}", adjectives.join(" "));
        match (is_one, self.rng.random_bool(0.5)) {
            (true, true) => words::with_article(phrase.trim()),
            _ => format!("{} {}", words::count(findings.count), phrase.trim()),
        }
    }

    /// Findings: a few sentences in a random order, the main lesion first.
    pub fn description(&mut self) -> Vec<String> {
        let findings = self.facts.findings;
        let lesions = self.lesions();
        let mut details: Vec<&str> = findings.details.clone();
        details.shuffle(self.rng);
        let n_first = self.rng.random_range(0..=2).min(details.len());
        let later = details.split_off(n_first);
        let first = self.main_sentence(&lesions, &details);
        let mut others: Vec<String> = Vec::new();
        for detail in later.iter().take(2) {
            let sentence = self.pick([
                format!("note {detail}"),
                format!("{detail} can be seen"),
                format!("there is also {detail}"),
                (*detail).to_owned(),
            ]);
            others.push(sentence);
        }
        others.push(self.pick([
            format!("the lesion has {}", findings.border),
            findings.border.to_owned(),
            format!("{} throughout", findings.border),
        ]));
        others.extend(self.arrangement());
        others.push(self.tone());
        if self.rng.random_bool(0.5) {
            others.push(self.history());
        }
        others.extend(self.measure());
        if let Some(extra) = self.facts.extras.choose(self.rng) {
            others.push(format!("the photo has {extra}"));
        }
        if self.rng.random_bool(0.35) {
            others.extend(self.adjectives());
        }
        others.shuffle(self.rng);
        others.insert(0, first);
        others.iter().map(|sentence| words::capitalized(sentence)).collect()
    }

    fn main_sentence(&mut self, lesions: &str, details: &[&str]) -> String {
        let with = if details.is_empty() { String::new() } else { format!(" with {}", words::list(details)) };
        let (is_are, site) = (if self.facts.findings.count == 1 { "is" } else { "are" }, self.facts.case.site);
        self.pick([
            format!("there {is_are} {lesions}{with}"),
            format!("{lesions}{with}"),
            format!("on the {site}, {lesions}{with}"),
            format!("the photo shows {lesions}{with}"),
            format!("examination shows {lesions}{with}"),
        ])
    }

    fn arrangement(&mut self) -> Option<String> {
        let arrangement = self.facts.findings.arrangement?;
        Some(self.pick([
            format!("the lesions lie {arrangement}"),
            format!("arranged {arrangement}"),
            arrangement.to_owned(),
        ]))
    }

    fn tone(&mut self) -> String {
        let fitzpatrick = self.facts.case.fitzpatrick;
        let (tone, roman) = (words::tone(fitzpatrick), words::roman(fitzpatrick));
        self.pick([
            format!("seen on {tone} skin"),
            format!("skin tone Fitzpatrick {roman}"),
            format!("{tone} skin, Fitzpatrick type {roman}"),
            format!("the patient has {tone} skin"),
        ])
    }

    fn history(&mut self) -> String {
        let case = self.facts.case;
        self.pick([
            format!("present {}, {}", case.duration, case.symptom),
            format!("present {}", case.duration),
            format!("history: {}", case.symptom),
        ])
    }

    fn measure(&mut self) -> Option<String> {
        let width_mm = (self.facts.findings.largest * self.facts.case.field_mm).round() as u32;
        (self.rng.random_bool(0.4) && width_mm > 0).then(|| {
            if self.facts.findings.count == 1 {
                format!("it measures about {width_mm} mm")
            } else {
                format!("the largest measures about {width_mm} mm")
            }
        })
    }

    /// The findings as adjectives, as a clinician lists them: "scaly, erythematous".
    fn adjectives(&mut self) -> Option<String> {
        let findings = self.facts.findings;
        let terms: Vec<&str> = findings
            .concepts
            .iter()
            .filter_map(|concept| concept.terms().choose(self.rng).copied())
            .take(3)
            .collect();
        (!terms.is_empty()).then(|| format!("features: {}", terms.join(", ")))
    }

    /// Sentences in a patient's words.
    pub fn lay(&mut self) -> Vec<String> {
        let (case, findings) = (self.facts.case, self.facts.findings);
        let color = findings.colors.first().copied().unwrap_or("odd");
        let noun = if findings.count == 1 { "spot" } else { "spots" };
        let size = words::size(findings.largest);
        let which = if findings.count == 1 {
            words::with_article(&format!("{size} {color} {noun}"))
        } else {
            format!("{size} {color} {noun}")
        };
        let (site, duration, symptom) = (case.site, case.duration, case.symptom);
        let name = self.name();
        let opening = self.pick([
            format!("I have had {which} on my {site} {duration}"),
            format!("what are the {color} {noun} on my {site}"),
            format!("{which} on the {site} {duration}"),
            format!("my {site} has had {which} {duration}"),
        ]);
        let verdict = self.pick([
            format!("the doctor says it is {name}"),
            format!("I was told this is {name}"),
            format!("turned out to be {name}"),
            format!("diagnosed with {name}"),
        ]);
        let mut told = vec![opening, verdict];
        if self.rng.random_bool(0.5) {
            told.insert(1, symptom.to_owned());
        }
        if let (true, Some(detail)) = (self.rng.random_bool(0.5), findings.details.choose(self.rng)) {
            told.push(format!("you can see {detail}"));
        }
        if self.rng.random_bool(0.3) {
            told.push(format!("I have {} skin", words::tone(case.fitzpatrick)));
        }
        told.iter().map(|sentence| words::capitalized(sentence)).collect()
    }

    /// Everything that distinguishes this picture from others, in one or two sentences.
    pub fn identifying(&mut self) -> String {
        let (case, findings) = (self.facts.case, self.facts.findings);
        let noun = if findings.count == 1 { findings.lesion.0 } else { findings.lesion.1 };
        let colors = words::list(&findings.colors[..findings.colors.len().min(3)]);
        let mut details = findings.details.clone();
        details.shuffle(self.rng);
        details.truncate(2);
        let with = if details.is_empty() { String::new() } else { format!(" with {}", words::list(&details)) };
        let start = format!(
            "{} on the {} of {}, {} skin: {} {} {colors} {noun}{with}",
            words::capitalized(case.condition.name()),
            case.site,
            words::with_article(&words::person(case)),
            words::tone(case.fitzpatrick),
            words::count(findings.count),
            words::size(findings.largest),
        );
        let endings = [
            findings.arrangement.map(str::to_owned),
            self.position().map(|place| format!("{place} in the picture")),
            self.facts.extras.first().map(|extra| format!("with {extra}")),
            Some(format!("about {} mm", (findings.largest * case.field_mm).round() as u32)),
        ];
        let mut caption = start;
        for ending in endings.into_iter().flatten() {
            let longer = format!("{caption}, {ending}");
            if words::estimated_tokens(&longer) < words::TOKEN_BUDGET + 4 {
                caption = longer;
            }
        }
        caption + "."
    }

    /// Position of the lesions, if they are not in the center.
    fn position(&self) -> Option<String> {
        let focus = self.facts.case.focus;
        let vertical = if focus.y < -0.05 {
            "upper"
        } else if focus.y > 0.05 {
            "lower"
        } else {
            ""
        };
        let horizontal = if focus.x < -0.05 {
            "left"
        } else if focus.x > 0.05 {
            "right"
        } else {
            ""
        };
        let place = format!("{vertical} {horizontal}");
        (!place.trim().is_empty()).then(|| place.trim().to_owned())
    }
}
