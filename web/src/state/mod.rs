//! The state of the page, and the actions that follow from each event. Pure: the browser is accessed in `app/`.
//!
//! [`AppState::apply`] takes an event and returns what to do. Each request to the worker has a new id, and replies to
//! any request but the last are ignored. A new photo or label set removes the old answer.
//!
//! The files here have the values of the state, each concept by itself; `app_state/` puts them together and changes them.

mod app_state;
mod batch;
mod camera;
mod concepts;
mod drop_paste;
mod event;
mod findings;
mod journal;
mod kept_features;
mod labels;
mod map;
mod model_list;
mod other_models;
mod phase;
mod photo;
mod shown;
mod start;
mod status;
mod words;

pub use app_state::{AppState, TOP_K};
pub use batch::{Batch, BatchFile, Outcome, Row, Sort, TablePage, TableView};
pub use camera::{Camera, CameraFault, CameraOpening, CameraView, Facing};
pub use concepts::ConceptList;
pub use drop_paste::{DropDecision, DropOrPaste, DroppedFile};
pub use event::{Action, Event, SampleFetch};
pub use findings::findings_to_show;
pub use journal::{JournalMessage, JournalState, Keeping};
pub use labels::{LabelChoice, OwnLabelsSummary, StoredLabels, own_labels_warnings};
pub use map::ShownMap;
pub use model_list::relative_to_page;
pub use other_models::{Candidate, ComparedModel, Cost};
pub use phase::{Answer, Phase};
pub use photo::{DecodedPhoto, ModelView, NewPhoto, Photo, PhotoHint};
pub use shown::n_shown;
pub use start::{START_TIMEOUT_SECS, StartStep};
pub use status::{BelowPhoto, Status, duration};
pub use words::MAX_WORDS_CHARS;
