//! What the page is doing, and what was done.

use crate::language::Catalog;
use crate::state::{JournalMessage, Keeping, Status};
use crate::texts::{self, Text};
use crate::worker::protocol::{Progress, Stage};

/// The status in one sentence.
pub fn status(catalog: &Catalog, status: Status) -> String {
    let text: Text = match status {
        Status::Starting => texts::status_starting,
        Status::Stopped => texts::status_stopped,
        Status::Connecting => texts::status_connecting,
        Status::Preparing => texts::status_preparing,
        Status::LoadingStored => texts::status_loading_stored,
        Status::Downloading => texts::status_downloading,
        Status::Classifying => texts::status_classifying,
        Status::ClassifyingMany => texts::status_classifying_many,
        Status::ScoringFindings => texts::status_scoring,
        Status::Mapping => texts::status_mapping,
        Status::Searching => texts::status_searching,
        Status::KeepingFeatures => texts::status_keeping_features,
        Status::EncodingLabels => texts::status_encoding,
        Status::LoadingStoredText => texts::status_loading_stored_text,
        Status::DownloadingText => texts::status_downloading_text,
        Status::FetchingSample => texts::status_fetching_sample,
        Status::Done => texts::status_done,
        Status::ReadyForLabels => texts::status_ready_for_labels,
        Status::ReadyForPhoto => texts::status_ready_for_photo,
    };
    text(catalog)
}

/// How far the work is: `12.3 of 88.1 MB`, `3 of 8 labels`.
pub fn amount(catalog: &Catalog, Progress { stage, done, total }: Progress) -> String {
    match stage {
        Stage::Download | Stage::ReadStored => {
            texts::amount_megabytes(catalog, &megabytes(catalog, done), &megabytes(catalog, total))
        }
        Stage::Photos | Stage::Features => texts::amount_photos(catalog, total, done),
        Stage::Labels => texts::amount_labels(catalog, total, done),
        Stage::Concepts => texts::amount_sentences(catalog, total, done),
    }
}

/// A number of megabytes, without the unit.
pub fn megabytes(catalog: &Catalog, n_bytes: u64) -> String {
    catalog.decimal(format_args!("{:.1}", n_bytes as f64 / 1e6))
}

/// What was done with the journal.
pub fn journal_message(catalog: &Catalog, message: JournalMessage) -> String {
    match message {
        JournalMessage::Kept => texts::journal_kept(catalog),
        JournalMessage::Imported { n_photos } => texts::journal_imported(catalog, n_photos),
        JournalMessage::Saved { n_photos, n_left_out: 0 } => texts::journal_saved(catalog, n_photos),
        JournalMessage::Saved { n_photos, n_left_out } => {
            [texts::journal_saved(catalog, n_photos), texts::journal_left_out(catalog, n_left_out)].join(" ")
        }
        JournalMessage::Deleted => texts::journal_deleted(catalog),
    }
}

/// Why the photo cannot be kept; `None` if it can.
pub fn keeping(catalog: &Catalog, keeping: Keeping) -> Option<String> {
    match keeping {
        Keeping::Possible => None,
        Keeping::Unanswered => Some(texts::journal_unanswered(catalog)),
        Keeping::NoPicture => Some(texts::journal_no_picture(catalog)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_units_and_plurals() {
        let english = Catalog::english();
        let amount = |stage, done, total| super::amount(&english, Progress { stage, done, total });
        assert_eq!(amount(Stage::Download, 12_345_678, 88_100_000), "12.3 of 88.1 MB");
        assert_eq!(amount(Stage::Labels, 3, 8), "3 of 8 labels");
        assert_eq!(amount(Stage::Photos, 0, 1), "0 of 1 photo");
    }

    #[test]
    fn the_journal_counts_what_was_imported() {
        let english = Catalog::english();
        let said = |n_photos| journal_message(&english, JournalMessage::Imported { n_photos });
        assert_eq!(
            [0, 1, 9].map(said),
            ["0 photos were imported.", "1 photo was imported.", "9 photos were imported."]
        );
    }

    #[test]
    fn entries_that_are_left_out_of_a_saved_journal_are_counted() {
        let english = Catalog::english();
        let said = |n_photos, n_left_out| journal_message(&english, JournalMessage::Saved { n_photos, n_left_out });
        assert_eq!(said(1, 0), "1 photo is in the file.");
        assert_eq!(
            said(2, 1),
            "2 photos are in the file. 1 entry has no photo on this device any more and is left out."
        );
    }
}
