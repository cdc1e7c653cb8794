//! `dermake verify` on a file of known answers that the demo model's own answers make.

use crate::{dermake, json_lines, labels_of, probabilities_of, sample};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use tempfile::TempDir;

const TEMPLATE: &str = "a photo of {}";

/// A folder with a photo and what the demo model answers to it, the likeliest label first, with changes.
fn known(change: impl Fn(&mut Vec<f64>)) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(sample(1), folder.path().join("photo.jpg")).unwrap();
    let output = dermake()
        .args(["classify", "--json", "--as-reference", "--template", TEMPLATE, "--labels", "acne, nevus, wart"])
        .arg(sample(1))
        .output()
        .unwrap();
    let answer = json_lines(&output.stdout).remove(0);
    let mut probabilities = probabilities_of(&answer);
    change(&mut probabilities);
    let sha256 = format!("{:x}", Sha256::digest(fs::read(sample(1)).unwrap()));
    let known = format!(
        "[[photo]]\nfile = 'photo.jpg'\nsha256 = '{sha256}'\nsource = 'this test'\nlabels = {:?}\n\n[[photo.answer]]\n\
         model = 'Demo'\nnames = ['demo']\ntemplates = ['{TEMPLATE}']\nprobabilities = {probabilities:?}\n\
         source = 'this test'\n",
        labels_of(&answer)
    );
    let path = folder.path().join("known.toml");
    fs::write(&path, known).unwrap();
    (folder, path)
}

fn verify(photos: &Path, answers: &Path, arguments: &[&str]) -> Output {
    let mut command = dermake();
    command.args(["verify", "demo"]).args(arguments).arg("--photos").arg(photos).arg("--answers").arg(answers);
    command.output().unwrap()
}

#[test]
fn a_model_reproduces_its_own_answers_and_not_others() {
    let (folder, answers) = known(|_| ());
    let output = verify(folder.path(), &answers, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("photo.jpg: reproduced: demo as published of Demo; largest difference 0.0"), "{text}");
    let json = json_lines(&verify(folder.path(), &answers, &["--json", "--published", "demo"]).stdout).remove(0);
    assert_eq!((&json["is_reproduced"], json["labels"].as_array().unwrap().len()), (&true.into(), 3));

    let (folder, answers) = known(|probabilities| probabilities[0] -= 0.1);
    let output = verify(folder.path(), &answers, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout).unwrap().contains("not reproduced"));
}

/// A difference of 0.02 would leave every unlikely label unchecked.
#[test]
fn an_unlikely_label_is_checked_as_far_as_the_digits_of_its_figure_go() {
    let verified = |change: &dyn Fn(f64) -> f64| {
        let (folder, answers) = known(|probabilities| {
            let last = probabilities.last_mut().unwrap();
            assert!(*last > 0.0 && *last < 0.01, "{last}");
            *last = change(*last);
        });
        let output = verify(folder.path(), &answers, &["--json"]);
        let json = json_lines(&output.stdout).remove(0);
        assert_eq!(output.status.code(), Some(i32::from(json["is_reproduced"] == false)), "{json}");
        (json, String::from_utf8(verify(folder.path(), &answers, &[]).stdout).unwrap())
    };
    let rounded_to = |n_decimals: usize| move |value: f64| format!("{value:.n_decimals$e}").parse().unwrap();
    for right in [&(|value| value) as &dyn Fn(f64) -> f64, &rounded_to(2), &rounded_to(0), &|value| value * 1.2] {
        let (json, text) = verified(right);
        assert_eq!(json["is_reproduced"], true, "{text}");
        assert!(!text.contains("differs"), "{text}");
    }
    for wrong in [&(|value| value * 2.0) as &dyn Fn(f64) -> f64, &|value| value / 2.0, &|_| 1e-15] {
        let (json, text) = verified(wrong);
        assert_eq!(json["is_reproduced"], false, "{text}");
        assert!(json["largest_difference"].as_f64().unwrap() < 0.02, "{json}");
        assert!(json["largest_factor"].as_f64().unwrap() > json["factor"].as_f64().unwrap(), "{json}");
        let reproduced: Vec<bool> =
            json["labels"].as_array().unwrap().iter().map(|label| label["is_reproduced"] == true).collect();
        assert_eq!(reproduced, [true, true, false], "{json}");
        assert!(text.contains("allowed 1.3") && text.contains("differs"), "{text}");
    }
}

#[test]
fn a_photo_that_is_missing_or_another_one_is_named_with_where_to_get_it() {
    let (folder, answers) = known(|_| ());
    let message = |output: Output| {
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    fs::copy(sample(2), folder.path().join("photo.jpg")).unwrap();
    let text = message(verify(folder.path(), &answers, &[]));
    assert!(text.contains("this is another photo: its SHA-256 is"), "{text}");
    fs::remove_file(folder.path().join("photo.jpg")).unwrap();
    let text = message(verify(folder.path(), &answers, &[]));
    assert!(text.contains("photo.jpg is needed, from this test") && text.contains("no such file"), "{text}");
    let text = message(verify(folder.path(), &answers, &["--published", "nobody"]));
    assert!(text.contains("there is no known answer of nobody; there are those of Demo"), "{text}");
    let mut command = dermake();
    let text = message(command.args(["verify", "demo", "--photos"]).arg(folder.path()).output().unwrap());
    assert!(text.contains("PAT_8_15_820.png is needed, from PAD-UFES-20"), "{text}");
}
