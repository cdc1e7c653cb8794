//! What a visitor sees of the page's state: the models on offer, what goes on, the photo, the labels, the answer.

use crate::error::Error;
use crate::worker::protocol::{PhotoId, Progress};
use serde::{Deserialize, Serialize};
use shared_model::zero_shot::Prediction;

/// An address that a server gave from its own root, as one that is relative to the page.
///
/// The server does not know of a prefix that a proxy has put before it; the page's own folder has it.
pub fn beside_page<'a>(address: &'a str, page_folder: &str) -> &'a str {
    let is_from_root = address.starts_with('/') && !address.starts_with("//");
    if is_from_root && !address.starts_with(page_folder) { &address[1..] } else { address }
}

/// What the page and its worker are at.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Phase {
    #[default]
    Idle,
    /// The model is on its way.
    Loading(Option<Progress>),
    /// The model waits for a photo or for labels.
    Ready,
    Classifying(Option<Progress>),
    Failed(Error),
}

/// A photo as it comes in, whose bytes are elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPhoto {
    /// Of its file.
    pub name: String,
    /// How many files came with it and are not looked at.
    pub n_others: usize,
}

impl From<&str> for NewPhoto {
    fn from(name: &str) -> Self {
        Self { name: name.into(), n_others: 0 }
    }
}

/// The photo on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Photo {
    pub id: PhotoId,
    pub name: String,
    pub n_others: usize,
    /// Whether the worker could open it, which makes its preview; `None` until it tried.
    pub opened: Option<Result<(), Error>>,
}

impl Photo {
    /// Whether the worker made a preview of it.
    pub fn has_preview(&self) -> bool {
        matches!(self.opened, Some(Ok(())))
    }

    /// Whether the model cannot look at it.
    pub fn is_refused(&self) -> bool {
        matches!(self.opened, Some(Err(_)))
    }
}

/// Which labels to choose among.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelChoice {
    /// A set of the model, by its key.
    Shipped(String),
    /// The visitor's own.
    Own,
}

/// Ranked answers for the photo on the screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub predictions: Vec<Prediction>,
    pub millis: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_server_are_below_the_prefix_that_the_page_is_below() {
        for (address, folder, expected) in [
            ("/models/a/manifest.json", "/", "/models/a/manifest.json"),
            ("/models/a/manifest.json", "/derm/", "models/a/manifest.json"),
            ("/v1/classify?model=a", "/a/b/", "v1/classify?model=a"),
            ("/derm/models/a/manifest.json", "/derm/", "/derm/models/a/manifest.json"),
            ("models/a/manifest.json", "/derm/", "models/a/manifest.json"),
            ("https://elsewhere.example/manifest.json", "/derm/", "https://elsewhere.example/manifest.json"),
            ("//elsewhere.example/manifest.json", "/derm/", "//elsewhere.example/manifest.json"),
        ] {
            assert_eq!(beside_page(address, folder), expected);
        }
    }
}
