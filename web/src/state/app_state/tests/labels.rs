//! Labels that the visitor types, and those of the last visit.

use super::*;
use shared_model::labels::LabelWarning;

#[test]
fn own_labels_are_checked_before_they_are_sent() {
    let mut state = ready();
    state.apply(Event::PhotoChosen("x.jpg".into()));
    assert!(!is_classifying(&state.enters_labels("[acne]")));
    assert_eq!(state.error().map(Error::remedy), Some(Remedy::OtherLabels));
    state.apply(Event::OwnLabelsEdited("acne".into()));
    assert_eq!(state.error(), None, "the text is being corrected");
    let actions = state.enters_labels("acne, eczema");
    assert_eq!(classified(&actions), (1, LabelSet::CUSTOM.into()));
    assert_eq!(state.error(), None);
}

#[test]
fn typed_labels_survive_other_labels_another_model_and_a_failure() {
    let own = || (1, LabelSet::CUSTOM.to_string());
    let mut state = ready();
    state.apply(Event::PhotoChosen("x.jpg".into()));
    state.enters_labels("acne, eczema");
    assert_eq!(
        classified(&state.apply(Event::LabelsChosen(LabelChoice::Shipped("pad".into())))),
        (1, "pad".into())
    );
    assert_eq!(state.own_text, "acne, eczema");
    assert_eq!(classified(&state.apply(Event::LabelsChosen(LabelChoice::Own))), own());

    // The text in the box is ranked, even if it was not applied before.
    state.apply(Event::OwnLabelsEdited("acne, eczema, mole".into()));
    state.apply(Event::LabelsChosen(LabelChoice::Shipped("pad".into())));
    state.apply(Event::LabelsChosen(LabelChoice::Own));
    assert_eq!(state.label_set().unwrap().class_names, ["acne", "eczema", "mole"]);

    state.apply(Event::ModelChosen(1));
    assert_eq!(classified(&state.loads()), own());
    state.worker_replies(Reply::Failed { error: Error::Unreachable { what: "it".into() } });
    assert_eq!(classified(&state.apply(Event::RetryPressed)), own());
    state.apply(Event::WorkerFailed("trap".into()));
    state.apply(Event::RetryPressed);
    assert_eq!(classified(&state.loads()), own());
    assert_eq!(state.own_text, "acne, eczema, mole");
}

#[test]
fn the_next_visit_begins_with_the_labels_of_this_one() {
    let stored = |actions: Vec<Action>| match actions.into_iter().next_back() {
        Some(Action::StoreLabels(labels)) => labels,
        other => panic!("{other:?}"),
    };
    let mut state = ready();
    stored(state.apply(Event::OwnLabelsEdited("acne, ec".into())));
    let typed = stored(state.enters_labels("acne, eczema"));
    let shipped = stored(state.apply(Event::LabelsChosen(LabelChoice::Shipped("snu".into()))));

    let next = |labels: &StoredLabels| {
        let json = serde_json::to_string(labels).unwrap();
        let mut state = AppState::default();
        assert_eq!(state.apply(Event::LabelsRestored(serde_json::from_str(&json).unwrap())), []);
        state.apply(page_opened());
        state.apply(Event::ModelsListed(Ok(entries())));
        state.loads();
        let request = classified(&state.apply(Event::PhotoChosen("x.jpg".into())));
        (request.1, state.own_text)
    };
    assert_eq!(next(&typed), (LabelSet::CUSTOM.into(), "acne, eczema".into()));
    assert_eq!(next(&shipped), ("snu".into(), "acne, eczema".into()));
    // A set that this model does not have: its first set, as on a first visit.
    let gone = StoredLabels { choice: LabelChoice::Shipped("gone".into()), own_text: String::new() };
    assert_eq!(next(&gone).0, "pad");
}

#[test]
fn the_page_shows_how_labels_are_parsed() {
    let mut state = ready();
    let mut read = |text: &str| {
        state.apply(Event::OwnLabelsEdited(text.into()));
        (OwnLabelsSummary::of(&state.own_text), own_labels_warnings(&state.own_text))
    };
    let summary = |n_labels, first: &[&str]| {
        Some(OwnLabelsSummary { n_labels, first: first.iter().map(ToString::to_string).collect() })
    };
    for text in ["a; b; c", "1. a\n2. b\n3. c", "a\tb\tc", "a,b,c"] {
        assert_eq!(read(text), (summary(3, &["a", "b", "c"]), Vec::new()), "{text:?}");
    }
    let joined = vec![LabelWarning::Joined { names: ["acne", "ACNE"].map(String::from).into() }];
    assert_eq!(read("Acne, acne, ACNE, nevus"), (summary(2, &["Acne", "nevus"]), joined));
    assert_eq!(read("acne\u{200b}, acne, nevus").1.len(), 1);
    assert_eq!(read("a,b,c,d,e,f,g,h").0, summary(8, &["a", "b", "c", "d", "e", "f"]));
    assert_eq!(read(" , "), (None, Vec::new()));
}

#[test]
fn a_single_label_is_detected() {
    let mut state = ready();
    assert!(!state.has_one_label());
    state.enters_labels("acne");
    assert!(state.has_one_label());
    state.enters_labels("acne, eczema");
    assert!(!state.has_one_label());
}
