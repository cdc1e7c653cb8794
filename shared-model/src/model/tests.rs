//! Texts and ids, encoded together and in batches.

use super::*;
use crate::demo;

#[test]
fn ids_are_encoded_like_their_texts_and_those_that_do_not_fit_are_refused() {
    let model = demo::model(Placement::default()).unwrap();
    let texts = ["a mole".to_string(), "a photo of psoriasis".to_string()];
    let input_ids = model.tokenize(&texts).unwrap();
    let values = |features: Tensor| features.to_vec2::<f32>().unwrap();
    let expected = values(model.encode_texts(&texts, &mut |_, _| {}).unwrap());
    assert_eq!(values(model.id_batches(&input_ids).unwrap().into_features().unwrap()), expected);
    let ragged = vec![input_ids[0].clone(), input_ids[1][..9].to_vec()];
    let too_long = vec![[&input_ids[0][..], &[0]].concat()];
    for refused in [ragged, too_long, vec![vec![]], vec![vec![u32::MAX]]] {
        let err = model.id_batches(&refused).err().unwrap();
        assert!(matches!(err, Error::Labels { .. }) && err.to_string().contains("rows of one length"), "{err}");
    }
}

#[test]
fn batches_of_texts_are_those_that_are_encoded_together() {
    let model = demo::model(Placement::default()).unwrap();
    let texts: Vec<String> = (0..70).map(|n| format!("{} {}", "a mole".repeat(n % 3 + 1), n % 39)).collect();
    let values = |features: Tensor| features.to_vec2::<f32>().unwrap();
    let expected = values(model.encode_texts(&texts, &mut |_, _| {}).unwrap());
    let mut batches = model.text_batches(&texts).unwrap();
    let n_distinct = batches.n_distinct();
    let mut counts = Vec::new();
    while batches.encode_next().unwrap() {
        counts.push(batches.n_encoded());
    }
    assert!(counts.len() > 1 && n_distinct < texts.len(), "{counts:?} of {n_distinct}");
    assert_eq!(counts.last(), Some(&n_distinct));
    assert_eq!(values(batches.into_features().unwrap()), expected);
}
