//! A data folder whose answers can be checked by eye: pictures of one color each.

use crate::color_model::{model, picture};
use crate::dermake;
use dermake_evaluation::results::{BenchmarkResult, Metric, Results};
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::process::Output;
use tempfile::TempDir;

/// Colors of the pictures, and what the table calls them: the ninth, blue, is called green.
pub const PICTURES: [(&str, &str); 10] = [
    ("red", "red"),
    ("red", "red"),
    ("red", "red"),
    ("green", "green"),
    ("green", "green"),
    ("yellow", "yellow"),
    ("yellow", "yellow"),
    ("blue", "blue"),
    ("blue", "green"),
    ("blue", "blue"),
];
/// In label order.
const CLASSES: [&str; 4] = ["red", "green", "blue", "yellow"];

/// The key, the title, the task and the table of each benchmark.
const BENCHMARKS: [[&str; 4]; 4] = [
    ["colors", "Colors", r#"kind = "classification", classes = ["red", "green", "blue", "yellow"]"#, "test"],
    ["color_concepts", "Color concepts", r#"kind = "concepts", images = "images", list = "none.txt""#, "meta"],
    ["color_captions", "Color captions", r#"kind = "retrieval""#, "captions"],
    ["color_probe", "Color probe", r#"kind = "linear_probe""#, "probe"],
];

/// The content of `benchmarks.toml`.
fn benchmarks() -> String {
    let mut text = String::new();
    for [key, title, task, table] in BENCHMARKS {
        writeln!(text, "[[benchmark]]\nkey = {key:?}\ntitle = {title:?}\ntask = {{ {task} }}").unwrap();
        writeln!(text, "tables = [\"colors/{table}.csv\"]").unwrap();
        writeln!(text, "source = \"this test\"\nhow = \"run this test\"").unwrap();
    }
    text
}

/// A data folder of its own for each test.
pub struct Data {
    pub folder: TempDir,
}

impl Data {
    pub fn new() -> Self {
        let data = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir_all(data.colors().join("images")).unwrap();
        fs::write(data.folder.path().join("benchmarks.toml"), benchmarks()).unwrap();
        for (index, (color, _)) in PICTURES.iter().enumerate() {
            fs::write(data.picture(index), picture(color)).unwrap();
        }
        data.write_table(|label, _| CLASSES.iter().position(|class| *class == label).unwrap().to_string());
        data
    }

    pub fn colors(&self) -> PathBuf {
        self.folder.path().join("colors")
    }

    pub fn picture(&self, index: usize) -> PathBuf {
        self.colors().join(format!("images/{index}.png"))
    }

    pub fn write_table(&self, label: impl Fn(&str, usize) -> String) {
        let mut table = String::from("filename,label,fitzpatrick,age\n");
        for (index, (_, name)) in PICTURES.iter().enumerate() {
            let age = if index == 0 { String::new() } else { (index * 9).to_string() };
            let tone = if index < 5 { 1 } else { 6 };
            writeln!(table, "images/{index}.png,{},{tone},{age}", label(name, index)).unwrap();
        }
        fs::write(self.colors().join("test.csv"), table).unwrap();
    }

    pub fn eval(&self, arguments: &[&str]) -> Output {
        let mut command = dermake();
        command.arg("eval").args(arguments).arg("--model").arg(model()).arg("--data").arg(self.folder.path());
        command.arg("--cache").arg(self.folder.path().join("cache"));
        command.arg("--out").arg(self.folder.path().join("report")).output().unwrap()
    }

    pub fn results(&self) -> Results {
        serde_json::from_slice(&fs::read(self.folder.path().join("report/results.json")).unwrap()).unwrap()
    }

    /// The results of a run in which everything was scored.
    pub fn scored(&self, arguments: &[&str]) -> Results {
        let output = self.eval(arguments);
        assert!(output.status.success(), "{}", log(&output));
        self.results()
    }
}

pub fn log(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub fn value(result: &BenchmarkResult, key: &str) -> Option<f64> {
    let is_it = |metric: &&Metric| metric.key == key;
    result.metrics.iter().find(is_it).unwrap_or_else(|| panic!("no {key}: {:?}", result.metrics)).value
}
