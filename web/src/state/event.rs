//! Events of the page, and the actions that follow from them.

use super::{
    BatchFile, CameraFault, CameraOpening, Facing, JournalMessage, LabelChoice, NewPhoto, StartStep, StoredLabels,
    TableView,
};
use crate::crop::{Crop, PhotoSize};
use crate::error::Error;
use crate::journal::Entry;
use crate::worker::protocol::{Envelope, PhotoId, Reply, Request, RequestId};
use shared_model::api::ModelEntry;

/// The download of a sample picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleFetch {
    /// Index of the sample.
    pub sample: usize,
    /// Differs in every download.
    pub id: PhotoId,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The labels of the last visit; always the first event.
    LabelsRestored(StoredLabels),
    /// The page is open. `builds` are the builds of the worker to try in this browser, the best first.
    PageOpened {
        builds: Vec<String>,
    },
    /// The browser has stored the page's files for the next visit.
    PageStored,
    ModelsListed(Result<Vec<ModelEntry>, Error>),
    /// The visitor selected the model with this index.
    ModelChosen(usize),
    /// The visitor turned inference on the server on or off.
    ServerChosen(bool),
    /// The visitor chose a photo from the device.
    PhotoChosen(NewPhoto),
    /// The photo of this tab from before a reload was restored.
    PhotoRestored(NewPhoto, Option<Crop>),
    PhotoRemoved,
    /// The SHA-256 of a photo's file, in hexadecimal digits.
    PhotoHashed(PhotoId, String),
    /// The visitor moved or scaled the crop, or chose the whole photo.
    CropChanged(Option<Crop>),
    /// The crop has not changed for a moment.
    CropSettled,
    /// The visitor wants to take a photo here, or with the other camera.
    CameraWanted(Facing),
    /// The camera is open, and the device has this number of cameras.
    CameraOpened(CameraOpening, Result<usize, CameraFault>),
    /// The camera's picture is shown, or its size has changed.
    CameraShown(PhotoSize),
    CameraFailed(CameraFault),
    CameraClosed,
    /// The visitor took a photo, of this size.
    PhotoTaken(NewPhoto, PhotoSize),
    /// The visitor added several files or a folder.
    BatchChosen(Vec<BatchFile>),
    /// The visitor went back to the table of photos.
    BatchShown,
    BatchRemoved,
    /// The visitor sorted, filtered or turned the pages of the table.
    BatchViewed(TableView),
    /// The visitor searches the table by words.
    WordsSearched(String),
    /// The visitor wants the photos of the table that are like the one with this index.
    LikeSearched(usize),
    SearchEnded,
    /// Whether features are kept on the device, as an earlier visit or another tab has stored.
    FeatureKeepingRestored(bool),
    /// The visitor wants features to be kept on the device, or all of them to be deleted.
    FeatureKeepingWanted(bool),
    /// A drop or a paste was not a photo; the current photo stays.
    InputRefused(Error),
    /// The visitor selected the sample with this index.
    SampleChosen(usize),
    SampleFetched(SampleFetch, Result<String, Error>),
    LabelsChosen(LabelChoice),
    /// The text in the box of own labels changed; it is used once it is applied.
    OwnLabelsEdited(String),
    OwnLabelsApplied,
    /// Entries of the journal are on this device, and what was done, if the visitor did something.
    JournalShown(Vec<Entry>, Option<JournalMessage>),
    /// Whether the browser keeps the journal until the visitor deletes it.
    JournalPersistence(bool),
    /// An entry was deleted, or the whole journal.
    JournalRemoved(Option<String>),
    /// The visitor marked the entry with this id, or took its mark away.
    JournalMarked(String),
    JournalFailed(Error),
    /// The visitor has something done with the journal. What it says of the last time is over, so that screen readers
    /// announce the same sentence again.
    JournalStarted,
    /// The visitor turned findings on or off.
    ConceptsWanted(bool),
    /// The visitor wants to see which findings are typical of this label.
    TypicalLabelChosen(String),
    /// The visitor wants to see where the photo is like a label or words of their own.
    MapWanted(String),
    MapClosed,
    /// The visitor wants the model to look at the place that is most like the text of the map.
    MapFramed,
    /// The visitor wants the model with this index to answer the photo, too.
    OtherModelWanted(usize),
    OtherModelCanceled,
    FromOtherWorker(Envelope<Reply>),
    OtherWorkerFailed(String),
    /// The other model's worker sent nothing for [`super::START_TIMEOUT_SECS`] after this step of its start.
    OtherStartTimedOut(StartStep),
    FromWorker(Envelope<Reply>),
    WorkerFailed(String),
    /// The worker sent nothing for [`super::START_TIMEOUT_SECS`] after this step of its start.
    StartTimedOut(StartStep),
    /// The server no longer has this version of the page.
    PageReplaced,
    RetryPressed,
    /// The device has a network again.
    NetworkReturned,
}

/// What the page has to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    ListModels,
    /// Terminates the current worker, if any, and starts the state's build.
    StartWorker,
    /// Sends [`Event::StartTimedOut`] if the start makes no progress.
    WatchStart(StartStep),
    /// Has the service worker store the page's files.
    StorePage,
    /// Makes the visits of the next day start without threads.
    AvoidThreads,
    /// Sends [`Event::PageReplaced`] if the server has another version of the page.
    CheckVersion,
    Load {
        request_id: RequestId,
    },
    /// Sent together with the current photo.
    Classify(Envelope<Request>),
    /// Sent together with the current photo.
    Annotate(Envelope<Request>),
    /// Sent together with the current photo.
    Map(Envelope<Request>),
    /// Starts a second worker, for another model.
    StartOtherWorker,
    /// Sends [`Event::OtherStartTimedOut`] if the start makes no progress.
    WatchOtherStart(StartStep),
    /// Has the second worker load the model with this index.
    LoadOther {
        index: usize,
        request_id: RequestId,
    },
    /// Sent to the second worker together with the current photo.
    ClassifyByOther(Envelope<Request>),
    /// Terminates the second worker.
    EndOtherWorker,
    /// Sent together with a file of the table.
    SendFile {
        index: usize,
        request: Envelope<Request>,
    },
    /// Encodes the words of a search.
    Search(Envelope<Request>),
    /// Stores whether features are kept.
    StoreFeatureKeeping(bool),
    /// Tells the worker whether to keep features, if it runs.
    KeepFeatures(bool),
    /// Lets go of the files of the table.
    ForgetFiles,
    /// Sent together with the current photo.
    DecodePhoto(PhotoId),
    FetchSample(SampleFetch),
    /// Opens this camera in place of the one that is open.
    OpenCamera {
        opening: CameraOpening,
        facing: Facing,
    },
    CloseCamera,
    /// Stores the current photo until this tab is closed.
    StorePhoto,
    /// Stores the crop with the photo.
    StoreCrop,
    DeletePhoto,
    /// The page computed something from the restored photo, so that a later reload may restore it again.
    ClearSuspicion,
    /// Stores the labels for later visits.
    StoreLabels(StoredLabels),
}
