//! The report as text: `results.md`, which also reads well in a terminal.

use super::summary::{Cited, Summary, SummaryRow};
use super::{breakdowns, differences, format, heading, left_out, not_scored};
use crate::compare::Comparison;
use crate::published::Published;
use crate::results::BenchmarkResult;

/// `results.md`: a heading, the notices, one table, differences, and notes.
pub fn markdown(comparison: &Comparison, published: &[Published]) -> String {
    let summary = Summary::new(comparison, published);
    let mut text = head(comparison);
    table(&mut text, &summary);
    differences(&mut text, comparison);
    list(&mut text, "By group", &groups(comparison));
    list(&mut text, "To know", &remarks(comparison));
    failed(&mut text, comparison);
    let skipped = comparison.models.iter().take(1).flat_map(|results| &results.skipped);
    let skipped = skipped.map(|skipped| format!("{}: {} (from {})", skipped.title, skipped.how, skipped.source));
    list(&mut text, "Not run, as the data are not there", &skipped.collect::<Vec<_>>());
    sources(&mut text, &summary);
    text
}

/// The text for a terminal: the same with the tables last, without the benchmarks that were not run, which the log
/// names.
pub fn terminal(comparison: &Comparison, published: &[Published]) -> String {
    let summary = Summary::new(comparison, published);
    let mut text = head(comparison);
    failed(&mut text, comparison);
    list(&mut text, "By group", &groups(comparison));
    list(&mut text, "To know", &remarks(comparison));
    sources(&mut text, &summary);
    differences(&mut text, comparison);
    text.push('\n');
    table(&mut text, &summary);
    text
}

/// The table of differences and what it means.
fn differences(text: &mut String, comparison: &Comparison) {
    if comparison.differences.is_empty() {
        return;
    }
    let mut rows = vec![differences::HEADINGS.map(String::from).to_vec()];
    rows.extend(
        comparison.differences.iter().map(|one| differences::cells(one).map(|cell| escaped(&cell)).to_vec()),
    );
    text.push_str(&format!("\n{}\n{}\n", aligned(&rows), differences::explanation(&comparison.differences)));
}

fn table(text: &mut String, summary: &Summary<'_>) {
    if summary.groups.is_empty() {
        text.push_str("No benchmark was scored.\n");
    } else {
        text.push_str(&aligned(&cells(summary)));
    }
}

fn failed(text: &mut String, comparison: &Comparison) {
    let failed =
        not_scored::failed_of(comparison).into_iter().map(|failed| format!("{}: {}", failed.title, failed.problem));
    list(text, "Failed", &failed.collect::<Vec<_>>());
}

/// Images that were not scored, and the notes of the benchmarks.
fn remarks(comparison: &Comparison) -> Vec<String> {
    let of_one = |(title, benchmark): (String, &BenchmarkResult)| {
        let remarks = left_out::sentence(benchmark).into_iter().chain(benchmark.notes.clone());
        remarks.map(|remark| format!("{title}: {remark}")).collect::<Vec<_>>()
    };
    titled(comparison).into_iter().flat_map(of_one).collect()
}

/// The benchmarks with their titles, which name the model where there are several.
fn titled(comparison: &Comparison) -> Vec<(String, &BenchmarkResult)> {
    let is_one = comparison.models.len() == 1;
    let mut titled = Vec::new();
    for results in &comparison.models {
        for benchmark in &results.benchmarks {
            let (title, name) = (&benchmark.title, &results.model.name);
            titled.push((if is_one { title.clone() } else { format!("{title}, {name}") }, benchmark));
        }
    }
    titled
}

fn sources(text: &mut String, summary: &Summary<'_>) {
    let sources = summary.sources.iter().enumerate().map(|(at, source)| format!("[{}] {source}", at + 1));
    list(text, "Sources; their test sets and prompts may differ", &sources.collect::<Vec<_>>());
}

fn head(comparison: &Comparison) -> String {
    let mut text = format!("# Evaluation of {}\n\n", escaped(&heading::names(comparison)));
    for notice in heading::notices(comparison) {
        text.push_str(&format!("> **{}**\n>\n", escaped(&notice)));
    }
    text.truncate(text.len() - ">\n".len());
    let is_one = comparison.models.len() == 1;
    let sha256 = comparison.models.iter().map(|results| {
        let name = if is_one { String::new() } else { format!(" of {}", escaped(&results.model.name)) };
        format!("sha256{name} {}", heading::short_sha(results))
    });
    let sha256 = sha256.collect::<Vec<_>>().join(", ");
    let protocol = comparison.models.first().map_or("none", |results| heading::protocol(results.protocol));
    text.push_str(&format!("\n{sha256}, dermake {}, protocol: {protocol}\n\n", comparison.version));
    text
}

/// Rows of the table, the heads first; a benchmark is named in its first row.
fn cells(summary: &Summary<'_>) -> Vec<Vec<String>> {
    let mut heads = ["Benchmark", "Metric"].map(String::from).to_vec();
    heads.extend(summary.headings().iter().map(|name| format!("{} (95 % interval)", escaped(name))));
    heads.extend(summary.models.iter().map(|model| escaped(model)));
    let mut rows = vec![heads];
    for group in &summary.groups {
        for (at, row) in group.rows.iter().enumerate() {
            let benchmark = if at == 0 { title(group.benchmark) } else { String::new() };
            rows.push(row_cells(benchmark, row));
        }
    }
    rows
}

