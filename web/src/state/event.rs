//! What happens to the page, and what it then does.

use super::{KeptLabels, LabelChoice, NewPhoto};
use crate::error::Error;
use crate::worker::protocol::{Envelope, PhotoId, Reply, Request, RequestId};
use shared_model::api::ModelEntry;

/// A sample picture being fetched, and what tells this fetch from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleFetch {
    /// Its place among the samples.
    pub sample: usize,
    pub ticket: PhotoId,
}

/// Counts what is heard of a worker's start.
pub type StartStep = u32;

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// What the last visit chose of the labels; comes before anything else.
    LabelsRestored(KeptLabels),
    /// With the builds of the worker's program to try in this browser, the best first.
    PageOpened {
        builds: Vec<String>,
    },
    /// The browser has the page's own files for the next visit.
    PageKept,
    ModelsListed(Result<Vec<ModelEntry>, Error>),
    /// By its place in the list.
    ModelChosen(usize),
    /// Whether the server is to look at photos.
    ServerChosen(bool),
    /// From the visitor's device.
    PhotoChosen(NewPhoto),
    /// The one that this tab had before it was loaded again.
    PhotoRestored(NewPhoto),
    PhotoRemoved,
    /// What was dropped or pasted is no photo; the one on the screen stays.
    OfferRefused(Error),
    /// By its place among the samples.
    SampleChosen(usize),
    SampleFetched(SampleFetch, Result<String, Error>),
    LabelsChosen(LabelChoice),
    /// What stands in the box of the visitor's own labels; they are used once they are applied.
    OwnLabelsEdited(String),
    OwnLabelsApplied,
    FromWorker(Envelope<Reply>),
    WorkerLost(String),
    /// Nothing was heard of the worker's start for [`super::START_SECS`] since this step of it.
    StartOverdue(StartStep),
    /// The server no longer has this version of the page.
    PageReplaced,
    RetryPressed,
}

/// What to do about it.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    ListModels,
    /// Ends the worker there is, if any. Its build and the step to watch are the state's.
    StartWorker,
    /// Sends [`Event::StartOverdue`] later.
    WatchStart(StartStep),
    /// Has the browser keep the page's own files.
    KeepPage,
    /// Has the next visits begin without threads, for a while.
    AvoidThreads,
    /// Sends [`Event::PageReplaced`] if it is so.
    CheckVersion,
    Load {
        request_id: RequestId,
    },
    /// Goes with the photo on the screen.
    Classify(Envelope<Request>),
    /// Goes with the photo on the screen, too.
    OpenPhoto(PhotoId),
    FetchSample(SampleFetch),
    /// For this tab, until it is closed.
    KeepPhoto,
    ForgetPhoto,
    /// For later visits.
    KeepLabels(KeptLabels),
}
