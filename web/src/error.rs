//! The errors of the page and of its worker. `Display` is the English sentence, for the JavaScript package and for files;
//! the page has a sentence in each of its languages.

use serde::{Deserialize, Serialize};

/// Result with this crate's [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error as the visitor sees it. The worker sends it to the page as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub enum Error {
    // Requests
    #[error("Could not fetch {what}: no connection to the server. Check the network, then try again.")]
    Unreachable { what: String },
    #[error("Could not fetch {what}: the server does not respond. Check the network, then try again.")]
    Timeout { what: String },
    #[error("Could not fetch {what}: another page came instead, perhaps a login. Reload this page to see it.")]
    UnexpectedPage { what: String },
    #[error("Could not fetch {what}: the server answered {status}. Try again, now or later.")]
    Refused { what: String, status: u16 },
    #[error("{what} is damaged: expected {expected}, found {found}. It was deleted. Try again.")]
    Damaged { what: String, expected: String, found: String },

    // The model and its worker
    #[error("This server has no model. Try again when it has one.")]
    NoModel,
    #[error("This model cannot be used here: {detail}.")]
    UnusableModel { detail: String },
    #[error("There is not enough memory for {what}. Close other tabs or programs, then try again.")]
    OutOfMemory { what: String },
    #[error("The model's program could not start ({detail}). Check the network, then try again.")]
    WorkerNotStarted { detail: String },
    #[error(
        "The model's program could not start (it did not respond for {secs} seconds). Check the network, then try again."
    )]
    WorkerSilent { secs: u32 },
    #[error(
        "The server has a newer version of this page and no longer has the files of this one. Reload the page."
    )]
    PageReplaced,
    #[error("The model stopped unexpectedly, perhaps because memory ran out ({detail}). Try again to restart it.")]
    WorkerCrashed { detail: String },

    // Photos
    #[error("This file is not an image that can be read here. Choose a JPEG, PNG, WebP, GIF, BMP or TIFF file.")]
    NotAnImage,
    #[error("This file cannot be read here: {detail}. Choose another one.")]
    UnsupportedFormat { detail: String },
    #[error("This image is too large: it has {found}, and the limit is {limit}. Choose a smaller one.")]
    ImageTooLarge { found: String, limit: String },
    #[error("This image is damaged or incomplete ({detail}). Choose another one.")]
    ImageDamaged { detail: String },
    #[error("This file could not be read: it may have been moved, changed or deleted. Choose it again.")]
    PhotoUnreadable,
    #[error(
        "The page ended twice with this photo, perhaps because memory ran out. Close other tabs or programs, then choose \
         it again, or a smaller one."
    )]
    PhotoGivenUp,
    #[error("There are no files here. Choose or drop photos, or a folder that has some.")]
    NoFiles,
    #[error("This is a link without a picture file. Save the picture, then choose its file.")]
    LinkWithoutFile,
    #[error("This is text. To use it as labels, select \"Your own labels\" and paste it into the box.")]
    TextWithPicture,

    // Inference on the server
    #[error("The server did not classify the photo: {message}. Try again, now or later.")]
    ServerRefused { message: String },

    // Labels
    #[error("These labels cannot be used: {detail}.")]
    Labels { detail: String },

    // The JavaScript package
    #[error("{detail}.")]
    InvalidArgument { detail: String },

    // The journal
    #[error("This file is not a journal of this page, or it is damaged ({detail}). Nothing was imported.")]
    JournalDamaged { detail: String },
    #[error("There is no room on this device for another photo. Save the journal as a file, then delete photos.")]
    JournalFull,
    #[error(
        "There was room on this device for {n_kept} of {n_photos} photos. Make room, then open the journal's file again \
         for the others."
    )]
    JournalFullAfter { n_kept: usize, n_photos: usize },
    #[error("This browser keeps no files for this page, as in a private window. The photo was not kept.")]
    JournalUnavailable,

    #[error("The computation failed: {detail}. Try again.")]
    Computation { detail: String },
}

/// What errors are about. Anything else is the name of a file.
pub mod what {
    pub const MODEL_LIST: &str = "the list of models";
    pub const SAMPLE: &str = "the sample";
    pub const PHOTO: &str = "this photo";
    pub const JOURNAL_FILE: &str = "the journal's file";
    pub const SERVER_ANSWER: &str = "the server's answer";
}

