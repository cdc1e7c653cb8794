//! The parts of the page. They draw the state and send events; they decide nothing.

mod image_picker;
mod label_editor;
mod model_status;
mod notice;
mod offers;
mod predictions;
mod server_switch;

pub use image_picker::ImagePicker;
pub use label_editor::LabelEditor;
pub use predictions::Predictions;
