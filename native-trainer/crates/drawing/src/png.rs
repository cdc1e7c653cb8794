//! SVG drawings as PNG pictures, by [resvg](https://github.com/linebender/resvg).
//!
//! Their letters come with the program, so that a picture is the same on every machine. Characters that `fonts/` does
//! not have, for example Chinese ones, are taken from the fonts of the machine.

use anyhow::{Context, Result};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};
use std::sync::LazyLock;
use tracing::subscriber::{NoSubscriber, with_default};

/// What programs show for `sans-serif`.
const FONT: &[u8] = include_bytes!("../fonts/DejaVuSans.ttf");
const FONT_FAMILY: &str = "DejaVu Sans";
/// Pixels of the picture for one of the drawing: 288 to an inch.
const SCALE: f32 = 3.0;
/// Longest side of a picture, in pixels; a larger drawing has fewer pixels for each of its own.
const MAX_SIDE: f32 = 6000.0;

static OPTIONS: LazyLock<Options<'static>> = LazyLock::new(|| with_fonts(true));

/// Options with the program's font, and with those of the machine if they are wanted.
fn with_fonts(has_those_of_machine: bool) -> Options<'static> {
    let mut options = Options { font_family: FONT_FAMILY.into(), ..Options::default() };
    let fonts = options.fontdb_mut();
    fonts.load_font_data(FONT.to_vec());
    if has_those_of_machine {
        fonts.load_system_fonts();
    }
    // Last: the fonts of a machine come with settings that name another, which need not be there.
    fonts.set_sans_serif_family(FONT_FAMILY);
    options
}

/// Returns a drawing as the content of a PNG file.
///
/// # Errors
/// When `svg` is not SVG, or has no size.
pub fn png(svg: &str) -> Result<Vec<u8>> {
    png_with(svg, &OPTIONS)
}

fn png_with(svg: &str, options: &Options<'_>) -> Result<Vec<u8>> {
    // The reader warns of each style that is for browsers alone, such as that of dark pages.
    let parsed = with_default(NoSubscriber::default(), || Tree::from_str(svg, options));
    let tree = parsed.context("the drawing is not SVG")?;
    let size = tree.size();
    let scale = SCALE.min(MAX_SIDE / size.width().max(size.height()));
    let pixels = |length: f32| (length * scale).round().max(1.0) as u32;
    let mut picture =
        Pixmap::new(pixels(size.width()), pixels(size.height())).context("the drawing has no size")?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut picture.as_mut());
    picture.encode_png().context("cannot encode the drawing as PNG")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dots::Dots, lines::Line, standalone};
    use maud::html;

    fn picture(svg: &str) -> Pixmap {
        Pixmap::decode_png(&png(svg).unwrap()).unwrap()
    }

    fn color(picture: &Pixmap, x: u32, y: u32) -> [u8; 3] {
        let pixel = picture.pixel(x, y).unwrap();
        [pixel.red(), pixel.green(), pixel.blue()]
    }

    #[test]
    fn lines_and_dots_have_the_colors_of_their_style_on_white() {
        let content = html! {
            path class=(Line::nth(1).class()) d="M0 10L40 10" {}
            (Dots::of(&[Some(0), Some(1)], 2).markup(&[[10.0, 20.0], [30.0, 20.0]]))
        };
        let picture = picture(&standalone(40, 30, "a line and dots", &content));
        assert_eq!((picture.width(), picture.height()), (120, 90));
        assert_eq!(color(&picture, 60, 30), [0xd5, 0x5e, 0x00]);
        assert_eq!(color(&picture, 60, 80), [255; 3]);
        // Four fifths of the color: 0.8 · 0x72 + 0.2 · 255 and 0.8 · 0xb2 + 0.2 · 255.
        let [red, green, blue] = color(&picture, 30, 60);
        assert!(red.abs_diff(51) < 2 && green.abs_diff(142) < 2 && blue.abs_diff(193) < 2, "{red} {green} {blue}");
    }

    #[test]
    fn texts_are_drawn_with_and_without_the_fonts_of_the_machine() {
        let text = |text: &str| standalone(60, 20, "a text", &html! { text x="4" y="14" { (text) } });
        for options in [&*OPTIONS, &with_fonts(false)] {
            let picture = |svg: &str| Pixmap::decode_png(&png_with(svg, options).unwrap()).unwrap();
            let dark = |svg: &str| picture(svg).pixels().iter().filter(|pixel| pixel.red() < 128).count();
            assert_eq!(dark(&text("")), 0);
            for letters in ["nevus", "→", "≥ 0.5", "α", "é"] {
                assert!(dark(&text(letters)) > 20, "{letters}");
            }
        }
        assert_eq!(OPTIONS.fontdb.family_name(&resvg::usvg::fontdb::Family::SansSerif), FONT_FAMILY);
    }

    #[test]
    fn a_large_drawing_is_a_picture_of_bounded_size_and_what_is_no_drawing_is_an_error() {
        let picture = picture(&standalone(9000, 30, "a long one", &html! {}));
        assert_eq!((picture.width(), picture.height()), (6000, 20));
        assert!(png("<p>no drawing</p>").is_err());
        assert!(png("").is_err());
    }
}
