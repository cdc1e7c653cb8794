//! The journal: what is kept of a photo and its answer.

use super::*;
use crate::journal::{Entry, EntryText};
use crate::report::{Report, ReportContext};
use crate::verdict::Verdict;
use shared_model::concepts::Presence;

fn entry(spot: &str, answered_at: &str) -> Entry {
    let mut state = ready();
    state.apply(Event::PhotoChosen("x.jpg".into()));
    state.worker_replies(predictions());
    let context = ReportContext { answered_at: answered_at.into(), ..ReportContext::default() };
    let report = Report::of(&state, context).unwrap();
    Entry::new(&report, EntryText { spot: spot.into(), ..EntryText::default() }, 7)
}

#[test]
fn the_journal_is_a_timeline_for_each_spot() {
    let mut state = AppState::default();
    let (old, new) = (entry(" mole ", "2026-01-02T00:00:00.000Z"), entry("mole", "2026-11-27T00:00:00.000Z"));
    assert_eq!(old.id, "20260102000000000-00000007");
    let other = entry("rash", "2026-05-01T00:00:00.000Z");
    state.apply(Event::JournalShown(vec![new.clone(), other.clone()], None));
    state.apply(Event::JournalShown(vec![old.clone(), new.clone()], None));
    let spots = state.journal.spots();
    assert_eq!(spots, [("mole".into(), vec![old.clone(), new.clone()]), ("rash".into(), vec![other.clone()])]);

    state.apply(Event::JournalMarked(new.id.clone()));
    assert_eq!(state.journal.compared(), None);
    state.apply(Event::JournalMarked(old.id.clone()));
    assert_eq!(state.journal.compared(), Some((&old, &new)));
    state.apply(Event::JournalMarked(other.id.clone()));
    assert_eq!(state.journal.compared(), Some((&old, &other)), "the first mark was replaced");
    state.apply(Event::JournalMarked(other.id.clone()));
    assert_eq!(state.journal.compared(), None);

    // As they are shown: the photos of a spot, then those of the next.
    let beside = |state: &AppState, entry: &Entry| state.journal.id_beside(&entry.id);
    assert_eq!(beside(&state, &old), Some(new.id.clone()));
    assert_eq!(beside(&state, &new), Some(other.id.clone()));
    assert_eq!(beside(&state, &other), Some(new.id.clone()), "the last");
    state.apply(Event::JournalRemoved(Some(old.id.clone())));
    assert_eq!(state.journal.entries.len(), 2);
    assert_eq!(beside(&state, &old), None);
    state.apply(Event::JournalRemoved(None));
    assert_eq!((state.journal.entries.len(), state.journal.marked.len()), (0, 0));
}

#[test]
fn spots_are_counted_where_their_newest_photos_are() {
    let mut state = AppState::default();
    let at = |spot: &str, site: &str, day: u32| {
        let mut entry = entry(spot, &format!("2026-01-0{day}T00:00:00.000Z"));
        entry.text.body_site = site.into();
        entry
    };
    assert!(state.journal.spots_by_site().is_empty());
    state.apply(Event::JournalShown(
        vec![
            at("mole", "back", 1),
            at("mole", "back", 2),
            at("wart", "knee", 3),
            at("rash", "left arm", 5),
            at("rash", "back", 4),
            at("rash", "", 6), // says no other site
            at("nevus", "left arm", 7),
            at("scar", "", 8),
        ],
        None,
    ));
    let counts = state.journal.spots_by_site();
    assert_eq!(counts, [("back".into(), 1), ("left arm".into(), 2), ("knee".into(), 1)]);
}

#[test]
fn a_kept_answer_says_whether_to_believe_it() {
    let mut state = ready();
    state.apply(Event::PhotoChosen("x.jpg".into()));
    state.worker_replies(answer_of("a", 0.75, Some(NONE_OF_THESE)));
    assert_eq!(state.answer.as_ref().unwrap().verdict(), Verdict::NoneOfThese);
    let report = Report::of(&state, ReportContext::default()).unwrap();
    let kept = Entry::new(&report, EntryText::default(), 1);
    assert_eq!(kept.verdict(), Verdict::NoneOfThese);
    // What was imported before the room ended is shown beside the error.
    let full = Error::JournalFullAfter { n_kept: 1, n_photos: 3 };
    state.apply(Event::JournalShown(vec![kept], Some(JournalMessage::Imported { n_photos: 1 })));
    state.apply(Event::JournalFailed(full.clone()));
    assert_eq!((state.journal.entries.len(), state.journal.error.clone()), (1, Some(full.clone())));
    assert_eq!(state.journal.message, None);
}

