//! Captions of every style, and what the lexicon reads in them.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use dermake_prepare::{Lexicon, read};
use shared_model::concepts::conditions_with_typical_findings;
use shared_model::labels::{LabelSet, concept_terms};
use std::sync::LazyLock;

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::new(None));

fn condition(caption: &str) -> Option<String> {
    read(&LEXICON, caption).condition
}

#[test]
fn every_label_of_the_built_in_sets_is_found_under_its_name() {
    for set in LabelSet::built_in() {
        for name in set.class_names.iter().filter(|name| *name != "abnormal") {
            for caption in [name.clone(), format!("Clinical photograph diagnosed as {name}.")] {
                assert_eq!(condition(&caption).as_deref(), Some(name.as_str()), "{caption}");
            }
        }
    }
}

#[test]
fn the_names_of_conditions_with_typical_findings_are_known() {
    for name in conditions_with_typical_findings() {
        assert!(condition(name).is_some(), "{name:?} is neither a condition nor a synonym in data/conditions.json");
    }
}

#[test]
fn every_concept_is_found_under_its_name_and_is_of_the_published_list() {
    for name in concept_terms().keys() {
        if name == "regression structure" {
            continue; // the same word as "regression structures"
        }
        assert!(LEXICON.concepts.contains(name), "{name}");
        if name == "gel" {
            continue; // a drug's form; "immersion gel" is the artifact
        }
        let found = read(&LEXICON, &format!("The lesion shows {name} today."));
        assert!(found.concepts.contains(name), "{name}: {found:?}");
    }
    assert!(LEXICON.concepts.iter().all(|name| concept_terms().contains_key(name)));
}

#[test]
fn conditions_are_found_in_every_spelling() {
    for (caption, expected) in [
        ("Carcinoma, basal cell, of the nose", "basal cell carcinoma"),
        ("Keratosis, seborrhoeic", "seborrheic keratosis"),
        ("Multiple seborrheic keratoses on the back.", "seborrheic keratosis"),
        ("BCC on the left ala", "basal cell carcinoma"),
        ("bcc nose", "basal cell carcinoma"),
        ("Pigmented BCCs of the scalp", "basal cell carcinoma"),
        ("AKs on the forehead", "actinic keratosis"),
        ("Dermoscopy of a DF", "dermatofibroma"),
        ("MEL, dermoscopic image", "melanoma"),
        ("BKL", "benign keratosis"),
        ("Naevi on the trunk", "nevus"),
        ("Darier's disease of the chest", "dariers disease"),
        ("Bowen’s disease on the shin", "bowen's disease"),
        ("basal-cell-carcinoma", "basal cell carcinoma"),
        ("Melanoma, superficial spreading, on the calf", "superficial spreading melanoma ssm"),
        ("Haemangioma of infancy", "hemangioma"),
        ("my son has ringworm on his arm", "tinea corporis"),
        ("Ringworm (tinea corporis) of the arm", "tinea corporis"),
        ("Tinea of the hand: tinea manuum", "tinea manus"),
        ("Athlete's foot between the toes", "tinea pedis"),
        ("Squamous cell carcinoma in situ (Bowen disease)", "bowen disease"),
        ("Stevens-Johnson syndrome in a child", "stevens johnson syndrome"),
        ("Psoriatic plaques on both elbows", "psoriasis"),
    ] {
        assert_eq!(condition(caption).as_deref(), Some(expected), "{caption}");
    }
    for caption in
        ["A DEEP LESION ON THE LEFT ARM OF AN OLD MAN", "5 AK 47 rifles", "The patient was happy.", "", "🙂"]
    {
        assert_eq!(condition(caption), None, "{caption}");
    }
}

#[test]
fn only_the_asserted_diagnosis_counts() {
    for (caption, expected) in [
        ("?melanoma on the back", None),
        ("Is this ringworm?", None),
        ("Melanoma (?) of the heel", None),
        ("Pigmented lesion suspicious for melanoma.", None),
        ("Rule out melanoma.", None),
        ("r/o BCC", None),
        ("No evidence of melanoma.", None),
        ("Basal cell carcinoma or nevus.", None),
        ("BCC vs SCC", None),
        ("Differential diagnosis: psoriasis, eczema, tinea corporis.", None),
        ("History of melanoma in the family.", None),
        ("Could be eczema, I think", None),
        ("Melanoma was ruled out.", None),
        ("Melanoma cannot be excluded.", None),
        ("Psoriasis-like plaques on the elbows.", None),
        ("A lesion mimicking basal cell carcinoma.", None),
        ("Not melanoma but seborrheic keratosis.", Some("seborrheic keratosis")),
        ("Eczema rather than psoriasis.", Some("eczema")),
        ("This was eczema, not psoriasis.", Some("eczema")),
        ("Clinically suspected melanoma; histopathology revealed a blue nevus.", Some("blue nevus")),
        ("Initially misdiagnosed as eczema, biopsy confirmed mycosis fungoides.", Some("mycosis fungoides")),
        ("Tinea corporis in a patient with atopic dermatitis.", Some("tinea corporis")),
        ("Erythematous patches in an adolescent with atopic dermatitis.", Some("atopic dermatitis")),
        ("Basal cell carcinoma arising in a nevus sebaceous.", Some("basal cell carcinoma")),
        ("A 5-year history of psoriasis.", Some("psoriasis")),
        ("Plaques consistent with psoriasis.", Some("psoriasis")),
        ("Diagnosis: lichen planus. Differential diagnosis: psoriasis.", Some("lichen planus")),
        ("Psoriasis. Guttate psoriasis after a throat infection.", Some("guttate psoriasis")),
        ("Findings favour actinic keratosis, unlikely to be squamous cell carcinoma.", Some("actinic keratosis")),
        ("SCC of the lip (not BCC)", Some("squamous cell carcinoma")),
        ("Mycosis fungoides mimicking eczema.", Some("mycosis fungoides")),
        ("Papules with Wickham striae: lichen planus.", Some("lichen planus")),
        ("Ulcer on the left shin with exudate.", None),
        ("Venous ulcer above the ankle.", Some("stasis ulcer")),
    ] {
        assert_eq!(condition(caption).as_deref(), expected, "{caption}");
    }
}

