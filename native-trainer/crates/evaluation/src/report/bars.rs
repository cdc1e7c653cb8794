//! Horizontal bars as a table: long names break into lines, and every bar has its value as text.

use super::format;
use maud::{Markup, html};

/// Bars over the range 0 to 1.
pub struct Bars<'a> {
    /// Title of the names: "Class".
    pub name_title: &'a str,
    /// Title of the counts: "Images".
    pub n_title: &'a str,
    /// Title of the values: "Recall".
    pub value_title: &'a str,
    /// Titles of further columns, right of the bars.
    pub more_titles: &'a [&'a str],
    /// Values with a line through all bars.
    pub marks: &'a [f64],
    pub rows: Vec<Bar>,
}

#[derive(Clone, Debug, Default)]
pub struct Bar {
    pub name: String,
    pub n: Option<usize>,
    pub value: Option<f64>,
    pub interval: Option<[f64; 2]>,
    /// As many as the further titles.
    pub more: Vec<String>,
}

impl Bars<'_> {
    pub fn table(&self) -> Markup {
        let has_n = self.rows.iter().any(|row| row.n.is_some());
        html! {
            table.bars {
                thead {
                    tr {
                        th scope="col" { (self.name_title) }
                        @if has_n { th.number scope="col" { (self.n_title) } }
                        th.plot aria-hidden="true" { (self.scale()) }
                        th.number scope="col" { (self.value_title) }
                        @for title in self.more_titles { th.number scope="col" { (title) } }
                    }
                }
                tbody {
                    @for row in &self.rows { (self.row(row, has_n)) }
                }
            }
        }
    }

    fn row(&self, row: &Bar, has_n: bool) -> Markup {
        let interval = format::interval("", row.interval).filter(|_| row.value.is_some());
        html! {
            tr {
                th scope="row" { (row.name) }
                @if has_n { td.number { @if let Some(n) = row.n { (format::count(n as u64)) } } }
                td.plot aria-hidden="true" { (self.drawing(row)) }
                td.number {
                    (format::share(row.value))
                    @if let Some(interval) = interval { " " span.interval { (interval) } }
                }
                @for text in &row.more { td.number { (text) } }
            }
        }
    }

    fn drawing(&self, row: &Bar) -> Markup {
        let x = |share: f64| format!("{:.1}", 100.0 * share.clamp(0.0, 1.0));
        html! {
            svg viewBox="0 0 100 20" preserveAspectRatio="none" {
                @if let Some(value) = row.value {
                    rect.bar y="5" width=(x(value)) height="10" {}
                    @if let Some([low, high]) = row.interval {
                        path.whisker d={ "M" (x(low)) " 10H" (x(high)) "M" (x(low)) " 7V13M" (x(high)) " 7V13" } {}
                    }
                }
            }
            // A drawing of its own, as it is as tall as its cell: the lines of all rows meet.
            svg.marks viewBox="0 0 100 20" preserveAspectRatio="none" {
                path.end d="M0 0V20M100 0V20" {}
                @for mark in self.marks { path.mark d={ "M" (x(*mark)) " 0V20" } {} }
            }
        }
    }

    fn scale(&self) -> Markup {
        let place = |share: f64| format!("left:{:.1}%", 100.0 * share);
        html! {
            div.scale {
                span.first { "0" }
                @for &mark in self.marks { span style=(place(mark)) { (mark) } }
                span.last { "1" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_undefined_value_has_no_bar() {
        let bar = |name: &str, value| Bar { name: name.into(), value, ..Bar::default() };
        let rows = vec![bar("acne", Some(0.25)), bar("nevus", None)];
        let bars = Bars {
            name_title: "Class",
            n_title: "n",
            value_title: "Recall",
            more_titles: &[],
            marks: &[0.5],
            rows,
        };
        let text = bars.table().into_string();
        assert_eq!(text.matches("<rect").count(), 1);
        assert!(text.contains("width=\"25.0\"") && text.contains("n/a"), "{text}");
        assert!(text.contains("M50.0 0V20") && text.contains("left:50.0%"), "the mark is named and drawn");
    }
}
