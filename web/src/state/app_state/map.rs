//! The map is computed, shown and framed.

use super::AppState;
use crate::crop::{Crop, Point};
use crate::state::words::words_in;
use crate::state::{Action, Phase, ShownMap};
use crate::worker::protocol::{Envelope, Request};
use shared_model::SimilarityMap;

impl AppState {
    /// Whether maps can be made: the model runs here and makes maps, and there is an answer.
    pub fn offers_map(&self) -> bool {
        let makes_maps = self.model.as_ref().is_some_and(|model| model.makes_maps);
        makes_maps && !self.is_on_server && self.answer.is_some()
    }

    /// The map that the visitor wanted, once it is there.
    pub fn map(&self) -> Option<&ShownMap> {
        self.map.as_ref().filter(|_| self.answer.is_some())
    }

    /// The labels of the answer, the most likely first.
    pub fn ranked_labels(&self) -> Vec<String> {
        let predictions = self.answer.iter().flat_map(|answer| &answer.predictions);
        predictions.map(|prediction| prediction.label.clone()).collect()
    }

    /// The square around the place that is most like the text of the map; `None` if no place is, or if it is not known
    /// where in the photo the map lies.
    pub fn frame_of_map(&self) -> Option<Crop> {
        let (map, photo) = (&self.map()?.map, self.photo.as_ref()?);
        let size = photo.shown()?.size;
        let sees_middle = self.model.as_ref().is_some_and(|model| model.sees_middle);
        let seen = photo.used_crop.or_else(|| sees_middle.then(|| Crop::middle(size)))?;
        let (row, column) = map.maximum()?;
        let share = |at: usize, n: usize| (at as f64 + 0.5) / n as f64;
        Some(seen.around_place(Point { x: share(column, map.columns), y: share(row, map.rows) }, size))
    }

    /// Frames the place that is most like the text, and has the model look at it.
    pub(super) fn frame_map(&mut self) -> Vec<Action> {
        let Some(crop) = self.frame_of_map() else { return Vec::new() };
        self.change_crop(Some(crop));
        self.settle_crop()
    }

    /// Requests a map. Findings that are being scored are requested again after it.
    pub(super) fn want_map(&mut self, text: &str) -> Vec<Action> {
        let Some(text) = words_in(text) else { return Vec::new() };
        let is_idle = match self.phase {
            Phase::Ready | Phase::Annotating(_) | Phase::Mapping(_) => true,
            // Maps or findings failed beside the answer: a label needs less than words of the visitor's own.
            Phase::Failed(_) => self.is_loaded,
            Phase::Idle | Phase::Loading(_) | Phase::Classifying(_) | Phase::Searching(_) => false,
        };
        let (Some(photo), Some(labels)) = (&self.photo, self.label_set()) else { return Vec::new() };
        if !is_idle || !self.offers_map() {
            return Vec::new();
        }
        let (photo_id, crop, labels) = (photo.id, photo.used_crop, labels.clone());
        let body = Request::Map { photo_id, crop, text: text.into(), labels };
        self.map_text = text.into();
        let request_id = self.next_request_id();
        self.phase = Phase::Mapping(None);
        vec![Action::Map(Envelope { request_id, body })]
    }

    pub(super) fn close_map(&mut self) -> Vec<Action> {
        self.map = None;
        Vec::new()
    }

    pub(super) fn set_map(&mut self, map: SimilarityMap) -> Vec<Action> {
        self.phase = Phase::Ready;
        self.map = Some(ShownMap { text: std::mem::take(&mut self.map_text), map });
        self.annotate()
    }
}