/// A benchmark's title, with how much of it was scored unless that is all.
fn title(benchmark: &BenchmarkResult) -> String {
    let share = left_out::share(benchmark).map_or_else(String::new, |share| format!(" ({share})"));
    escaped(&benchmark.title) + &share
}

fn row_cells(benchmark: String, row: &SummaryRow<'_>) -> Vec<String> {
    let mut cells = vec![benchmark, escaped(&row.title)];
    cells.extend(row.figures.iter().map(|metric| {
        metric.map_or_else(String::new, |metric| format::with_interval(row.key, metric.value, metric.interval))
    }));
    let cited = |cell: &Vec<Cited>| {
        let figures = cell.iter().map(|cited| format!("{} [{}]", cited.text, cited.source));
        figures.collect::<Vec<_>>().join(", ")
    };
    cells.extend(row.published.iter().map(cited));
    cells
}

/// A table whose columns are as wide in the text as their widest cell.
fn aligned(rows: &[Vec<String>]) -> String {
    let n_columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0).max(3);
    let widths: Vec<usize> = (0..n_columns).map(width).collect();
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = String::new();
    for (at, row) in rows.iter().enumerate() {
        let padded = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}"));
        text.push_str(&line(padded.collect()));
        if at == 0 {
            text.push_str(&line(widths.iter().map(|&width| "-".repeat(width)).collect()));
        }
    }
    text
}

fn groups(comparison: &Comparison) -> Vec<String> {
    let mut lines = Vec::new();
    for (title, benchmark) in titled(comparison) {
        for breakdown in &benchmark.breakdowns {
            let groups: Vec<String> = breakdown
                .groups
                .iter()
                .map(|group| {
                    format!("{} {} (n {})", group.name, format::share(group.value), format::count(group.n as u64))
                })
                .collect();
            lines.push(format!(
                "{title}, {} by {}: {}. {}",
                breakdowns::metric_title(benchmark, &breakdown.metric),
                breakdowns::column_phrase(&breakdown.column),
                groups.join(", "),
                breakdowns::gap(breakdown)
            ));
        }
    }
    lines
}

fn list(text: &mut String, title: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    text.push_str(&format!("\n{title}:\n\n"));
    for item in items {
        text.push_str(&format!("- {}\n", escaped(item)));
    }
}

/// Escapes text for a Markdown table.
fn escaped(text: &str) -> String {
    text.replace(['\n', '\r'], " ").replace('|', "\\|").replace('<', "\\<")
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::results::UnreadableImage;

    #[test]
    fn a_table_by_eye() {
        let mut comparison = samples::comparison(vec![samples::classification(&["acne", "nevus"])]);
        let results = &mut comparison.models[0];
        let image = UnreadableImage { row: 3, file: "3.jpg".into(), problem: "no such file".into() };
        results.benchmarks[0].unreadable = vec![image];
        results.benchmarks[0].notes = vec!["a note".into()];
        let published = [Published {
            model: "MAKE".into(),
            benchmark: "pad".into(),
            metric: "top1_accuracy".into(),
            value: 0.5857,
            source: "a README".into(),
        }];
        let expected = "\
# Evaluation of sample

> **Research software, not a medical device.**

sha256 0123456789ab, dermake 0.1.0, protocol: every row of each table

| Benchmark                             | Metric         | This model (95 % interval) | MAKE      |
| ------------------------------------- | -------------- | -------------------------- | --------- |
| PAD-UFES-20 (40 of 1,041 rows scored) | top-1 accuracy | 0.906 (0.891–0.921)        | 0.586 [1] |
|                                       | macro AUROC    | n/a                        |           |

To know:

- PAD-UFES-20: 1 image is not scored: row 3: no such file: 3.jpg
- PAD-UFES-20: a note

Sources; their test sets and prompts may differ:

- [1] a README
";
        assert_eq!(markdown(&comparison, &published), expected);
    }

    #[test]
    fn an_untrained_model_and_no_benchmarks() {
        let mut comparison = samples::comparison(Vec::new());
        let results = &mut comparison.models[0];
        results.model.is_trained = false;
        results.model.name = "a|<b>".into();
        let text = markdown(&comparison, &[]);
        assert!(text.starts_with("# Evaluation of a\\|\\<b>\n\n> **This model was never trained"), "{text}");
        assert!(text.contains("No benchmark was scored."));
    }

    #[test]
    fn models_stand_side_by_side_and_their_differences_below() {
        let mut comparison = samples::comparison(vec![samples::classification(&["acne", "nevus"])]);
        let mut other = comparison.models[0].clone();
        other.model.name = "another".into();
        comparison.models.push(other);
        comparison.differences = vec![samples::difference()];
        let text = markdown(&comparison, &[]);
        for line in [
            "# Evaluation of sample, another",
            "| sample (95 % interval) | another (95 % interval) |",
            "| 0.906 (0.891–0.921)    | 0.906 (0.891–0.921)     |",
            "| PAD-UFES-20 | top-1 accuracy | sample − another | +0.050 (+0.010 to +0.090)  | 0.0002 | 0.0124      | sample |",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
