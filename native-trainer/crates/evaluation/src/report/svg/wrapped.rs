//! Names that are broken into two lines, as SVG does not break text.

use dermake_drawing::px;
use maud::{Markup, html};

/// Pixels between two lines.
pub const LINE_HEIGHT: f64 = 11.0;
/// Width of a character of a name, in pixels; generous, as fonts differ.
const CHARACTER_WIDTH: f64 = 6.3;

/// A name in at most two lines of about `max_characters`.
pub struct Wrapped<'a> {
    name: &'a str,
    lines: Vec<String>,
    is_cut: bool,
}

impl<'a> Wrapped<'a> {
    pub fn new(name: &'a str, max_characters: usize) -> Self {
        let mut lines = vec![String::new()];
        for word in name.split_whitespace() {
            let at = lines.len() - 1;
            let length = lines[at].chars().count();
            if length > 0 && length + 1 + word.chars().count() > max_characters && at == 0 {
                lines.push(word.into());
            } else {
                lines[at].push_str(if length > 0 { " " } else { "" });
                lines[at].push_str(word);
            }
        }
        let mut is_cut = false;
        for line in &mut lines {
            if line.chars().count() > max_characters {
                is_cut = true;
                *line = line.chars().take(max_characters - 1).chain(['…']).collect();
            }
        }
        Self { name, lines, is_cut }
    }

    /// Whether the name is longer than two lines.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Estimated width, in pixels.
    pub fn width(&self) -> f64 {
        self.lines.iter().map(|line| line.chars().count()).max().unwrap_or(0) as f64 * CHARACTER_WIDTH
    }

    /// Ends at a point given by a transformation, centered over its height.
    pub fn ending_at(&self, transform: &str) -> Markup {
        let first = 3.5 - LINE_HEIGHT * (self.lines.len() - 1) as f64 / 2.0;
        html! {
            text.name text-anchor="end" transform=(transform) {
                title { (self.name) }
                @for (at, line) in self.lines.iter().enumerate() {
                    tspan x="0" y=(px(first + LINE_HEIGHT * at as f64)) { (line) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_break_between_words() {
        assert_eq!(Wrapped::new("nevus", 12).lines, ["nevus"]);
        assert_eq!(Wrapped::new("basal cell carcinoma", 12).lines, ["basal cell", "carcinoma"]);
        assert_eq!(Wrapped::new("a name of very many words", 8).lines, ["a name", "of very…"]);
    }
}
