//! A sentence for each error: what happened, and what to do.

use crate::error::{Error, what};
use crate::language::Catalog;
use crate::texts;

/// The sentence for an error. Details that come from the browser, the server or the model's library stay in English.
pub fn error(catalog: &Catalog, error: &Error) -> String {
    let about = |name: &str| about(catalog, name);
    match error {
        Error::Unreachable { what } => texts::error_unreachable(catalog, &about(what)),
        Error::Timeout { what } => texts::error_timeout(catalog, &about(what)),
        Error::UnexpectedPage { what } => texts::error_unexpected_page(catalog, &about(what)),
        Error::Refused { what, status } => texts::error_refused(catalog, &about(what), *status),
        Error::Damaged { what, expected, found } => texts::error_damaged(catalog, &about(what), expected, found),
        Error::NoModel => texts::error_no_model(catalog),
        Error::UnusableModel { detail } => texts::error_unusable_model(catalog, detail),
        Error::OutOfMemory { what } => texts::error_out_of_memory(catalog, &about(what)),
        Error::WorkerNotStarted { detail } => texts::error_worker_not_started(catalog, detail),
        Error::WorkerSilent { secs } => texts::error_worker_silent(catalog, *secs),
        Error::PageReplaced => texts::error_page_replaced(catalog),
        Error::WorkerCrashed { detail } => texts::error_worker_crashed(catalog, detail),
        Error::NotAnImage => texts::error_not_an_image(catalog),
        Error::UnsupportedFormat { detail } => texts::error_unsupported_format(catalog, detail),
        Error::ImageTooLarge { found, limit } => texts::error_image_too_large(catalog, found, limit),
        Error::ImageDamaged { detail } => texts::error_image_damaged(catalog, detail),
        Error::PhotoUnreadable => texts::error_photo_unreadable(catalog),
        Error::PhotoGivenUp => texts::error_photo_given_up(catalog),
        Error::NoFiles => texts::error_no_files(catalog),
        Error::LinkWithoutFile => texts::error_link_without_file(catalog),
        Error::TextWithPicture => texts::error_text_with_picture(catalog),
        Error::ServerRefused { message } => texts::error_server_refused(catalog, message),
        Error::Labels { detail } => texts::error_labels(catalog, detail),
        Error::InvalidArgument { .. } => error.to_string(), // of the JavaScript package only
        Error::JournalDamaged { detail } => texts::error_journal_damaged(catalog, detail),
        Error::JournalFull => texts::error_journal_full(catalog),
        Error::JournalFullAfter { n_kept, n_photos } => {
            texts::error_journal_full_after(catalog, *n_kept, *n_photos)
        }
        Error::JournalUnavailable => texts::error_journal_unavailable(catalog),
        Error::Computation { detail } => texts::error_computation(catalog, detail),
    }
}

/// What an error is about; the name of a file stays as it is.
fn about(catalog: &Catalog, name: &str) -> String {
    match name {
        what::MODEL_LIST => texts::what_model_list(catalog),
        what::SAMPLE => texts::what_sample(catalog),
        what::PHOTO => texts::what_photo(catalog),
        what::JOURNAL_FILE => texts::what_journal_file(catalog),
        what::SERVER_ANSWER => texts::what_server_answer(catalog),
        file => file.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_english_sentences_are_those_of_the_worker_and_the_files() {
        let [name, detail, message] = ["vision.safetensors", "why", "busy"].map(String::from);
        let about = [what::MODEL_LIST, what::SAMPLE, what::PHOTO, what::JOURNAL_FILE, what::SERVER_ANSWER, &name];
        let mut errors = vec![
            Error::Timeout { what: name.clone() },
            Error::UnexpectedPage { what: name.clone() },
            Error::Refused { what: name.clone(), status: 404 },
            Error::Damaged { what: name.clone(), expected: "a".into(), found: "b".into() },
            Error::NoModel,
            Error::UnusableModel { detail: detail.clone() },
            Error::OutOfMemory { what: name.clone() },
            Error::WorkerNotStarted { detail: detail.clone() },
            Error::WorkerSilent { secs: 15 },
            Error::PageReplaced,
            Error::WorkerCrashed { detail: detail.clone() },
            Error::NotAnImage,
            Error::UnsupportedFormat { detail: detail.clone() },
            Error::ImageTooLarge { found: "a".into(), limit: "b".into() },
            Error::ImageDamaged { detail: detail.clone() },
            Error::PhotoUnreadable,
            Error::PhotoGivenUp,
            Error::NoFiles,
            Error::LinkWithoutFile,
            Error::TextWithPicture,
            Error::ServerRefused { message },
            Error::Labels { detail: detail.clone() },
            Error::InvalidArgument { detail: detail.clone() },
            Error::JournalDamaged { detail: detail.clone() },
            Error::JournalFull,
            Error::JournalFullAfter { n_kept: 1, n_photos: 3 },
            Error::JournalUnavailable,
            Error::Computation { detail },
        ];
        errors.extend(about.map(|name| Error::Unreachable { what: name.into() }));
        let english = Catalog::english();
        for found in errors {
            assert_eq!(error(&english, &found), found.to_string());
        }
    }
}
