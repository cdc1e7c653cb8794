//! Searching a table by words and by a photo.

use super::*;
use crate::language::Catalog;
use crate::sentences;
use crate::state::{BatchFile, Sort, TableView};

/// Features in two dimensions.
const PHOTOS: [(&str, [f32; 2]); 3] = [("a.jpg", [1.0, 0.0]), ("b.jpg", [0.6, 0.8]), ("c.jpg", [0.0, 1.0])];

pub(super) fn chosen() -> AppState {
    let mut state = ready();
    let files = PHOTOS.iter().map(|(name, _)| BatchFile { name: name.to_string(), error: None });
    let lost = BatchFile { name: "lost".into(), error: Some(Error::PhotoUnreadable) };
    state.apply(Event::BatchChosen(files.chain([lost]).collect()));
    state
}

/// All photos are answered, and nothing is searched.
pub(super) fn filled() -> AppState {
    let mut state = chosen();
    for (_, feature) in PHOTOS {
        state.encodes(feature);
    }
    assert_eq!(state.phase, Phase::Ready);
    state
}

impl AppState {
    /// The model answers the photo that it has.
    fn encodes(&mut self, feature: [f32; 2]) -> Vec<Action> {
        let Reply::Predictions { predictions, certainty, millis, finished_at, computed, .. } = predictions() else {
            unreachable!("these are predictions")
        };
        let feature = Some(feature.into());
        self.worker_replies(Reply::Predictions { predictions, certainty, millis, finished_at, computed, feature })
    }

    /// The model encodes the words that it has.
    fn encodes_words(&mut self, feature: [f32; 2]) -> Vec<Action> {
        self.worker_replies(Reply::Features { features: vec![feature.into()] })
    }

    fn table(&self) -> Vec<(String, Option<f32>)> {
        let page = self.open_batch().unwrap().shown(|_| None);
        page.rows.into_iter().map(|(_, row)| (row.name, row.similarity)).collect()
    }

    fn order(&self) -> Vec<String> {
        self.table().into_iter().map(|(name, _)| name).collect()
    }

    fn said(&self) -> String {
        sentences::search(&Catalog::english(), self.open_batch().unwrap()).unwrap_or_default()
    }
}

/// The words that are encoded.
fn words_sent(actions: &[Action]) -> &str {
    let [Action::Search(Envelope { body: Request::EmbedTexts { texts }, .. })] = actions else {
        panic!("{actions:?}");
    };
    &texts[0]
}

fn file_sent(actions: &[Action]) -> usize {
    let [Action::SendFile { index, request: Envelope { body, .. } }] = actions else { panic!("{actions:?}") };
    assert!(matches!(body, Request::Classify { wants_feature: true, .. }), "{body:?}");
    *index
}

fn searches(words: &str) -> Event {
    Event::WordsSearched(words.into())
}

fn unreachable_text() -> Reply {
    Reply::Failed { error: Error::Unreachable { what: "text.safetensors".into() } }
}

#[test]
fn words_order_the_photos_and_no_photo_is_encoded_again() {
    let mut state = filled();
    assert_eq!(words_sent(&state.apply(searches(" a red patch "))), "a red patch");
    assert_eq!((state.phase_name(), state.status(), state.said().as_str()), ("searching", Status::Searching, ""));
    assert_eq!(state.encodes_words([0.0, 1.0]), []);
    let found = [("c.jpg", Some(1.0)), ("b.jpg", Some(0.8)), ("a.jpg", Some(0.0)), ("lost", None)];
    assert_eq!(state.table(), found.map(|(name, similarity)| (name.to_string(), similarity)));
    assert_eq!(state.phase_name(), "ready");
    assert_eq!(
        state.said(),
        "Ordered by similarity to “a red patch”, the most similar first. Most similar: c.jpg."
    );

    // The other direction, another column, and the same words again.
    let view = |state: &AppState| state.open_batch().unwrap().view.clone();
    state.apply(Event::BatchViewed(view(&state).sorted_by(Sort::Similarity)));
    assert_eq!(state.order(), ["a.jpg", "b.jpg", "c.jpg", "lost"]);
    state.apply(Event::BatchViewed(view(&state).sorted_by(Sort::File)));
    assert_eq!(state.said(), "The table has the similarity to “a red patch”. Most similar: c.jpg.");
    assert_eq!(state.apply(searches("a red patch")), [], "the feature is there");
    assert_eq!(state.order(), ["c.jpg", "b.jpg", "a.jpg", "lost"]);
    assert_eq!(words_sent(&state.apply(searches("a mole"))), "a mole");
}

