//! The legend of a drawing of the page, which is HTML beside it, as a part of a file that needs no page.

/// Starts of a legend's title and of an entry, as the page has them.
const TITLE: &str = "<p class=\"legend-title\">";
const ENTRY: &str = "<li><svg ";
/// Pixels between the drawing and its legend, from one entry to the next, and for the sample of a line or dot.
const GAP: u32 = 16;
const ROW: u32 = 18;
const MARK: u32 = 32;
/// Width of a letter, on average, in pixels.
const LETTER: f64 = 7.2;

/// Titles and entries, in their order.
pub struct FigureLegend<'a> {
    rows: Vec<Row<'a>>,
}

struct Row<'a> {
    /// The sample of a line or dot; empty for a title.
    mark: &'a str,
    /// Escaped.
    text: String,
}

impl<'a> FigureLegend<'a> {
    /// Reads the HTML behind a drawing, up to the end of its figure.
    pub fn behind(html: &'a str) -> Self {
        let figure = html.split("</figure>").next().unwrap_or_default();
        let mut rest = figure.split("<svg class=\"drawing\"").next().unwrap_or_default();
        let mut rows = Vec::new();
        while let Some(at) = [TITLE, ENTRY].iter().filter_map(|start| rest.find(start)).min() {
            let row = &rest[at..];
            let (row, after) = match row.strip_prefix(TITLE) {
                Some(title) => {
                    let (text, after) = title.split_once("</p>").unwrap_or((title, ""));
                    (Row { mark: "", text: text.into() }, after)
                }
                None => {
                    let (entry, after) = row.split_once("</li>").unwrap_or((row, ""));
                    let (sample, texts) = entry.split_once("</svg>").unwrap_or((entry, ""));
                    let mark = sample[ENTRY.len()..].split_once('>').map_or("", |(_, mark)| mark);
                    let texts = texts.split('<').filter_map(|piece| Some(piece.split_once('>')?.1));
                    let text = texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("  ");
                    (Row { mark, text }, after)
                }
            };
            rows.push(row);
            rest = after;
        }
        Self { rows }
    }

    /// Width and height of a drawing with its legend on the right.
    pub fn size(&self, [width, height]: [u32; 2]) -> [u32; 2] {
        let Some(longest) = self.rows.iter().map(|row| row.text.chars().count()).max() else {
            return [width, height];
        };
        let text_width = (longest as f64 * LETTER).ceil() as u32;
        [width + GAP + MARK + text_width, height.max(ROW * (self.rows.len() as u32 + 1))]
    }

    /// The legend on the right of a drawing of this width.
    pub fn svg(&self, width: u32) -> String {
        let row = |(at, row): (usize, &Row<'_>)| {
            let (x, y) = (width + GAP, ROW * (at as u32 + 1));
            let mark_width = if row.mark.is_empty() { 0 } else { MARK };
            format!(
                "<g transform=\"translate({x} {})\">{}</g><text x=\"{}\" y=\"{y}\">{}</text>",
                y - 9,
                row.mark,
                x + mark_width,
                row.text
            )
        };
        self.rows.iter().enumerate().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dermake_drawing::lines::{Line, legend};
    use maud::html;

    #[test]
    fn a_legend_of_the_page_is_read_with_its_titles_and_samples() {
        let entries = ["acne & co", "nevus"].map(|name| (name.to_owned(), "0.950".to_owned()));
        let page = html! {
            div { p.legend-title { "Best" } (legend(&entries, Line::nth)) }
        };
        let page =
            format!("{}</figure><figure>{}", page.into_string(), legend(&entries, Line::solid).into_string());
        let found = FigureLegend::behind(&page);
        let texts: Vec<&str> = found.rows.iter().map(|row| row.text.as_str()).collect();
        assert_eq!(texts, ["Best", "acne &amp; co  0.950", "nevus  0.950"]);
        assert_eq!(found.rows[2].mark, "<path class=\"line c1\" d=\"M1 5H25\"></path>");
        let [width, height] = found.size([100, 20]);
        assert!(width > 250 && height == 4 * ROW, "{width} {height}");
        assert!(
            found.svg(100).contains("<text x=\"148\" y=\"36\">acne &amp; co  0.950</text>"),
            "{}",
            found.svg(100)
        );
        assert_eq!(FigureLegend::behind("<p>text</p></figure>").size([100, 20]), [100, 20]);
    }
}