#[test]
fn findings_are_kept_with_the_photo_if_they_were_scored() {
    let mut state = answered();
    let kept = |state: &AppState| {
        let report = Report::of(state, ReportContext::default()).unwrap();
        Entry::new(&report, EntryText::default(), 1)
    };
    assert_eq!(kept(&state).findings, None);
    state.apply(Event::ConceptsWanted(true));
    let scores = vec![Presence { concept: "scale".into(), score: 0.7 }];
    state.worker_replies(Reply::Concepts { concepts: scores.clone() });
    assert_eq!(kept(&state).findings, Some(scores));
}

#[test]
fn a_photo_can_be_kept_while_its_answers_are_shown() {
    let mut state = ready();
    assert_eq!(state.keeping(), None);
    state.apply(Event::PhotoChosen("x.jpg".into()));
    assert_eq!(state.keeping(), Some(Keeping::Unanswered));
    state.worker_replies(predictions());
    assert_eq!(state.keeping(), Some(Keeping::NoPicture), "no preview came before the answer");
    state.worker_sends(0, decoded(1));
    assert_eq!(state.keeping(), Some(Keeping::Possible));

    // The answers of another part, or of the whole, until the square rests and is answered.
    state.apply(Event::CropChanged(Some(Crop::first(SIZE))));
    assert!(state.answer.is_some());
    assert_eq!(state.keeping(), Some(Keeping::Unanswered));
    state.apply(Event::CropSettled);
    assert_eq!(state.keeping(), Some(Keeping::Unanswered));
    state.worker_replies(predictions());
    assert_eq!(state.keeping(), Some(Keeping::Possible));
    state.apply(Event::LabelsChosen(LabelChoice::Shipped("snu".into())));
    assert_eq!(state.keeping(), Some(Keeping::Unanswered));
    state.worker_replies(Reply::Failed { error: Error::WorkerCrashed { detail: String::new() } });
    assert_eq!(state.keeping(), Some(Keeping::Unanswered));

    state.worker_sends(0, Reply::PhotoRefused { photo_id: 1, error: Error::NotAnImage });
    assert_eq!(state.keeping(), None);
    state.apply(Event::PhotoRemoved);
    assert_eq!(state.keeping(), None);
}

#[test]
fn the_table_has_no_photo_to_keep() {
    let mut state = answered();
    let file = |name: &str| BatchFile { name: name.into(), error: None };
    state.apply(Event::BatchChosen(["a.jpg", "b.jpg"].map(file).into()));
    assert_eq!((state.photo.is_some(), state.keeping()), (true, None));
}

#[test]
fn what_can_be_kept_has_a_result() {
    let mut state = answered();
    for event in [
        Event::CropChanged(Some(Crop::first(SIZE))),
        Event::CropSettled,
        Event::LabelsChosen(LabelChoice::Own),
        Event::LabelsChosen(LabelChoice::Shipped("pad".into())),
        Event::ModelChosen(0),
    ] {
        state.apply(event);
        let has_result = Report::of(&state, ReportContext::default()).is_some();
        assert!(has_result || state.keeping() == Some(Keeping::Unanswered));
        assert!(state.keeping().is_some());
    }
}

#[test]
fn what_is_done_next_ends_what_was_said_of_the_journal() {
    let mut state = ready();
    let kept = entry("mole", "2026-01-01T00:00:00.000Z");
    state.apply(Event::JournalShown(vec![kept], Some(JournalMessage::Kept)));
    assert_eq!(state.journal.message, Some(JournalMessage::Kept));
    state.apply(Event::JournalStarted);
    assert_eq!((state.journal.message, state.journal.entries.len()), (None, 1));
    state.apply(Event::JournalFailed(Error::JournalFull));
    state.apply(Event::JournalStarted);
    assert_eq!((state.journal.error.clone(), state.journal.entries.len()), (None, 1));
}

#[test]
fn an_error_of_the_journal_leaves_the_answer() {
    let mut state = ready();
    state.apply(Event::PhotoChosen("x.jpg".into()));
    state.worker_replies(predictions());
    state.apply(Event::JournalFailed(Error::JournalFull));
    assert!(state.answer.is_some() && state.error().is_none());
    assert_eq!(state.journal.error, Some(Error::JournalFull));
}
