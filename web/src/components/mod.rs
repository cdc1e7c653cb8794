//! The components of the page. They display the state and send events; decisions are in `state/`.

mod advice;
mod batch;
mod camera;
mod concepts;
mod crop;
mod drop_paste;
mod image_picker;
mod journal;
mod label;
mod label_editor;
mod language_choice;
mod map;
mod model_card;
mod model_status;
mod notice;
mod other_models;
mod photo_input;
mod predictions;
mod server_switch;
mod switch;
mod take_along;
mod to_answers;

pub use advice::Advice;
pub use batch::PhotoTable;
pub use drop_paste::DropOverlay;
pub use image_picker::ImagePicker;
pub use journal::Journal;
pub use label_editor::LabelEditor;
pub use language_choice::LanguageChoice;
pub use model_status::SpokenStatus;
pub use predictions::Predictions;
