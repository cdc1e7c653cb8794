//! The most confident mistakes, as pictures.

use super::format;
use crate::results::Mistake;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, html};
use std::path::Path;

/// The JPEG of a small copy of a picture; `None` where it cannot be read.
pub type Thumbnail<'a> = dyn Fn(&Path) -> Option<Vec<u8>> + 'a;

pub fn figure(mistakes: &[Mistake], thumbnail: &Thumbnail<'_>) -> Markup {
    let with_picture: Vec<(&Mistake, Option<Vec<u8>>)> =
        mistakes.iter().map(|mistake| (mistake, thumbnail(&mistake.file))).collect();
    let without: Vec<&Mistake> =
        with_picture.iter().filter(|(_, jpeg)| jpeg.is_none()).map(|(mistake, _)| *mistake).collect();
    html! {
        @if !mistakes.is_empty() {
            h3 { "The most confident mistakes" }
            ul.mistakes {
                @for (mistake, jpeg) in &with_picture {
                    @if let Some(jpeg) = jpeg { (card(mistake, jpeg)) }
                }
            }
            @if !without.is_empty() {
                p { "Without a picture, as the file cannot be read:" }
                ul.files {
                    @for mistake in without {
                        li {
                            (mistake.label) ", taken for " (mistake.prediction) " ("
                            (format::share(Some(mistake.probability))) "): row " (mistake.row) ", "
                            code { (mistake.file.display()) }
                        }
                    }
                }
            }
        }
    }
}

fn card(mistake: &Mistake, jpeg: &[u8]) -> Markup {
    let name = mistake.file.file_name().unwrap_or(mistake.file.as_os_str());
    html! {
        li {
            img src={ "data:image/jpeg;base64," (STANDARD.encode(jpeg)) } alt={ "Row " (mistake.row) };
            dl {
                dt { "Label" } dd { (mistake.label) }
                dt { "Predicted" } dd { (mistake.prediction) " " b { (format::share(Some(mistake.probability))) } }
                dt { "File" } dd { code title=(mistake.file.display()) { (name.display()) } ", row " (mistake.row) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_without_a_picture_is_told_in_words() {
        let mistake = |row: usize, file: &str| Mistake {
            row,
            file: file.into(),
            label: "acne".into(),
            prediction: "rosacea".into(),
            probability: 0.98,
        };
        let mistakes = [mistake(1, "a/seen.jpg"), mistake(2, "a/gone.jpg")];
        let thumbnail = |path: &std::path::Path| path.ends_with("seen.jpg").then(|| vec![1, 2, 3]);
        let text = figure(&mistakes, &thumbnail).into_string();
        assert_eq!(text.matches("<img src=\"data:image/jpeg;base64,AQID\"").count(), 1);
        assert!(text.contains("acne, taken for rosacea (0.980): row 2, <code>a/gone.jpg</code>"), "{text}");
    }
}
