//! The components of the page. They display the state and send events; decisions are in `state/`.

mod drop_paste;
mod image_picker;
mod label_editor;
mod model_status;
mod notice;
mod predictions;
mod server_switch;

pub use image_picker::ImagePicker;
pub use label_editor::LabelEditor;
pub use predictions::Predictions;
