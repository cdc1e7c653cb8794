//! The components of the page. They display the state and send events; decisions are in `state/`.

mod advice;
mod crop;
mod drop_paste;
mod image_picker;
mod label_editor;
mod model_status;
mod notice;
mod predictions;
mod server_switch;
mod take_along;

pub use advice::Advice;
pub use image_picker::ImagePicker;
pub use label_editor::LabelEditor;
pub use predictions::Predictions;
