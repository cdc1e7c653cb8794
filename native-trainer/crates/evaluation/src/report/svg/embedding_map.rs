//! Maps of image features: a dot for each image, colored by label or by skin tone.

use crate::embedding_map::{EmbeddingMap, MapMethod};
use crate::report::format::{count, percent};
use dermake_drawing::dots::Dots;
use dermake_drawing::drawing;
use maud::{Markup, html};

const SIDE: u32 = 420;
/// Pixels between the frame and the outermost dots.
const INSET: f64 = 12.0;

/// The map by label, and by skin tone where the table has it.
pub fn figures(map: &EmbeddingMap) -> Markup {
    let labels: Vec<Option<usize>> = map.points.iter().map(|point| Some(point.label)).collect();
    let tones: Vec<Option<usize>> = map.points.iter().map(|point| point.tone).collect();
    html! {
        (figure(map, "Label map", "Images by their labels", &labels, &map.class_names))
        @if !map.tone_names.is_empty() {
            (figure(map, "Tone map", "The same images by skin tone", &tones, &map.tone_names))
        }
    }
}

fn figure(map: &EmbeddingMap, name: &str, title: &str, groups: &[Option<usize>], names: &[String]) -> Markup {
    let dots = Dots::of(groups, names.len());
    let side = f64::from(SIDE);
    let places = map.placed([INSET, side - INSET], [side - INSET, INSET]);
    let content = html! {
        rect.frame x="0.5" y="0.5" width=(SIDE - 1) height=(SIDE - 1) {}
        (dots.markup(&places))
    };
    let label =
        format!("{name} of {} images in two dimensions; the table beside it has their places", map.points.len());
    html! {
        figure.with-legend {
            figcaption { strong { (title) ", " } (explanation(map)) }
            (drawing(SIDE, SIDE, &label, &content))
            div { (dots.legend(names)) }
        }
    }
}

fn explanation(map: &EmbeddingMap) -> String {
    let how = match (map.method, map.variance_share) {
        (MapMethod::Tsne, _) => {
            "placed by t-SNE: neighbors are alike for the model; distances of groups mean nothing".to_string()
        }
        (MapMethod::Pca, Some(share)) => {
            format!("placed by their two principal components, which have {} of the variance", percent(share))
        }
        (MapMethod::Pca, None) => "whose features are all the same".to_string(),
    };
    let n_drawn = map.points.len();
    if n_drawn == map.n_images {
        return format!("{how}.");
    }
    format!("{how}. {} of {} images, drawn at random.", count(n_drawn as u64), count(map.n_images as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedding_map::tests::map;

    #[test]
    fn a_map_has_a_dot_for_each_image_and_says_how_it_was_made() {
        let found = map(12, MapMethod::Pca).unwrap();
        let text = figures(&found).into_string();
        // A dot for each image in both maps, and one for each entry of the legends.
        assert_eq!(text.matches("h0").count(), 2 * 12 + 3 + 2, "{text}");
        assert!(text.contains("two principal components") && text.contains(">nevus<") && text.contains("Tone map"));
        let some = EmbeddingMap { n_images: 100_000, tone_names: Vec::new(), method: MapMethod::Tsne, ..found };
        let text = figures(&some).into_string();
        assert!(text.contains("12 of 100,000 images, drawn at random") && !text.contains("Tone map"), "{text}");
    }
}
