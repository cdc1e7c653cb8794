//! What the page says, in the visitor's language: the sentences for what the state has.

mod answer;
mod camera;
mod error;
mod labels;
mod map;
mod models;
mod photo;
mod report;
mod search;
mod status;

pub use answer::{answered, list_title, percent, remark, row_remark, typical, verdict};
pub use camera::camera;
pub use error::error;
pub use labels::{labels_language, own_labels, translation, warnings, with_translation};
pub use map::most_like;
pub use models::{cost, models_agree, other_failure, other_work};
pub use photo::{body_site, crop, hint, kept_spots};
pub use report::{printed_rows, shared_text};
pub use search::{feature_keeping, keeping_hint, search, similarity};
pub use status::{amount, journal_message, keeping, megabytes, status};
