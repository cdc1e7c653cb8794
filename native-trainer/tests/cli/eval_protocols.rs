//! `dermake eval --protocol dermfm-zero` on drawn pictures; `eval.rs` has the protocol `released`.

use crate::dermake;
use crate::eval_data::{log, value};
use dermake_evaluation::results::{Details, Protocol, Results};
use std::fs;

#[test]
fn the_protocol_of_dermfm_zero_has_its_recalls_their_mean_and_its_shares() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let synth = ["synth", "--images", "140", "--seed", "6", "--image-size", "64", "--out"];
    dermake().args(synth).arg(path("data/synth")).assert().success();
    // The first caption is missing, which this protocol retrieves as the text "nan".
    let captions = path("data/synth/retrieval/test.csv");
    let mut table = csv::Reader::from_path(&captions).unwrap();
    let (header, rows) =
        (table.headers().unwrap().clone(), table.records().map(Result::unwrap).collect::<Vec<_>>());
    let caption = header.iter().position(|column| column == "caption_zh_polish_en").unwrap();
    let mut changed = csv::Writer::from_path(&captions).unwrap();
    changed.write_record(&header).unwrap();
    for (row, record) in rows.iter().enumerate() {
        let cells = record.iter().enumerate();
        changed.write_record(cells.map(|(at, cell)| if (row, at) == (0, caption) { "" } else { cell })).unwrap();
    }
    changed.flush().unwrap();

    let mut eval = dermake();
    eval.args(["eval", "--no-cache", "--protocol", "dermfm-zero", "--only", "synth_retrieval,synth_linear_probe"]);
    let output = eval.arg("--data").arg(path("data")).arg("--out").arg(path("report")).output().unwrap();
    assert!(output.status.success(), "{}", log(&output));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("mean recall"), "{printed}");
    let results: Results = serde_json::from_slice(&fs::read(path("report/results.json")).unwrap()).unwrap();
    let [retrieval, probe] = &results.benchmarks[..] else { panic!("{:?}", results.benchmarks) };
    assert_eq!((results.protocol, retrieval.n_scored), (Protocol::DermfmZero, rows.len()));
    assert!(retrieval.notes.concat().contains("1 rows without a caption stand as the text \"nan\""));
    for direction in ["image_to_text", "text_to_image"] {
        let recalls = [5, 10, 50].map(|k| value(retrieval, &format!("recall_at_{k}_{direction}")).unwrap());
        let mean = value(retrieval, &format!("mean_recall_{direction}")).unwrap();
        assert!((mean - recalls.iter().sum::<f64>() / 3.0).abs() < 1e-12 && mean > 0.0, "{recalls:?}, {mean}");
    }
    let Details::LinearProbe(details) = &probe.details else { panic!("{:?}", probe.details) };
    let shares: Vec<f64> = details.shares.iter().map(|share| share.share).collect();
    assert_eq!((shares, details.shares[3].n_train), (vec![0.1, 0.3, 0.5, 1.0], 140));
    assert!(value(probe, "top1_accuracy_100").unwrap() > 0.2, "better than one of 14 by chance");
}
