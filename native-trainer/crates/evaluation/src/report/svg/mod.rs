//! Drawings: scales and axes that the figures share, and the figures that need both axes.

pub mod axes;
pub mod confusion;
pub mod lines;
pub mod probe_curves;
pub mod reliability;
pub mod roc;
mod wrapped;

use maud::{Markup, html};

/// A drawing that shrinks with the page; `label` describes it in words.
pub fn drawing(width: u32, height: u32, label: &str, content: &Markup) -> Markup {
    html! {
        svg.drawing role="img" aria-label=(label)
            viewBox={ "0 0 " (width) " " (height) } width=(width) height=(height) {
            (content)
        }
    }
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
}
