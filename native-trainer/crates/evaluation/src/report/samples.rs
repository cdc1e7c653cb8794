//! Small results for the tests of the report.

use crate::compare::{Comparison, Difference};
use crate::results::{
    BenchmarkResult, ClassResult, ClassificationDetails, ConceptDetails, ConceptResult, Details, EvaluatedModel,
    Metric, Mistake, ProbeDetails, ProbeShare, Protocol, ReliabilityBin, Results, RetrievalDetails,
};

pub fn comparison(benchmarks: Vec<BenchmarkResult>) -> Comparison {
    Comparison { version: "0.1.0".into(), ..Comparison::new(vec![results(benchmarks)], Vec::new()) }
}

/// The sample model is 0.05 better than another, which is no luck.
pub fn difference() -> Difference {
    Difference {
        benchmark: "pad".into(),
        title: "PAD-UFES-20".into(),
        metric: "top1_accuracy".into(),
        metric_title: "top-1 accuracy".into(),
        models: ["sample".into(), "another".into()],
        n_rows: 40,
        value: Some(0.05),
        interval: Some([0.01, 0.09]),
        p_value: Some(0.0002),
        p_corrected: Some(0.0124),
    }
}

pub fn results(benchmarks: Vec<BenchmarkResult>) -> Results {
    Results {
        format: Results::FORMAT.into(),
        version: "0.1.0".into(),
        model: EvaluatedModel {
            name: "sample".into(),
            sha256: "0123456789abcdef".into(),
            is_trained: true,
            notice: None,
        },
        protocol: Protocol::All,
        templates: Vec::new(),
        benchmarks,
        failed: Vec::new(),
        skipped: Vec::new(),
        effort: Default::default(),
    }
}

/// 40 images; the macro AUROC is undefined.
pub fn classification(names: &[&str]) -> BenchmarkResult {
    let class = |name: &&str| ClassResult {
        name: name.to_string(),
        n: 20,
        recall: Some(0.9),
        precision: Some(0.8),
        auroc: Some(0.95),
        roc: vec![[0.0, 0.0], [0.1, 0.9], [1.0, 1.0]],
        ..ClassResult::default()
    };
    let n = names.len();
    let row = |label| (0..n).map(|prediction| if prediction == label { 18 } else { 1 }).collect();
    let mistake = Mistake {
        row: 7,
        file: "images/7.jpg".into(),
        label: names[0].into(),
        prediction: names[1].into(),
        probability: 0.97,
    };
    let bin = ReliabilityBin { from: 0.9, to: 1.0, n: 40, confidence: Some(0.95), accuracy: Some(0.9) };
    let details = Details::Classification(ClassificationDetails {
        classes: names.iter().map(class).collect(),
        confusion: (0..n).map(row).collect(),
        reliability: vec![bin],
        expected_calibration_error: Some(0.05),
        mistakes: vec![mistake],
        scale: Some(100.0),
    });
    let metrics = vec![
        metric("top1_accuracy", "top-1 accuracy", Some(0.906), Some([0.891, 0.921])),
        metric("macro_auroc", "macro AUROC", None, None),
    ];
    benchmark("pad", "PAD-UFES-20", metrics, details)
}

/// AUROC 0.6, 0.9 and undefined.
pub fn concepts() -> BenchmarkResult {
    let concept = |name: &str, auroc: Option<f64>| ConceptResult {
        name: name.into(),
        n_positive: if auroc.is_some() { 12 } else { 0 },
        auroc,
        interval: auroc.map(|auroc| [auroc - 0.05, auroc + 0.05]),
        roc: auroc.map_or_else(Vec::new, |auroc| vec![[0.0, 0.0], [1.0 - auroc, auroc], [1.0, 1.0]]),
    };
    let concepts = vec![concept("scale", Some(0.6)), concept("plaque", Some(0.9)), concept("erosion", None)];
    let metrics = vec![metric("n_passed", "concepts above 0.7", Some(1.0), None)];
    benchmark("skincon", "SkinCon", metrics, Details::Concepts(ConceptDetails { concepts, pass_mark: 0.7 }))
}

/// Only the rank of one direction is known.
pub fn retrieval() -> BenchmarkResult {
    let details = RetrievalDetails {
        recall_ks: vec![10, 50, 100],
        image_to_text: vec![0.2, 0.4, 0.6],
        text_to_image: vec![0.1, 0.3, 0.5],
    };
    let metrics = vec![metric("mean_rank_image_to_text", "mean rank, image to text", Some(12.0), None)];
    benchmark("skincap", "SkinCAP", metrics, Details::Retrieval(details))
}

/// Two metrics at three shares; the AUROC at the smallest is undefined.
pub fn probe() -> BenchmarkResult {
    let share = |(share, n_train): (f64, usize)| ProbeShare {
        share,
        n_train,
        metrics: vec![
            metric("top1_accuracy", "top-1 accuracy", Some(0.6), Some([0.5, 0.7])),
            metric("macro_auroc", "macro AUROC", (share > 0.05).then_some(0.8), None),
        ],
    };
    let shares = [(0.01, 10), (0.1, 100), (1.0, 1000)].map(share).into();
    benchmark("pad_linear_probe", "PAD, linear probe", Vec::new(), Details::LinearProbe(ProbeDetails { shares }))
}

fn metric(key: &str, title: &str, value: Option<f64>, interval: Option<[f64; 2]>) -> Metric {
    Metric { key: key.into(), title: title.into(), value, interval }
}

fn benchmark(key: &str, title: &str, metrics: Vec<Metric>, details: Details) -> BenchmarkResult {
    BenchmarkResult {
        key: key.into(),
        title: title.into(),
        table: "data/table.csv".into(),
        n_scored: 40,
        n_rows: 1041,
        unreadable: Vec::new(),
        notes: Vec::new(),
        metrics,
        breakdowns: Vec::new(),
        without_excluded: None,
        details,
        map: None,
    }
}
