//! Parameters of a request: labels, limits, and what is refused.

use super::*;
use shared_model::labels::LabelWarning;

fn parameters(query: &str) -> Parameters {
    Parameters::from_query(&format!("/?{query}").parse().unwrap()).unwrap()
}

#[test]
fn each_is_taken_once_and_none_is_left() {
    let mut given = parameters("top_k=3&text=a+b&text=%C3%A9&model=m");
    assert_eq!(given.top_k(5), Ok(3));
    assert_eq!(given.all_texts(&Limits::DEFAULT), Ok(vec!["a b".into(), "é".into()]));
    assert!(matches!(given.finish(), Err(HttpError::Malformed { what }) if what.contains("`model`")));
    assert!(matches!(parameters("top_k=1&top_k=2").top_k(5), Err(HttpError::Malformed { .. })));
    for top_k in ["3", "3.0", "+3+", "%203%0A", "0003", "3e0"] {
        assert_eq!(parameters(&format!("top_k={top_k}")).top_k(5), Ok(3), "{top_k}");
    }
    for top_k in ["0", "-1", "x", "1.5", "", "nan", "inf", "1e300", "0.0"] {
        assert!(matches!(parameters(&format!("top_k={top_k}")).top_k(5), Err(HttpError::Invalid { .. })));
    }
}

#[test]
fn labels_are_a_known_set_or_ones_own() {
    let read = |query: &str| parameters(query).labels(&Limits::DEFAULT).map(|(labels, _)| labels);
    let names = |query: &str| read(query).map(|labels| labels.set.class_names);
    assert!(matches!(&read("labels=ham").unwrap().warnings[..], [LabelWarning::Single { .. }]));
    assert!(read("labels=acne,nevus").unwrap().warnings.is_empty());
    assert_eq!(names("").unwrap().len(), 6);
    assert_eq!(names("labels=f17k").unwrap().len(), 114);
    assert_eq!(names("labels=acne,+rosacea").unwrap(), ["acne", "rosacea"]);
    assert_eq!(names("labels=%5B%22a,b%22,%22c%22%5D").unwrap(), ["a,b", "c"]);
    assert_eq!(names("labels=F17K").unwrap().len(), 114);
    assert_eq!(names("labels=acne%3B+rosacea%3BAcne").unwrap(), ["acne", "rosacea"]);
    assert_eq!(names("labels=acne%0D%0Arosacea%0D%0A").unwrap(), ["acne", "rosacea"]);
    for bad in [
        "labels=",
        "labels=f17",
        "labels=a.txt",
        "labels=/etc/passwd",
        "labels=@list",
        "labels=pad,f17k",
        "labels=pad&labels=pad",
        "labels=%5B1%5D",
        "labels=%5B%22a%22",
        "template=no+place",
    ] {
        assert!(matches!(names(bad), Err(HttpError::Invalid { .. })), "{bad}");
    }
}

#[test]
fn what_is_over_a_limit_is_refused() {
    let limits = Limits { max_labels: 2, max_label_bytes: 4, max_prompts: 12, ..Limits::DEFAULT };
    let is_refused = |query: &str| {
        let (mut labels, mut concepts) = (parameters(query), parameters(query));
        labels.labels(&limits).is_err() && concepts.concepts(&limits).is_err()
    };
    assert!(is_refused("labels=a,b,c&concepts=a,b,c"));
    assert!(is_refused("labels=abcde&concepts=abcde"));
    assert!(!is_refused("labels=a&concepts=a"));
    assert!(parameters("concepts=a,b").concepts(&limits).is_err(), "18 sentences");
    let check = |n_prompts| check_prompts(n_prompts, "`labels`: they are 13", "send fewer", &limits);
    assert_eq!(check(12), Ok(()));
    let what = "`labels`: they are 13 sentences to encode, over the limit of 12 in one request; send fewer, or start the \
                server with a larger --max-prompts";
    assert_eq!(check(13), Err(HttpError::invalid(what)));
    assert!(parameters("text=+").all_texts(&limits).is_err());
    let second = parameters("text=a&text=+").all_texts(&limits);
    assert!(matches!(&second, Err(HttpError::Invalid { what }) if what.starts_with("`text`: text 2 has 0 bytes")));
}

#[test]
fn a_refusal_names_the_parameter() {
    let limits = Limits { max_labels: 2, ..Limits::DEFAULT };
    let what = |refused: Option<HttpError>| match refused {
        Some(HttpError::Invalid { what }) => what,
        other => panic!("{other:?}"),
    };
    let labels = |query: &str| what(parameters(query).labels(&limits).err());
    assert_eq!(labels("labels=a,b,c"), "`labels`: 3 labels in one request, over the limit of 2");
    let template = labels("labels=acne,nevus&template=a&template=b&template=c");
    assert_eq!(template, "`template`: 3 templates in one request, over the limit of 2");
    let concepts = what(parameters("concepts=x,y,z").concepts(&limits).err());
    assert_eq!(concepts, "`concepts`: 3 concepts in one request, over the limit of 2");
    let empty = labels("labels=%5B%22acne%22,%22%22%5D");
    assert_eq!(empty, "`labels`: label 2 of 2: expected a name, found an empty one");
    assert!(!labels("labels=/etc/passwd").contains("there is none"), "the server looks for no file");
}