/// What the visitor can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Try the same again.
    Retry,
    /// Reload the page.
    Reload,
    /// Choose another photo.
    OtherPhoto,
    /// Enter other labels.
    OtherLabels,
}

impl Error {
    /// The remedy to offer beside the sentence.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::NotAnImage
            | Self::UnsupportedFormat { .. }
            | Self::ImageTooLarge { .. }
            | Self::ImageDamaged { .. }
            | Self::PhotoUnreadable
            | Self::PhotoGivenUp
            | Self::NoFiles
            | Self::LinkWithoutFile
            | Self::TextWithPicture => Remedy::OtherPhoto,
            Self::Labels { .. } => Remedy::OtherLabels,
            Self::UnexpectedPage { .. } | Self::PageReplaced => Remedy::Reload,
            _ => Remedy::Retry,
        }
    }

    /// An error for an invalid manifest, list or URL.
    pub fn unusable(detail: impl ToString) -> Self {
        Self::UnusableModel { detail: detail.to_string() }
    }
}

impl From<shared_model::Error> for Error {
    fn from(err: shared_model::Error) -> Self {
        use shared_model::Error as Model;
        use shared_model::preprocess::OtherFile;
        match err {
            Model::ImageFormat(OtherFile::Unknown | OtherFile::Text) => Self::NotAnImage,
            Model::ImageFormat(kind) => Self::UnsupportedFormat { detail: kind.to_string() },
            Model::ImageTooLarge { width, height, limit_megapixels, limit_edge } => Self::ImageTooLarge {
                found: format!("{width} × {height} px"),
                limit: format!("{limit_megapixels} MP, {limit_edge} px × {limit_edge} px"),
            },
            Model::ImageMemory { .. } => Self::OutOfMemory { what: what::PHOTO.into() },
            Model::ImageDecode { detail } => Self::ImageDamaged { detail },
            Model::Labels { .. } | Model::TextTooLong { .. } => Self::Labels { detail: with_causes(&err) },
            Model::Tensor(_) | Model::Resample { .. } => Self::Computation { detail: with_causes(&err) },
            _ => Self::unusable(with_causes(&err)),
        }
    }
}

fn with_causes(err: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(err), |err| err.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_model::preprocess::OtherFile;

    #[test]
    fn a_file_of_a_known_kind_gets_a_sentence_of_its_own() {
        let sentence = |kind| Error::from(shared_model::Error::ImageFormat(kind)).to_string();
        assert!(sentence(OtherFile::Heic).contains("Most Compatible"));
        assert!(sentence(OtherFile::Picture("AVIF")).contains("AVIF is not read"));
        assert!(sentence(OtherFile::Text).contains("Choose a JPEG"));
    }

    #[test]
    fn photo_errors_ask_for_another_photo_and_label_errors_for_other_labels() {
        let too_large = shared_model::Error::ImageTooLarge {
            width: 20_000,
            height: 20_000,
            limit_megapixels: 100,
            limit_edge: 1_000_000,
        };
        for err in [shared_model::Error::ImageFormat(OtherFile::Heic), too_large] {
            assert_eq!(Error::from(err).remedy(), Remedy::OtherPhoto);
        }
        let labels = shared_model::labels::LabelSet::from_text("[acne]").unwrap_err();
        let labels = Error::from(labels);
        assert_eq!(labels.remedy(), Remedy::OtherLabels);
        assert_eq!(
            labels.to_string(),
            "These labels cannot be used: labels: expected a JSON list of names, as in [\"acne\", \"nevus\"], \
             found text that is not JSON: expected value at line 1 column 2."
        );
        assert_eq!(Error::NoModel.remedy(), Remedy::Retry);
        assert_eq!(Error::PageReplaced.remedy(), Remedy::Reload);
        assert_eq!(Error::UnexpectedPage { what: "the list of models".into() }.remedy(), Remedy::Reload);
    }

    #[test]
    fn an_error_survives_serialization() {
        let err = Error::Refused { what: "vision.safetensors".into(), status: 404 };
        let json = serde_json::to_string(&err).unwrap();
        assert_eq!(serde_json::from_str::<Error>(&json).unwrap(), err);
    }
}
