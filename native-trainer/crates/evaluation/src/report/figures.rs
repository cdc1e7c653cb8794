//! The drawings of a report as SVG and PNG files of their own, for papers and slides.

use super::figure_legend::FigureLegend;
use super::{STYLE, section};
use crate::results::Results;
use dermake_drawing::page_css;
use std::collections::HashMap;

/// What every drawing of the page begins with.
const START: &str = "<svg class=\"drawing\"";
const END: &str = "</svg>";
/// Words of a drawing's description that name its file.
const NAME_WORDS: usize = 2;

/// A drawing: the name of its files, without an ending, and its content.
pub struct Figure {
    pub name: String,
    pub svg: String,
}

/// All drawings of a report: `pad-confusion-matrix`, …
pub fn figures(results: &Results) -> Vec<Figure> {
    let style = plain_style();
    let mut figures = Vec::new();
    for benchmark in &results.benchmarks {
        let html = section::section(benchmark, 0, None, &|_| None).into_string();
        let mut counts: HashMap<String, usize> = HashMap::new();
        for (drawing, behind) in drawings(&html) {
            let name = format!("{}-{}", slug(&benchmark.key), slug(&words(drawing)));
            let count = counts.entry(name.clone()).or_default();
            *count += 1;
            let name = if *count == 1 { name } else { format!("{name}-{count}") };
            figures.push(Figure { name, svg: standalone(drawing, &FigureLegend::behind(behind), &style) });
        }
    }
    figures
}

/// The drawings of a page, as they are there, each with what is behind it.
fn drawings(html: &str) -> impl Iterator<Item = (&str, &str)> {
    html.match_indices(START).filter_map(|(start, _)| {
        let end = html[start..].find(END)?;
        Some(html[start..].split_at(end + END.len()))
    })
}

/// The first words of a drawing's description.
fn words(drawing: &str) -> String {
    let label = drawing.split("aria-label=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("figure");
    label.split_whitespace().take(NAME_WORDS).collect::<Vec<_>>().join(" ")
}

/// A drawing that needs no page, with its legend. `dermake_drawing` writes the `viewBox` behind all other attributes but
/// the sides.
fn standalone(drawing: &str, legend: &FigureLegend<'_>, style: &str) -> String {
    let rest = &drawing[START.len()..drawing.len() - END.len()];
    let (attributes, content) = rest.split_once('>').unwrap_or((rest, ""));
    let (attributes, size) = attributes.split_once(" viewBox=\"0 0 ").unwrap_or((attributes, ""));
    let mut sides = size.split(|letter: char| !letter.is_ascii_digit()).map(|side| side.parse().unwrap_or(0));
    let own = [sides.next().unwrap_or(0), sides.next().unwrap_or(0)];
    let [width, height] = legend.size(own);
    format!(
        "{START} xmlns=\"http://www.w3.org/2000/svg\"{attributes} viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\"><style>{style}</style><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>{content}{}{END}\n",
        legend.svg(own[0])
    )
}

/// The style sheet of the page with its light colors in place of variables, which programs for drawings do not know.
fn plain_style() -> String {
    let mut style = page_css() + STYLE;
    let mut values: HashMap<&str, &str> = HashMap::new();
    let all = style.clone();
    for (at, _) in all.match_indices("--") {
        let Some((name, rest)) = all[at..].split_once(':') else { continue };
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        // The first value is that of a light page.
        if let (true, Some((value, _))) = (is_name, rest.split_once(';')) {
            values.entry(name).or_insert(value.trim());
        }
    }
    for (name, value) in values {
        style = style.replace(&format!("var({name})"), value);
    }
    style.push_str(".drawing { font-family: sans-serif; }\n");
    style
}

/// A text in a file's name.
pub fn slug(text: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { '-' };
    text.chars().map(plain).collect::<String>().trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn every_drawing_is_a_file_that_needs_no_page() {
        let all = [samples::classification(&["acne", "nevus"]), samples::concepts(), samples::probe()];
        let figures = figures(&samples::results(all.to_vec()));
        let names: Vec<&str> = figures.iter().map(|figure| figure.name.as_str()).collect();
        assert!(names.iter().any(|name| name.ends_with("-confusion-matrix")), "{names:?}");
        assert!(figures.len() >= 5, "{names:?}");
        let distinct: std::collections::HashSet<&&str> = names.iter().collect();
        assert_eq!(distinct.len(), names.len(), "{names:?}");
        for Figure { name, svg } in &figures {
            assert!(svg.contains("xmlns=\"http://www.w3.org/2000/svg\"") && svg.contains("viewBox="), "{name}");
            assert_eq!((svg.matches("<svg").count(), svg.matches("</svg>").count()), (1, 1), "{name}");
            assert!(!svg.contains("var(--"), "{name}: {svg}");
            assert!(svg.contains(".heat { fill: #005a8c; }"), "{name}");
            let [width, height] = ["width", "height"].map(|side| {
                let value = svg.split(&format!(" {side}=\"")).nth(1).and_then(|rest| rest.split('"').next());
                value.and_then(|value| value.parse::<u32>().ok()).unwrap()
            });
            assert!(svg.contains(&format!("viewBox=\"0 0 {width} {height}\"")) && width > 100, "{name}");
        }
        let roc = figures.iter().find(|figure| figure.name == "pad-roc-curves").unwrap();
        assert!(roc.svg.contains(">acne  0.950</text>") && roc.svg.contains("d=\"M1 5H25\""), "{}", roc.svg);
    }
}
