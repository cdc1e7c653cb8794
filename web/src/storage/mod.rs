//! What the page keeps in the browser of what the visitor chose: the labels for later visits, the photo for this tab.
//!
//! A browser that keeps nothing, as in some private windows or with storage blocked, is no error.

pub mod labels;
pub mod photo;
