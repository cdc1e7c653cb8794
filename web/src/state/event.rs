//! What happens to the page, and what it then does.

use super::{LabelChoice, ModelEntry};
use crate::error::Error;
use crate::worker::protocol::{Envelope, PhotoId, Reply, Request, RequestId};

/// A sample picture being fetched, and what tells this fetch from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleFetch {
    /// Its place among the samples.
    pub sample: usize,
    pub ticket: PhotoId,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    PageOpened,
    /// The browser has the page's own files for the next visit.
    PageKept,
    ModelsListed(Result<Vec<ModelEntry>, Error>),
    /// By its place in the list.
    ModelChosen(usize),
    /// Whether the server is to look at photos.
    ServerChosen(bool),
    /// From the visitor's device, by its file name.
    PhotoChosen(String),
    /// By its place among the samples.
    SampleChosen(usize),
    SampleFetched(SampleFetch, Result<String, Error>),
    LabelsChosen(LabelChoice),
    OwnLabelsTyped(String),
    FromWorker(Envelope<Reply>),
    WorkerLost(String),
    RetryPressed,
}

/// What to do about it.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    ListModels,
    /// Ends the worker there is, if any.
    StartWorker,
    Load {
        request_id: RequestId,
    },
    /// Goes with the photo on the screen.
    Classify(Envelope<Request>),
    FetchSample(SampleFetch),
}
