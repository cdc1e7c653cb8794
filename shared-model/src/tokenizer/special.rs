//! Tokens that are found in a text as they are written, before anything splits it.

/// The special tokens of a vocabulary, each with its id.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct SpecialTokens {
    /// Tokens that are looked for in the text as it came.
    as_written: Vec<(String, u32)>,
    /// Tokens that are looked for in the normalized text.
    normalized: Vec<(String, u32)>,
}

/// A part of a text between special tokens, or one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Text(&'a str),
    Special(u32),
}

impl SpecialTokens {
    /// Adds a token; a later one of the same content replaces an earlier one.
    pub(super) fn insert(&mut self, content: &str, id: u32, is_normalized: bool) {
        self.as_written.retain(|(known, _)| known != content);
        self.normalized.retain(|(known, _)| known != content);
        if content.is_empty() {
            return;
        }
        let tokens = if is_normalized { &mut self.normalized } else { &mut self.as_written };
        tokens.push((content.into(), id));
        // The first match is then the longest one.
        tokens.sort_by_key(|(content, _)| std::cmp::Reverse(content.len()));
    }

    /// Changes the tokens that are looked for in normalized text as `normalize` would change them in it.
    pub(super) fn normalize(&mut self, normalize: impl Fn(&str) -> String) {
        for (content, _) in &mut self.normalized {
            *content = normalize(content);
        }
        self.normalized.retain(|(content, _)| !content.is_empty());
    }

    /// The id of a token.
    pub(super) fn id(&self, content: &str) -> Option<u32> {
        self.iter().find(|(known, _)| known == content).map(|&(_, id)| id)
    }

    /// The largest id.
    pub(super) fn max_id(&self) -> Option<u32> {
        self.iter().map(|&(_, id)| id).max()
    }

    /// The parts of a text as it came.
    pub(super) fn parts<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Part<'a>> {
        parts(text, &self.as_written)
    }

    /// The parts of a normalized text.
    pub(super) fn normalized_parts<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Part<'a>> {
        parts(text, &self.normalized)
    }

    fn iter(&self) -> impl Iterator<Item = &(String, u32)> {
        self.as_written.iter().chain(&self.normalized)
    }
}

/// Splits a text at the leftmost and, of those that start there, longest tokens; no part is empty.
fn parts<'a>(text: &'a str, tokens: &'a [(String, u32)]) -> impl Iterator<Item = Part<'a>> {
    let mut rest = text;
    let mut pending = None;
    std::iter::from_fn(move || {
        if let Some((id, len)) = pending.take() {
            rest = &rest[len..];
            return Some(Part::Special(id));
        }
        if rest.is_empty() {
            return None;
        }
        let found = rest.char_indices().find_map(|(at, _)| {
            let (content, id) = tokens.iter().find(|(content, _)| rest[at..].starts_with(content.as_str()))?;
            Some((at, *id, content.len()))
        });
        let Some((at, id, len)) = found else { return Some(Part::Text(std::mem::take(&mut rest))) };
        if at == 0 {
            rest = &rest[len..];
            return Some(Part::Special(id));
        }
        let before;
        (before, rest) = rest.split_at(at);
        pending = Some((id, len));
        Some(Part::Text(before))
    })
}

#[cfg(test)]
mod tests {
    use super::Part::{Special, Text};
    use super::*;

    #[test]
    fn the_leftmost_and_longest_token_counts() {
        let mut tokens = SpecialTokens::default();
        for (content, id) in [("<s>", 1), ("<s>>", 2), ("s>", 3), ("", 4)] {
            tokens.insert(content, id, false);
        }
        let split = |text| tokens.parts(text).collect::<Vec<_>>();
        assert_eq!(split("a<s>>b<s>s>"), [Text("a"), Special(2), Text("b"), Special(1), Special(3)]);
        assert_eq!(split("é"), [Text("é")]);
        assert_eq!(split(""), []);
    }

    #[test]
    fn a_token_is_looked_for_in_one_form_of_the_text() {
        let mut tokens = SpecialTokens::default();
        tokens.insert("[A]", 1, false);
        tokens.insert("[B]", 2, false);
        tokens.insert("[B]", 3, true);
        tokens.normalize(str::to_lowercase);
        assert_eq!(tokens.parts("[A][B]").collect::<Vec<_>>(), [Special(1), Text("[B]")]);
        assert_eq!(tokens.normalized_parts("[a][b]").collect::<Vec<_>>(), [Text("[a]"), Special(3)]);
        assert_eq!((tokens.id("[A]"), tokens.id("[b]"), tokens.max_id()), (Some(1), Some(3), Some(3)));
    }
}
