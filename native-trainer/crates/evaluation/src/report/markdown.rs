//! The report as text: `results.md`, which also reads well in a terminal.

use super::summary::{Cited, Summary, SummaryRow};
use super::{breakdowns, format, heading, left_out};
use crate::results::{BenchmarkResult, Published, Results};

/// `results.md`: a heading, the notices, one table, and notes.
pub fn markdown(results: &Results, published: &[Published]) -> String {
    let summary = Summary::new(results, published);
    let mut text = head(results);
    table(&mut text, &summary);
    list(&mut text, "By group", &groups(results));
    list(&mut text, "To know", &remarks(results));
    failed(&mut text, results);
    let skipped = results
        .skipped
        .iter()
        .map(|skipped| format!("{}: {} (from {})", skipped.title, skipped.how, skipped.source));
    list(&mut text, "Not run, as the data are not there", &skipped.collect::<Vec<_>>());
    sources(&mut text, &summary);
    text
}

/// The text for a terminal: the same with the table last, without the benchmarks that were not run, which the log
/// names.
pub fn terminal(results: &Results, published: &[Published]) -> String {
    let summary = Summary::new(results, published);
    let mut text = head(results);
    failed(&mut text, results);
    list(&mut text, "By group", &groups(results));
    list(&mut text, "To know", &remarks(results));
    sources(&mut text, &summary);
    text.push('\n');
    table(&mut text, &summary);
    text
}

fn table(text: &mut String, summary: &Summary<'_>) {
    if summary.groups.is_empty() {
        text.push_str("No benchmark was scored.\n");
    } else {
        text.push_str(&aligned(&cells(summary)));
    }
}

fn failed(text: &mut String, results: &Results) {
    let failed = results.failed.iter().map(|failed| format!("{}: {}", failed.title, failed.problem));
    list(text, "Failed", &failed.collect::<Vec<_>>());
}

/// Images that were not scored, and the notes of the benchmarks.
fn remarks(results: &Results) -> Vec<String> {
    let of_one = |benchmark: &BenchmarkResult| {
        let remarks = left_out::sentence(benchmark).into_iter().chain(benchmark.notes.clone());
        remarks.map(|remark| format!("{}: {remark}", benchmark.title)).collect::<Vec<_>>()
    };
    results.benchmarks.iter().flat_map(of_one).collect()
}

fn sources(text: &mut String, summary: &Summary<'_>) {
    let sources = summary.sources.iter().enumerate().map(|(at, source)| format!("[{}] {source}", at + 1));
    list(text, "Sources; their test sets and prompts may differ", &sources.collect::<Vec<_>>());
}

fn head(results: &Results) -> String {
    let mut text = format!("# Evaluation of {}\n\n", escaped(&results.model.name));
    for notice in heading::notices(results) {
        text.push_str(&format!("> **{}**\n>\n", escaped(notice)));
    }
    text.truncate(text.len() - ">\n".len());
    text.push_str(&format!(
        "\nsha256 {}, dermake {}, protocol: {}\n\n",
        heading::short_sha(results),
        results.version,
        heading::protocol(results.protocol)
    ));
    text
}

/// Rows of the table, the heads first; a benchmark is named in its first row.
fn cells(summary: &Summary<'_>) -> Vec<Vec<String>> {
    let heads = ["Benchmark", "Metric", "This model (95 % interval)"].map(String::from);
    let mut rows = vec![Vec::from_iter(heads.into_iter().chain(summary.models.iter().map(|model| escaped(model))))];
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
    let ours = format::with_interval(&row.metric.key, row.metric.value, row.metric.interval);
    let mut cells = vec![benchmark, escaped(&row.metric.title), ours];
    let cited = |cell: &Option<Cited>| {
        cell.as_ref().map_or_else(String::new, |cited| format!("{} [{}]", cited.text, cited.source))
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

fn groups(results: &Results) -> Vec<String> {
    let mut lines = Vec::new();
    for benchmark in &results.benchmarks {
        for breakdown in &benchmark.breakdowns {
            let groups: Vec<String> = breakdown
                .groups
                .iter()
                .map(|group| {
                    format!("{} {} (n {})", group.name, format::share(group.value), format::count(group.n as u64))
                })
                .collect();
            lines.push(format!(
                "{}, {} by {}: {}. {}",
                benchmark.title,
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
        let mut results = samples::results(vec![samples::classification(&["acne", "nevus"])]);
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
        assert_eq!(markdown(&results, &published), expected);
    }

    #[test]
    fn an_untrained_model_and_no_benchmarks() {
        let mut results = samples::results(Vec::new());
        results.model.is_trained = false;
        results.model.name = "a|<b>".into();
        let text = markdown(&results, &[]);
        assert!(text.starts_with("# Evaluation of a\\|\\<b>\n\n> **This model was never trained"), "{text}");
        assert!(text.contains("No benchmark was scored."));
    }
}