#[test]
fn a_photo_orders_the_others_and_is_itself_the_first() {
    let mut state = chosen();
    assert_eq!(state.apply(Event::LikeSearched(2)), [], "it is not encoded yet");
    for feature in [[0.0, 1.0], [0.6, 0.8]] {
        state.encodes(feature);
    }
    assert_eq!(state.apply(Event::LikeSearched(1)), []);
    assert!(state.is_batch_running(), "the photo that the model has is not interrupted");
    assert_eq!(state.order(), ["b.jpg", "a.jpg", "c.jpg", "lost"]);
    assert_eq!(state.encodes([0.6, 0.8]), []);
    assert_eq!(state.order(), ["b.jpg", "c.jpg", "a.jpg", "lost"]);
    assert_eq!(state.said(), "Ordered by similarity to “b.jpg”, the most similar first. Most similar: c.jpg.");
    state.apply(Event::LikeSearched(2));
    assert_eq!(state.order(), ["c.jpg", "b.jpg", "a.jpg", "lost"], "before its copy");
    assert_eq!(state.apply(Event::LikeSearched(3)), [], "it cannot be read");
    assert_eq!(state.open_batch().unwrap().searched(), Some("c.jpg"));
}

#[test]
fn a_search_waits_for_the_photo_that_the_model_has_and_no_photo_is_encoded_twice() {
    let mut state = chosen();
    state.encodes([1.0, 0.0]);
    assert_eq!(state.apply(searches("a mole")), [], "the photo is not interrupted");
    assert_eq!(state.apply(searches("a red patch")), []);
    assert_eq!((state.phase_name(), state.said().as_str()), ("classifying", ""));
    assert_eq!(words_sent(&state.encodes([0.6, 0.8])), "a red patch", "the last words, before the next photo");
    assert_eq!(state.open_batch().unwrap().n_done(), 3);
    assert_eq!(file_sent(&state.encodes_words([0.0, 1.0])), 2, "not the photo that is encoded");
    assert_eq!(state.order()[..2], ["b.jpg", "a.jpg"], "photos are compared as they come");
    state.encodes([0.0, 1.0]);
    assert_eq!(state.order(), ["c.jpg", "b.jpg", "a.jpg", "lost"]);
}

#[test]
fn a_search_ends_with_its_order_and_the_filter_stays() {
    let mut state = filled();
    state.apply(Event::BatchViewed(TableView::default().filtered_by("jpg".into())));
    state.apply(searches("a red patch"));
    assert_eq!(state.apply(Event::SearchEnded), []);
    assert_eq!(
        (state.phase_name(), state.order()),
        ("ready", ["a.jpg", "b.jpg", "c.jpg"].map(String::from).into())
    );
    assert_eq!(state.encodes_words([0.0, 1.0]), [], "too late");
    assert!(state.table().iter().all(|(_, similarity)| similarity.is_none()) && state.said().is_empty());

    state.apply(Event::LikeSearched(2));
    state.apply(searches(" "));
    assert!(!state.open_batch().unwrap().is_searched(), "no words end it, too");
    assert_eq!(state.apply(searches("?!")), []);
    assert!(!state.open_batch().unwrap().is_searched());
}

#[test]
fn a_search_is_repeated_after_an_outage_and_ends_with_other_errors() {
    let mut state = chosen();
    state.apply(searches("a red patch"));
    state.encodes([1.0, 0.0]);
    state.worker_replies(unreachable_text());
    assert_eq!(
        (state.phase_name(), state.open_batch().unwrap().n_refused()),
        ("failed", 1),
        "no photo is to blame"
    );
    assert_eq!(words_sent(&state.apply(Event::NetworkReturned)), "a red patch");
    state.worker_replies(unreachable_text());
    assert_eq!(file_sent(&state.apply(Event::SearchEnded)), 1, "without the search");

    state.apply(searches("a red patch"));
    state.encodes([0.6, 0.8]);
    state.worker_replies(Reply::Failed { error: Error::OutOfMemory { what: "text.safetensors".into() } });
    assert!(!state.open_batch().unwrap().is_searched());
    assert_eq!(state.apply(Event::RetryPressed), [Action::StartWorker]);
    assert_eq!(file_sent(&state.loads()), 2);
}

