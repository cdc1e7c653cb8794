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

    state.apply(Event::JournalRemoved(Some(old.id.clone())));
    assert_eq!(state.journal.entries.len(), 2);
    state.apply(Event::JournalRemoved(None));
    assert_eq!((state.journal.entries.len(), state.journal.marked.len()), (0, 0));
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
fn an_error_of_the_journal_leaves_the_answer() {
    let mut state = ready();
    state.apply(Event::PhotoChosen("x.jpg".into()));
    state.worker_replies(predictions());
    state.apply(Event::JournalFailed(Error::JournalFull));
    assert!(state.answer.is_some() && state.error().is_none());
    assert_eq!(state.journal.error, Some(Error::JournalFull));
}