#[test]
fn concepts_are_asserted_or_negated() {
    for (caption, concepts, negated) in [
        ("Erythematous scaly plaques without ulceration.", vec!["erythema", "scale", "plaque"], vec!["ulcer"]),
        ("No scale, crust, or ulceration.", vec![], vec!["scale", "crust", "ulcer"]),
        ("No scale but marked erythema.", vec!["erythema"], vec!["scale"]),
        ("No scale, erythematous papules on the trunk.", vec!["erythema", "papule"], vec!["scale"]),
        ("Scale is absent; crusts are present.", vec!["crust"], vec!["scale"]),
        ("Papules and vesicles, absence of pustules.", vec!["papule", "vesicle"], vec!["pustule"]),
        ("Denies blisters.", vec![], vec!["bulla"]),
        ("A nonscaly violaceous patch", vec!["purple", "patch"], vec!["scale"]),
        ("Without treatment the plaques became ulcerated.", vec!["plaque", "ulcer"], vec![]),
        ("Maculopapular rash", vec!["macule", "papule"], vec![]),
        ("not itchy bumps", vec!["papule"], vec![]),
        ("Plaque psoriasis. Silvery scale.", vec!["plaque", "scale"], vec![]),
        ("White arrow: a nodule; scale bar 1 mm", vec!["nodule"], vec![]),
        ("Non-healing ulcer", vec!["ulcer"], vec![]),
        ("dome-shaped umbilicated papules", vec!["dome-shaped", "umbilicated", "papule"], vec![]),
        ("There was no evidence of atrophy or telangiectasias.", vec![], vec!["atrophy", "telangiectasia"]),
        ("Scales were not seen.", vec![], vec!["scale"]),
        ("Plaque which does not show any scaling", vec!["plaque"], vec!["scale"]),
        ("Scale: absent. Crust: present.", vec!["crust"], vec!["scale"]),
        (
            "Neither scale nor crust is present; vesicles on a bluish-gray base",
            vec!["vesicle", "blue", "gray"],
            vec!["scale", "crust"],
        ),
        ("Red itchy bumps with no pus", vec!["red", "erythema", "papule"], vec!["exudate"]),
    ] {
        let found = read(&LEXICON, caption);
        let mut expected: Vec<&str> = concepts;
        let mut names: Vec<&str> = found.concepts.iter().map(String::as_str).collect();
        expected.sort_unstable();
        names.sort_unstable();
        assert_eq!(
            (names, found.negated),
            (expected, negated.into_iter().map(str::to_owned).collect()),
            "{caption}"
        );
    }
}

#[test]
fn sides_and_body_sites_are_no_findings() {
    for site in [
        "left forearm",
        "right side of the neck",
        "elbows",
        "upper back",
        "both shins",
        "dorsum of the right hand",
        "left cheek",
        "chest",
    ] {
        let found = read(&LEXICON, &format!("A scaly plaque on the {site}: psoriasis."));
        assert_eq!(found.condition.as_deref(), Some("psoriasis"), "{site}");
        assert_eq!(found.concepts, ["scale", "plaque"], "{site}");
        let alone = read(&LEXICON, &format!("Clinical photograph of the {site}, bilateral, no other site."));
        let lists = [alone.concepts, alone.negated, alone.uncertain, alone.elsewhere, alone.others];
        assert_eq!((alone.condition, lists.concat()), (None, Vec::new()), "{site}");
    }
}

#[test]
fn spans_are_characters_of_the_caption() {
    let caption = "Über dem Knie: scaly plaque of psoriasis";
    let found = read(&LEXICON, caption);
    let chars: Vec<char> = caption.chars().collect();
    for (name, written) in [("scale", "scaly"), ("plaque", "plaque"), ("psoriasis", "psoriasis")] {
        let [start, end] = found.spans[name][0];
        assert_eq!(chars[start..end].iter().collect::<String>(), written);
    }
}