#[test]
fn other_labels_keep_the_features_and_another_model_has_its_own() {
    let mut state = filled();
    state.apply(searches("a red patch"));
    state.encodes_words([0.0, 1.0]);
    let actions = state.apply(Event::LabelsChosen(LabelChoice::Shipped("snu".into())));
    assert!(matches!(actions[0], Action::SendFile { index: 0, .. }));
    assert_eq!(state.order(), ["c.jpg", "b.jpg", "a.jpg", "lost"]);

    state.apply(Event::ModelChosen(1));
    state.worker_sends(0, Reply::Started { n_threads: 2 });
    let other = ModelInfo { name: "other".into(), ..model() };
    state.worker_replies(Reply::ManifestRead { model: Box::new(other) });
    assert_eq!(words_sent(&state.worker_replies(Reply::Ready { is_stored: true })), "a red patch");
    assert!(state.table().iter().all(|(_, similarity)| similarity.is_none()));
    assert_eq!(file_sent(&state.encodes_words([1.0, 0.0])), 0);
    state.encodes([1.0, 0.0]);
    assert_eq!(state.table()[0], ("a.jpg".into(), Some(1.0)));
}

#[test]
fn the_server_searches_nothing_and_its_photos_are_encoded_here_when_they_are_searched() {
    let mut state = filled();
    state.apply(Event::LikeSearched(0));
    state.apply(Event::ServerChosen(true));
    state.loads();
    assert!(!state.offers_search() && !state.open_batch().unwrap().is_searched());
    assert_eq!(state.apply(searches("a red patch")), []);
    assert_eq!(state.apply(Event::LikeSearched(0)), []);

    let mut state = listed();
    state.apply(Event::ServerChosen(true));
    state.loads();
    let files = ["a.jpg", "b.jpg"].map(|name| BatchFile { name: name.into(), error: None });
    state.apply(Event::BatchChosen(files.into()));
    state.worker_replies(predictions());
    state.worker_replies(predictions());
    state.apply(Event::ServerChosen(false));
    assert_eq!(state.loads(), [], "the answers are the same");
    state.apply(searches("a red patch"));
    assert_eq!(file_sent(&state.encodes_words([0.0, 1.0])), 0);
    assert_eq!(state.open_batch().unwrap().n_done(), 2, "the answers stay");
    state.encodes([0.6, 0.8]);
    assert_eq!(state.worker_replies(predictions()), [], "without a feature it is not tried again");
    assert_eq!(state.table(), [("a.jpg".to_string(), Some(0.8)), ("b.jpg".to_string(), None)]);
}

#[test]
fn a_saved_table_has_the_similarities() {
    let mut state = filled();
    state.apply(searches("a red patch"));
    state.encodes_words([0.0, 1.0]);
    let batch = state.open_batch().unwrap();
    let csv = batch.to_csv();
    let lines: Vec<&str> = csv.lines().collect();
    assert!(lines[0].ends_with(",probability_5,similarity"), "{}", lines[0]);
    assert!(lines[2].starts_with("b.jpg,") && lines[2].ends_with(",,0.8"), "{}", lines[2]);
    assert!(lines[4].starts_with("lost,") && lines[4].ends_with(",,"), "{}", lines[4]);
    assert!(lines.iter().all(|line| line.matches(',').count() >= lines[0].matches(',').count()), "{csv}");
    let json: serde_json::Value = serde_json::from_str(&batch.to_json("now")).unwrap();
    assert_eq!(json["search"], serde_json::json!({ "words": "a red patch" }));
    assert_eq!(
        (json["photos"][2]["similarity"].as_f64(), &json["photos"][3]["similarity"]),
        (Some(1.0), &().into())
    );
    state.apply(Event::LikeSearched(1));
    let json: serde_json::Value = serde_json::from_str(&state.open_batch().unwrap().to_json("now")).unwrap();
    assert_eq!(json["search"], serde_json::json!({ "like": "b.jpg" }));
}
