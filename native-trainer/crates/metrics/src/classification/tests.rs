//! Metrics of a few rows that can be checked by eye.

use super::*;

/// Predictions 0, 0, 1, 0 for labels 0, 0, 1, 1; class 2 does not occur.
fn four_rows() -> ScoredClasses {
    #[rustfmt::skip]
    let scores = [
        0.8, 0.1, 0.1,
        0.6, 0.3, 0.1,
        0.1, 0.9, 0.0,
        0.5, 0.4, 0.1,
    ];
    ScoredClasses::new(&scores, &[0, 0, 1, 1], 3)
}

#[test]
fn four_rows_by_eye() {
    let (rows, all) = (four_rows(), [1; 4]);
    assert_eq!(rows.predictions(), [0, 0, 1, 0]);
    assert_eq!(rows.top1_accuracy(&all), Some(0.75));
    assert_eq!(rows.top_k_accuracy(2, &all), Some(1.0));
    assert_eq!(rows.balanced_accuracy(&all), Some(0.75)); // recalls 1 and 1/2
    assert_eq!(rows.confusion(&all), [[2, 0, 0], [1, 1, 0], [0, 0, 0]]);
    let (f1_0, f1_1) = (2.0 * 2.0 / 5.0, 2.0 / 3.0);
    assert_eq!(rows.macro_f1(&all), Some((f1_0 + f1_1) / 3.0));
    assert_eq!(rows.auroc(1, &all), Some(1.0));
    assert_eq!(rows.macro_auroc(&all), None, "class 2 does not occur");
}

#[test]
fn sensitivity_and_specificity_are_means_and_of_two_classes_those_of_the_second() {
    let (rows, all) = (four_rows(), [1; 4]);
    // Of two rows that are not class 0, one is taken for it; no row is wrongly taken for the others.
    assert_eq!(rows.specificity(&all), Some((0.5 + 1.0 + 1.0) / 3.0));
    assert_eq!(rows.sensitivity(&all), Some(0.75));
    assert_eq!(rows.specificity(&[1, 0, 0, 0]), Some(1.0), "class 0 has no rows of others");
    let two = ScoredClasses::new(&[0.9, 0.1, 0.4, 0.6, 0.7, 0.3], &[0, 0, 1], 2);
    assert_eq!((two.sensitivity(&[1; 3]), two.specificity(&[1; 3])), (Some(0.0), Some(0.5)));
    assert_eq!((two.sensitivity(&[1, 1, 0]), two.specificity(&[0, 0, 1])), (None, None));
}

#[test]
fn predictions_may_differ_from_the_scores() {
    let rows = ScoredClasses::with_predictions(&[0.9, 0.1, 0.2, 0.8], &[0, 1], vec![1, 1], 2);
    assert_eq!((rows.top1_accuracy(&[1; 2]), rows.macro_auroc(&[1; 2])), (Some(0.5), Some(1.0)));
}

#[test]
fn a_group_is_counts_of_0_and_1() {
    let rows = four_rows();
    assert_eq!(rows.top1_accuracy(&[0, 0, 1, 1]), Some(0.5));
    assert_eq!(rows.top1_accuracy(&[0; 4]), None);
    assert_eq!(rows.balanced_accuracy(&[0; 4]), None);
    assert_eq!(rows.weighted_f1(&[0; 4]), None);
}

#[test]
fn a_class_that_a_resample_lacks_does_not_count_in_its_macro_f1() {
    let two = ScoredClasses::new(&[0.9, 0.1, 0.2, 0.8], &[0, 1], 2);
    assert_eq!((two.macro_f1(&[1, 1]), two.macro_f1(&[2, 0])), (Some(1.0), Some(1.0)));
    // Class 2 is in no row.
    assert_eq!(four_rows().macro_f1(&[1, 1, 0, 0]), Some(1.0 / 2.0));
    // Fourteen classes with a row each, one of them mistaken: the interval has the value in it.
    let scores: Vec<f64> = (0..14 * 14).map(|at| f64::from(u8::from(at % 14 == (at / 14).max(1)))).collect();
    let rows = ScoredClasses::new(&scores, &(0..14).collect::<Vec<_>>(), 14);
    let (value, all) = (rows.macro_f1(&[1; 14]).unwrap(), vec![1; 14]);
    let interval = crate::intervals(&all, |counts| vec![rows.macro_f1(counts)])[0].unwrap();
    assert!(interval[0] < value && value < interval[1], "{value} in {interval:?}");
}

#[test]
fn ties_go_to_the_first_class_for_top_1_and_to_the_last_for_top_k() {
    let tied = ScoredClasses::new(&[0.5, 0.5, 0.0], &[0], 3);
    assert_eq!(tied.top1_accuracy(&[1]), Some(1.0));
    assert_eq!(tied.top_k_accuracy(1, &[1]), Some(0.0));
}
