//! The steps of a calibrated quantization, each of which can be left out to measure it.

use std::str::FromStr;

/// Which steps are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    /// Moves shifts and scales between layers, without a change of what they compute.
    pub equalize: bool,
    /// Chooses scales by the error of the outputs, where large weights may be cut off.
    pub clip: bool,
    /// Makes up for the error of each weight by those that are rounded after it.
    pub feedback: bool,
    /// Aims at the dense outputs behind layers that are quantized already, and corrects the biases.
    pub correct: bool,
}

impl Steps {
    /// All steps.
    pub const ALL: Self = Self { equalize: true, clip: true, feedback: true, correct: true };
    /// No step: each weight is rounded by itself.
    pub const NONE: Self = Self { equalize: false, clip: false, feedback: false, correct: false };
}

impl Default for Steps {
    fn default() -> Self {
        Self::ALL
    }
}

impl FromStr for Steps {
    type Err = String;

    /// Reads `all`, `none`, or names joined by `+`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut steps = match text {
            "all" => return Ok(Self::ALL),
            _ => Self::NONE,
        };
        for name in text.split('+').filter(|name| *name != "none") {
            match name {
                "equalize" => steps.equalize = true,
                "clip" => steps.clip = true,
                "feedback" => steps.feedback = true,
                "correct" => steps.correct = true,
                other => return Err(format!("expected equalize, clip, feedback or correct, found {other}")),
            }
        }
        Ok(steps)
    }
}
