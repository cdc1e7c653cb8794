//! A table of many photos: its order, its file, and photos that fail.

use super::*;
use crate::language::Catalog;
use crate::sentences;
use crate::state::{BatchFile, Sort, TablePage, TableView};
use crate::verdict::Verdict;

fn files(names: &[&str]) -> Event {
    let file = |name: &&str| BatchFile { name: name.to_string(), error: None };
    Event::BatchChosen(names.iter().map(file).collect())
}

/// The index of the file that is classified, if that is what follows.
fn file_sent(actions: &[Action]) -> Option<usize> {
    match actions.first()? {
        Action::SendFile { index, .. } => Some(*index),
        _ => None,
    }
}

fn answer(label: &str, probability: f32) -> Reply {
    answer_of(label, probability, None)
}

fn names(state: &AppState) -> Vec<String> {
    shown(state).rows.into_iter().map(|(_, row)| row.name).collect()
}

/// The page of the table in English.
fn shown(state: &AppState) -> TablePage {
    let english = Catalog::english();
    state.open_batch().unwrap().shown(|row| sentences::row_remark(&english, row))
}

fn finished() -> AppState {
    let mut state = ready();
    assert_eq!(file_sent(&state.apply(files(&["b.jpg", "a.jpg", "notes.txt", "c, d.jpg"]))), Some(0));
    assert_eq!(file_sent(&state.worker_replies(answer("mole", 0.5))), Some(1));
    assert_eq!(file_sent(&state.worker_replies(answer("acne", 0.9))), Some(2));
    assert_eq!(file_sent(&state.worker_replies(Reply::Failed { error: Error::NotAnImage })), Some(3));
    assert_eq!(state.worker_replies(answer("mole", 0.7)), []);
    state
}

#[test]
fn each_file_is_answered_or_refused() {
    let state = finished();
    let batch = state.open_batch().unwrap();
    assert_eq!((batch.n_files(), batch.n_done(), batch.n_refused()), (4, 4, 1));
    assert_eq!((state.phase_name(), state.error()), ("ready", None));
}

#[test]
fn the_table_is_sorted_filtered_and_paged() {
    let mut state = finished();
    let view = TableView::default();
    let mut shown = |view: TableView| {
        state.apply(Event::BatchViewed(view));
        names(&state)
    };
    assert_eq!(shown(view.sorted_by(Sort::File)), ["a.jpg", "b.jpg", "c, d.jpg", "notes.txt"]);
    let probable = view.sorted_by(Sort::Probability);
    assert_eq!(shown(probable.clone()), ["a.jpg", "c, d.jpg", "b.jpg", "notes.txt"]);
    assert_eq!(shown(probable.sorted_by(Sort::Probability)), ["b.jpg", "c, d.jpg", "a.jpg", "notes.txt"]);
    assert_eq!(shown(view.filtered_by(" MOLE ".into())), ["b.jpg", "c, d.jpg"]);
    assert_eq!(shown(view.filtered_by("not an image".into())), ["notes.txt"]);
    assert_eq!(shown(view.on_page(9)).len(), 4, "there is one page");

    let many: Vec<String> = (0..120).map(|n| format!("{n:03}.jpg")).collect();
    state.apply(files(&many.iter().map(String::as_str).collect::<Vec<_>>()));
    state.apply(Event::BatchViewed(view.on_page(2)));
    let page = super::batch::shown(&state);
    assert_eq!((page.n_rows, page.n_pages, page.rows.len(), page.rows[0].0), (120, 3, 20, 100));
}

#[test]
fn the_table_is_saved_with_every_file() {
    let state = finished();
    let batch = state.open_batch().unwrap();
    let csv = batch.to_csv();
    let lines: Vec<&str> = csv.split("\r\n").collect();
    assert!(lines[0].starts_with("\u{feff}file,problem,certainty,label_1,"), "{}", lines[0]);
    assert_eq!(lines[1], "b.jpg,,not calibrated,mole,0.5,,,,,,,,");
    assert!(lines[3].starts_with("notes.txt,\"This file is not an image"), "{}", lines[3]);
    assert!(lines[4].starts_with("\"c, d.jpg\",,not calibrated,mole,0.7"));
    let json: serde_json::Value = serde_json::from_str(&batch.to_json("now")).unwrap();
    assert_eq!((&json["photos"][1]["answers"][0]["label"], &json["labels"]), (&"acne".into(), &"pad".into()));
    assert!(json["photos"][2]["problem"].is_string() && json["disclaimer"].is_string());
}

