//! The results of a sweep side by side: `sweep.csv`, and `sweep.html` with a table and a picture for each figure.

use super::early_stopping::{VALIDATION_LOSS, ZERO_SHOT};
use super::run_sinks::METRICS_FILE;
use super::settings::Setting;
use super::sinks::{Panel, Record, curves, metrics};
use anyhow::{Result, ensure};
use dermake_drawing::page;
use dermake_files::output::replace_file;
use dermake_sheets::Sheet;
use maud::{Markup, PreEscaped, html};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub const PAGE_FILE: &str = "sweep.html";
const TABLE_FILE: &str = "sweep.csv";
pub const RESULT_FILES: [&str; 2] = [TABLE_FILE, PAGE_FILE];
/// The first and the last column of the table.
const FIRST_COLUMN: &str = "run";
const LAST_COLUMN: &str = "failure";
/// How the page's heading starts.
const HEADING: &str = "Sweep of ";

const STYLE: &str = "body { font-family: sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; } \
                     table { border-collapse: collapse; } th, td { border-bottom: 1px solid #ccc; padding: .3rem .6rem; \
                     text-align: left; } td.number { text-align: right; font-variant-numeric: tabular-nums; } \
                     td.best { font-weight: bold; } .scroll { overflow-x: auto; } svg { max-width: 100%; height: auto; }";

/// One run of a sweep.
pub struct SweepRun {
    /// The name of its folder.
    pub name: String,
    pub settings: Vec<Setting>,
    pub folder: PathBuf,
    /// Why it failed.
    pub failure: Option<String>,
}

/// A figure of a run: the best value of an evaluation, or the last loss.
struct Figure {
    name: String,
    is_loss: bool,
    /// Of each run.
    values: Vec<Option<f64>>,
}

impl Figure {
    fn best(&self) -> Option<f64> {
        let values = self.values.iter().flatten().copied();
        values.reduce(|a, b| if (b < a) == self.is_loss { b } else { a })
    }
}

/// Writes what the runs have so far.
///
/// # Errors
/// When a file cannot be written.
pub fn write(runs: &[SweepRun], out: &Path) -> Result<()> {
    let records: Vec<Vec<Record>> =
        runs.iter().map(|run| metrics::read(&run.folder.join(METRICS_FILE)).unwrap_or_default()).collect();
    let figures = figures(&records);
    table(runs, &figures).write(&out.join(TABLE_FILE))?;
    let pictures = figures.iter().filter_map(|figure| picture(runs, &records, &figure.name)).collect::<Vec<_>>();
    let page = page("Sweep", STYLE, &body(runs, &figures, &pictures));
    replace_file(&out.join(PAGE_FILE), page.as_bytes())
}

/// Checks that results replace no files but those of an earlier sweep in this folder.
///
/// # Errors
/// Names the first file that is no sweep's.
pub fn refuse_foreign(out: &Path) -> Result<()> {
    for name in RESULT_FILES {
        let path = out.join(name);
        let text = std::fs::read(&path).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let header = text.lines().next().unwrap_or_default();
        let is_table =
            header.starts_with(&format!("{FIRST_COLUMN},")) && header.ends_with(&format!(",{LAST_COLUMN}"));
        let is_result = if name == TABLE_FILE { is_table } else { text.contains(&format!("<h1>{HEADING}")) };
        ensure!(
            is_result || path.symlink_metadata().is_err(),
            "a sweep would overwrite this file, which no sweep has written; give --out a new folder: {}",
            path.display()
        );
    }
    Ok(())
}

