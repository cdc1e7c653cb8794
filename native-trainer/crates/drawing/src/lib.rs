//! Pages and drawings: the shell of an HTML page; SVG with axes, round marks, styles of lines and paths. Evaluation
//! reports, training curves and other reports are made with it.
//!
//! The drawings of a page take their look from its style sheet, of which [`page_css`] is a part. [`standalone`] makes a
//! file that needs none, [`png`] a picture of it, and [`write_figure`] writes both.

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `dermake_process::print` does not

pub mod axes;
pub mod dots;
mod figure_file;
pub mod lines;
pub mod marks;
mod png;

pub use figure_file::write_figure;
pub use png::png;

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// Colors that people with any color vision can distinguish (Okabe and Ito, with gray for black), the dark ones
/// first.
pub const COLORS: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#5a5a5a"];

/// Style rules of lines, alike in pages and in files of their own.
const LINES_CSS: &str = include_str!("lines.css");

/// Style rules of everything else in a file of its own, in plain colors: not all viewers know variables.
const STANDALONE_CSS: &str = include_str!("standalone.css");

/// Returns a page that needs no other file and has no script.
pub fn page(title: &str, style: &str, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(style)) }
            }
            body { (body) }
        }
    }
    .into_string()
}

/// Returns a drawing that shrinks with the page; `label` describes it in words.
pub fn drawing(width: u32, height: u32, label: &str, content: &Markup) -> Markup {
    html! {
        svg.drawing role="img" aria-label=(label)
            viewBox={ "0 0 " (width) " " (height) } width=(width) height=(height) {
            (content)
        }
    }
}

/// Returns the style rules of lines for a page. A rule behind them may set the variables `--c0` to `--c6` anew, as for a
/// dark page.
pub fn page_css() -> String {
    let color =
        |(at, color): (usize, &&str)| format!(":root {{ --c{at}: {color}; }}\n.c{at} {{ color: var(--c{at}); }}\n");
    COLORS.iter().enumerate().map(color).chain([LINES_CSS.to_string()]).collect()
}

/// Returns the content of an SVG file on white.
pub fn standalone(width: u32, height: u32, label: &str, content: &Markup) -> String {
    let colors: String =
        COLORS.iter().enumerate().map(|(at, color)| format!(".c{at} {{ color: {color}; }}\n")).collect();
    html! {
        svg.drawing xmlns="http://www.w3.org/2000/svg" role="img" aria-label=(label)
            viewBox={ "0 0 " (width) " " (height) } width=(width) height=(height) {
            style { (PreEscaped([STANDALONE_CSS, LINES_CSS, &colors].concat())) }
            rect.paper width="100%" height="100%" {}
            (content)
        }
    }
    .into_string()
}

/// Limits a figure's width to its drawing, so that its caption is not wider.
pub fn width_style(width: u32) -> String {
    format!("width:{width}px")
}

/// A coordinate, to a tenth of a pixel.
pub fn px(coordinate: f64) -> String {
    let text = format!("{coordinate:.1}");
    text.strip_suffix(".0").map_or(text.clone(), String::from)
}

/// Path data through points.
pub fn path(points: impl IntoIterator<Item = [f64; 2]>) -> String {
    let point = |(at, [x, y]): (usize, [f64; 2])| format!("{}{} {}", if at == 0 { "M" } else { "L" }, px(x), px(y));
    points.into_iter().enumerate().map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_short() {
        assert_eq!(path([[0.0, 10.0], [1.25, 9.96]]), "M0 10L1.2 10");
        assert_eq!(path([]), "");
    }

    #[test]
    fn a_page_is_whole_and_escapes_its_title() {
        let page = page("a < b", "p { color: red; }", &html! { p { "text" } });
        assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("<body><p>text</p></body></html>"), "{page}");
        assert!(page.contains("<title>a &lt; b</title><style>p { color: red; }</style>"), "{page}");
    }

    #[test]
    fn a_file_of_its_own_has_its_colors_in_it() {
        let file =
            standalone(40, 30, "a line", &html! { path class=(lines::Line::nth(1).class()) d="M0 0L9 9" {} });
        assert!(file.starts_with("<svg ") && file.contains("xmlns=\"http://www.w3.org/2000/svg\""), "{file}");
        assert!(file.contains(".c1 { color: #d55e00; }") && !file.contains("var("), "{file}");
    }
}
