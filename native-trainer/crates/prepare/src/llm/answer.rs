//! The answer of a language model, as it writes it.

use serde::Deserialize;

/// What a language model answers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Answer {
    pub condition: Option<Term>,
    #[serde(default)]
    pub concepts: Vec<Term>,
    #[serde(default)]
    pub negated: Vec<Term>,
}

impl Answer {
    /// Returns whether it has no term.
    pub fn is_empty(&self) -> bool {
        self.condition.is_none() && self.concepts.is_empty() && self.negated.is_empty()
    }
}

/// A name and the words of the caption that say it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Term {
    pub name: String,
    pub evidence: String,
}

/// Parses an answer. A model may put it into a code block and words around it, and repeat a term; each counts once.
///
/// # Errors
/// What is wrong with it. An answer that was cut off is an error: what is missing cannot be known.
pub fn parse(content: &str) -> Result<Answer, serde_json::Error> {
    let start = content.find('{').unwrap_or(0);
    let mut answer = Answer::deserialize(&mut serde_json::Deserializer::from_str(&content[start..]))?;
    for terms in [&mut answer.concepts, &mut answer.negated] {
        let mut seen = Vec::with_capacity(terms.len());
        terms.retain(|term| {
            let is_new = !seen.contains(term);
            seen.push(term.clone());
            is_new
        });
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str =
        r#"{"condition": null, "concepts": [{"name": "scale", "evidence": "scaly"}], "negated": []}"#;

    #[test]
    fn answers_in_code_blocks_and_among_words_are_parsed_and_broken_ones_are_errors() {
        let answer = parse(JSON).unwrap();
        assert_eq!(answer.concepts.len(), 1);
        for text in [
            format!("```json\n{JSON}\n```"),
            format!("```\n{JSON}```"),
            format!("Here is the JSON:\n\n```json\n{JSON}\n```\nI hope this helps {{you}}."),
            format!("  {JSON} The caption says so."),
        ] {
            assert_eq!(parse(&text).unwrap(), answer, "{text}");
        }
        for text in [&JSON[..20], &JSON[..60], "I think it is psoriasis", "", "[]"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_term_that_is_repeated_counts_once() {
        let term = r#"{"name": "papule", "evidence": "papules"}"#;
        let json = format!(r#"{{"condition": null, "concepts": [{}], "negated": [{term}]}}"#, [term; 9].join(", "));
        let answer = parse(&json).unwrap();
        assert_eq!((answer.concepts.len(), answer.negated.len()), (1, 1));
    }
}