/// The last loss, and the best of each figure of the evaluations.
fn figures(records: &[Vec<Record>]) -> Vec<Figure> {
    let is_measured = |name: &&str| *name == VALIDATION_LOSS || name.starts_with(ZERO_SHOT);
    let all = records.iter().flatten().flat_map(|record| record.scalars.iter().map(|(name, _)| name.as_str()));
    let names: BTreeSet<&str> = all.filter(is_measured).collect();
    let values = |run: &Vec<Record>, name: &str| -> Vec<f64> {
        run.iter().filter_map(|record| record.scalar(name)).filter(|value| value.is_finite()).collect()
    };
    let last = Figure {
        name: "loss".into(),
        is_loss: true,
        values: records.iter().map(|run| values(run, "loss").last().copied()).collect(),
    };
    let best = |name: &str| {
        let is_loss = name == VALIDATION_LOSS;
        let better = |a: f64, b: f64| if is_loss { a.min(b) } else { a.max(b) };
        let values = records.iter().map(|run| values(run, name).into_iter().reduce(better)).collect();
        Figure { name: name.into(), is_loss, values }
    };
    std::iter::once(last).chain(names.into_iter().map(best)).collect()
}

fn table(runs: &[SweepRun], figures: &[Figure]) -> Sheet {
    let mut sheet = Sheet::default();
    sheet.texts(FIRST_COLUMN, runs.iter().map(|run| run.name.clone()).collect());
    let n_settings = runs.first().map_or(0, |run| run.settings.len());
    for place in 0..n_settings {
        let of_run = |run: &SweepRun| run.settings[place].typed().to_owned();
        sheet.texts(runs[0].settings[place].key(), runs.iter().map(of_run).collect());
    }
    for figure in figures {
        sheet.numbers(heading(figure), figure.values.clone());
    }
    sheet.texts(LAST_COLUMN, runs.iter().map(|run| run.failure.clone().unwrap_or_default()).collect());
    sheet
}

fn heading(figure: &Figure) -> String {
    if figure.name == "loss" { "last_loss".into() } else { format!("best_{}", figure.name) }
}

/// The curves of one figure, a line for each run.
fn picture(runs: &[SweepRun], records: &[Vec<Record>], name: &str) -> Option<String> {
    let of_run = |(run, records): (&SweepRun, &Vec<Record>)| -> Vec<Record> {
        let one = |record: &Record| {
            let value = record.scalar(name).filter(|value| value.is_finite())?;
            Some(Record { scalars: vec![(run.name.clone(), value)], ..record.clone() })
        };
        records.iter().filter_map(one).collect()
    };
    let records: Vec<Record> = runs.iter().zip(records).flat_map(of_run).collect();
    let scalars = runs.iter().map(|run| run.name.clone()).collect();
    curves::picture(&records, &[Panel { title: name.replace('_', " "), scalars, is_log: false }]).ok()
}

fn body(runs: &[SweepRun], figures: &[Figure], pictures: &[String]) -> Markup {
    let settings = runs.first().map_or(&[][..], |run| &run.settings[..]);
    html! {
        h1 { (HEADING) (runs.len()) " runs" }
        div.scroll { table {
            tr {
                @for setting in settings { th { (setting.key()) } }
                @for figure in figures { th { (heading(figure).replace('_', " ")) } }
                th { "folder" }
            }
            @for (place, run) in runs.iter().enumerate() {
                tr {
                    @for setting in &run.settings { td { (setting.typed()) } }
                    @for figure in figures {
                        @let value = figure.values[place];
                        td.number.best[value.is_some() && value == figure.best()] {
                            (value.map_or("n/a".into(), |value| format!("{value:.4}")))
                        }
                    }
                    td {
                        a href={ (run.name) "/plan.toml" } { (run.name) }
                        @if let Some(failure) = &run.failure { ": " (failure) }
                    }
                }
            }
        } }
        @for picture in pictures { (PreEscaped(picture)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_accuracy_is_the_best_one_whatever_the_name_of_its_table() {
        let records: Vec<Record> = [(1, 0.5), (2, 0.7), (3, 0.6)]
            .map(|(epoch, accuracy)| Record::now(epoch, epoch, vec![(format!("{ZERO_SHOT}gloss"), accuracy)]))
            .into();
        let figures = figures(&[records]);
        let accuracy = figures.iter().find(|figure| figure.name.ends_with("gloss")).unwrap();
        assert_eq!((accuracy.best(), accuracy.is_loss), (Some(0.7), false));
    }
}
