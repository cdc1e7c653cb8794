//! Styles of lines, and their legend.

use crate::COLORS;
use maud::{Markup, html};

/// The look of a line: a color, and a dash once all colors are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    color: usize,
    is_dashed: bool,
}

impl Line {
    /// The look of the n-th of up to 14 lines.
    pub fn nth(n: usize) -> Self {
        Self { color: n % COLORS.len(), is_dashed: n / COLORS.len() % 2 == 1 }
    }

    pub fn solid(n: usize) -> Self {
        Self { color: n % COLORS.len(), is_dashed: false }
    }

    pub fn dashed(n: usize) -> Self {
        Self { color: n % COLORS.len(), is_dashed: true }
    }

    pub fn class(self) -> String {
        format!("line c{}{}", self.color, if self.is_dashed { " dashed" } else { "" })
    }

    pub fn color_class(self) -> String {
        format!("c{}", self.color)
    }
}

/// A sample of each line with its name and value.
pub fn legend(entries: &[(String, String)], line: impl Fn(usize) -> Line) -> Markup {
    html! {
        ul.legend {
            @for (at, (name, value)) in entries.iter().enumerate() {
                li {
                    svg width="26" height="10" viewBox="0 0 26 10" aria-hidden="true" {
                        path class=(line(at).class()) d="M1 5H25" {}
                    }
                    span { (name) }
                    @if !value.is_empty() { span.number { (value) } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fourteen_lines_differ() {
        let classes: std::collections::HashSet<String> = (0..14).map(|n| Line::nth(n).class()).collect();
        assert_eq!(classes.len(), 14);
    }
}