#[test]
fn the_table_says_which_answers_not_to_believe() {
    let mut state = ready();
    state.apply(files(&["a.jpg", "b.jpg", "c.jpg"]));
    state.worker_replies(answer_of("mole", 0.5, Some(NONE_OF_THESE)));
    state.worker_replies(answer_of("acne", 0.4, Some(UNSURE)));
    state.worker_replies(answer_of("acne", 0.9, Some(Certainty { unsure: false, ..UNSURE })));
    let batch = state.open_batch().unwrap();
    let verdicts = [Verdict::NoneOfThese, Verdict::Unsure, Verdict::Likely, Verdict::NotCalibrated];
    assert_eq!(verdicts.map(|verdict| batch.n_with(verdict)), [1, 1, 1, 0]);
    let csv = batch.to_csv();
    for line in ["a.jpg,,none of these,mole,0.5", "b.jpg,,unsure,acne,0.4", "c.jpg,,likely,acne,0.9"] {
        assert!(csv.contains(line), "{csv}");
    }
    let json: serde_json::Value = serde_json::from_str(&batch.to_json("now")).unwrap();
    assert_eq!(json["photos"][0]["certainty"], serde_json::to_value(NONE_OF_THESE).unwrap());
    state.apply(Event::BatchViewed(TableView::default().filtered_by("None of".into())));
    assert_eq!(names(&state), ["a.jpg"]);
}

#[test]
fn a_spreadsheet_computes_nothing_of_the_table() {
    let mut state = ready();
    state.apply(files(&["=HYPERLINK(\"http://x\").jpg", "-1.jpg", "@a, b.jpg", "a=b.jpg"]));
    for label in ["+1", "a", "b", "c"] {
        state.worker_replies(answer(label, 0.5));
    }
    let csv = state.open_batch().unwrap().to_csv();
    let lines: Vec<&str> = csv.lines().skip(1).collect();
    assert!(lines[0].starts_with("\"'=HYPERLINK(\"\"http://x\"\").jpg\",,not calibrated,'+1,0.5"), "{}", lines[0]);
    assert!(
        lines[1].starts_with("'-1.jpg,") && lines[2].starts_with("\"'@a, b.jpg\",") && lines[3].starts_with("a=b")
    );
}

#[test]
fn other_labels_are_ranked_for_all_photos_again() {
    let mut state = finished();
    let actions = state.apply(Event::LabelsChosen(LabelChoice::Shipped("snu".into())));
    assert_eq!(file_sent(&actions), Some(0));
    assert_eq!(state.open_batch().unwrap().n_done(), 1, "the file that is no image");
}

#[test]
fn a_photo_can_be_opened_and_the_table_goes_on_afterwards() {
    let mut state = ready();
    state.apply(files(&["a.jpg", "b.jpg"]));
    state.worker_replies(answer("mole", 0.5));
    assert!(is_classifying(&state.apply(Event::PhotoChosen("a.jpg".into()))));
    assert!(state.open_batch().is_none());
    state.worker_replies(predictions());
    assert!(state.answer.is_some());
    assert_eq!(file_sent(&state.apply(Event::BatchShown)), Some(1));
    // A photo that is dropped on the table is shown.
    state.apply(Event::PhotoChosen("c.jpg".into()));
    assert!(state.open_batch().is_none());
    assert!(state.apply(Event::BatchRemoved).contains(&Action::ForgetFiles));
    assert!(state.batch.is_none());
}

#[test]
fn a_photo_during_which_the_model_fails_twice_is_given_up() {
    let mut state = ready();
    state.apply(files(&["huge.jpg", "b.jpg"]));
    for expected in [0, 1] {
        state.apply(Event::WorkerFailed("trap".into()));
        assert!(matches!(state.error(), Some(Error::WorkerCrashed { .. })));
        assert_eq!(state.apply(Event::RetryPressed), [Action::StartWorker]);
        assert_eq!(file_sent(&state.loads()), Some(expected));
    }
    assert_eq!(state.open_batch().unwrap().n_refused(), 1);
}

#[test]
fn a_batch_without_files_is_an_error_and_unreadable_files_are_rows() {
    let mut state = ready();
    assert_eq!(state.apply(Event::BatchChosen(Vec::new())), []);
    assert_eq!(state.error(), Some(&Error::NoFiles));
    let lost = BatchFile { name: "lost".into(), error: Some(Error::PhotoUnreadable) };
    assert_eq!(state.apply(Event::BatchChosen(vec![lost])), []);
    let batch = state.open_batch().unwrap();
    assert_eq!((batch.n_done(), batch.n_refused()), (1, 1));
}
