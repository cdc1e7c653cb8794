//! Removes from captions what is not about the picture: HTML, figure calls, citations, links, notes on copyright.

use regex::Regex;
use serde::Serialize;
use std::sync::LazyLock;

/// A kind of text that is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Removed {
    Html,
    Link,
    FigureCall,
    Citation,
    Copyright,
}

/// A caption without remains, and what was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cleaned {
    pub text: String,
    pub removed: Vec<Removed>,
}

static RULES: LazyLock<Vec<(Removed, Regex)>> = LazyLock::new(|| {
    [
        (Removed::Html, r"(?s)<!--.*?-->|<(?i:script|style)\b.*?</(?i:script|style)\s*>|</?[A-Za-z][^<>]{0,500}>"),
        (Removed::Link, r"(?i)\b(?:https?://|www\.)\S+|\bdoi:\s*\S+"),
        // "(Fig. 2A)", "(see Figures 3 and 4)", "[Figure 1]"
        (Removed::FigureCall, r"(?i)\s?[(\[](?:see |cf\. )?(?:supplementary )?fig(?:ure|s|\.)?s?\.?\s*\d[^()\[\]]{0,40}[)\]]"),
        // "Figure 3. ", "Fig 2a: " at the start of a line
        (Removed::FigureCall, r"(?im)^\s*(?:supplementary )?(?:fig(?:ure|s)?\.?|image|photo|plate|panel)\s*\d+(?:[.-]\d+)?\s?(?:\(?[a-h]\)?)?\s*[.:)–-]+\s+"),
        (Removed::FigureCall, r"(?i)\b(?:click (?:here )?(?:on|for|to) [^.]{0,60}|open in (?:a )?(?:new tab|figure viewer)|download (?:figure|powerpoint)|see (?:the )?online (?:article|version)[^.]{0,60})\.?"),
        // "[12]", "[3, 4-6]"
        (Removed::Citation, r"\s?\[\d{1,3}(?:\s?[,–-]\s?\d{1,3})*\]"),
        (Removed::Copyright, r"(?i)(?:©|copyright\b)[^.\n]{0,120}\.?|\b(?:(?:reproduced|reprinted|adapted) (?:with (?:the )?permission|from)|used with (?:the )?permission)\b[^.\n]{0,160}\.?|\b(?:courtesy of|photo credit:?|image credit:?)[^.\n]{0,120}\.?"),
    ]
    .map(|(kind, rule)| (kind, Regex::new(rule).expect("the tests use every rule")))
    .into()
});

/// Removes remains from a caption, and surplus white space. Line breaks stay: they end sentences.
pub fn clean(caption: &str) -> Cleaned {
    let mut text = html_escape::decode_html_entities(caption).into_owned();
    let mut removed = Vec::new();
    if text != caption {
        removed.push(Removed::Html);
    }
    for (kind, rule) in RULES.iter() {
        if rule.is_match(&text) {
            text = rule.replace_all(&text, if *kind == Removed::Html { " " } else { "" }).into_owned();
            removed.push(*kind);
        }
    }
    removed.sort_unstable();
    removed.dedup();
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
    Cleaned { text: lines.join("\n"), removed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remains_are_removed_and_the_rest_stays() {
        for (caption, expected, removed) in [
            ("Scaly plaque.", "Scaly plaque.", vec![]),
            ("<p>Scaly &amp; red<br/>plaque</p>", "Scaly & red plaque", vec![Removed::Html]),
            (
                "Figure 3. Nevus (Fig. 2A, arrow) of the arm [12].",
                "Nevus of the arm.",
                vec![Removed::FigureCall, Removed::Citation],
            ),
            ("Fig 2a: Plaque", "Plaque", vec![Removed::FigureCall]),
            ("Melanoma. © 2010 Smith et al", "Melanoma.", vec![Removed::Copyright]),
            ("Wart. Reproduced with permission from Jones. Crust.", "Wart. Crust.", vec![Removed::Copyright]),
            ("Cyst https://example.org/a.jpg here", "Cyst here", vec![Removed::Link]),
            ("size < 3 mm and > 1 mm", "size < 3 mm and > 1 mm", vec![]),
            ("a\r\n\r\n b\u{a0}c ", "a\nb c", vec![]),
            ("", "", vec![]),
        ] {
            assert_eq!(clean(caption), Cleaned { text: expected.into(), removed }, "{caption}");
        }
    }
}
