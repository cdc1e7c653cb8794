//! What captions are written from.

use crate::case::Case;
use crate::findings::Findings;

/// Facts for the captions.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    pub case: &'a Case,
    pub findings: &'a Findings,
    /// Artifacts that the camera added to the picture.
    pub extras: &'a [&'static str],
}