/// Found in use: `texts=["a","b"]` in a form was one sentence.
#[test]
fn a_list_of_texts_is_json_in_a_form_and_in_an_address() {
    let texts = |value: Value| {
        let mut parameters = Parameters::default();
        parameters.add("texts".into(), value).unwrap();
        parameters.all_texts(&Limits::DEFAULT)
    };
    let text = |text: &str| texts(Value::Text(text.into()));
    assert_eq!(text(" [\"a, b\", \"c\"]\r\n").unwrap(), ["a, b", "c"]);
    assert_eq!(text("on an arm, with scales").unwrap(), ["on an arm, with scales"]);
    assert_eq!(texts(Value::List(vec!["[a".into()])).unwrap(), ["[a"]);
    for bad in ["[a", "[1]"] {
        let refused = text(bad);
        assert!(
            matches!(&refused, Err(HttpError::Invalid { what }) if what.contains("sent as `text`")),
            "{refused:?}"
        );
    }
}

#[test]
fn labels_may_be_several_fields_or_a_list() {
    let names = |values: &[Value]| {
        let mut parameters = Parameters::default();
        values.iter().for_each(|value| parameters.add("labels".into(), value.clone()).unwrap());
        parameters.labels(&Limits::DEFAULT).map(|(labels, _)| labels.set.class_names)
    };
    let text = |text: &str| Value::Text(text.into());
    let list = |names: &[&str]| Value::List(names.iter().map(ToString::to_string).collect());
    assert_eq!(names(&[text("acne, rosacea"), text("nevus")]).unwrap(), ["acne", "rosacea", "nevus"]);
    assert_eq!(names(&[list(&["a, b", "c"])]).unwrap(), ["a, b", "c"]);
    assert_eq!(names(&[list(&["pad"])]).unwrap().len(), 6);
    for bad in [list(&[]), list(&["a", ""]), Value::Number("3".into())] {
        assert!(matches!(names(std::slice::from_ref(&bad)), Err(HttpError::Invalid { .. })), "{bad:?}");
    }
}

#[test]
fn what_is_given_in_two_ways_is_refused() {
    let mut given = parameters("labels=f17k");
    let twice = given.add("labels".into(), Value::Text("pad".into()));
    assert!(matches!(&twice, Err(HttpError::Malformed { what }) if what.contains("`labels` is in the address")));
    assert_eq!(given.add("top_k".into(), Value::Number("1".into())), Ok(()));
    let both = parameters("text=b&texts=a").all_texts(&Limits::DEFAULT);
    assert!(matches!(&both, Err(HttpError::Invalid { what }) if what.contains("`text` and `texts`")), "{both:?}");
}

#[test]
fn an_unknown_name_is_told_with_the_nearest_that_is_known() {
    for (name, nearest) in [
        ("topk", "top_k"),
        ("Top-K", "top_k"),
        ("label", "labels"),
        ("LABELS", "labels"),
        ("templates", "template"),
        ("imagee", "image"),
    ] {
        let mut given = parameters(&format!("{name}=1"));
        given.labels(&Limits::DEFAULT).unwrap();
        given.top_k(5).unwrap();
        let Err(HttpError::Malformed { what }) = given.finish() else { panic!("{name} is known") };
        assert!(what.contains(&format!("`{name}`; did you mean `{nearest}`?")), "{what}");
        assert!(what.contains("it takes `image`, `labels`, `template`, `top_k`"), "{what}");
    }
    let Err(HttpError::Malformed { what }) = parameters("zzz=1").finish() else { panic!("zzz is known") };
    assert!(!what.contains("did you mean"), "{what}");
}

#[test]
fn an_address_that_is_not_utf8_is_refused_with_its_parameter() {
    let refused = Parameters::from_query(&"/?top_k=1&labels=Ekz%E9m".parse().unwrap());
    assert!(matches!(refused, Err(HttpError::Malformed { what }) if what.contains("`labels`")));
}

#[test]
fn a_data_uri_is_no_text() {
    let refused = parameters("text=data:image/png;base64,AAAA").all_texts(&Limits::DEFAULT);
    assert!(matches!(refused, Err(HttpError::Invalid { what }) if what.contains("`image`")));
}

#[test]
fn what_is_wrong_with_concepts_is_said_of_concepts() {
    for query in ["concepts=,", "concepts=list.txt"] {
        match parameters(query).concepts(&Limits::DEFAULT).err() {
            Some(HttpError::Invalid { what }) => {
                assert!(what.starts_with("`concepts`: concept") && !what.contains("label"), "{what}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn known_concepts_bring_their_terms() {
    let read = |query: &str| parameters(query).concepts(&Limits::DEFAULT).unwrap();
    let ReadConcepts { concepts, warnings } = read("concepts=Bulla,tattoo");
    assert!(warnings.is_empty() && read("concepts=bulla").warnings.is_empty());
    assert!(matches!(&read("concepts=concept,bulla").warnings[..], [LabelWarning::Header { .. }]));
    assert_eq!(concepts[0].terms, ["bullae", "blister"]);
    assert_eq!(concepts[1].terms, ["tattoo"]);
    assert_eq!(read("").concepts.len(), 64);
}

/// Found in use: more sentences than a model's queue holds were refused as if they might fit later.
#[test]
fn what_encodes_more_sentences_than_are_allowed_is_refused_for_good() {
    let limits = Limits { max_prompts: 3, ..Limits::DEFAULT };
    let refused = |err: Option<HttpError>| match err {
        Some(HttpError::Invalid { what }) => assert!(what.contains("over the limit of 3"), "{what}"),
        other => panic!("{other:?}"),
    };
    assert_eq!(parameters("text=a&text=b&text=c").all_texts(&limits).unwrap().len(), 3);
    refused(parameters("text=a&text=b&text=c&text=d").all_texts(&limits).err());
    refused(parameters("").concepts(&limits).err());
    refused(parameters("concepts=tattoo").concepts(&limits).err());
}
