//! One case: the patient, the skin, the place and the view, chosen before anything is painted.
//!
//! A case is a pure function of (seed, split, index). Everything here but the site and the patient is independent
//! of the condition, so that tone, light, position and scale give nothing away.

use super::canvas::Point;
use super::condition::Condition;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub type CaseRng = ChaCha8Rng;

/// Skin tones by Fitzpatrick, I to VI.
pub const N_TONES: usize = 6;

/// The part of the set that a case belongs to; the same index in two splits gives unrelated cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    Train,
    Validation,
    ZeroShot,
    Concept,
    Retrieval,
    ContactSheet,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sex {
    Female,
    Male,
}

impl Sex {
    pub fn name(self) -> &'static str {
        match self {
            Self::Female => "female",
            Self::Male => "male",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Case {
    pub condition: Condition,
    /// 1 to 6.
    pub fitzpatrick: u8,
    pub site: &'static str,
    pub sex: Sex,
    /// Years.
    pub age: u32,
    pub duration: &'static str,
    pub symptom: &'static str,
    /// Position of the lesions relative to the center of the picture.
    pub focus: Point,
    /// Factor on every size.
    pub zoom: f32,
    /// Millimeters on the shorter edge of the picture.
    pub field_mm: f32,
}

/// A separate random generator for each (seed, split, index, purpose).
pub fn rng_for(seed: u64, split: Split, index: u64, purpose: u64) -> CaseRng {
    let mut bytes = [0; 32];
    for (slot, value) in bytes.chunks_exact_mut(8).zip([seed, split as u64, index, purpose]) {
        slot.copy_from_slice(&value.to_le_bytes());
    }
    ChaCha8Rng::from_seed(bytes)
}

/// Condition and Fitzpatrick type of a row: every run of 14 rows holds each condition once, in a random order, and
/// each condition goes through the six tones.
pub fn assignment(seed: u64, split: Split, index: u64) -> (Condition, u8) {
    let n_conditions = Condition::ALL.len() as u64;
    let round = index / n_conditions;
    let mut order = Condition::ALL;
    order.shuffle(&mut rng_for(seed, split, round, PURPOSE_ORDER));
    let condition = order[(index % n_conditions) as usize];
    let tone = (round + condition.label() as u64) % N_TONES as u64;
    (condition, tone as u8 + 1)
}

const PURPOSE_ORDER: u64 = 1;

impl Case {
    pub fn sample(condition: Condition, fitzpatrick: u8, rng: &mut CaseRng) -> Self {
        let profile = condition.profile();
        let mut pick = |words: &'static [&'static str]| *words.choose(rng).expect("word lists are not empty");
        let (site, duration, symptom) = (pick(profile.sites), pick(profile.durations), pick(profile.symptoms));
        Self {
            condition,
            fitzpatrick,
            site,
            duration,
            symptom,
            sex: if rng.random_bool(0.5) { Sex::Female } else { Sex::Male },
            age: rng.random_range(profile.ages.0..=profile.ages.1),
            focus: Point::new(rng.random_range(-0.13..0.13), rng.random_range(-0.13..0.13)),
            zoom: rng.random_range(0.8f32..1.3),
            field_mm: rng.random_range(profile.field_mm.0..profile.field_mm.1),
        }
    }

    /// Moves the lesions away from the middle and makes them small, as in a photo from too far away.
    pub fn move_off_center(&mut self, rng: &mut CaseRng) {
        let angle = rng.random_range(0.0..std::f32::consts::TAU);
        self.focus = Point::new(0.0, 0.0).toward(angle, rng.random_range(0.18..0.32));
        self.zoom *= rng.random_range(0.35..0.55);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_and_tones_are_balanced() {
        let mut counts = [[0; N_TONES]; 14];
        for index in 0..14 * 12 {
            let (condition, tone) = assignment(7, Split::ZeroShot, index);
            counts[condition.label()][tone as usize - 1] += 1;
        }
        assert!(counts.iter().flatten().all(|&count| count == 2), "{counts:?}");
    }

    #[test]
    fn splits_and_seeds_do_not_share_generators() {
        let draw = |seed, split, index| rng_for(seed, split, index, 0).random::<u64>();
        let all = [draw(1, Split::Train, 3), draw(2, Split::Train, 3), draw(1, Split::Concept, 3)];
        assert!(all[0] != all[1] && all[0] != all[2] && all[1] != all[2]);
        assert_eq!(all[0], draw(1, Split::Train, 3));
    }
}
