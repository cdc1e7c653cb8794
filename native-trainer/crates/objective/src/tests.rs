//! What each variant counts, and the constants that are refused.

use super::*;

#[test]
fn a_variant_counts_the_captions_that_it_contrasts() {
    let counted = |objective: &Objective| (0..5).filter(|&kind| objective.counts(kind)).collect::<Vec<_>>();
    assert_eq!(counted(&Objective::of(Variant::Clip)), [0]);
    assert_eq!(counted(&Objective::of(Variant::Paper)), [0, 1, 2, 3, 4]);
    assert_eq!(counted(&Objective { lambda_m: 0.0, ..Objective::of(Variant::Paper) }), [3, 4]);
    assert_eq!(counted(&Objective::of(Variant::Released)), [0, 1, 2, 3, 4]);

    let sub_captions = Captions::all_distinct(vec![false, false, false, true, false], 5);
    let none = Captions::all_distinct(vec![false; 5], 5);
    for (variant, has_targets) in
        [(Variant::Clip, false), (Variant::SigLip, false), (Variant::Paper, true), (Variant::Released, true)]
    {
        assert_eq!(Objective::of(variant).has_targets(&sub_captions), has_targets, "{variant:?}");
        assert!(!Objective::of(variant).has_targets(&none), "{variant:?}");
    }
}

#[test]
fn constants_that_leave_no_loss_are_refused() {
    let paper = Objective::of(Variant::Paper);
    for (objective, expected) in [
        (Objective { lambda_m: f64::NAN, ..paper.clone() }, "lambda_m is NaN"),
        (Objective { lambda_s: -0.5, ..paper.clone() }, "lambda_s is -0.5"),
        (Objective { lambda_m: 0.0, lambda_s: 0.0, ..paper.clone() }, "lambda_m and lambda_s are 0"),
        (Objective { sigma: 1.0, ..paper.clone() }, "sigma is 1"),
        (Objective { ontology: Some(OntologyTargets::default()), ..paper.clone() }, "the variant \"omake\""),
        (
            Objective { ontology: Some(OntologyTargets::default()), ..Objective::of(Variant::Clip) },
            "\"clip\" has no ontology",
        ),
    ] {
        let error = objective.validate().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    for variant in Variant::ALL {
        Objective::of(variant).validate().unwrap();
    }
}
